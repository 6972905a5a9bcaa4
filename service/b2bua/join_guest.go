package b2bua

// Who joins a call: let in when the call is at rest, or when the sides sit in a room already, answered when both do, and gone without anybody else noticing. RFC 3911 §4.

import (
	"context"
	"slices"

	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/description"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

// maxGuests is how many may listen to one call.
const maxGuests = 8

// joinedAgain is the Reason of the BYE to a supervisor who has joined the same call anew, to do something else there.
const joinedAgain = `SIP;cause=200;text="Joined again"`

// guest is one who has joined a call, or waits to be let in.
type guest struct {
	leg   *leg
	at    *leg // whose side it has joined
	peer  session.Peer
	mode  JoinMode
	in    *supervision      // nil: it waits
	ear   *session.Endpoint // nil: it has left
	seat  *session.Seat
	tries int
	gone  bool // it has given up
}

// enter lets a guest into a call, as soon as nothing else is under way there.
func (g *guest) enter() {
	c := g.leg.call
	if g.gone || g.leg.usage.Over() {
		return
	}
	s := c.supervision
	switch {
	case c.over || g.at.far() == nil:
		g.leg.turnAway(sip.StatusCallDoesNotExist)
	case s != nil && s.open():
		s.receive(g)
	case s == nil && c.atRest():
		s = &supervision{call: c}
		if err := s.furnish(g.at, g.at.far()); err != nil {
			s.close()
			g.leg.turnAway(description.Status(err))
			return
		}
		c.supervision = s
		if s.receive(g); c.supervision == s {
			s.lead()
		}
	default:
		g.enterLater()
	}
}

// enterLater tries again, for somebody changes the session of the call, or is being transferred.
func (g *guest) enterLater() {
	c := g.leg.call
	if g.tries++; g.tries == maxJoins {
		g.leg.turnAway(sip.StatusRequestPending)
		return
	}
	c.entering++
	c.engine.After(c.stripe, joinPause, func() {
		c.entering--
		g.enter()
		c.sweep()
	})
}

// open reports whether guests are let into the room.
func (s *supervision) open() bool {
	return s.state == joinFirst || s.state == joinSecond || s.state == joined || s.state == joinedAlone
}

// receive gives a guest its place.
func (s *supervision) receive(g *guest) {
	if len(s.guests) == maxGuests {
		g.leg.turnAway(sip.StatusBusyHere)
		return
	}
	s.guests = append(s.guests, g)
	g.in = s
	var err error
	if g.ear, err = s.call.b.Media.NewEndpoint(context.Background(), g.peer, s.voice()); err != nil {
		s.dismiss(g, description.Status(err))
		return
	}
	switch s.state {
	case joined, joinedAlone:
		s.state, s.tries = joined, 0
		s.welcome(g)
	}
}

// happens takes what happens to a guest.
func (g *guest) happens(ev dialog.Event) {
	u := g.leg.usage
	switch ev := ev.(type) {
	case dialog.AckReceived:
		if d, err := description.Find(&ev.Request.Message); d != nil && err == nil && g.ear != nil && g.ear.Accept(d) != nil {
			u.Bye(badAnswer)
		}
	case dialog.Offer:
		body, err := g.answer(ev.Request)
		if err != nil {
			u.Refuse(description.Status(err))
			return
		}
		u.Accept(body)
	case dialog.Cancelled, dialog.Ended:
		if g.gone = true; g.in != nil {
			g.in.left(g)
			return
		}
		g.leg.media.Close()
	}
}

// answer answers an offer of the guest, or makes one.
func (g *guest) answer(req *sip.Request) (dialog.Body, error) {
	if g.ear == nil {
		return dialog.Body{}, sip.StatusRequestPending
	}
	theirs, err := description.Find(&req.Message)
	if err != nil {
		return dialog.Body{}, err
	}
	if theirs == nil {
		return dialog.SDP(g.ear.Offer().AppendTo(nil)), nil
	}
	ours, err := g.ear.Answer(theirs)
	if err != nil {
		return dialog.Body{}, err
	}
	return dialog.SDP(ours.AppendTo(nil)), nil
}

// welcome answers a guest, when both sides are in the room. A supervisor who has joined before goes on as the new guest.
func (s *supervision) welcome(g *guest) {
	body, err := g.answer(g.leg.usage.Invitation())
	if err == nil {
		g.seat, err = s.room.Join(g.ear)
	}
	if err == nil {
		g.apply()
		err = g.leg.usage.Answer(body)
	}
	if err != nil {
		s.dismiss(g, description.Status(err))
		return
	}
	s.call.note(Move{Kind: Joined, By: g.leg.usage.Invitation().Get(sip.HeaderFrom), To: s.call.who(g.at)})
	for _, before := range slices.Clone(s.guests) {
		if before != g && before.seat != nil && g.leg.aor != "" && before.leg.aor == g.leg.aor {
			before.leg.usage.Bye(joinedAgain)
			s.left(before)
		}
	}
}

// dismiss turns a guest away.
func (s *supervision) dismiss(g *guest, status sip.Status) {
	if u := g.leg.usage; !u.Over() && u.Reject(refusal(status)) != nil {
		u.Bye("")
	}
	s.left(g)
}

// fail turns all guests away.
func (s *supervision) fail(status sip.Status) {
	for _, g := range slices.Clone(s.guests) {
		s.dismiss(g, status)
	}
}

// left ends what a guest has, and leads the sides back when it was the last.
func (s *supervision) left(g *guest) {
	at := slices.Index(s.guests, g)
	if at < 0 {
		return
	}
	s.guests = slices.Delete(s.guests, at, at+1)
	g.hush(s)
	if len(s.guests) > 0 {
		return
	}
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

// dialled takes a digit of a guest.
func (g *guest) dialled(digit byte) {
	switch digit {
	case '4':
		g.mode = Listen
	case '5':
		g.mode = Whisper
	case '6':
		g.mode = Barge
	default:
		return
	}
	g.apply()
}

// apply tells the room who hears the guest.
func (g *guest) apply() {
	if g.seat == nil {
		return
	}
	g.seat.Mute(g.mode == Listen)
	if g.mode == Whisper {
		g.seat.Whisper(g.in.sideAt(g.at).seat)
		return
	}
	g.seat.Whisper(nil)
}

// hush takes the guest out of the room.
func (g *guest) hush(s *supervision) {
	ear := g.ear
	g.ear, g.seat = nil, nil
	g.leg.media.Close()
	if ear != nil {
		s.call.b.work.Go(ear.Close) // it waits for the frame that is being sent: not in the stripe
	}
}
