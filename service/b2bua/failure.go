package b2bua

// When no device answers: which of their answers the caller gets. RFC 3261 §16.7 steps 5 to 7, as far as they fit a user agent.

import (
	"fmt"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

// refuse notes that a branch will not answer and frees its ports.
func (l *leg) refuse(status sip.Status, res *sip.Response) {
	l.status = status
	l.call.mark(&l.moments.ended)
	if res != nil {
		l.refusal = res.Clone()
	}
	l.media.Close()
}

// rejected takes the final response of a device, or its absence.
func (c *call) rejected(l *leg, ev dialog.Rejected) {
	if l.status != 0 {
		return // given up before
	}
	status := ev.Status
	if ev.Response == nil && status != sip.StatusRequestTimeout {
		status = unreachable(ev.Err)
	}
	l.err = ev.Err
	l.refuse(status, ev.Response)
	l.flowFailed(ev.Status, ev.Err)
	if !c.over && c.callee == nil {
		l.hunt.refused(l, ev)
	}
}

// refused goes on when a leg has refused: by another way, to whom the leg points, to the next step.
func (h *hunt) refused(l *leg, ev dialog.Rejected) {
	c := h.call
	switch {
	case c.detour(l, ev):
	case c.otherwise(l):
	case l.status < 400 && h.deflect(l, ev.Response):
		c.silenced(l, "")
	case l.status >= 600 && l.of(h):
		// RFC 3261 §16.7 step 5: nobody else is to be asked.
		h.giveUp(l, "")
		h.lead(h.outcome())
	case h.ringing() > 0:
		c.silenced(l, cause(l.status))
	default:
		h.check()
	}
}

// otherwise calls a device again that did not like the session it was offered: with the next kind of carriage that it may take, and at last with codecs that the caller's can be turned into.
func (c *call) otherwise(l *leg) bool {
	offer := l.hunt.offer()
	if offer == nil || l.status != sip.StatusNotAcceptableHere && l.status != sip.StatusNotAcceptableAnywhere && l.status != sip.StatusUnsupportedMediaType {
		return false
	}
	first := l
	if l.first != nil {
		first = l.first
	}
	to := *l.to
	next, more := l.to.Kind.Fallback()
	switch _, converts := c.b.Media.Convertible(offer); {
	case l.converts || !more && !converts:
		return false
	case more:
		to.Kind = next
	default:
		to.Kind = first.to.Kind
	}
	again := l.twin(append([]Binding{to}, l.spares...))
	again.first, again.converts = first, !more
	return c.branch(again, offer)
}

// preference orders final responses by what they tell the caller, the best first: a person's refusal, a busy line, a fault of the request,
// absence, a fault of the device.
func preference(s sip.Status) int {
	switch {
	case s >= 600:
		return 0
	case s == sip.StatusBusyHere:
		return 1
	case s == sip.StatusTemporarilyUnavailable, s == sip.StatusFlowFailed:
		return 3
	case s == sip.StatusRequestTimeout, s == sip.StatusRequestTerminated:
		return 4
	case s >= 400 && s < 500:
		return 2
	}
	return 5
}

// cause is the Reason header of a response code. RFC 3326 §2.
func cause(s sip.Status) string {
	return fmt.Sprintf("SIP;cause=%d;text=%q", int(s), s.Reason())
}

// toCaller returns what the refusal of a leg means to the caller.
func (c *call) toCaller(l *leg) sip.Status {
	switch s := l.status; {
	case s < 400 && !c.b.PassRedirects:
		return sip.StatusTemporarilyUnavailable
	case s == sip.StatusUnauthorized, s == sip.StatusProxyAuthRequired, s == sip.StatusFlowFailed, s == sip.StatusRequestTerminated:
		return sip.StatusTemporarilyUnavailable
	case (s == sip.StatusNotFound || s == sip.StatusGone) && l.account.Host != "":
		// A device that does not know its own contact. The account exists.
		return sip.StatusTemporarilyUnavailable
	}
	return l.status
}

// failAs answers the caller as the search for somebody has ended.
func (c *call) failAs(o Outcome) {
	l := o.leg
	if l != nil {
		c.story.err = l.err
	}
	if l == nil || o.Status != l.status || l.refusal == nil {
		c.fail(o.Status)
		return
	}
	res := c.caller.usage.Reply(o.Status)
	carry(&res.Message, &l.refusal.Message, refused())
	if o.Status < 400 {
		carry(&res.Message, &l.refusal.Message, []sip.Header{sip.HeaderContact})
	}
	c.story.reason = res.Get(sip.HeaderReason)
	c.failWith(res, ByCallee)
}

// fail answers the caller.
func (c *call) fail(status sip.Status) {
	res := c.caller.usage.Reply(status)
	if status == sip.StatusServiceUnavailable {
		res.Set(sip.HeaderRetryAfter, retryAfter)
	}
	c.failWith(res, BySystem)
}

func (c *call) failWith(res *sip.Response, by Side) {
	c.story.status = res.Status
	c.caller.usage.Send(res)
	c.finish(by)
}

// cancelled takes the end of a call that was not answered yet: the CANCEL of the caller, which has its 487, or a caller that is not heard any more.
func (c *call) cancelled(ev dialog.Cancelled) {
	c.story.status, c.story.reason = ev.Status, ev.Reason
	c.cancelOthers(nil, ev.Reason)
	if ev.Status != sip.StatusRequestTerminated {
		c.finish(BySystem)
		return
	}
	c.finish(ByCaller)
}
