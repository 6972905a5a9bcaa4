package b2bua

// The search for somebody who answers: the parties of a step ring at once, and when they have come to nothing the router says who is next. RFC 3261 §16.7 as far as
// it fits a user agent.

import (
	"context"
	"slices"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

// maxSteps is how many steps a call takes, however often a router thinks of another.
const maxSteps = 64

// hunt is one search: of a call for its caller, or of a transfer. It lives in the stripe of the call.
type hunt struct {
	call     *call
	transfer *transfer          // for whom; nil: the caller
	route    *Route             // the step under way; nil when somebody has answered
	step     int                // its number, from 1
	question *Question          // by which the first step was found, for decisions that wait
	past     *past              // whom the call was for before; nil: nobody else
	left     int                // redirections that may still be followed
	asked    []sip.URI          // accounts whose devices were called
	met      sip.Status         // why a party does not ring, if no leg says it
	late     []late             // parties that ring later, the next first
	timer    sip.Timer          // ring time
	stop     context.CancelFunc // of a decision that waits
	over     bool
}

// late is a party that does not ring yet.
type late struct {
	party *Party
	timer sip.Timer
}

// begin takes the first step.
func (h *hunt) begin(r Route) {
	if !h.enter(r) {
		h.lead(h.outcome())
	}
}

// lead follows the route until somebody rings, a decision is waited for, or nobody is left.
func (h *hunt) lead(o Outcome) {
	for !h.over && !h.call.over {
		h.leave(o)
		then := h.route.Then
		if then == nil || h.step >= maxSteps {
			h.fail(o)
			return
		}
		next := then(o)
		if next.none() {
			h.fail(o)
			return
		}
		if c := h.call; h.transfer == nil && c.voice != nil {
			c.silenced(c.voice, cause(o.Status)) // what the caller has heard is over
		}
		if h.enter(next) {
			return
		}
		o = h.outcome()
	}
}

// enter begins a step and reports whether somebody rings, or will.
func (h *hunt) enter(r Route) bool {
	c := h.call
	h.step, h.route, h.met = h.step+1, &r, 0
	c.forgetBranches()
	if r.Later != nil {
		h.decide(r.Later)
		return true
	}
	if r.Diverted != nil && !h.divert(r.Diverted, r.Diverted.to(&r)) {
		h.met, h.route.Then = sip.StatusLoopDetected, nil
		return false
	}
	if r.Application != nil {
		r.Ring = append(r.Ring, c.within(h.ask())...)
	}
	parties := r.parties()
	if len(parties) == 0 {
		h.met = r.Refuse
		return false
	}
	for i := range parties {
		if p := &parties[i]; p.Delay > 0 {
			h.postpone(p)
		} else {
			h.ring(p)
		}
	}
	if !h.alive() {
		return false
	}
	if r.Diverted != nil && h.transfer == nil && c.callee == nil {
		c.caller.usage.Provisional(sip.StatusForwarded, dialog.Body{})
	}
	h.timer = c.engine.After(c.stripe, or(or(r.RingTime, c.b.RingTime), defaultRingTime), func() {
		h.timeUp()
		c.sweep()
	})
	return true
}

// within leads to the application whose address a question names, as a branch of the call; nobody if there is no way inside.
func (c *call) within(q *Question) []Party {
	if c.b.Inside.IsZero() {
		return nil
	}
	return []Party{{Bindings: []Binding{{Target: q.Request.URI.Clone(), To: sip.Destination{Flow: c.b.Inside}}}}}
}

// ask is the question by which the first step was found.
func (h *hunt) ask() *Question {
	if h.question == nil {
		c := h.call
		h.question = &Question{Request: c.caller.usage.Invitation(), Flow: c.flow, Caller: c.asker, Calls: c.b.CallsOf(c.asker.Account)}
	}
	return h.question
}

// question is what a side of the call asks that diverts or transfers it: as if it had dialled.
func (c *call) question(l *leg, uri sip.URI, how How) *Question {
	req := c.caller.usage.Invitation().Clone()
	req.URI = uri
	req.Remove(sip.HeaderTargetDialog) // of whoever began the call: what it names has been proved by nobody
	req.Set(sip.HeaderFrom, c.who(l)+";tag="+req.FromTag())
	q := &Question{Request: req, How: how, Caller: Caller{Address: sip.Address{URI: l.account}, Account: l.account}}
	switch {
	case l == c.origin:
		q.Caller, q.Flow = c.asker, c.flow
	case l.inside():
		q.Caller.Inside, q.Flow = l.target(), c.b.Inside
	}
	if q.Caller.Account.Host != "" {
		q.Calls = c.b.CallsOf(q.Caller.Account)
	}
	return q
}

// postpone lets a party ring later.
func (h *hunt) postpone(p *Party) {
	c := h.call
	entry := late{party: p}
	entry.timer = c.engine.After(c.stripe, p.Delay, func() {
		h.hasten(p)
		c.sweep()
	})
	at := slices.IndexFunc(h.late, func(l late) bool { return l.party.Delay > p.Delay })
	if at < 0 {
		at = len(h.late)
	}
	h.late = slices.Insert(h.late, at, entry)
}

// hasten lets a party ring that was to ring later.
func (h *hunt) hasten(p *Party) {
	at := slices.IndexFunc(h.late, func(l late) bool { return l.party == p })
	if at < 0 || h.over || h.call.over {
		return
	}
	h.late[at].timer.Stop()
	h.late = slices.Delete(h.late, at, at+1)
	h.ring(p)
	h.check()
}

// alive reports whether a party rings, or will.
func (h *hunt) alive() bool { return h.stop != nil || len(h.late) > 0 || h.ringing() > 0 }

// ringing returns how many legs of the step may still answer.
func (h *hunt) ringing() int {
	n := 0
	for _, l := range h.call.branches {
		if l.of(h) && l.status == 0 {
			n++
		}
	}
	return n
}

// of reports whether a leg rings in the step of a hunt that is under way.
func (l *leg) of(h *hunt) bool { return l.hunt == h && int(l.step) == h.step }

// check goes on when nobody of the step is left.
func (h *hunt) check() {
	if h == nil || h.over || h.call.over || h.stop != nil || h.ringing() > 0 {
		return
	}
	if len(h.late) > 0 {
		h.hasten(h.late[0].party) // all before have refused: nothing is won by waiting
		return
	}
	h.lead(h.outcome())
}

// outcome is how the step has ended: the best of what its legs say.
func (h *hunt) outcome() Outcome {
	o := Outcome{Status: h.met, Step: h.step}
	for _, l := range h.call.branches {
		if !l.of(h) {
			continue
		}
		o.Rang = o.Rang || l.rang
		if o.leg == nil && o.Status == 0 || preference(l.status) < preference(or(o.raw(), o.Status)) {
			o.leg = l
		}
	}
	status := or(or(o.raw(), o.Status), sip.StatusTemporarilyUnavailable)
	o.Miss = missOf(status, o.leg, o.Rang)
	if o.Status = status; o.leg != nil {
		o.Status, o.Response = h.call.toCaller(o.leg), o.leg.refusal
	}
	return o
}

// raw is what the leg that decides has said.
func (o *Outcome) raw() sip.Status {
	if o.leg == nil {
		return 0
	}
	return o.leg.status
}

// timeUp ends a step that has rung long enough: 480 if a device rang, 408 if nobody has said a word.
func (h *hunt) timeUp() {
	if h.over || h.call.over {
		return
	}
	o := Outcome{Miss: Offline, Status: sip.StatusRequestTimeout, Step: h.step}
	for _, l := range h.call.branches {
		if l.of(h) && l.rang {
			o.Miss, o.Status, o.Rang = NoAnswer, sip.StatusTemporarilyUnavailable, true
		}
	}
	h.giveUp(nil, "")
	h.lead(o)
}

// giveUp ends the ringing of every leg but one.
func (h *hunt) giveUp(but *leg, reason string) {
	for _, l := range h.call.branches {
		if l.hunt != h || l == but || l.status != 0 {
			continue
		}
		l.refuse(sip.StatusRequestTerminated, nil)
		if l.usage != nil {
			l.usage.Cancel(reason)
		}
	}
}

// leave ends a step.
func (h *hunt) leave(o Outcome) {
	h.rest()
	h.call.story.step(h.route, o)
	h.call.recount()
}

// rest stops all that waits for its time.
func (h *hunt) rest() {
	if h.timer != nil {
		h.timer.Stop()
		h.timer = nil
	}
	for _, l := range h.late {
		l.timer.Stop()
	}
	h.late = nil
	if h.stop != nil {
		h.stop()
		h.stop = nil
	}
}

// close ends a hunt: somebody has answered, or nobody waits any more.
func (h *hunt) close() {
	if h != nil && !h.over {
		h.over = true
		h.rest()
	}
}

// forget lets go of what served to find somebody: the way of a call is held by its route, and the call may last.
func (h *hunt) forget() { h.route, h.question, h.asked = nil, nil, nil }

// fail ends a hunt that has led to nobody.
func (h *hunt) fail(o Outcome) {
	h.close()
	if t := h.transfer; t != nil {
		t.worst = o.Status
		h.call.missed(t)
		return
	}
	h.call.failAs(o)
}
