// What `bench` says at the end of a run.

package bench

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/cmd/sipwerk/terminal"
	"github.com/sipwerk/sipwerk/load"
)

// mostReasons is how many kinds of failures are listed.
const mostReasons = 10

// describe prints a result for people.
func (p *program) describe(r *load.Result) {
	w := p.Table()
	defer w.Flush()
	row := func(name, text string) { fmt.Fprintf(w, "%s\t%s\n", name, text) }
	row(p.Text("load"), p.Text("%s over %s to %s, %s/s for %s", string(r.Scenario), r.Transport, r.Target, count(r.Rate), terminal.Clock(window(r))))
	row(p.Text("came through"), p.Text("%s/s", count(r.Achieved)))
	row(p.Text("failed"), p.Text("%d of %d, %s", int(r.Counts.Failed), int(r.Counts.Started), terminal.Percent(r.FailedShare())))
	for i, f := range r.Failures {
		if i == mostReasons {
			row("", p.Text("and more"))
			break
		}
		row("", fmt.Sprintf("%d  %s", f.Count, p.reason(f)))
	}
	row(p.Text("retransmitted"), fmt.Sprint(r.Counts.Retransmitted))
	l := r.Latency
	row(p.Text("latency"), fmt.Sprintf("p50 %s  p90 %s  p99 %s  p99.9 %s  max %s", latency(l.P50), latency(l.P90), latency(l.P99), latency(l.P999), latency(l.Max)))
	row(p.Text("of that here"), fmt.Sprintf("p50 %s  p99 %s  max %s", latency(r.Lateness.P50), latency(r.Lateness.P99), latency(r.Lateness.Max)))
	var answers []string
	for _, code := range slices.Sorted(maps.Keys(r.Answers)) {
		answers = append(answers, fmt.Sprintf("%s: %d", code, r.Answers[code]))
	}
	row(p.Text("answers"), strings.Join(answers, "  "))
	if s := r.Server; s != nil {
		row(p.Text("server"), p.Text("%s µs an operation, %s of a processor, %d processes", fmt.Sprintf("%.1f", s.PerOp), terminal.Percent(s.Percent/100), s.Processes))
		row("", p.Text("memory (PSS) %s at the start, %s before the load, %s under it, %s after", megabytes(s.Start), megabytes(s.Before), megabytes(s.Loaded), megabytes(s.After)))
	}
	row(p.Text("generator"), p.Text("%s of a processor", terminal.Percent(r.Generator.Percent/100)))
	if why := p.strained(r); why != "" {
		row("", why)
	}
	if r.Interrupted {
		row("", p.Text("interrupted"))
	}
}

// strained says why the figures may be those of the generator.
func (p *program) strained(r *load.Result) string {
	switch r.Strained {
	case "cpu":
		return p.Text("the generator is the limit: it has no processor time left; give it --workers, or another processor than the server's")
	case "late":
		return p.Text("the generator is the limit: it began operations late; give it a processor of its own")
	case "room":
		return p.Text("more operations were in flight than there is room for; the server does not answer")
	}
	return ""
}

// reason says why operations failed.
func (p *program) reason(f load.Failure) string {
	text := f.Reason
	switch f.Fault {
	case load.FaultStatus:
		text = p.Text("refused")
	case load.FaultTimeout:
		text = p.Text("no final answer")
	case load.FaultUnanswered:
		text = p.Text("no final answer before the end")
	case load.FaultCredentials:
		text = p.Text("challenged, without a password or in vain")
	case load.FaultRoom:
		text = p.Text("too many operations in flight")
	case load.FaultSend:
		text = p.Text("connection lost")
	}
	if f.Status != 0 {
		return fmt.Sprintf("%s: %s (%s)", f.Method, text, f.Status.Error())
	}
	return fmt.Sprintf("%s: %s", f.Method, text)
}

// window is how long was measured.
func window(r *load.Result) time.Duration {
	return time.Duration(r.Window * float64(time.Second)).Round(time.Second / 10)
}

func megabytes(kB int64) string { return fmt.Sprintf("%.1f MB", float64(kB)/1024) }
