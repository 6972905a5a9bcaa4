// Changes of a session that is up: re-INVITE both ways, UPDATE from the peer. RFC 3261 §14, RFC 3311, RFC 6141.

package dialog

import (
	"strconv"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// negotiation is the exchange of offer and answer of a usage.
type negotiation struct {
	state offerState

	body    Body // of our re-INVITE
	request *sip.Request
	sent    *exchange     // our re-INVITE, until the next
	waited  time.Duration // because it met 491
	ackBody Body
	waiting bool      // our re-INVITE is to be sent
	timer   sip.Timer // not before it fires

	tx   sip.TransactionID // of the peer's offer
	came *sip.Request
}

// Modify offers body in a re-INVITE, or asks the peer for an offer if it is zero; [Modified] tells the outcome. A re-INVITE that meets an
// exchange under way, or a 491, is tried again by the rules of RFC 3261 §14.1, unless PassGlare is set: then the order fails with
// [sip.StatusRequestPending], or Modified says 491. One re-INVITE may wait; a second order fails so too.
func (u *Usage) Modify(body Body) error {
	n := &u.offer
	switch {
	case !u.up():
		return ErrState
	case n.waiting, u.PassGlare && !u.settled():
		return sip.StatusRequestPending
	}
	n.body, n.waited, n.waiting = body.keep(), 0, true
	u.nextOffer()
	return nil
}

// up reports whether the call is answered and nobody has hung up.
func (u *Usage) up() bool {
	return u.dialog != nil && u.dialog.State == Confirmed && !u.hungUp()
}

// hungUp reports whether the call is over or our BYE is under way or due.
func (u *Usage) hungUp() bool {
	return u.over || u.leaving || u.callee != nil && u.callee.state == uasLeaving
}

// settled reports whether no INVITE of either side is under way. RFC 3261 §14.1.
func (u *Usage) settled() bool { return u.offer.state == offerNone && len(u.unacked) == 0 }

// nextOffer sends the re-INVITE that waits, if it is time.
func (u *Usage) nextOffer() {
	n := &u.offer
	if !n.waiting || n.timer != nil || !u.settled() || !u.up() {
		return
	}
	n.waiting = false
	u.stepOffer(offerOrder, outcome{})
}

// Accept answers the pending [Offer] with 200: body is the answer, or our offer if the re-INVITE had none (the answer comes as [AckReceived]).
func (u *Usage) Accept(body Body) error {
	if u.offer.state != offerCame || u.offer.came == nil {
		return ErrState
	}
	req := u.offer.came
	in := offerAccept
	if req.Method == sip.MethodInvite && len(req.Body()) == 0 {
		in = offerAcceptLate
	}
	u.dialog.Refresh(&req.Message)
	return u.stepOffer(in, outcome{response: withBody(u.reply(req, sip.StatusOK), body)})
}

// Refuse answers the pending [Offer] with a final response other than 2xx, 488 as a rule; the session stays as it was.
func (u *Usage) Refuse(status sip.Status) error {
	if u.offer.state != offerCame || u.offer.came == nil || status < 300 {
		return ErrState
	}
	return u.stepOffer(offerRefuse, outcome{response: u.reply(u.offer.came, status)})
}

// peerOffer takes a re-INVITE, or an UPDATE with an offer.
func (u *Usage) peerOffer(ev *sip.Event) {
	if cseq, err := ev.Request.CSeq(); err == nil && ev.Request.Method == sip.MethodInvite {
		u.overtaken(cseq.Number)
	}
	next, actions := u.offer.state.step(offerPeer)
	for _, a := range actions {
		switch a {
		case offerRefuse491:
			u.engine.Respond(ev.Tx, u.reply(ev.Request, sip.StatusRequestPending))
		case offerRefuse500:
			res := u.reply(ev.Request, sip.StatusServerInternalError)
			res.Set(sip.HeaderRetryAfter, strconv.FormatUint(uint64(retryAfter(u.table.random())), 10))
			u.engine.Respond(ev.Tx, res)
		case offerTell:
			u.takeOffer(ev, next)
		}
	}
}

// takeOffer makes the peer's offer the pending one and tells the owner.
func (u *Usage) takeOffer(ev *sip.Event, next offerState) {
	n := &u.offer
	n.state, n.tx, n.came = next, ev.Tx, ev.Request.Clone()
	if ev.Request.Method == sip.MethodInvite {
		tx := ev.Tx
		u.engine.Own(tx, sip.EventHandlerFunc(func(ev *sip.Event) {
			if ev.Kind == sip.EventCancel && n.tx == tx {
				u.stepOffer(offerWithdrawn, outcome{})
			}
		}))
	}
	u.tell(Offer{Request: n.came})
}

func (u *Usage) stepOffer(in offerInput, o outcome) error {
	next, actions := u.offer.state.step(in)
	u.offer.state = next
	for _, a := range actions {
		if a == offerBusy {
			return ErrState
		}
		u.doOffer(a, o)
	}
	return nil
}

func (u *Usage) doOffer(a offerAction, o outcome) {
	n := &u.offer
	switch a {
	case offerSend:
		u.sendOffer()
	case offerSendAck:
		u.ackOffer()
	case offerTellResult:
		u.tell(Modified{Status: o.status, Response: o.response})
		u.nextOffer()
	case offerRetry:
		u.retryOffer()
	case offerHangUp:
		u.hangUp(DialogGone)
	case offerRespond:
		u.respondOffer(o.response)
	case offerCancelled:
		u.engine.Respond(n.tx, u.reply(n.came, sip.StatusRequestTerminated))
		n.came = nil
		u.tell(Withdrawn{})
		u.nextOffer()
	}
}

// sendOffer sends our re-INVITE.
func (u *Usage) sendOffer() {
	n := &u.offer
	n.ackBody = Body{}
	req := u.dialog.Request(sip.MethodInvite)
	u.table.promise(&req.Message)
	if len(n.body.Bytes) > 0 {
		req.SetBody(n.body.Type, n.body.Bytes)
	}
	x, err := u.exchange(u.dialog, req, nil)
	if err != nil {
		u.engine.Do(u.stripe, func() { u.offered(x, outcome{status: sip.StatusServiceUnavailable, err: err}) })
		return
	}
	x.done = func(o outcome) { u.offered(x, o) }
	n.request, n.sent = req, x
}

// offered takes the outcome of our re-INVITE.
func (u *Usage) offered(x *exchange, o outcome) {
	n := &u.offer
	n.request = x.request
	switch {
	case o.again || u.over || u.leaving:
		// RFC 3261 §13.2.2.4: the ACK was lost, or the call ended meanwhile. A late offer is acknowledged when its answer is known.
		if o.status.Success() && n.state != offerUnacked {
			u.ackOffer()
		}
	case o.status.Success():
		u.dialog.Refresh(&o.response.Message)
		in := offerSuccess
		if len(x.request.Body()) == 0 {
			in = offerLate
		}
		u.stepOffer(in, o)
	case o.status == sip.StatusRequestPending && !u.PassGlare && n.waited < glarePatience(u.table.t1()):
		u.stepOffer(offerPending, o)
	case o.gone():
		u.stepOffer(offerGone, o)
	default:
		u.stepOffer(offerFailure, o)
	}
}

// retryOffer waits for the glare timer and sends the re-INVITE again. RFC 3261 §14.1.
func (u *Usage) retryOffer() {
	n := &u.offer
	wait := glareWait(u.caller != nil, u.table.random())
	n.waited += wait
	n.waiting = true
	n.timer = u.engine.After(u.stripe, wait, func() {
		n.timer = nil
		u.nextOffer()
	})
}

// ackOffer acknowledges the 2xx to our re-INVITE.
func (u *Usage) ackOffer() { u.sendAck(u.dialog, u.offer.request, u.offer.ackBody) }

// respondOffer answers the peer's offer.
func (u *Usage) respondOffer(res *sip.Response) {
	n := &u.offer
	tx, req := n.tx, n.came
	n.came = nil
	u.engine.Respond(tx, res)
	if req.Method == sip.MethodInvite && res.Status.Success() {
		u.awaitAck(tx, req, res)
	}
	u.nextOffer()
}

// drop ends what is pending because the call ends. RFC 3261 §15.1.2: a request that waits for us gets 487. A re-INVITE of ours is cancelled: a peer that
// has hung up need not answer it any more, and after a 1xx only the CANCEL bounds the wait (§9.1).
func (n *negotiation) drop(u *Usage) {
	stop(&n.timer)
	n.waiting = false
	if n.sent != nil && !n.sent.ended {
		u.engine.Cancel(n.sent.tx, "")
	}
	if n.came != nil {
		u.engine.Respond(n.tx, u.reply(n.came, sip.StatusRequestTerminated))
		n.came = nil
	}
}
