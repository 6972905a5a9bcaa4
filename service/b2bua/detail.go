package b2bua

// What is told of a call: for logs, metrics and call detail records.

import (
	"time"

	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/sip"
)

// Observer is told what becomes of calls. It runs in the stripe of the call, and must not block. d holds until ObserveCall returns, and is empty or that of another call afterwards: who wants to keep it copies it.
type Observer interface {
	ObserveCall(d *Detail)
}

// Phase is how far a call has come. An observer sees each at most once, in this order, Started and Ended always.
type Phase uint8

// The phases.
const (
	Started Phase = iota + 1
	Ringing
	Answered
	Ended
)

// Side is who ended a call.
type Side uint8

// The sides.
const (
	BySystem Side = iota // no answer, no media, a limit, a stop
	ByCaller
	ByCallee
)

// String gives the word for a log.
func (s Side) String() string { return [...]string{"system", "caller", "callee"}[s] }

// Detail describes one call. Times that have not come are zero.
type Detail struct {
	Phase    Phase
	ID       string    // Session-ID of the caller's side, 32 digits; the same on both legs (RFC 7989)
	CallID   string    // of the caller's leg
	Name     string    // display name that is shown to the callee
	From, To string    // URIs: the identity shown to the callee, and whom the caller asked for
	Branches int       // devices that were called
	Steps    []Step    // by which the callee was looked for, the first 64
	Caller   sip.URI   // the account that has proved to call, whatever it shows; zero: nobody
	Trunks   [2]string // by which the caller came and by which the callee was reached; "" for none, here or there
	Callee   sip.URI   // the account whose device has answered; zero: none, or nobody's

	Start, Ring, Answer, End time.Time

	Status sip.Status // 200, or why there was no call
	By     Side       // who ended it
	Reason string     // the Reason header of the end, if any (RFC 3326)
	Err    error      // what went wrong here, or on the way to a device, if that is why there was no call

	CallerMedia, CalleeMedia []relay.Counters // one for each stream, at the end

	// The rest is there at the end: every leg, the caller's first, who was talked to last (the address-of-record of an account, or a URI), and how the call went on.
	Legs       []LegDetail
	Final      string
	Moves      []Move
	Recordings []string // file names
}

// Duration returns how long the sides talked.
func (d *Detail) Duration() time.Duration {
	if d.Answer.IsZero() || d.End.IsZero() {
		return 0
	}
	return d.End.Sub(d.Answer)
}

// Step is one step of the way of a call: what the router said of it, and what came of it.
type Step struct {
	Cause, Note string
	Status      sip.Status // 200: somebody has answered
	Miss        Miss       // of any other status
}

// step notes a step that has ended. The short way of most calls, one step of which nothing is said, is not worth a note.
func (s *story) step(r *Route, o Outcome) {
	if len(s.steps) > 0 || r.Cause != "" || r.Note != "" || r.Then != nil {
		s.steps = append(s.steps, Step{Cause: r.Cause, Note: r.Note, Status: o.Status, Miss: o.Miss})
	}
}

// story is what a call notes to be told of it. A [Detail] is made of it and of the call itself each time, for many calls stand while one is told of.
type story struct {
	phase          Phase
	by             Side
	branches       uint16
	status         sip.Status
	id, callID     string
	name, from, to string
	steps          []Step

	start, ring, answer time.Time

	reason     string
	err        error
	legs       []LegDetail // of who has left the call; at the end all
	moves      []Move
	recordings []string
	last       *ending // nil as long as the call is not over
}

// ending is what is known at the end only.
type ending struct {
	at             time.Time
	final          string
	caller, callee []relay.Counters
}

// forget lets go of what was told at the end: the transactions of a call keep it for another 32 s.
func (s *story) forget() { s.legs, s.last = nil, nil }

// reached notes that the call has come to a phase and tells the observer.
func (c *call) reached(p Phase) {
	s := &c.story
	if s.phase >= p {
		return
	}
	s.phase = p
	switch now := time.Now(); p {
	case Started:
		s.start = now
	case Ringing:
		s.ring = now
	case Answered:
		s.answer = now
	case Ended:
		s.last.at = now
	}
	if c.b.Observer != nil {
		c.inDetail(c.b.Observer.ObserveCall)
	}
}

// inDetail has f told what is known of the call.
func (c *call) inDetail(f func(*Detail)) {
	d, _ := c.b.details.Get().(*Detail)
	if d == nil {
		d = new(Detail)
	}
	s := &c.story
	*d = Detail{
		Phase: s.phase, ID: s.id, CallID: s.callID, Name: s.name, From: s.from, To: s.to, Branches: int(s.branches), Steps: s.steps, Caller: c.asker.Account,
		Start: s.start, Ring: s.ring, Answer: s.answer, Status: s.status, By: s.by, Reason: s.reason, Err: s.err, Legs: s.legs, Moves: s.moves, Recordings: s.recordings,
	}
	d.Trunks[0] = c.asker.Trunk
	if l := c.callee; l != nil {
		if d.Callee = l.account; l.party != nil {
			d.Trunks[1] = l.party.Name
		}
	}
	if e := s.last; e != nil {
		d.End, d.CallerMedia, d.CalleeMedia, d.Final = e.at, e.caller, e.callee, e.final
	}
	f(d)
	*d = Detail{}
	c.b.details.Put(d)
}

// describe begins the detail of a call from its INVITE.
func (c *call) describe(req *sip.Request) {
	c.story.callID = c.caller.usage.CallID()
	c.story.to = req.URI.String()
	if from, err := sip.ParseAddress(c.from); err == nil {
		c.story.from, c.story.name = from.URI.String(), from.Name()
	}
}
