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

// supervision is somebody who has joined a call, or is about to.
type supervision struct {
	call  *call
	guest *leg
	ear   *session.Endpoint // of the guest
	seat  *session.Seat
	mode  JoinMode
	room  *session.Room
	sides [2]*side // the one that is supervised first
	state joinState
	tries int
}

// joinState is how far a supervision has come.
type joinState uint8

const (
	joinFirst   joinState = iota // the first side is being led into the room
	joinSecond                   // the second is
	joined                       // the guest may hear both
	partFirst                    // the second side is asked for an offer for the first
	partSecond                   // which the first is to answer
	joinedAlone                  // the guest is gone, and the sides stay in the room, for one of them would not leave it
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
			b.refuse(dialog.Carry(kept, sip.StripeOf(which.CallID)), status)
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
	kept, account := dialog.Carry(ev, ev.Stripe), j.Account.Clone()
	b.tryJoin(kept, account, j.Mode, b.listed([]sip.URI{account}))
}

// tryJoin asks one call after the other, each in its stripe, for it may not be answered, or over.
func (b *B2BUA) tryJoin(kept *sip.Event, account sip.URI, mode JoinMode, calls []*call) {
	if len(calls) == 0 {
		kept.Engine.Do(kept.Stripe, func() { b.refuse(kept, sip.StatusNotFound) })
		return
	}
	c := calls[0]
	c.engine.Do(c.stripe, func() {
		for _, l := range []*leg{c.callee, c.caller} {
			if l != nil && l.far() != nil && !c.over && c.party(l).AOR() == account.AOR() {
				c.supervise(l, dialog.Carry(kept, c.stripe), mode)
				c.sweep()
				return
			}
		}
		b.tryJoin(kept, account, mode, calls[1:])
	})
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
	if !c.atRest() {
		c.b.refuse(ev, sip.StatusRequestPending)
		return
	}
	n := c.newcomer(ev)
	if n == nil {
		return
	}
	s := &supervision{call: c, guest: n, mode: mode}
	n.joins = s
	if err := s.open(at, far, peerOf(ev, Caller{})); err != nil {
		s.close()
		n.turnAway(description.Status(err))
		return
	}
	c.supervision = s
	s.lead()
}

// atRest reports whether nothing is under way in a call that is up.
func (c *call) atRest() bool {
	return !c.over && c.callee != nil && c.exchange == nil && c.transfer == nil && c.joining == nil && c.ousted == nil && c.supervision == nil &&
		c.caller.word() != nil && c.callee.word() != nil && !c.early()
}

// happens takes what happens to the guest.
func (s *supervision) happens(ev dialog.Event) {
	u := s.guest.usage
	switch ev := ev.(type) {
	case dialog.AckReceived:
		if d, err := description.Find(&ev.Request.Message); d != nil && err == nil && s.ear != nil && s.ear.Accept(d) != nil {
			u.Bye(badAnswer)
		}
	case dialog.Offer:
		body, err := s.answerGuest(ev.Request)
		if err != nil {
			u.Refuse(description.Status(err))
			return
		}
		u.Accept(body)
	case dialog.Cancelled, dialog.Ended:
		s.guestGone()
	}
}

// welcome answers the guest, when both sides are in the room.
func (s *supervision) welcome() {
	s.state = joined
	body, err := s.answerGuest(s.guest.usage.Invitation())
	if err == nil {
		s.seat, err = s.room.Join(s.ear)
	}
	if err == nil {
		s.apply()
		err = s.guest.usage.Answer(body)
	}
	if err != nil {
		s.fail(description.Status(err))
		return
	}
	s.call.note(Move{Kind: Joined, By: s.guest.usage.Invitation().Get(sip.HeaderFrom), To: s.call.who(s.sides[0].leg)})
}

// answerGuest answers an offer of the guest, or makes one.
func (s *supervision) answerGuest(req *sip.Request) (dialog.Body, error) {
	theirs, err := description.Find(&req.Message)
	if err != nil {
		return dialog.Body{}, err
	}
	if theirs == nil {
		return dialog.SDP(s.ear.Offer().AppendTo(nil)), nil
	}
	ours, err := s.ear.Answer(theirs)
	if err != nil {
		return dialog.Body{}, err
	}
	return dialog.SDP(ours.AppendTo(nil)), nil
}

// fail turns the guest away.
func (s *supervision) fail(status sip.Status) {
	if u := s.guest.usage; !u.Over() && u.Reject(refusal(status)) != nil {
		u.Bye("")
	}
	s.guestGone()
}

// guestGone ends what the guest has, and leads the sides back.
func (s *supervision) guestGone() {
	if s.ear == nil {
		return
	}
	s.hush()
	switch {
	case s.call.over || s.call.supervision != s:
	case s.state == joined:
		s.part()
	case s.state == joinFirst && s.sides[0].pending:
		// Ours to the first side is under way; when it has been answered it is undone.
	case s.state == joinFirst:
		s.done()
	case s.state == joinSecond && !s.sides[1].pending:
		s.part()
	}
}

// dialled takes a digit of the guest.
func (s *supervision) dialled(digit byte) {
	switch digit {
	case '4':
		s.mode = Listen
	case '5':
		s.mode = Whisper
	case '6':
		s.mode = Barge
	default:
		return
	}
	s.apply()
}

// apply tells the room who hears the guest.
func (s *supervision) apply() {
	if s.seat == nil {
		return
	}
	s.seat.Mute(s.mode == Listen)
	if s.mode == Whisper {
		s.seat.Whisper(s.sides[0].seat)
		return
	}
	s.seat.Whisper(nil)
}
