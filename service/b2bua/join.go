package b2bua

// A supervisor in a call: one who may, and who names one of its dialogs (RFC 3911) or dials for it, listens to both sides, speaks to one of them alone, or takes part. While
// that lasts the sides talk in a room here instead of past it (join_room.go); afterwards they are connected as before.

import (
	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/description"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

// Supervisors says who may join the calls of an account. It must not block.
type Supervisors interface {
	MayJoin(who Caller, account sip.URI) bool
}

// JoinMode is what a supervisor does in a call.
type JoinMode uint8

// The modes. A supervisor changes from one to another by the digits 4, 5 and 6.
const (
	Listen  JoinMode = iota // hears both, and nobody hears the supervisor
	Whisper                 // speaks to the side whose call it joined, and the other does not hear it
	Barge                   // all hear each other
)

// Join is a wish to join the call that an account takes part in.
type Join struct {
	Account sip.URI
	Mode    JoinMode
}

// supervision is a call that somebody has joined, or is about to.
type supervision struct {
	call   *call
	guests []*guest
	room   *session.Room
	sides  [2]*side // the one that the first guest has joined first
	saying *saying  // what is announced in the room, or was last; nil: nothing
	state  joinState
	tries  int
}

// joinState is how far a supervision has come.
type joinState uint8

const (
	joinFirst   joinState = iota // the first side is being led into the room
	joinSecond                   // the second is
	joined                       // guests may hear both
	partFirst                    // the second side is asked for an offer for the first
	partSecond                   // which the first is to answer
	joinedAlone                  // the guests are gone, and the sides stay in the room, for one of them would not leave it
)

// join takes an INVITE with Join.
func (b *B2BUA) join(ev *sip.Event) {
	which, err := sip.ParseJoin(ev.Request.Get(sip.HeaderJoin))
	if err != nil || ev.Request.Has(sip.HeaderReplaces) {
		b.refuse(ev, sip.StatusBadRequest)
		return
	}
	mode := Barge
	if d, err := description.Find(&ev.Request.Message); err == nil && d != nil && len(d.Media) > 0 && !d.Direction(&d.Media[0]).Sends() {
		mode = Listen
	}
	kept := dialog.Carry(ev, ev.Stripe)
	b.Dialogs.Match(ev.Engine, sip.Replaces{CallID: which.CallID, ToTag: which.ToTag, FromTag: which.FromTag}, func(u *dialog.Usage, status sip.Status) {
		if u == nil {
			kept.Engine.Do(kept.Stripe, func() { b.refuse(kept, status) })
			return
		}
		here := dialog.Carry(kept, u.Stripe())
		l, ok := u.Owner().(*leg)
		if !ok || status != 0 || l.call.b != b {
			b.refuse(here, or(status, sip.StatusCallDoesNotExist))
			return
		}
		l.call.supervise(l, here, mode)
		l.call.sweep()
	})
}

// joinAccount takes an INVITE of somebody who has dialled for the call of an account.
func (b *B2BUA) joinAccount(ev *sip.Event, j Join) {
	kept, account, asker := dialog.Carry(ev, ev.Stripe), j.Account.Clone(), ""
	if b.Identity != nil {
		if who := b.Identity.Identify(ev); who.Account.Host != "" {
			asker = who.Account.AOR()
		}
	}
	b.tryJoin(kept, account, asker, j.Mode, b.listed([]sip.URI{account}))
}

// tryJoin asks one call after the other, each in its stripe, for it may not be answered, or over; or the asker, by address-of-record, talks in it.
func (b *B2BUA) tryJoin(kept *sip.Event, account sip.URI, asker string, mode JoinMode, calls []*call) {
	if len(calls) == 0 {
		kept.Engine.Do(kept.Stripe, func() { b.refuse(kept, sip.StatusNotFound) })
		return
	}
	c := calls[0]
	c.engine.Do(c.stripe, func() {
		if l := c.sideOf(account); l != nil && (asker == "" || !c.includes(asker)) {
			c.supervise(l, dialog.Carry(kept, c.stripe), mode)
			c.sweep()
			return
		}
		b.tryJoin(kept, account, asker, mode, calls[1:])
	})
}

// sideOf is the side of an account in a call that is up; nil if it has none.
func (c *call) sideOf(account sip.URI) *leg {
	for _, l := range []*leg{c.callee, c.caller} {
		if l != nil && l.far() != nil && !c.over && c.party(l).AOR() == account.AOR() {
			return l
		}
	}
	return nil
}

// party is whose side of the call a leg is.
func (c *call) party(l *leg) sip.URI {
	who, err := sip.ParseAddress(c.who(l))
	if err != nil {
		return sip.URI{}
	}
	return who.URI
}

// supervise lets the sender of an INVITE join the call at one of its sides.
func (c *call) supervise(at *leg, ev *sip.Event, mode JoinMode) {
	far := at.far()
	if far == nil || c.over {
		c.b.refuse(ev, sip.StatusCallDoesNotExist)
		return
	}
	var who Caller
	if c.b.Identity != nil {
		who = c.b.Identity.Identify(ev)
	}
	switch may := c.b.Supervisors; {
	case may == nil || !may.MayJoin(who, c.party(at)) && !may.MayJoin(who, c.party(far)):
		c.b.refuse(ev, sip.StatusForbidden)
		return
	case !may.MayJoin(who, c.party(at)):
		at, far = far, at // what is whispered is for those whom one supervises
	}
	if own := who.Account; own.Host != "" && (own.AOR() == c.party(at).AOR() || own.AOR() == c.party(far).AOR()) {
		c.b.refuse(ev, sip.StatusForbidden) // nobody listens to oneself
		return
	}
	n := c.newcomer(ev)
	if n == nil {
		return
	}
	g := &guest{leg: n, at: at, mode: mode, peer: peerOf(ev, Caller{})}
	n.joins = g
	g.enter()
}

// atRest reports whether nothing is under way in a call that is up.
func (c *call) atRest() bool {
	return !c.over && c.callee != nil && c.exchange == nil && c.transfer == nil && c.joining == nil && c.ousted == nil && c.supervision == nil && !c.announced() &&
		c.caller.word() != nil && c.callee.word() != nil && !c.early()
}
