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
	switch {
	case c.over || c.callee != nil:
	case c.detour(l, ev):
	case c.otherwise(l):
	case status < 400 && c.follow(ev.Response):
		c.silenced(l, "")
	case status < 600 && c.ringing() > 0:
		c.silenced(l, cause(status))
	case status >= 600:
		// RFC 3261 §16.7 step 5: nobody else is to be asked.
		c.cancelOthers(l, "")
		c.failAs(l)
	default:
		c.failIfAllRefused()
	}
}

// otherwise calls a device again that did not like how its media was to be carried: with the next kind that it may take.
func (c *call) otherwise(l *leg) bool {
	next, ok := l.to.Kind.Fallback()
	if !ok || c.offerTo(l) == nil || l.status != sip.StatusNotAcceptableHere && l.status != sip.StatusNotAcceptableAnywhere && l.status != sip.StatusUnsupportedMediaType {
		return false
	}
	to := l.to
	to.Kind = next
	return c.branch(&leg{call: c, account: l.account, spares: append([]Binding{to}, l.spares...), plain: l.plain, transfer: l.transfer}, c.offerTo(l))
}

// failIfAllRefused ends the call when no device is left, with the best of their answers; 480 if there never was one.
func (c *call) failIfAllRefused() {
	if c.over {
		return
	}
	var best *leg
	for _, l := range c.branches {
		if l.status == 0 {
			return
		}
		if best == nil || preference(l.status) < preference(best.status) {
			best = l
		}
	}
	if best == nil {
		c.fail(sip.StatusTemporarilyUnavailable)
		return
	}
	c.failAs(best)
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

// toCaller returns what a refusal means to the caller.
func (c *call) toCaller(s sip.Status) sip.Status {
	switch {
	case s < 400 && !c.b.PassRedirects:
		return sip.StatusTemporarilyUnavailable
	case s == sip.StatusUnauthorized, s == sip.StatusProxyAuthRequired, s == sip.StatusFlowFailed, s == sip.StatusRequestTerminated,
		s == sip.StatusNotFound, s == sip.StatusGone:
		// A device that wants a password, cannot be reached any more, or does not know its own contact. The account exists.
		return sip.StatusTemporarilyUnavailable
	}
	return s
}

// failAs answers the caller as a device has answered.
func (c *call) failAs(l *leg) {
	status := c.toCaller(l.status)
	c.detail.Err = l.err
	if status != l.status || l.refusal == nil {
		c.fail(status)
		return
	}
	res := c.caller.usage.Reply(status)
	carry(&res.Message, &l.refusal.Message, refused())
	if status < 400 {
		carry(&res.Message, &l.refusal.Message, []sip.Header{sip.HeaderContact})
	}
	c.detail.Reason = res.Get(sip.HeaderReason)
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
	c.detail.Status = res.Status
	c.caller.usage.Send(res)
	c.finish(by)
}

// unanswered ends a call that has rung long enough: 480 if a device rang, 408 if nobody has said a word.
func (c *call) unanswered() {
	status := sip.StatusRequestTimeout
	for _, l := range c.branches {
		if l.rang {
			status = sip.StatusTemporarilyUnavailable
		}
	}
	c.cancelOthers(nil, "")
	c.fail(status)
}

// cancelled takes the CANCEL of the caller, which has its 487.
func (c *call) cancelled(reason string) {
	c.detail.Status, c.detail.Reason = sip.StatusRequestTerminated, reason
	c.cancelOthers(nil, reason)
	c.finish(ByCaller)
}
