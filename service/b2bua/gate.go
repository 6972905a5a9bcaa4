package b2bua

// Limits on calls by a party and from a caller: who keeps count is asked before a leg begins, and told when it is over.

import (
	"time"

	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/sip"
)

// Gate keeps count of the calls of a trunk, or of what an account spends. It must not block.
type Gate interface {
	// Begin is asked just before the leg begins. A status other than 0 keeps it from that: the party has refused with it, or the caller hears it.
	Begin() sip.Status
	// End is told once for each Begin that gave 0, as soon as the leg is over: how it was refused, or 200 and for how long it was part of the call.
	End(status sip.Status, talked time.Duration)
}

// Meter is a [Gate] that also counts the time, and may end a call.
type Meter interface {
	Gate
	// Answered is told once when the leg has become part of the call. The talk may be kept until End.
	Answered(talk Talk)
}

// Talk is a call in which somebody talks who has passed a gate. Its methods may be called from any goroutine; they do not wait, and do nothing when the leg has left the call.
type Talk struct{ leg *leg }

// HangUp ends the call on both sides with a Reason (RFC 3326).
func (t Talk) HangUp(reason string) { t.do(func(c *call) { c.hangUp(reason) }) }

// Announce lets both sides hear something instead of each other, and brings them together again; with a supervisor in the call all three hear it. Up to four announcements wait for each
// other. A side that hears something else already, being on hold, does not hear it.
func (t Talk) Announce(m session.Music) { t.do(func(c *call) { c.announce(m) }) }

func (t Talk) do(f func(*call)) {
	c := t.leg.call
	c.engine.Do(c.stripe, func() {
		if !c.over && t.leg.far() != nil {
			f(c)
		}
	})
}

// passage is a leg that has passed a gate and is not over yet.
type passage struct {
	gate     Gate
	leg      *leg
	answered bool // the gate knows it
}

// pass asks the gate of a leg, if there is one, and returns the status with which it refuses, or 0.
func (c *call) pass(l *leg, g Gate) sip.Status {
	if g == nil {
		return 0
	}
	status := g.Begin()
	if status == 0 {
		c.passages = append(c.passages, passage{gate: g, leg: l})
	}
	return status
}

// leave tells the gates of those legs that have been answered, or are over.
func (c *call) leave() {
	kept := c.passages[:0]
	for _, p := range c.passages {
		if !c.over && p.leg.status == 0 && (p.leg.usage == nil || !p.leg.usage.Over()) {
			p.answer()
			kept = append(kept, p)
			continue
		}
		status, talked := p.leg.status, time.Duration(0)
		if status == 0 {
			status = c.story.status
			if since := p.leg.talksSince(); !since.IsZero() {
				status, talked = sip.StatusOK, time.Since(since)
			}
		}
		p.gate.End(status, talked)
	}
	clear(c.passages[len(kept):])
	c.passages = kept
}

// answer tells a gate that counts the time when the leg has become part of the call.
func (p *passage) answer() {
	if p.answered || p.leg.talksSince().IsZero() {
		return
	}
	p.answered = true
	if m, ok := p.gate.(Meter); ok {
		m.Answered(Talk{p.leg})
	}
}

// talksSince is when a leg became part of the call; zero if it never did.
func (l *leg) talksSince() time.Time {
	c := l.call
	switch {
	case l == c.caller:
		return c.story.answer
	case l.moments.answered == 0:
		return time.Time{}
	}
	return c.story.start.Add(l.moments.answered)
}
