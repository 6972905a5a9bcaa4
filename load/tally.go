// What is counted while a run goes on: by all workers, under one lock.

package load

import (
	"cmp"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// maxPoints caps the series of a run.
const maxPoints = 1 << 16

// tally counts. Times are from the start of the run.
type tally struct {
	mu          sync.Mutex    // guards all below
	start       time.Duration // of the series
	open, close time.Duration // the window
	answers     [700]int64
	failures    map[failure]int64
	counts      Counts // of the window
	all         Counts // of the whole run
	answered    int64  // operations whose latency was measured within the window
	latency     histogram
	lateness    histogram
	series      []Point
	stretch     stretch
}

// stretch is the part of the series that is being counted.
type stretch struct {
	length, end      time.Duration
	answered, failed int64
	latency          histogram
}

func newTally(open, close, stretchLength time.Duration) *tally {
	t := &tally{open: open, close: close, failures: make(map[failure]int64)}
	t.stretch.length, t.stretch.end = stretchLength, stretchLength
	return t
}

// in reports whether a time lies in the window.
func (t *tally) in(at time.Duration) bool { return at >= t.open && at < t.close }

// began counts an operation that was due and begins now.
func (t *tally) began(due, now time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.advanceLocked(now)
	t.all.Started++
	if t.in(due) {
		t.counts.Started++
		t.lateness.record(now - due)
	}
}

// measured counts the latency of an operation.
func (t *tally) measured(due, now time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.advanceLocked(now)
	t.stretch.answered++
	t.stretch.latency.record(now - due)
	if t.in(due) {
		t.latency.record(now - due)
	}
	if t.in(now) {
		t.answered++
	}
}

// completed counts an operation that went well.
func (t *tally) completed(now time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.advanceLocked(now)
	t.all.Completed++
	if t.in(now) {
		t.counts.Completed++
	}
}

// failed counts an operation that was due and did not go well.
func (t *tally) failed(why failure, due, now time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.advanceLocked(now)
	t.all.Failed++
	t.stretch.failed++
	if t.in(due) {
		t.counts.Failed++
		t.failures[why]++
	}
}

// answer counts a response.
func (t *tally) answer(s sip.Status) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s > 0 && int(s) < len(t.answers) {
		t.answers[s]++
	}
}

// cut ends the window early.
func (t *tally) cut(now time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.close = min(t.close, now)
}

// add counts one of the fields that need no more.
func (t *tally) add(now time.Duration, field func(*Counts) *int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	*field(&t.all)++
	if t.in(now) {
		*field(&t.counts)++
	}
}

// The fields for [tally.add].
func retransmitted(c *Counts) *int64 { return &c.Retransmitted }
func repeated(c *Counts) *int64      { return &c.Repeated }
func challenged(c *Counts) *int64    { return &c.Challenged }
func stray(c *Counts) *int64         { return &c.Stray }

// advanceLocked ends the stretches that are over.
func (t *tally) advanceLocked(now time.Duration) {
	s := &t.stretch
	for now >= s.end && len(t.series) < maxPoints {
		secs := s.length.Seconds()
		t.series = append(t.series, Point{At: seconds(s.end - t.start), Rate: float64(s.answered) / secs, Failed: float64(s.failed) / secs, Latency: s.latency.percentiles()})
		*s = stretch{length: s.length, end: s.end + s.length}
	}
}

// finish puts what was counted into a result.
func (t *tally) finish(r *Result, now time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.advanceLocked(now)
	r.Counts, r.Series = t.counts, t.series
	r.Latency, r.Lateness = t.latency.percentiles(), t.lateness.percentiles()
	r.Answers = make(map[string]int64)
	for code, n := range t.answers {
		if n > 0 {
			r.Answers[strconv.Itoa(code)] = n
		}
	}
	r.Failures = t.failuresLocked()
}

// failure is how many operations failed, and the most frequent way.
func (t *tally) failure() (n int64, first Failure) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if all := t.failuresLocked(); len(all) > 0 {
		first = all[0]
	}
	return t.all.Failed, first
}

// failuresLocked lists the failures, the most frequent first.
func (t *tally) failuresLocked() []Failure {
	var all []Failure
	for f, n := range t.failures {
		all = append(all, Failure{Fault: f.fault, Method: f.kind.method(), Status: f.status, Reason: f.fault.String(), Count: n})
	}
	slices.SortFunc(all, func(a, b Failure) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Fault, b.Fault), cmp.Compare(a.Method, b.Method), cmp.Compare(a.Status, b.Status))
	})
	return all
}
