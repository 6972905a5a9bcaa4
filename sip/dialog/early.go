// The early dialogs of a call that we start, and the PRACKs that we owe in them. RFC 3261 §12.1.2; RFC 3262 §4; RFC 6228 §4.

package dialog

import (
	"github.com/sipwerk/sipwerk/sip"
)

// early is a dialog that a 1xx has made.
type early struct {
	dialog  *Dialog
	rseq    uint32 // of the last reliable 1xx; 0: none came
	settled bool   // offer and answer were exchanged reliably: what a 1xx or the 2xx describes after that does not count
}

// prack is the acknowledgement of a reliable 1xx that waits for the owner's answer to the offer in it.
type prack struct {
	early *early
	rack  sip.RAck
}

// inviteProvisional takes a 1xx above 100.
func (u *Usage) inviteProvisional(o outcome) {
	e := u.earlyDialog(o.response)
	if e == nil {
		u.stepCaller(uacProvisional, o)
		return
	}
	o.dialog = e.dialog
	settled := e.settled
	if o.response.HasToken(sip.HeaderRequire, reliable100) && !u.acknowledge(e, o.response) {
		return
	}
	if settled {
		o.response = undescribed(o.response)
	}
	if o.response.Status == sip.StatusEarlyDialogTerminated {
		u.endEarly(e)
	}
	u.stepCaller(uacProvisional, o)
}

// acknowledge sends the PRACK to a reliable 1xx, or leaves that to [Usage.Ack] if the owner must answer the offer in it. It reports false for a
// response that was seen before or overtook another: RFC 3262 §4, it is not processed further.
func (u *Usage) acknowledge(e *early, res *sip.Response) bool {
	rseq, ok := res.Uint(sip.HeaderRSeq)
	cseq, err := res.CSeq()
	if !ok || err != nil || rseq == 0 || e.rseq != 0 && rseq != e.rseq+1 {
		return false
	}
	e.rseq = rseq
	p := prack{early: e, rack: sip.RAck{RSeq: rseq, CSeq: cseq}}
	if described(&res.Message) && !e.settled && u.caller.state < uacCancelling {
		e.settled = true
		if !u.caller.offered {
			u.offer().state, _ = u.offer().state.step(offerLate)
			u.offer().prack = &p
			return true
		}
		u.offer().state, _ = u.offer().state.step(offerUpdated)
	}
	u.sendPrack(p, Body{})
	return true
}

// sendPrack acknowledges a reliable 1xx. RFC 3262 §4. Its outcome changes nothing: who does not get it repeats the 1xx and refuses the call in the end.
func (u *Usage) sendPrack(p prack, body Body) {
	d := p.early.dialog
	req := d.Request(sip.MethodPrack)
	req.Set(sip.HeaderRAck, p.rack.String())
	if len(body.Bytes) > 0 {
		u.ours = body
		req.SetBody(body.Type, body.Bytes)
	}
	done := func(outcome) {
		u.caller.pracking--
		u.nextOffer()
	}
	if _, err := u.exchange(d, req, done); err == nil {
		u.caller.pracking++
	}
}

// earlyDialog returns the early dialog of a 1xx, nil if it makes none.
func (u *Usage) earlyDialog(res *sip.Response) *early {
	c, tag := u.caller, res.ToTag()
	if tag == "" {
		return nil
	}
	if e := c.earlyOf(tag); e != nil {
		e.dialog.Refresh(&res.Message)
		return e
	}
	if len(c.early) == maxForks {
		return nil
	}
	d, err := NewUAC(u.Invitation(), res)
	if err != nil {
		return nil
	}
	d.Bind(c.flow())
	e := &early{dialog: d}
	c.early = append(c.early, e)
	return e
}

// endEarly forgets an early dialog of which a 199 says that it is over: what was agreed in it is void, and the offer of the INVITE waits again.
func (u *Usage) endEarly(e *early) {
	c := u.caller
	for i, x := range c.early {
		if x == e {
			c.early = append(c.early[:i], c.early[i+1:]...)
			break
		}
	}
	if u.offer().dialog == e.dialog || e.settled && c.settledEarly() == nil {
		u.offer().drop(u)
		u.offer().dialog = nil
		u.offer().state, _ = u.offer().state.step(offerEnded)
	}
	e.dialog.State = Terminated
}

// earlyOf returns the early dialog with that remote tag.
func (c *caller) earlyOf(tag string) *early {
	for _, e := range c.early {
		if e.dialog.RemoteTag == tag {
			return e
		}
	}
	return nil
}

// settledEarly returns an early dialog whose session is agreed; nil if there is none.
func (c *caller) settledEarly() *early {
	for _, e := range c.early {
		if e.settled {
			return e
		}
	}
	return nil
}

// undescribed returns a response without its body.
func undescribed(res *sip.Response) *sip.Response {
	if len(res.Body()) == 0 {
		return res
	}
	res = res.Clone()
	res.SetBody("", nil)
	return res
}
