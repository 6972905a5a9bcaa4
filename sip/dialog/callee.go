// A call that comes in: provisional responses, the answer and its retransmission until ACK, CANCEL. RFC 3261 §9.2, §13.3.

package dialog

import (
	"errors"
	"slices"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// callee is the initial INVITE of a call that comes in.
type callee struct {
	state    uasState
	seq      uint32 // its sequence number
	settled  bool   // offer or answer went in a reliable 1xx: the 2xx holds none
	refused  uint16 // the status of the end that did not wait for the owner
	tx       sip.TransactionID
	last     *repetition // nil: no 1xx is repeated
	promises *pracks     // nil: none was made
	reason   string      // of our BYE, or of the peer's
}

// unacked is a 2xx that waits for its ACK.
type unacked struct {
	tx       sip.TransactionID
	seq      uint32
	response *sip.Response
	wait     time.Duration // until it is sent once more
	left     time.Duration // until it is given up
	timer    sip.Timer
}

// Incoming takes the INVITE of ev, which stands outside any dialog: it claims the server transaction; the owner answers with Provisional,
// Answer or Reject. On an error the INVITE has been answered (400, 420, 422, 503) and the owner has nothing to do.
func (t *Table) Incoming(ev *sip.Event, owner Owner) (*Usage, error) {
	if err := t.understood(ev); err != nil {
		return nil, err
	}
	if t.tooBrief(ev) {
		return nil, errTooBrief
	}
	req := ev.Request.Clone()
	tag := ev.Engine.NewID(ev.Stripe)
	d, err := NewUAS(req, tag)
	if err != nil {
		t.refuse(ev, sip.StatusBadRequest)
		return nil, err
	}
	d.Session.Local = sip.NewSessionUUID(d.CallID + tag)
	u := &Usage{table: t, engine: ev.Engine, stripe: ev.Stripe, owner: owner, dialog: d, tag: tag, invite: req, talk: &negotiation{state: offerCame}}
	u.callee = &callee{tx: ev.Tx, seq: d.RemoteSeq}
	u.heed(&req.Message)
	if err := t.add(u); err != nil {
		t.refuse(ev, sip.StatusServiceUnavailable)
		return nil, err
	}
	u.bind(ReturnFlow(ev, d))
	u.came(d, ev.Flow)
	u.ear = &ear{usage: u}
	if err := u.engine.Own(ev.Tx, u.ear); err != nil {
		u.callee.state = uasOver
		u.finish(nil)
		return nil, err
	}
	return u, nil
}

// SetContact makes value our Contact of the dialog; before the first response to count.
func (u *Usage) SetContact(value string) { u.dialog.Contact = value }

// SetSession makes uuid our identifier of the call (RFC 7989): a B2BUA hands on the one of the other leg. Before the first response to count.
func (u *Usage) SetSession(uuid string) { u.dialog.Session.Local = uuid }

// SetAuthorizer makes a answer the challenges to our requests in a call that came in.
func (u *Usage) SetAuthorizer(a Authorizer) {
	if a != nil {
		u.rare().auth = a
	}
}

// serverEvent takes the later events of the INVITE server transaction.
func (u *Usage) serverEvent(ev *sip.Event) {
	switch {
	case ev.Kind == sip.EventCancel:
		u.callee.reason = ev.Request.Get(sip.HeaderReason)
		u.stepCallee(uasCancel, callMessage{})
	case ev.Kind == sip.EventTimeout && errors.Is(ev.Err, sip.ErrTimeout):
		// The owner has said nothing for minutes, and the caller has its 408.
		u.callee.reason, u.callee.refused = tooLate, uint16(sip.StatusRequestTimeout)
		u.stepCallee(uasCancel, callMessage{})
	}
}

// tooLate is the Reason of a call that ended because its owner never answered. RFC 3326 §2.
const tooLate = `SIP;cause=408;text="Request Timeout"`

// Reply returns a response to the initial INVITE, complete but for a body: for an owner that wants to add header fields before [Usage.Send].
func (u *Usage) Reply(status sip.Status) *sip.Response {
	res := u.table.spare.response()
	u.writeReply(res, u.dialog, u.Invitation(), status)
	return res
}

// Send answers the initial INVITE with a response made by [Usage.Reply], which is the usage's from then on: it must not be read any more, for after the ACK it may be the response of another call.
func (u *Usage) Send(res *sip.Response) error {
	switch {
	case u.callee == nil:
		return ErrState
	case res.Status.Provisional():
		return u.stepCallee(uasOrderProvisional, callMessage{response: res})
	case res.Status.Success():
		return u.stepCallee(u.hold(res), callMessage{response: res})
	}
	return u.stepCallee(uasOrderReject, callMessage{response: res})
}

// hold keeps a 2xx back if it must wait for a PRACK, and says which order it is.
func (u *Usage) hold(res *sip.Response) uasInput {
	c := u.callee
	if _, actions := c.reliable().step(reliableAnswer); c.state != uasOpen || !slices.Contains(actions, reliableHold) {
		return uasOrderAnswer
	}
	c.pracks().answer = res
	return uasOrderHeld
}

// Provisional sends a 1xx, which is repeated every minute until the final response (RFC 3261 §13.3.1.1). It goes reliably (RFC 3262) if the caller requires
// that, or supports it and body is a description; a 1xx that cannot go before the PRACK to an earlier one waits. body is the answer, or the offer if the
// INVITE had none: then it is left out unless it can go reliably, and [PrackReceived] brings the answer.
func (u *Usage) Provisional(status sip.Status, body Body) error {
	if u.callee == nil {
		return ErrState
	}
	return u.Send(withBody(u.Reply(status), body))
}

// Answer accepts the call with 200: body is the answer, or the offer if the INVITE had none; it is left out if it has gone in a reliable 1xx. The 2xx is
// repeated until ACK; it waits for the PRACK to a 1xx with a description.
func (u *Usage) Answer(body Body) error {
	if u.callee == nil {
		return ErrState
	}
	return u.Send(withBody(u.Reply(sip.StatusOK), body))
}

// Reject refuses the call with a final response other than 2xx. No event follows.
func (u *Usage) Reject(status sip.Status) error {
	if u.callee == nil || status < 300 {
		return ErrState
	}
	return u.Send(u.Reply(status))
}

// callMessage is the message that a step of the callee is about, if any.
type callMessage struct {
	response *sip.Response // of the owner
	ack      *sip.Request
}

func (u *Usage) stepCallee(in uasInput, m callMessage) error {
	c := u.callee
	next, actions := c.state.step(in)
	c.state = next
	for _, a := range actions {
		if a == uasRefused {
			return ErrState
		}
		u.doCallee(a, m)
	}
	return nil
}

func (u *Usage) doCallee(a uasAction, m callMessage) {
	c := u.callee
	switch a {
	case uasRespond:
		u.respondInvite(m.response)
	case uasAwaitAck:
		u.awaitAck(c.tx, u.Invitation(), m.response)
	case uasSettle:
		u.settleInitial()
	case uasSendCancelled:
		u.refuseInvite(sip.StatusRequestTerminated)
	case uasTellAck:
		u.tell(AckReceived{Request: m.ack})
	case uasTellCancelled:
		u.finish(Cancelled{Status: sip.Status(c.refused), Reason: c.reason})
	case uasTellEnded:
		u.finish(Ended{Cause: ByeReceived, Reason: c.reason})
	case uasSendBye:
		u.sendBye(ByeSent, c.reason)
	case uasByeNoAck:
		u.hangUp(NoAck)
	case uasSendNoPrack:
		u.refuseInvite(sip.StatusServerTimeout)
	}
}

// refuseInvite answers an INVITE that does not wait for its owner any more, unless the transaction has done so.
func (u *Usage) refuseInvite(status sip.Status) {
	if c := u.callee; c.refused == 0 {
		c.refused = uint16(status)
		u.engine.Respond(c.tx, u.Reply(status))
	}
}

// respondInvite sends a response of the owner and takes its consequences.
func (u *Usage) respondInvite(res *sip.Response) {
	c := u.callee
	if res.Status.Provisional() {
		u.provisional(res)
		return
	}
	u.stepReliable(reliableReject, nil)
	if !res.Status.Success() {
		u.engine.Respond(c.tx, res)
		u.finish(nil)
		return
	}
	u.dialog.State = Confirmed
	if c.settled {
		res.SetBody("", nil)
	} else {
		u.ours = bodyOf(&res.Message)
		in := offerAccept
		if u.late() {
			in = offerAcceptLate
		}
		u.offer().state, _ = u.offer().state.step(in)
	}
	u.grant(u.Invitation(), res)
	u.engine.Respond(c.tx, res)
}

// awaitAck repeats a 2xx until its ACK comes, over every transport. RFC 3261 §13.3.1.4.
func (u *Usage) awaitAck(tx sip.TransactionID, req *sip.Request, res *sip.Response) {
	cseq, _ := req.CSeq()
	w := &unacked{tx: tx, seq: cseq.Number, response: res, wait: u.table.t1(), left: 64 * u.table.t1()}
	u.unacked = append(u.unacked, w)
	u.repeatLater(w)
}

func (u *Usage) repeatLater(w *unacked) {
	d := min(w.wait, w.left)
	w.left -= d
	w.timer = u.engine.After(u.stripe, d, func() { u.repeat(w) })
}

func (u *Usage) repeat(w *unacked) {
	if w.left == 0 {
		u.noAck(w)
		return
	}
	u.engine.Respond(w.tx, w.response)
	w.wait = min(2*w.wait, u.table.t2())
	u.repeatLater(w)
}

// noAck gives up: the session ends by BYE, for a re-INVITE too. RFC 3261 §13.3.1.4, §14.2.
func (u *Usage) noAck(w *unacked) {
	u.settle(w)
	if u.leaving || u.over {
		return
	}
	if u.initial(w) {
		u.stepCallee(uasGiveUp, callMessage{})
		return
	}
	u.hangUp(NoAck)
}

// ack takes an ACK inside the dialog.
func (u *Usage) ack(req *sip.Request) {
	cseq, err := req.CSeq()
	if err != nil {
		return
	}
	for _, w := range u.unacked {
		if w.seq == cseq.Number {
			u.acked(w, req)
			u.nextOffer()
			return
		}
	}
}

// acked ends the wait of a 2xx.
func (u *Usage) acked(w *unacked, req *sip.Request) {
	u.settle(w)
	u.offer().state, _ = u.offer().state.step(offerAck)
	switch {
	case u.initial(w):
		u.stepCallee(uasAck, callMessage{ack: req})
	case len(req.Body()) > 0:
		u.tell(AckReceived{Request: req})
	}
}

// initial reports whether w is the 2xx to the initial INVITE.
func (u *Usage) initial(w *unacked) bool { return u.callee != nil && w.tx == u.callee.tx }

// settle stops the repetition of a 2xx.
func (u *Usage) settle(w *unacked) {
	stop(&w.timer)
	if u.initial(w) {
		u.table.spare.reuse(w.response)
	}
	for i, x := range u.unacked {
		if x == w {
			if u.unacked = slices.Delete(u.unacked, i, i+1); len(u.unacked) == 0 {
				u.unacked = nil
			}
			return
		}
	}
}

// settleInitial stops the repetition of the answer to the initial INVITE.
func (u *Usage) settleInitial() {
	for _, w := range u.unacked {
		if u.initial(w) {
			u.settle(w)
			return
		}
	}
}

// overtaken takes a re-INVITE as the ACK to every 2xx before it: the peer has seen them, for it may not send a new INVITE in the middle of one (RFC 3261
// §14.1), and its ACK was lost or comes later. A 2xx whose answer stands in the ACK still waits.
func (u *Usage) overtaken(seq uint32) {
	if u.offer().state == offerAnswered {
		return
	}
	for _, w := range slices.Clone(u.unacked) {
		if w.seq < seq {
			u.acked(w, sip.NewRequest(sip.MethodAck, sip.URI{}))
		}
	}
}

// settleAll stops the repetition of every 2xx.
func (u *Usage) settleAll() {
	for len(u.unacked) > 0 {
		u.settle(u.unacked[0])
	}
}

// withBody puts body into res.
func withBody(res *sip.Response, body Body) *sip.Response {
	if len(body.Bytes) > 0 {
		res.SetBody(body.Type, body.keep().Bytes)
	}
	return res
}
