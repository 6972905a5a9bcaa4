// The line of live progress of a call: rewritten on a terminal, a line for each change elsewhere.

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/phone"
)

// beat is how often the line is rewritten.
const beat = 200 * time.Millisecond

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
	s := &progress{program: p, quiet: quiet}
	if f, ok := p.out.(*os.File); ok {
		stat, err := f.Stat()
		s.live = err == nil && stat.Mode()&os.ModeCharDevice != 0
	}
	return s
}

// follow shows a call until the returned function is called.
func (s *progress) follow(c *phone.Call) (stop func()) {
	done := make(chan struct{})
	since, state := time.Now(), phone.Calling
	s.say(s.line(c, state, 0))
	s.running.Go(func() {
		t := time.NewTicker(beat)
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
		return p.tr("calling %s", who)
	case phone.Ringing:
		if s.live {
			return p.tr("ringing %d s", int(d.Seconds()))
		}
		return p.tr("ringing")
	case phone.Talking:
		if !s.live {
			return p.tr("talking")
		}
		q := c.Statistics()
		return p.tr("talking %s, loss %s, jitter %s", clock(q.Duration), percent(q.Loss()), milliseconds(q.Jitter))
	}
	return "" // the last word is not the progress's
}

// await says that a call may come.
func (s *progress) await(ctx context.Context, ph *phone.Phone) {
	if addrs, err := ph.Addrs(ctx); err == nil && len(addrs) > 0 {
		s.say(s.program.tr("waiting for a call at port %d", addrs[0].Port()))
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
		fmt.Fprintf(s.program.out, "\r\x1b[K%s", line)
		return
	}
	io.WriteString(s.program.out, line+"\n")
}

// end leaves the live line.
func (s *progress) end() {
	if s.live && s.last != "" {
		io.WriteString(s.program.out, "\r\x1b[K")
	}
}

// clock prints a duration as minutes and seconds.
func clock(d time.Duration) string {
	return fmt.Sprintf("%d:%02d", int(d.Minutes()), int(d.Seconds())%60)
}

// percent prints a share.
func percent(share float64) string {
	if share > 0 && share < 0.1 {
		return fmt.Sprintf("%.1f %%", 100*share)
	}
	return fmt.Sprintf("%.0f %%", 100*share)
}

// milliseconds prints a short duration.
func milliseconds(d time.Duration) string { return fmt.Sprintf("%d ms", d.Milliseconds()) }
