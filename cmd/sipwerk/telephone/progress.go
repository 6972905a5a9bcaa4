// The line of live progress of a call: rewritten on a terminal, a line for each change elsewhere.

package telephone

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/cmd/sipwerk/terminal"
	"github.com/sipwerk/sipwerk/phone"
)

// progress shows a call while it goes on.
type progress struct {
	program *program
	quiet   bool
	live    bool // a terminal
	running sync.WaitGroup
	mu      sync.Mutex // guards last
	last    string
}

func newProgress(p *program, quiet bool) *progress {
	return &progress{program: p, quiet: quiet, live: terminal.Live(p.Out)}
}

// follow shows a call until the returned function is called.
func (s *progress) follow(c *phone.Call) (stop func()) {
	done := make(chan struct{})
	since, state := time.Now(), phone.Calling
	s.say(s.line(c, state, 0))
	s.running.Go(func() {
		t := time.NewTicker(terminal.Beat)
		defer t.Stop()
		for {
			select {
			case <-done:
				return
			case <-t.C:
			}
			now := c.State()
			if now != state {
				since, state = time.Now(), now
			}
			s.say(s.line(c, state, time.Since(since)))
		}
	})
	return func() {
		close(done)
		s.running.Wait()
	}
}

// line describes a call in a few words. Elsewhere than on a terminal it changes with the state only.
func (s *progress) line(c *phone.Call, state phone.State, d time.Duration) string {
	p, who := s.program, c.Remote().URI.String()
	switch state {
	case phone.Calling:
		return p.Text("calling %s", who)
	case phone.Ringing:
		if s.live {
			return p.Text("ringing %d s", int(d.Seconds()))
		}
		return p.Text("ringing")
	case phone.Talking:
		if !s.live {
			return p.Text("talking")
		}
		q := c.Statistics()
		return p.Text("talking %s, loss %s, jitter %s", terminal.Clock(q.Duration), terminal.Percent(q.Loss()), milliseconds(q.Jitter))
	}
	return "" // the last word is not the progress's
}

// await says that a call may come.
func (s *progress) await(ctx context.Context, ph *phone.Phone) {
	if addrs, err := ph.Addrs(ctx); err == nil && len(addrs) > 0 {
		s.say(s.program.Text("waiting for a call at port %d", addrs[0].Port()))
	}
}

// say writes a line if it is new.
func (s *progress) say(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.quiet || line == "" || line == s.last {
		return
	}
	s.last = line
	if s.live {
		fmt.Fprintf(s.program.Out, "\r\x1b[K%s", line)
		return
	}
	io.WriteString(s.program.Out, line+"\n")
}

// end leaves the live line.
func (s *progress) end() {
	if s.live && s.last != "" {
		io.WriteString(s.program.Out, "\r\x1b[K")
	}
}

// milliseconds prints a short duration.
func milliseconds(d time.Duration) string { return fmt.Sprintf("%d ms", d.Milliseconds()) }
