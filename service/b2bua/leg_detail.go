package b2bua

// What is told of the legs of a call, and of those who took somebody's place in it.

import (
	"time"

	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/sip"
)

// maxDetails is how many legs and moves of one call are told: a call that is transferred again and again does not grow.
const maxDetails = 64

// LegDetail describes one side of a call, or a device that rang for it. Times that have not come are zero.
type LegDetail struct {
	Account string // address-of-record whose device it is; of the caller and of who is no account empty
	Target  string // URI where it was called; of the caller empty
	Trunk   string // by which it goes or came; "" for none
	Payer   string // who pays for it, as its party says; "" for nobody
	CallID  string
	Start   time.Time // of its INVITE
	Ring    time.Time
	Answer  time.Time
	End     time.Time      // refused, or gone from the call
	Status  sip.Status     // 200, or why it did not answer; 0: the call was over before
	Err     error          // what went wrong here or on the way
	Codec   string         // of the sound, as SDP calls it; empty if none was agreed
	Digits  session.Digits // how digits went to it and came from it: where two sides differ, they were converted
	// PacketTime is how long packets were made for it, because it asked for others than came; 0: they went as they came.
	PacketTime time.Duration
	Media      []relay.Counters // one for each stream, of who has answered
}

// Move is a call that went on to somebody else.
type Move struct {
	At    time.Time
	Kind  MoveKind
	By    string // URI or name-addr of who moved it
	To    string // the same, of who was to have it
	Other string // [Detail.ID] of another call that was part of it; empty if there is none
}

// MoveKind says how a call was moved.
type MoveKind string

// The kinds.
const (
	Redirect MoveKind = "redirect" // a device answered with another address
	Forward  MoveKind = "forward"  // the router led it on
	Transfer MoveKind = "transfer" // REFER
	Replace  MoveKind = "replace"  // an INVITE with Replaces: the end of an attended transfer
	Pickup   MoveKind = "pickup"   // taken where it rang, by somebody else
	Joined   MoveKind = "join"     // somebody has joined it, and it went on
)

// note tells the detail of a move; its time is now.
func (c *call) note(m Move) {
	if len(c.story.moves) < maxDetails {
		m.At = time.Now()
		c.story.moves = append(c.story.moves, m)
	}
}

// moments are the times of a leg, counted from the start of the call.
type moments struct {
	began, rang, answered, ended time.Duration
	told                         bool // the leg is in the detail already
}

// mark notes a moment that comes once.
func (c *call) mark(d *time.Duration) {
	if *d == 0 {
		*d = max(time.Since(c.story.start), 1)
	}
}

// at is the time of a moment.
func (c *call) at(d time.Duration) (t time.Time) {
	if d != 0 {
		t = c.story.start.Add(d)
	}
	return t
}

// detailOf describes a leg as it is now.
func (c *call) detailOf(l *leg) LegDetail {
	d := LegDetail{
		Start: c.at(l.moments.began), Ring: c.at(l.moments.rang), Answer: c.at(l.moments.answered), End: c.at(l.moments.ended),
		Status: l.status, Err: l.err, Target: l.reach,
	}
	if l.account.Host != "" {
		d.Account = l.name()
	}
	if l.party != nil {
		d.Trunk, d.Payer = l.party.Name, l.party.Payer
	} else if l == c.caller {
		d.Trunk = c.asker.Trunk
	}
	if l.usage != nil {
		d.CallID = l.usage.CallID()
	}
	switch {
	case !d.Answer.IsZero():
		d.Status = sip.StatusOK
		if l.media != nil {
			d.Codec, d.Digits, d.PacketTime, d.Media = l.media.Codec(), l.media.Digits(), l.media.PacketTime(), c.counts(l)
		}
	case l == c.caller:
		d.Status = c.story.status
	}
	return d
}

// heardLast notes what was counted of the two sides at the end.
func (c *call) heardLast() {
	c.story.last = &ending{caller: c.caller.media.Counters()}
	if c.callee != nil {
		c.story.last.callee = c.callee.media.Counters()
	}
}

// counts is what was counted of a leg.
func (c *call) counts(l *leg) []relay.Counters {
	last := c.story.last
	switch {
	case last != nil && l == c.caller:
		return last.caller
	case last != nil && l == c.callee:
		return last.callee
	}
	return l.media.Counters()
}

// name is the address-of-record of the account of a leg that has one.
func (l *leg) name() string {
	if l.reach != "" && l.aor != "" { // it was called as that
		return l.aor
	}
	return l.account.AOR()
}

// gone keeps what will be told of a leg that leaves the call before its end.
func (c *call) gone(l *leg) {
	if c.mark(&l.moments.ended); l.moments.told || len(c.story.legs) >= maxDetails {
		return
	}
	l.moments.told = true
	c.story.legs = append(c.story.legs, c.detailOf(l))
}

// legs completes the story at the end: who has called comes first.
func (c *call) legs() {
	all := make([]LegDetail, 0, 1+len(c.story.legs)+len(c.branches))
	tell := func(l *leg) {
		if !l.moments.told {
			l.moments.told = true
			c.mark(&l.moments.ended)
			all = append(all, c.detailOf(l))
		}
	}
	tell(c.caller)
	for _, l := range c.branches {
		tell(l)
	}
	c.story.legs = append(all, c.story.legs...)
	switch {
	case c.callee == nil:
	case c.callee.account.Host != "":
		c.story.last.final = c.callee.name()
	default:
		c.story.last.final = c.callee.reach
	}
}
