package b2bua

// Limits on calls by a party and from a caller: who keeps count is asked before a leg begins, and told when it is over.

import (
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// Gate keeps count of the calls of a trunk, or of what an account spends. It must not block.
type Gate interface {
	// Begin is asked just before the leg begins. A status other than 0 keeps it from that: the party has refused with it, or the caller hears it.
	Begin() sip.Status
	// End is told once for each Begin that gave 0, as soon as the leg is over: how it was refused, or 200 and for how long it was part of the call.
	End(status sip.Status, talked time.Duration)
}

// passage is a leg that has passed a gate and is not over yet.
type passage struct {
	gate Gate
	leg  *leg
}

// pass asks the gate of a leg, if there is one, and returns the status with which it refuses, or 0.
func (c *call) pass(l *leg, g Gate) sip.Status {
	if g == nil {
		return 0
	}
	status := g.Begin()
	if status == 0 {
		c.passages = append(c.passages, passage{g, l})
	}
	return status
}

// leave tells the gates of those legs that are over.
func (c *call) leave() {
	kept := c.passages[:0]
	for _, p := range c.passages {
		if !c.over && p.leg.status == 0 && (p.leg.usage == nil || !p.leg.usage.Over()) {
			kept = append(kept, p)
			continue
		}
		status, talked := p.leg.status, time.Duration(0)
		if status == 0 {
			status = c.detail.Status
			if since := p.leg.talksSince(); !since.IsZero() {
				status, talked = sip.StatusOK, time.Since(since)
			}
		}
		p.gate.End(status, talked)
	}
	clear(c.passages[len(kept):])
	c.passages = kept
}

// talksSince is when a leg became part of the call; zero if it never did.
func (l *leg) talksSince() time.Time {
	c := l.call
	switch {
	case l == c.caller:
		return c.detail.Answer
	case l.moments.answered == 0:
		return time.Time{}
	}
	return c.detail.Start.Add(l.moments.answered)
}
