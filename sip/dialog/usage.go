// The INVITE usage: the fields and the orders that fit both sides of a call. RFC 3261 §13 to §15.

package dialog

import (
	"errors"
	"net/netip"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// What an order to a usage can fail with, beside the sentinels of package sip.
var (
	// ErrState: the order does not fit the state of the usage, and nothing was done.
	ErrState = errors.New("dialog: order does not fit the state of the call")
	// ErrFull: the table holds as many usages as it may.
	ErrFull = errors.New("dialog: too many calls")
	// ErrStripe: the Call-ID of the request belongs to another stripe than the caller's.
	ErrStripe = errors.New("dialog: Call-ID of another stripe")
)

// Authorizer answers the challenges to our requests. Package digest has one.
type Authorizer interface {
	// Authorize returns the request to send after res, a 401 or 407 to req: a copy of req with credentials. ok is false when it has none for the
	// challenge or they were refused; the challenge is then the outcome of the request. It must neither keep req and res nor block.
	Authorize(req *sip.Request, res *sip.Response) (again *sip.Request, ok bool)
}

// maxTries is how often one request is sent because of challenges: one for a proxy, one for the far end, one for a stale nonce.
const maxTries = 4

// Usage is a call as one user agent sees it. [Table.Invite] and [Table.Incoming] make it. All methods must be called from within its
// stripe, except [Usage.Do]; none blocks.
type Usage struct {
	// PassGlare reports a 491 to [Usage.Modify], or an order that meets an exchange under way, at once instead of trying again: for a B2BUA, where the peer of the
	// other leg is the one to try again.
	PassGlare bool

	stripe  sip.Stripe
	updates bool  // the peer takes UPDATE
	renames bool  // the peer takes another name of ours in From
	cause   Cause // of the BYE under way
	leaving bool  // our BYE is under way
	over    bool  // the last event was delivered
	removed bool  // the table has forgotten it
	lean    bool  // its INVITE is not whole any more

	table   *Table
	engine  sip.Engine
	owner   Owner
	ear     *ear         // of the initial INVITE
	invite  *sip.Request // as it came, or was sent last; nil: extract has what is left of it
	extract extract
	dialog  *Dialog // nil as long as a caller has no 2xx
	tag     string  // the local tag
	caller  *caller // one of the two is set
	callee  *callee
	talk    *negotiation // nil: nothing has been negotiated since the call stands
	ours    Body         // the description of ours that the peer heard last
	session session
	unacked []*unacked
	extra   *extra
}

// extra is what few usages have.
type extra struct {
	auth     Authorizer
	identity string        // who we have become, for P-Asserted-Identity
	packages []string      // of INFO that the peer takes
	least    time.Duration // the highest Min-SE that came in a 422
	retry    sip.Timer     // of a refresh that was refused
	lost     sip.Timer     // runs while we wait for a peer to be heard from again
	source   netip.Addr    // from where the peer was heard last, if the dialog does not lead there
}

// rare returns the extra of u, and makes it.
func (u *Usage) rare() *extra {
	if u.extra == nil {
		u.extra = new(extra)
	}
	return u.extra
}

// least is the shortest interval that a 422 has asked for; 0: none has.
func (u *Usage) least() time.Duration {
	if u.extra == nil {
		return 0
	}
	return u.extra.least
}

// offer returns the exchange of offer and answer, and makes it.
func (u *Usage) offer() *negotiation {
	if u.talk == nil {
		u.talk = new(negotiation)
	}
	return u.talk
}

// offering is how far that is.
func (u *Usage) offering() offerState {
	if u.talk == nil {
		return offerNone
	}
	return u.talk.state
}

// dropOffer stops what was to be negotiated yet.
func (u *Usage) dropOffer() {
	if u.talk != nil {
		u.talk.drop(u)
	}
}

// Dialog returns the dialog of the call: nil for a caller before [Answered], the early one for a callee before its answer. It is the
// usage's own and must not be changed.
func (u *Usage) Dialog() *Dialog { return u.dialog }

// CallID returns the Call-ID.
func (u *Usage) CallID() string {
	if u.dialog != nil {
		return u.dialog.CallID
	}
	return u.Invitation().CallID()
}

// SessionID returns the identifiers of the call as this side sees them.
func (u *Usage) SessionID() sip.SessionID {
	if u.dialog != nil {
		return u.dialog.Session
	}
	return sip.SessionID{Local: u.Invitation().SessionID().Local, Remote: sip.NilUUID}
}

// Stripe returns the lane in which the usage lives.
func (u *Usage) Stripe() sip.Stripe { return u.stripe }

// Do runs f in the stripe of the usage; it may be called from anywhere and does not wait.
func (u *Usage) Do(f func()) { u.engine.Do(u.stripe, f) }

// Over reports whether the last event has been delivered, or the call was refused: no order can have an effect.
func (u *Usage) Over() bool { return u.over }

// Bye ends the call whatever its state: CANCEL for a call not answered by the peer, 480 for one not answered by us, BYE otherwise (after the ACK, RFC 3261
// §15). reason, if any, is the value of a Reason header (RFC 3326). Except after the 480, an event tells the end.
func (u *Usage) Bye(reason string) error {
	switch {
	case u.over || u.leaving:
		return ErrState
	case u.caller != nil:
		u.caller.reason = reason
		return u.stepCaller(uacOrderBye, outcome{dialog: u.dialog})
	case u.callee.state <= uasHeld:
		res := u.Reply(sip.StatusTemporarilyUnavailable)
		if reason != "" {
			res.Set(sip.HeaderReason, reason)
		}
		return u.stepCallee(uasOrderBye, callMessage{response: res})
	}
	u.callee.reason = reason
	return u.stepCallee(uasOrderBye, callMessage{})
}

// Ack answers an offer that came with a 2xx, to the initial INVITE or to a re-INVITE without offer, or with a reliable 1xx: the answer goes with the ACK or
// the PRACK. RFC 3261 §13.2.2.4; RFC 3262 §5.
func (u *Usage) Ack(body Body) error {
	if u.caller != nil && u.caller.state == uacAnswered {
		kept := body.keep()
		u.caller.ackBody, u.ours = &kept, kept
		u.offer().state = offerNone
		return u.stepCaller(uacOrderAck, outcome{dialog: u.dialog})
	}
	u.offer().ackBody = body.keep()
	return u.stepOffer(offerOrderAck, outcome{})
}

// tell hands an event to the owner.
func (u *Usage) tell(ev Event) {
	if u.owner != nil {
		u.owner.HandleUsage(u, ev)
	}
}

// finish delivers the last event; nil delivers none.
func (u *Usage) finish(ev Event) {
	if u.over {
		return
	}
	u.over = true
	if u.dialog != nil {
		u.dialog.State = Terminated
	}
	u.table.remove(u)
	u.settleAll()
	u.dropOffer()
	u.stepTimer(timerOver)
	u.found()
	if u.callee != nil {
		u.stepReliable(reliableReject, nil)
	}
	if ev != nil {
		u.tell(ev)
	}
	if u.lean { // transactions that wait for late copies live for another 32 s
		u.owner, u.extra, u.ours = nil, nil, Body{}
		u.ear.deafen()
	}
}

// stop stops and forgets a timer.
func stop(t *sip.Timer) {
	if *t != nil {
		(*t).Stop()
		*t = nil
	}
}

// bind makes flow the way to the peer, zero to route by RFC 3261 alone.
func (u *Usage) bind(flow sip.Flow) {
	if u.dialog.Flow() == flow {
		return
	}
	u.table.unwatch(u.dialog.Flow(), u)
	u.dialog.Bind(flow)
	u.table.watch(flow, u)
}

// awaited reports whether we wait for the peer to be heard from again, and found ends that.
func (u *Usage) awaited() bool { return u.extra != nil && u.extra.lost != nil }

func (u *Usage) found() {
	if u.extra != nil {
		stop(&u.extra.lost)
	}
}

// flowLost says that the connection to the peer is gone. A peer with an address can be called back; one without (a browser) has 64*T1 to be
// heard from again over another connection, and its unanswered call is over.
func (u *Usage) flowLost(flow sip.Flow) {
	if u.over || u.dialog == nil || u.dialog.Flow().ID != flow.ID {
		return
	}
	was := u.dialog.Flow()
	u.table.unwatch(was, u)
	if u.dialog.routable() {
		u.dialog.Bind(sip.Flow{})
		u.came(u.dialog, was) // a telephone behind a translator comes back from the same address, which its Contact does not say
		return
	}
	if u.callee != nil && u.callee.state <= uasHeld {
		u.callee.reason = `SIP;cause=503;text="Flow lost"`
		u.stepCallee(uasCancel, callMessage{})
		return
	}
	u.rare().lost = u.engine.After(u.stripe, 64*u.table.t1(), func() {
		u.close()
		u.finish(Ended{Cause: FlowLost})
	})
}
