// A call that we start: INVITE, its responses from one or many callees, CANCEL, ACK. RFC 3261 §9.1, §13.2.

package dialog

import (
	"fmt"
	"strings"

	"github.com/sipwerk/sipwerk/sip"
)

// Outgoing is a call to be started.
type Outgoing struct {
	Engine sip.Engine
	Stripe sip.Stripe // the lane; a Call-ID in Request must belong to it
	// Request is the INVITE: Request-URI, From, To, Contact, body and what else the owner wants to say. What is mandatory and missing is filled in:
	// Call-ID, CSeq, From tag, Max-Forwards, Contact, Allow, Session-ID. It is the usage's from then on.
	Request *sip.Request
	To      sip.Destination
	Auth    Authorizer // answers 401 and 407; nil: they are [Rejected]
	Plain   bool       // reliable provisional responses are not supported: for an owner that could not answer the offer in one
}

// maxForks bounds the dialogs that one INVITE may make; what comes beyond is ignored.
const maxForks = 32

// caller is the initial INVITE of a call that we start.
type caller struct {
	state    uacState
	offered  bool
	trying   bool // a 100 came
	tries    uint8
	pracking int32 // PRACKs under way
	seq      uint32
	tx       sip.TransactionID
	to       *sip.Destination // until it is answered
	way      *sip.Flow        // of to; nil: none
	early    []*early         // one for each tag in a 1xx
	dropped  []*Dialog        // of 2xx that were acknowledged and ended
	reason   string           // of our CANCEL or BYE
	ackBody  *Body            // of the ACK; nil: it has none
}

// flow is the way that the INVITE took; zero: it was routed.
func (c *caller) flow() sip.Flow {
	switch {
	case c.to != nil:
		return c.to.Flow
	case c.way != nil:
		return *c.way
	}
	return sip.Flow{}
}

// Invite starts a call; owner is told how it goes. It must be called from within the stripe. On an error nothing was sent.
func (t *Table) Invite(o Outgoing, owner Owner) (*Usage, error) {
	req := o.Request
	u := &Usage{table: t, engine: o.Engine, stripe: o.Stripe, owner: owner, talk: &negotiation{state: offerSent}}
	u.ear = &ear{usage: u}
	u.SetAuthorizer(o.Auth)
	if err := u.complete(req); err != nil {
		return nil, err
	}
	if o.Plain {
		_, plain, _ := t.supported()
		promise(&req.Message, plain)
	}
	u.invite = req
	u.caller = &caller{offered: described(&req.Message), to: &o.To, seq: 1}
	if u.caller.offered {
		u.ours = bodyOf(&req.Message)
	}
	if cseq, err := req.CSeq(); err == nil {
		u.caller.seq = cseq.Number
	}
	if err := t.add(u); err != nil {
		return nil, err
	}
	if err := u.startInvite(); err != nil {
		t.remove(u)
		return nil, err
	}
	return u, nil
}

// complete fills in what the owner left out.
func (u *Usage) complete(req *sip.Request) error {
	if id := req.CallID(); id == "" {
		req.Set(sip.HeaderCallID, u.engine.NewID(u.stripe))
	} else if sip.StripeOf(id) != u.stripe {
		return ErrStripe
	}
	from, err := req.From()
	if err != nil {
		return fmt.Errorf("dialog: invite: %w", err)
	}
	if from.Tag() == "" {
		u.tag = u.engine.NewID(u.stripe)
		req.AddTag(sip.HeaderFrom, u.tag)
	} else {
		u.tag = strings.Clone(from.Tag())
	}
	if !req.Has(sip.HeaderTo) {
		req.Set(sip.HeaderTo, "<"+req.URI.String()+">")
	}
	if !req.Has(sip.HeaderCSeq) {
		setCSeq(req, 1)
	}
	if !req.Has(sip.HeaderMaxForwards) {
		req.Set(sip.HeaderMaxForwards, "70")
	}
	if !req.Has(sip.HeaderContact) {
		req.Set(sip.HeaderContact, anyContact)
	}
	if id := req.SessionID(); !id.Known() {
		id.Local = sip.NewSessionUUID(req.CallID() + u.tag)
		req.SetSessionID(id)
	}
	if !req.Has(sip.HeaderAllow) {
		req.Set(sip.HeaderAllow, u.table.allow()) // RFC 3311 §5.1
	}
	all, _, _ := u.table.supported()
	promise(&req.Message, all)
	u.table.take(&req.Message)
	u.propose(req)
	return nil
}

func (u *Usage) startInvite() error {
	c := u.caller
	c.tries++
	c.early = nil // of the attempt before
	tx, err := u.engine.Start(u.stripe, u.Invitation(), *c.to, u.ear)
	if err == nil {
		c.tx = tx
	}
	return err
}

// inviteEvent takes the events of the INVITE client transaction.
func (u *Usage) inviteEvent(ev *sip.Event) {
	if ev.Tx != u.caller.tx {
		return
	}
	switch ev.Kind {
	case sip.EventResponse:
		u.inviteResponse(ev.Response)
		if d := u.dialogOf(ev.Response.CallID(), ev.Response.ToTag()); d != nil && !u.over {
			u.came(d, ev.Flow)
		}
	case sip.EventTimeout:
		u.stepCaller(uacFailure, outcome{status: sip.StatusRequestTimeout, err: ev.Err})
	case sip.EventFailure:
		u.stepCaller(uacFailure, outcome{status: sip.StatusServiceUnavailable, err: ev.Err})
	}
}

func (u *Usage) inviteResponse(res *sip.Response) {
	o := outcome{status: res.Status, response: res}
	if res.Status < 300 {
		u.heed(&res.Message)
	}
	switch {
	case res.Status == sip.StatusTrying:
		u.caller.trying = true
	case res.Status.Provisional():
		u.inviteProvisional(o)
	case res.Status.Success():
		u.inviteSuccess(o)
	case challenged(res.Status):
		u.inviteAgain(o, u.authorize)
	case res.Status == sip.StatusSessionIntervalTooSmall:
		u.inviteAgain(o, u.lengthen)
	default:
		u.stepCaller(uacFailure, o)
	}
}

// inviteSuccess finds out whose 2xx it is.
func (u *Usage) inviteSuccess(o outcome) {
	c, tag := u.caller, o.response.ToTag()
	if u.dialog != nil && u.dialog.RemoteTag == tag {
		o.dialog = u.dialog
		u.stepCaller(uacAgain, o)
		return
	}
	if o.dialog = find(c.dropped, tag); o.dialog != nil {
		u.stepCaller(uacAgain, o)
		return
	}
	first := u.dialog == nil && c.state < uacAnswered
	d, err := u.answeredDialog(o.response)
	switch {
	case err != nil && first:
		o.status, o.err = sip.StatusBadGateway, err
		u.stepCaller(uacFailure, o)
	case err != nil || len(c.dropped) == maxForks:
	case first && c.state == uacCancelling:
		u.stepCaller(uacSuccess, outcome{dialog: d})
	case first:
		o.dialog, u.dialog = d, d
		u.table.watch(d.Flow(), u)
		u.answered(o)
	default:
		o.dialog = d
		u.stepCaller(uacFork, o)
	}
}

// answered takes the first 2xx. What was agreed in its early dialog stands; what was agreed in another one is void.
func (u *Usage) answered(o outcome) {
	c, n := u.caller, u.offer()
	e := c.earlyOf(o.dialog.RemoteTag)
	if n.dialog != nil && n.dialog != o.dialog {
		n.drop(u)
	}
	n.prack = nil // the early dialogs stay: a later 2xx may belong to one, and its BYE comes behind its PRACK
	u.granted(u.Invitation(), o.response)
	switch {
	case e != nil && e.settled && n.state != offerUnacked:
		o.response = undescribed(o.response)
		u.stepCaller(uacSuccess, o)
	case c.offered:
		n.state = offerNone
		u.stepCaller(uacSuccess, o)
	default:
		n.state = offerUnacked
		u.stepCaller(uacLateOffer, o)
	}
}

// answeredDialog makes the dialog of a 2xx, from the early one if there is one.
func (u *Usage) answeredDialog(res *sip.Response) (*Dialog, error) {
	if e := u.caller.earlyOf(res.ToTag()); e != nil {
		return e.dialog, e.dialog.confirm(res)
	}
	d, err := NewUAC(u.Invitation(), res)
	if err == nil {
		d.Bind(u.caller.flow())
	}
	return d, err
}

// inviteAgain sends the INVITE again if there is an answer to the response: credentials, or a longer session.
func (u *Usage) inviteAgain(o outcome, answer func(*sip.Request, *sip.Response, int) (*sip.Request, bool)) {
	c := u.caller
	if c.state >= uacCancelling {
		u.stepCaller(uacFailure, o)
		return
	}
	again, ok := answer(u.Invitation(), o.response, int(c.tries))
	if !ok {
		u.stepCaller(uacFailure, o)
		return
	}
	u.invite = again
	c.seq++
	setCSeq(again, c.seq)
	u.stepCaller(uacChallenge, o)
}

// Heard reports whether the peer, or a proxy before it, has said anything to our INVITE, 100 included.
func (u *Usage) Heard() bool {
	return u.caller != nil && (u.caller.trying || u.caller.state != uacCalling)
}

// Cancel gives up a call that is not answered yet. A Reason header value may say why (RFC 3326). [Rejected] tells the end, even if a
// 2xx was faster than the CANCEL (it is then acknowledged and ended). After an answer Cancel is [Usage.Bye].
func (u *Usage) Cancel(reason string) error {
	if u.caller == nil || u.over || u.leaving {
		return ErrState
	}
	u.caller.reason = reason
	return u.stepCaller(uacOrderCancel, outcome{dialog: u.dialog})
}

func (u *Usage) stepCaller(in uacInput, o outcome) error {
	o.cancelled = u.caller.state == uacCancelling
	next, actions := u.caller.state.step(in)
	u.caller.state = next
	if len(actions) == 0 && in >= uacOrderCancel && in <= uacOrderBye {
		return ErrState
	}
	for _, a := range actions {
		u.doCaller(a, o)
	}
	return nil
}

func (u *Usage) doCaller(a uacAction, o outcome) {
	c := u.caller
	switch a {
	case uacTellProgress:
		u.tell(Progress{Dialog: o.dialog, Response: o.response})
	case uacTellAnswered:
		u.tell(Answered{Response: o.response})
	case uacTellRejected:
		if o.cancelled && o.response == nil {
			o.status = sip.StatusRequestTerminated
		}
		u.finish(Rejected{Status: o.status, Response: o.response, Err: o.err})
	case uacTellEnded:
		u.finish(Ended{Cause: ByeReceived, Reason: c.reason})
	case uacSendAck:
		u.sendAck(o.dialog, u.Invitation(), c.ackBody)
	case uacSendBye:
		u.sendBye(ByeSent, c.reason)
	case uacDropFork:
		u.dropFork(o.dialog)
	case uacSendCancel:
		// RFC 3261 §9.1: the transaction waits for a 1xx before it sends the CANCEL, and 64*T1 after it for a final response. One that
		// has just ended has its event on the way.
		u.engine.Cancel(c.tx, c.reason)
	case uacRestart:
		if err := u.startInvite(); err != nil {
			c.state = uacOver
			u.finish(Rejected{Status: sip.StatusServiceUnavailable, Err: err})
		}
	}
}

// dropFork ends a dialog that nobody wants: ACK, then BYE. RFC 3261 §13.2.2.4.
func (u *Usage) dropFork(d *Dialog) {
	u.caller.dropped = append(u.caller.dropped, d)
	u.sendAck(d, u.Invitation(), nil)
	bye := d.Request(sip.MethodBye)
	if u.caller.reason != "" {
		bye.Set(sip.HeaderReason, u.caller.reason)
	}
	d.State = Terminated
	// The outcome changes nothing: whoever does not get the BYE finds out by himself.
	u.exchange(d, bye, func(outcome) {})
}

// sendAck acknowledges a 2xx to invite; body is the answer to an offer in it, or nil.
func (u *Usage) sendAck(d *Dialog, invite *sip.Request, body *Body) {
	u.table.acknowledge(acknowledgement{engine: u.engine, stripe: u.stripe, dialog: d, invite: invite, body: body})
}

// acknowledgement is an ACK to a 2xx to invite.
type acknowledgement struct {
	engine sip.Engine
	stripe sip.Stripe
	dialog *Dialog
	invite *sip.Request
	body   *Body
}

// acknowledge sends an ACK. A lost one is asked for by the next 2xx, so an error is not one.
func (t *Table) acknowledge(a acknowledgement) {
	ack := t.spare.request()
	cseq, _ := a.invite.CSeq()
	a.dialog.write(ack, sip.MethodAck, cseq.Number)
	// RFC 3261 §13.2.2.4: the ACK carries the credentials of the INVITE.
	for _, h := range [...]sip.Header{sip.HeaderAuthorization, sip.HeaderProxyAuthorization} {
		for v := range a.invite.Values(h) {
			ack.Add(h, v)
		}
	}
	if a.body != nil && len(a.body.Bytes) > 0 {
		ack.SetBody(a.body.Type, a.body.Bytes)
	}
	a.engine.Ack(a.stripe, ack, a.dialog.Destination())
	t.spare.reuseRequest(ack)
}

// find returns the dialog with that remote tag.
func find(ds []*Dialog, tag string) *Dialog {
	for _, d := range ds {
		if d.RemoteTag == tag {
			return d
		}
	}
	return nil
}
