// A callee that stands for several: one early dialog after the other with the same caller. RFC 3261 §12.1, §13.2.2.4; RFC 6228 §5.

package dialog

import "github.com/sipwerk/sipwerk/sip"

// Fork ends the early dialog of a call that came in and goes on in a new one, as if the call had been forked: for a B2BUA whose device has refused while
// others ring. What was described and agreed is void. A caller that supports it is told by 199; reason, if any, is the value of its Reason header.
func (u *Usage) Fork(reason string) error {
	c := u.callee
	if c == nil || c.state != uasOpen {
		return ErrState
	}
	d, err := NewUAS(u.Invitation(), u.engine.NewID(u.stripe))
	if err != nil {
		return err
	}
	u.offer().drop(u)
	// RFC 6228 §5: where every 1xx must be acknowledged, the 199 would keep the dialog alive that it ends; the final response tells it then.
	if in := u.Invitation(); in.HasToken(sip.HeaderSupported, earlyEnds) && !in.HasToken(sip.HeaderRequire, reliable100) {
		res := u.Reply(sip.StatusEarlyDialogTerminated)
		if reason != "" {
			res.Set(sip.HeaderReason, reason)
		}
		u.engine.Respond(c.tx, res)
	}
	u.stepReliable(reliableReject, nil)
	c.promises, c.settled = nil, false
	u.talk = &negotiation{state: offerCame}
	old := u.dialog
	old.State = Terminated
	d.Contact, d.flow, d.Session = old.Contact, old.flow, old.Session
	u.dialog = d
	u.table.rename(u, d.LocalTag)
	return nil
}
