// The end of a call that was up. RFC 3261 §15; RFC 3326.

package dialog

import "github.com/sipwerk/sipwerk/sip"

// sendBye ends the dialog; the outcome of the BYE, whatever it is, ends the usage.
func (u *Usage) sendBye(cause Cause, reason string) {
	if u.leaving || u.over {
		return
	}
	u.leaving, u.cause = true, cause
	u.settleAll()
	u.dropOffer()
	u.dialog.LocalSeq++
	bye := u.table.spare.request()
	u.dialog.write(bye, sip.MethodBye, u.dialog.LocalSeq)
	if reason != "" {
		bye.Set(sip.HeaderReason, reason)
	}
	done := func(o outcome) {
		u.finish(Ended{Cause: u.cause})
		if !o.again {
			u.table.spare.reuseRequest(bye)
		}
	}
	if _, err := u.exchange(u.dialog, bye, done); err != nil {
		// The owner is told after the order that led here has returned.
		u.engine.Do(u.stripe, func() { u.finish(Ended{Cause: u.cause}) })
	}
}

// hangUp ends a call that the peer no longer takes part in. The owner need not wait for the outcome of a BYE that will hardly be answered.
func (u *Usage) hangUp(cause Cause) {
	u.close()
	u.sendBye(cause, "")
	u.finish(Ended{Cause: cause})
}

// close takes both machines to their end.
func (u *Usage) close() {
	if u.caller != nil {
		u.caller.state = uacOver
	} else {
		u.callee.state = uasOver
	}
}

// peerBye takes a BYE. RFC 3261 §15.1.2.
func (u *Usage) peerBye(ev *sip.Event) {
	u.table.confirm(u, ev)
	reason := ev.Request.Get(sip.HeaderReason)
	switch {
	case u.leaving:
		// Both hung up at once: the peer is gone, and what it says to our BYE does not matter.
		u.finish(Ended{Cause: u.cause, Reason: reason})
	case u.caller != nil:
		u.caller.reason = reason
		u.stepCaller(uacPeerBye, outcome{})
	default:
		u.callee.reason = reason
		u.stepCallee(uasPeerBye, callMessage{})
	}
}

// confirm answers a BYE.
func (t *Table) confirm(u *Usage, ev *sip.Event) {
	res := t.spare.response()
	u.writeReply(res, u.dialog, ev.Request, sip.StatusOK)
	u.engine.Respond(ev.Tx, res)
	t.spare.reuse(res)
}
