// Changes of a session: re-INVITE and UPDATE both ways, offers in PRACK. RFC 3261 §14, RFC 3311, RFC 6141, RFC 6337.

package dialog

import (
	"strconv"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// negotiation is the exchange of offer and answer of a usage.
type negotiation struct {
	state  offerState
	dialog *Dialog // in which the exchange runs: the early one as long as the INVITE has no answer

	body    Body       // of our re-INVITE or UPDATE
	method  sip.Method // the same: which of the two
	refresh bool       // the same: the owner knows nothing of it
	request *sip.Request
	sent    *exchange     // our re-INVITE, until the next
	waited  time.Duration // because it met 491
	ackBody Body
	prack   *prack    // the owner's answer goes with it
	waiting bool      // our request is to be sent
	timer   sip.Timer // not before it fires
	bound   sip.Timer // gives our re-INVITE up

	tx    sip.TransactionID // of the peer's offer
	came  *sip.Request
	guard sip.Timer // gives the owner up
}

// Modify offers body in a re-INVITE, or asks the peer for an offer if it is zero; [Modified] tells the outcome. A re-INVITE that meets an
// exchange under way, or a 491, is tried again by the rules of RFC 3261 §14.1, unless PassGlare is set: then the order fails with
// [sip.StatusRequestPending], or Modified says 491. One re-INVITE may wait; a second order fails so too. A peer that says 1xx and nothing more
// is given up after two minutes.
func (u *Usage) Modify(body Body) error {
	if !u.up() {
		return ErrState
	}
	return u.change(sip.MethodInvite, body)
}

// Update is [Usage.Modify] by UPDATE, which the peer must answer at once: the way before the call is answered, if [Usage.Updates] says that there is one.
// RFC 3311 §5.1. A peer that takes no UPDATE after all gets a re-INVITE if the call is answered.
func (u *Usage) Update(body Body) error {
	if !u.Updates() || len(body.Bytes) == 0 {
		return ErrState
	}
	return u.change(sip.MethodUpdate, body)
}

// Updates reports whether an offer may go in an UPDATE: the peer takes that method, and the exchange of the INVITE is over, by the answer to it or by a
// reliable 1xx and its PRACK. RFC 3311 §5.1.
func (u *Usage) Updates() bool { return u.updates && u.negotiable() != nil }

func (u *Usage) change(method sip.Method, body Body) error {
	n := u.offer()
	if n.refresh && n.waiting {
		n.waiting = false // the owner's own request refreshes too
	}
	if n.waiting || u.PassGlare && !u.settled() {
		return sip.StatusRequestPending
	}
	n.method, n.body, n.waited, n.waiting, n.refresh = method, body.keep(), 0, true, false
	u.nextOffer()
	return nil
}

// negotiable returns the dialog in which the session may be changed, nil if there is none yet or no more.
func (u *Usage) negotiable() *Dialog {
	switch {
	case u.up():
		return u.dialog
	case u.over || u.leaving:
	case u.callee != nil:
		if c := u.callee; c.state == uasOpen && c.settled && c.reliable() == reliableNone && u.offering() != offerAnswered {
			return u.dialog
		}
	case u.caller.state == uacProceeding:
		if e := u.caller.settledEarly(); e != nil && u.offer().prack == nil {
			return e.dialog
		}
	}
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
func (u *Usage) settled() bool { return u.offering() == offerNone && len(u.unacked) == 0 }

// nextOffer sends the re-INVITE or UPDATE that waits, if it is time.
func (u *Usage) nextOffer() {
	n := u.talk
	if n == nil || !n.waiting || n.timer != nil || !u.settled() {
		return
	}
	if u.caller != nil && u.caller.pracking > 0 {
		return // a PRACK that comes after what was sent after it is out of order: RFC 3261 §12.2.2
	}
	d := u.negotiable()
	if d == nil || n.method == sip.MethodInvite && d.State != Confirmed {
		return
	}
	n.waiting, n.dialog = false, d
	u.stepOffer(offerOrder, outcome{})
}

// Accept answers the pending [Offer] with 200: body is the answer, or our offer if the re-INVITE had none (the answer comes as [AckReceived]).
func (u *Usage) Accept(body Body) error {
	if u.offer().state != offerCame || u.offer().came == nil {
		return ErrState
	}
	req := u.offer().came
	in := offerAccept
	if req.Method == sip.MethodInvite && !described(&req.Message) {
		in = offerAcceptLate
	}
	res := withBody(u.replyIn(u.offer().dialog, req, sip.StatusOK), body)
	if len(body.Bytes) > 0 {
		u.ours = body.keep()
	}
	if req.Method != sip.MethodPrack {
		u.offer().dialog.Refresh(&req.Message)
	}
	if u.up() && refreshesSession(req.Method) {
		u.grant(req, res)
	}
	return u.stepOffer(in, outcome{response: res})
}

// Refuse answers the pending [Offer] with a final response other than 2xx, 488 as a rule; the session stays as it was.
func (u *Usage) Refuse(status sip.Status) error {
	if u.offer().state != offerCame || u.offer().came == nil || status < 300 {
		return ErrState
	}
	return u.stepOffer(offerRefuse, outcome{response: u.replyIn(u.offer().dialog, u.offer().came, status)})
}

// peerOffer takes a re-INVITE, or an UPDATE or PRACK with an offer.
func (u *Usage) peerOffer(ev *sip.Event) {
	if cseq, err := ev.Request.CSeq(); err == nil && ev.Request.Method == sip.MethodInvite {
		u.overtaken(cseq.Number)
	}
	u.heed(&ev.Request.Message)
	state := u.offer().state
	if u.dialog == nil {
		// RFC 3311 §5.2: the offer of our INVITE waits for its answer in this early dialog, whatever is agreed in another one.
		if e := u.caller.earlyOf(ev.Request.FromTag()); e == nil || !e.settled {
			state = offerSent
		}
	}
	next, actions := state.step(offerPeer)
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
	n := u.offer()
	n.state, n.tx, n.came, n.dialog = next, ev.Tx, ev.Request.Clone(), u.dialogOf(ev.Request.CallID(), ev.Request.FromTag())
	tx := ev.Tx
	if ev.Request.Method == sip.MethodInvite {
		u.engine.Own(tx, sip.EventHandlerFunc(func(ev *sip.Event) {
			if ev.Kind == sip.EventCancel && n.tx == tx {
				u.stepOffer(offerWithdrawn, outcome{})
			}
		}))
	} else {
		n.guard = u.engine.After(u.stripe, 32*u.table.t1(), func() {
			n.guard = nil
			u.stepOffer(offerOverdue, outcome{})
		})
	}
	u.tell(Offer{Request: n.came})
}

func (u *Usage) stepOffer(in offerInput, o outcome) error {
	next, actions := u.offer().state.step(in)
	u.offer().state = next
	for _, a := range actions {
		if a == offerBusy {
			return ErrState
		}
		u.doOffer(a, o)
	}
	return nil
}

func (u *Usage) doOffer(a offerAction, o outcome) {
	switch a {
	case offerSend:
		u.sendOffer()
	case offerSendAck:
		u.ackOffer()
	case offerTellResult:
		u.tellResult(o)
	case offerRetry:
		u.retryOffer()
	case offerHangUp:
		u.hangUp(DialogGone)
	case offerRespond:
		u.respondOffer(o.response)
	case offerCancelled:
		u.withdraw(sip.StatusRequestTerminated)
	case offerLapse:
		u.withdraw(sip.StatusServerTimeout)
	}
}

// tellResult tells the owner what became of its order; a refresh was none.
func (u *Usage) tellResult(o outcome) {
	n := u.offer()
	if o.status.Success() && len(n.body.Bytes) > 0 {
		u.ours = n.body
	}
	if n.refresh {
		n.refresh = false
		u.refreshed(n.request, o)
	} else {
		if !o.status.Success() {
			u.stepTimer(timerRefused) // it was to refresh the session too
		}
		u.tell(Modified{Status: o.status, Response: o.response})
	}
	u.nextOffer()
}

// withdraw ends the pending offer of the peer without the owner.
func (u *Usage) withdraw(status sip.Status) {
	n := u.offer()
	stop(&n.guard)
	u.engine.Respond(n.tx, u.replyIn(n.dialog, n.came, status))
	n.came = nil
	u.tell(Withdrawn{})
	u.nextOffer()
}

// patience is how long our re-INVITE may stay without final response, however many 1xx come: the other side could ask a person. Then it is cancelled.
func patience(t1 time.Duration) time.Duration { return 4 * 64 * t1 }

// sendOffer sends our re-INVITE or UPDATE.
func (u *Usage) sendOffer() {
	n := u.offer()
	n.ackBody = Body{}
	req := n.dialog.Request(n.method)
	// No 1xx to it need be reliable, so that none has to be acknowledged.
	_, _, confirmed := u.table.supported()
	promise(&req.Message, confirmed)
	if n.dialog.State == Confirmed {
		u.propose(req)
	}
	u.assert(req)
	if len(n.body.Bytes) > 0 {
		req.SetBody(n.body.Type, n.body.Bytes)
	}
	x, err := u.exchange(n.dialog, req, nil)
	n.request = req
	if err != nil {
		u.engine.Do(u.stripe, func() { u.offered(x, outcome{status: sip.StatusServiceUnavailable, err: err}) })
		return
	}
	x.done = func(o outcome) { u.offered(x, o) }
	if n.method == sip.MethodInvite {
		n.sent = x
		n.bound = u.engine.After(u.stripe, patience(u.table.t1()), func() {
			n.bound = nil
			u.engine.Cancel(x.tx, "")
		})
	}
}

// offered takes the outcome of our re-INVITE or UPDATE.
func (u *Usage) offered(x *exchange, o outcome) {
	n := u.offer()
	n.request = x.request
	invite := x.request.Method == sip.MethodInvite
	if !o.again {
		stop(&n.bound)
	}
	switch {
	case o.again || u.over || u.leaving || x.dialog.State == Terminated:
		// RFC 3261 §13.2.2.4: the ACK was lost, or the call ended meanwhile. A late offer is acknowledged when its answer is known.
		if invite && o.status.Success() && n.state != offerUnacked {
			u.ackOffer()
		}
	case o.status.Success():
		x.dialog.Refresh(&o.response.Message)
		u.heed(&o.response.Message)
		if !n.refresh {
			u.granted(x.request, o.response)
		}
		u.stepOffer(successOf(x.request), o)
	case o.status == sip.StatusSessionIntervalTooSmall && !n.refresh && u.longer(x.request, o.response):
		n.waiting, n.state = true, offerNone
		u.nextOffer()
	case !invite && (o.status == sip.StatusMethodNotAllowed || o.status == sip.StatusNotImplemented) && u.up():
		u.updates = false
		n.method, n.waiting, n.state = sip.MethodInvite, true, offerNone
		u.nextOffer()
	case o.status == sip.StatusRequestPending && (n.refresh || !u.PassGlare) && n.waited < glarePatience(u.table.t1()):
		u.stepOffer(offerPending, o)
	case o.gone() && u.up():
		u.stepOffer(offerGone, o)
	default:
		u.stepOffer(offerFailure, o)
	}
}

// successOf says what a 2xx to a request of ours means.
func successOf(req *sip.Request) offerInput {
	switch {
	case req.Method != sip.MethodInvite:
		return offerUpdated
	case len(req.Body()) == 0:
		return offerLate
	}
	return offerSuccess
}

// retryOffer waits for the glare timer and sends the request again. RFC 3261 §14.1; RFC 3311 §5.3.
func (u *Usage) retryOffer() {
	n := u.offer()
	wait := glareWait(u.caller != nil, u.table.random())
	n.waited += wait
	n.waiting = true
	n.timer = u.engine.After(u.stripe, wait, func() {
		n.timer = nil
		u.nextOffer()
	})
}

// ackOffer acknowledges the 2xx to our re-INVITE, or the reliable 1xx whose offer the owner has answered.
func (u *Usage) ackOffer() {
	n := u.offer()
	if p := n.prack; p != nil {
		n.prack = nil
		u.sendPrack(*p, n.ackBody)
		return
	}
	if len(n.ackBody.Bytes) > 0 {
		u.ours = n.ackBody
	}
	u.sendAck(u.dialog, n.request, &n.ackBody)
}

// respondOffer answers the peer's offer.
func (u *Usage) respondOffer(res *sip.Response) {
	n := u.offer()
	tx, req := n.tx, n.came
	n.came = nil
	stop(&n.guard)
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
	stop(&n.bound)
	stop(&n.guard)
	n.waiting = false
	if n.sent != nil && !n.sent.ended {
		u.engine.Cancel(n.sent.tx, "")
	}
	if n.came != nil {
		u.engine.Respond(n.tx, u.replyIn(n.dialog, n.came, sip.StatusRequestTerminated))
		n.came = nil
	}
}
