// A call as the plan knows it, and what is decided of it.

package dialplan

import (
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// Call are the facts of a call that is to be routed.
type Call struct {
	Caller  Caller
	Dialled string    // the user part that was dialled, or a number of a tel URI
	At      time.Time // now
	How     How
	Hops    int     // how often the call had been diverted before it came here
	Ledger  Ledger  // nil: nobody has called outside
	Turns   Turns   // nil: groups ring in the order of their lists
	Direct  bool    // the house itself asks: no rule is asked, and dialled may be any target
	Asked   Service // an emergency service asked for by its name (RFC 5031); "" for none
}

// Service is a service URN: "sos", "sos.police".
type Service string

// Caller is who calls, or who sends a call on.
type Caller struct {
	Account string // of the house; "" for everybody else
	Trunk   string // by which the call came
	Place   Place  // of the house, that sends a caller on: a queue, a menu. Zero for none
	Number  string // that is shown; "" if unknown or withheld

	Entitled bool // of a place: what it asks for stands in its settings, so that the house has wanted it
}

// How is why somebody asks for a number.
type How uint8

// The ways.
const (
	Dialled     How = iota // by the caller
	Transferred            // by REFER
	Deflected              // by a 3xx of a telephone
)

// String returns a word for rules and logs.
func (h How) String() string {
	return [...]string{"dialled", "transferred", "deflected"}[min(h, Deflected)]
}

// Ledger knows what accounts have used of their limits. It must not block.
type Ledger interface {
	Used(account string) Use
}

// Use is what an account has used.
type Use struct {
	Calls  int           // outside now
	Talked time.Duration // outside today
}

// Turns says in which order the members of a group ring whose strategy depends on earlier calls. It must not block.
type Turns interface {
	Order(group string, s Strategy, members []string) []string
}

// Action is what is to be done.
type Action uint8

// The actions.
const (
	Refuse Action = iota // nobody; Decision.Refusal says why
	Ring                 // telephones ring and trunks are called: Decision.Legs
	Enter                // an application takes the call: Decision.Place
	Ask                  // a script or a webhook is to be asked first: Decision.Question
	Give                 // nothing more is to be tried: the caller hears the last outcome
)

// Decision is where a call goes next, and why. It belongs to the caller and does not change.
type Decision struct {
	Action   Action
	Legs     []Leg
	RingTime time.Duration // 0: that of the server
	Place    Place
	Refusal  Refusal
	Question *Question
	Diverted []Diversion // who sent the call here since the last decision, the first one first
	Steps    []Step      // how it was found
	Rule     string      // the rule that decided; "" for none

	way way
}

// Forwarded reports whether somebody has forwarded the call on its way: it is not where its caller wanted it.
func (d *Decision) Forwarded() bool { return d.way.forwarded }

// Leg is one of those that ring at the same time.
type Leg struct {
	Account string // of the house
	OneCall bool   // it is busy while it is in a call
	Out     *Out   // instead of an account: a number outside
}

// Out is a call to the telephone network.
type Out struct {
	Number    Number
	Emergency bool
	Trunks    []string // the ones to try, in this order; nil: whichever there are
	CallerID  string   // to be shown, E.164; "": as the trunk says
	Hide      bool     // the caller wants to stay unknown
	Payer     string   // the account whose limits it uses; "": the house
	MaxCalls  int      // of the payer at once; 0: any
	Minutes   int      // of the payer a day; 0: any
}

// Refusal is why a call is not made.
type Refusal struct {
	Status sip.Status
	Why    Reason
	Number string // that was wanted
	Payer  string // who wanted it
}

// Reason is a word for a refusal, for events, metrics and tests.
type Reason string

// The reasons. Those of the fraud brakes are events in the log.
const (
	Unknown   Reason = "unknown"   // nothing is called so
	NoTrunk   Reason = "no-trunk"  // there is no way outside
	Loop      Reason = "loop"      // the call has been diverted in a circle, or too often
	Declined  Reason = "hangup"    // the plan says so
	BusyTone  Reason = "busy"      // the plan says so
	Stranger  Reason = "stranger"  // somebody from outside wants to call outside
	Country   Reason = "country"   // it is not allowed
	Premium   Reason = "premium"   // it costs more than a call
	Closed    Reason = "closed"    // its number begins with what is closed
	Night     Reason = "night"     // the night lock holds
	Calls     Reason = "calls"     // too many at once
	Minutes   Reason = "minutes"   // those of the day are used up
	Identity  Reason = "identity"  // the caller claims to be somebody else
	Forbidden Reason = "forbidden" // an application may only send callers where its settings say, and a code that changes something is for whoever dials it
)

// Brake reports whether a refusal is one of the fraud brakes: worth an event.
func (r Reason) Brake() bool {
	switch r {
	case Stranger, Country, Premium, Closed, Night, Calls, Minutes, Identity, Forbidden:
		return true
	}
	return false
}

// Outcome is why a step led to nobody.
type Outcome string

// The outcomes.
const (
	Offline   Outcome = "offline"   // no telephone is registered, or none can be reached
	Busy      Outcome = "busy"      // in a call
	NoAnswer  Outcome = "no-answer" // it rang
	Rejected  Outcome = "declined"  // somebody pressed the red key
	NotPassed Outcome = "refused"   // everything else
	dnd       Outcome = "dnd"
)

// Diversion is one change of the way.
type Diversion struct {
	From Place
	Why  Cause
}

// Cause is why a call was diverted.
type Cause string

// The causes, in the words of RFC 5806 §4.
const (
	CauseAlways  Cause = "unconditional"
	CauseBusy    Cause = "user-busy"
	CauseNobody  Cause = "no-answer"
	CauseOffline Cause = "unavailable"
	CauseDND     Cause = "do-not-disturb"
	CauseHours   Cause = "time-of-day"
	CauseGroup   Cause = "follow-me" // from a group to what comes behind it
)
