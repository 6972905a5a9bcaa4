// What a run says at its end.

package load

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// Version is that of the form of a [Result] in JSON. It grows when a field changes its meaning.
const Version = 1

// Result is one measured run. Counts are of the operations that were due in the measured window unless they say otherwise; times are in microseconds.
type Result struct {
	Version   int      `json:"version"`
	Label     string   `json:"label,omitempty"`
	Scenario  Scenario `json:"scenario"`
	Transport string   `json:"transport"`
	Target    string   `json:"target"`
	Start     string   `json:"start"` // as 2006-01-02T15:04:05Z
	Users     int      `json:"users"`
	Workers   int      `json:"workers"`
	Hold      float64  `json:"hold_s,omitempty"` // -1: to the end

	Rate     float64          `json:"rate"`     // asked
	Achieved float64          `json:"achieved"` // completed a second within the window
	Warmup   float64          `json:"warmup_s"`
	Window   float64          `json:"window_s"`
	Counts   Counts           `json:"counts"`
	Answers  map[string]int64 `json:"answers"` // final and provisional ones by status code, of the whole run
	Failures []Failure        `json:"failures,omitempty"`

	Latency     Percentiles `json:"latency_us"`  // from when an operation was due to its final answer; of a call, to the 200 to its INVITE
	Lateness    Percentiles `json:"lateness_us"` // the generator's share of it: from when an operation was due to when it began
	Server      *Usage      `json:"server,omitempty"`
	Generator   Usage       `json:"generator"`
	Strained    string      `json:"strained,omitempty"` // why the generator, and not the server, may be what was measured
	Interrupted bool        `json:"interrupted,omitempty"`
	Series      []Point     `json:"series,omitempty"`
}

// Counts are what happened.
type Counts struct {
	Started       int64 `json:"started"`
	Completed     int64 `json:"completed"` // of the operations that ended within the window
	Failed        int64 `json:"failed"`
	Retransmitted int64 `json:"retransmitted"` // requests and 2xx sent again
	Repeated      int64 `json:"repeated"`      // requests that the called side got again
	Challenged    int64 `json:"challenged"`    // requests that had to be proved
	Stray         int64 `json:"stray"`         // messages that belong to nothing
	Malformed     int64 `json:"malformed"`     // messages that are no SIP
}

// Percentiles are what is reported of a distribution, in microseconds.
type Percentiles struct {
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
	Max  float64 `json:"max"`
}

// Usage is what a process and its children used.
type Usage struct {
	Processes int     `json:"processes,omitempty"`
	Percent   float64 `json:"cpu_percent"`             // of one processor, in the window
	PerOp     float64 `json:"cpu_us_per_operation"`    // in the window
	Start     int64   `json:"pss_kb_start,omitempty"`  // proportional set size before the first connection
	Before    int64   `json:"pss_kb_before,omitempty"` // when every connection stands and the callees have registered
	Loaded    int64   `json:"pss_kb_loaded,omitempty"` // at the end of the window
	After     int64   `json:"pss_kb_after,omitempty"`  // when every operation has ended
}

// Point is what happened in one stretch of a run.
type Point struct {
	At      float64     `json:"at_s"`   // its end, from the start of the warm-up
	Rate    float64     `json:"rate"`   // answered a second: calls by the 200 to their INVITE
	Failed  float64     `json:"failed"` // failed a second
	Latency Percentiles `json:"latency_us"`
}

// share is a part of a whole, 0 if there is none.
func share(part, whole int64) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// FailedShare is the share of the operations that failed, 1 if none was started.
func (r *Result) FailedShare() float64 {
	if r.Counts.Started == 0 {
		return 1
	}
	return share(r.Counts.Failed, r.Counts.Started)
}

// Clean reports whether the server kept up: fewer than one in a thousand failed, fewer than one in a hundred messages were sent again, and no less than 99 % of the rate came through.
func (r *Result) Clean() bool {
	c := &r.Counts
	return r.FailedShare() < 0.001 && share(c.Retransmitted, c.Started) < 0.01 && r.Achieved >= 0.99*r.Rate
}

// ReadResults reads the results in JSON that lie one behind the other in in.
func ReadResults(in io.Reader) ([]Result, error) {
	var all []Result
	d := json.NewDecoder(in)
	for {
		var r Result
		err := d.Decode(&r)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		if r.Version != Version {
			return nil, fmt.Errorf("load: result %d has version %d, not %d", len(all)+1, r.Version, Version)
		}
		all = append(all, r)
	}
}

// seconds gives a duration in seconds.
func seconds(d time.Duration) float64 { return float64(d.Milliseconds()) / 1000 }
