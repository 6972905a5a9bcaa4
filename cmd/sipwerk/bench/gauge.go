// The live progress of `bench`: a bar that is rewritten on a terminal, a line every few seconds elsewhere. It goes to standard error, because the result may go to standard output.

package bench

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/cmd/sipwerk/terminal"
	"github.com/sipwerk/sipwerk/load"
)

const (
	// gaugeLine is how often a line is written elsewhere than on a terminal.
	gaugeLine = 5 * time.Second
	barLength = 24
)

// gauge shows how a run goes.
type gauge struct {
	program *program
	live    bool // a terminal
	running sync.WaitGroup
}

func newGauge(p *program, searching bool) *gauge {
	return &gauge{program: p, live: !searching && terminal.Live(p.Err)}
}

// follow shows a run until the returned function is called.
func (g *gauge) follow(r *load.Run) (stop func()) {
	done := make(chan struct{})
	every := gaugeLine
	if g.live {
		every = terminal.Beat
	}
	g.running.Go(func() {
		t := time.NewTicker(every)
		defer t.Stop()
		for {
			select {
			case <-done:
				return
			case <-t.C:
				g.say(g.line(r.Progress()))
			}
		}
	})
	return func() {
		close(done)
		g.running.Wait()
		if g.live {
			io.WriteString(g.program.Err, "\r\x1b[K")
		}
	}
}

func (g *gauge) say(line string) {
	if g.live {
		fmt.Fprintf(g.program.Err, "\r\x1b[K%s", line)
		return
	}
	io.WriteString(g.program.Err, line+"\n")
}

// line describes a moment of a run.
func (g *gauge) line(s load.Progress) string {
	p := g.program
	switch s.Phase {
	case load.Connecting:
		return p.Text("connecting")
	case load.Registering:
		return p.Text("registering who is called")
	case load.Settling:
		return p.Text("calls stand: %d", s.Busy)
	case load.Draining:
		return p.Text("waiting for answers: %d", s.Busy)
	case load.Done:
		return p.Text("done")
	}
	word := p.Text("warming up")
	if s.Phase == load.Measuring {
		word = p.Text("measuring")
	}
	return p.Text("%s %s %s of %s, %s/s, failed %d, p99 %s", word, bar(s.Elapsed, s.Length), terminal.Clock(s.Elapsed), terminal.Clock(s.Length), count(s.Rate), int(s.Failed), latency(float64(s.P99.Microseconds())))
}

// bar draws how much of a time is over.
func bar(elapsed, length time.Duration) string {
	n := 0
	if length > 0 {
		n = int(barLength * elapsed / length)
	}
	n = min(max(n, 0), barLength)
	return strings.Repeat("█", n) + strings.Repeat("░", barLength-n)
}

// probe shows one step of a search.
func (g *gauge) probe(r *load.Result) {
	p := g.program
	verdict := p.Text("clean")
	if !r.Clean() {
		verdict = p.Text("not clean")
	}
	line := p.Text("%s/s for %s: %s; %s/s came through, failed %d, retransmitted %d, p99 %s", count(r.Rate), terminal.Clock(window(r)), verdict, count(r.Achieved),
		int(r.Counts.Failed), int(r.Counts.Retransmitted), latency(r.Latency.P99))
	io.WriteString(p.Err, line+"\n")
}

// count prints a number without fractions where they mean nothing.
func count(n float64) string {
	if n < 10 && n != float64(int64(n)) {
		return fmt.Sprintf("%.1f", n)
	}
	return fmt.Sprintf("%.0f", n)
}

// latency prints microseconds.
func latency(us float64) string {
	switch {
	case us < 1000:
		return fmt.Sprintf("%.0f µs", us)
	case us < 100_000:
		return fmt.Sprintf("%.1f ms", us/1000)
	}
	return fmt.Sprintf("%.0f ms", us/1000)
}
