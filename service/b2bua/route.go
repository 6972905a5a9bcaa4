package b2bua

// Where a call goes, one step after another: the question to the router, its answer, and what came of a step.

import (
	"context"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

// Router says who is called. It must not block: what must wait is said by [Route.Later].
type Router interface {
	Route(q *Question) Route
}

// Question is what a router is asked.
type Question struct {
	// Request says by its Request-URI who is wanted: the request that came, or, where a side diverts or transfers the call, a copy of the caller's INVITE with another
	// Request-URI and with that side as From. It must not be changed, and nothing of it may be kept: [Route.Later] gets a question of its own.
	Request *sip.Request
	Flow    sip.Flow // by which the request came; of a device that diverts or transfers the call: zero
	Caller  Caller   // who asks: the caller, or the side that diverts or transfers the call, as if it had dialled
	How     How
	// Calls is how many calls Caller.Account takes part in, this one included. It is counted before the question is asked, so that of two that come at once only one
	// sees the lower number. 0 if nobody has proved to be an account.
	Calls int
}

// How is the way by which a question comes up.
type How uint8

// The ways.
const (
	Dialled     How = iota // the caller has sent a request
	Deflected              // a device has answered with another address (3xx)
	Transferred            // a side of a call that is up has sent REFER
)

// String gives the word for a log.
func (h How) String() string { return [...]string{"dialled", "deflected", "transferred"}[h] }

// Route is where a request goes: one step of the way of a call. The zero Route leads nowhere.
type Route struct {
	// Application takes the event of an INVITE that was dialled, and of every other request. A side that diverts or transfers a call to one is led to it over the flow
	// of [B2BUA.Inside]; so does a later step by a [Party] with a binding.
	Application sip.EventHandler
	Account     sip.URI       // whose devices ring: the short form of Ring with one party
	Ring        []Party       // who rings, all at once
	RingTime    time.Duration // how long; 0: [B2BUA.RingTime]
	Refuse      sip.Status    // where nobody is to ring; 404 if 0

	// Then is asked for the next step when this one has led to nobody. Nil, and a zero Route in answer, mean that the caller hears the status of the outcome. It runs in
	// the stripe of the call and must not block.
	Then func(Outcome) Route
	// Later decides in a goroutine of its own, where a decision must wait for somebody else; nothing else of the Route counts then. ctx ends when the caller gives up or
	// the service stops; a Route that comes after that is thrown away. q is its own.
	Later func(ctx context.Context, q *Question) Route

	PickUp []sip.URI    // if set: the caller takes the call that has rung longest at one of these accounts; 404 if none rings
	Join   Join         // if it has an account: the caller joins the call that this one takes part in; 404 if there is none
	Take   sip.Replaces // if set: the caller takes the place of this dialog, one of those of [B2BUA.Dialogs]

	// Emergency lets the call in where there are too many, or the service is about to stop.
	Emergency bool

	Diverted    *Diverted // why the call is here instead of there; nil: it is here because it was dialled
	Cause, Note string    // what the detail of the call says of this step, and nothing else: a word, a sentence
}

// Party is one who rings in a step: an account with all its devices, or whatever the bindings lead to.
type Party struct {
	Account  sip.URI       // whose devices ring, found by the [Locator]; or
	Bindings []Binding     // these: a trunk, an application inside
	Delay    time.Duration // rings so much later than the step begins, or when all before have refused
	// MaxCalls is how many calls Account may take part in at once, this one included: who has more is busy, and its devices do not ring. 1: no call waiting. 0: no limit.
	MaxCalls int

	To      *sip.Address // whom To names; nil: whom the caller has dialled
	From    *sip.Address // who calls, as the party is to see it; nil: the caller
	Headers []Field      // in addition to what passes
	// Patience is how long a binding may say nothing at all, not even 100, before the next is tried: of one that has spares, or where [Route.Then] knows another way. 0: as long as the
	// transaction lasts (32 s).
	Patience time.Duration
	Codecs   []string          // only these are offered, in this order; empty: whatever the caller and we can speak
	Name     string            // for the detail of the call: of a trunk
	Domain   string            // of a trunk: whose it is
	Payer    string            // for the detail: who pays for the legs; "": nobody
	Gate     Gate              // counts the legs of the party; nil: nobody does
	Auth     dialog.Authorizer // answers challenges to every request of the leg; nil: a challenge is a refusal
	// Trusted says that the party belongs to the trust domain of RFC 3325: it is told who calls and who was called before, even where that is not to be shown.
	Trusted bool
}

// Field is a header field that a party gets.
type Field struct {
	Name  sip.Header
	Value string
}

// Miss is why a step has led to nobody.
type Miss uint8

// The reasons.
const (
	Offline  Miss = iota // no device, or none that could be reached
	Busy                 // on another call
	NoAnswer             // rang and was not taken
	Declined             // whoever was called does not want to talk
	Refused              // anything else: no codec in common, a fault of the far side, a loop that was cut
)

// String gives the word for a log.
func (m Miss) String() string {
	return [...]string{"offline", "busy", "no answer", "declined", "refused"}[m]
}

// Outcome is how a step ended that has led to nobody.
type Outcome struct {
	Miss   Miss
	Status sip.Status // what the caller hears if this was the last step
	Rang   bool       // somebody was heard to ring
	Step   int        // its number, from 1
	// Response is the refusal that decided; nil if there was none. It is valid until Then returns, and must not be changed.
	Response *sip.Response

	leg *leg // that gave the refusal
}

// missOf classifies the status of a leg, which may be nil.
func missOf(status sip.Status, l *leg, rang bool) Miss {
	switch {
	case status == sip.StatusBusyHere, status == sip.StatusBusyEverywhere:
		return Busy
	case status == sip.StatusDecline, status == sip.StatusUnwanted, status == sip.StatusRejected:
		return Declined
	case status == sip.StatusTemporarilyUnavailable, status == sip.StatusRequestTimeout, status == sip.StatusRequestTerminated, status == sip.StatusFlowFailed,
		status == sip.StatusServiceUnavailable && l != nil && l.refusal == nil:
		if rang {
			return NoAnswer
		}
		return Offline
	}
	return Refused
}

// parties returns who rings.
func (r *Route) parties() []Party {
	if r.Account.Host != "" {
		return append([]Party{{Account: r.Account}}, r.Ring...)
	}
	return r.Ring
}

// leads reports whether the route is for a call: somebody rings, or a next step says who.
func (r *Route) leads() bool {
	return r.Account.Host != "" || len(r.Ring) > 0 || r.Then != nil && r.Refuse == 0
}

// none reports whether the route says nothing at all.
func (r *Route) none() bool {
	return !r.leads() && r.Application == nil && r.Later == nil && r.Refuse == 0 && len(r.PickUp) == 0 && r.Join.Account.Host == "" && r.Take.CallID == ""
}
