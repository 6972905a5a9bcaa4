package b2bua

// The room of a supervised call: each side is led to a place in it by a re-INVITE, as if that place were the other side, and back by another. RFC 3725 §4.1 for the way back.

import (
	"context"
	"hash/fnv"
	"slices"

	"github.com/sipwerk/sipwerk/media/codec"
	"github.com/sipwerk/sipwerk/media/sdp"
	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/description"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

// roomRate is that of the mix, in Hz: wide enough for the better codecs.
const roomRate = 16000

// side is one side of a supervised call: its leg, the leg that faces it, and its place in the room.
type side struct {
	leg     *leg
	facing  *session.Leg
	place   *session.Endpoint
	seat    *session.Seat
	pending bool // a re-INVITE of ours is under way
}

// furnish makes the room and the places of the two sides.
func (s *supervision) furnish(at, far *leg) (err error) {
	c := s.call
	media := c.b.Media
	s.room = &session.Room{Rate: roomRate, Digit: func(seat *session.Seat, digit byte) {
		c.engine.Do(c.stripe, func() {
			for _, g := range s.guests {
				if seat == g.seat {
					g.dialled(digit)
				}
			}
		})
	}}
	here := session.Peer{Inside: true}
	for i, l := range []*leg{at, far} {
		h := fnv.New64a()
		h.Write([]byte(c.engine.NewID(c.stripe)))
		x := &side{leg: l, facing: media.NewLeg(here, h.Sum64())}
		s.sides[i] = x
		if x.place, err = media.NewEndpoint(context.Background(), here, s.voice()); err != nil {
			return err
		}
	}
	return nil
}

// sideAt is the side that is a leg.
func (s *supervision) sideAt(l *leg) *side {
	if l == s.sides[0].leg {
		return s.sides[0]
	}
	return s.sides[1]
}

// voice is what is spoken in the room.
func (s *supervision) voice() session.Voice {
	formats := s.call.b.Media.Formats
	if formats == nil {
		formats = []codec.Format{codec.G722(), codec.PCMA(), codec.PCMU()}
	}
	return session.Voice{Formats: formats, Rate: roomRate}
}

// lead offers the next side its place in the room.
func (s *supervision) lead() {
	x := s.sides[s.state]
	offer, err := s.offerPlace(x)
	if err == nil {
		err = x.leg.usage.Modify(dialog.SDP(offer.AppendTo(nil)))
	}
	if err != nil {
		x.leg.media.Abandon()
		s.fail(description.Status(err))
		return
	}
	x.pending = true
}

// offerPlace makes the offer of a place that of the leg. Every stream that the side knows keeps its slot: RFC 3264 §8.
func (s *supervision) offerPlace(x *side) (*sdp.Description, error) {
	offer := x.place.Offer()
	word := x.leg.word()
	for i := 1; i < len(word.Media); i++ {
		m := word.Clone().Media[i]
		m.Reject()
		offer.Media = append(offer.Media, m)
	}
	if err := x.facing.Offered(offer); err != nil {
		return nil, err
	}
	return x.leg.media.Offer(context.Background(), offer)
}

// seated takes the answer of a side to the offer of its place.
func (s *supervision) seated(x *side, d *sdp.Description) error {
	if err := x.leg.media.Answered(d); err != nil {
		return err
	}
	ours, err := x.facing.Answer(context.Background(), d)
	if err != nil {
		return err
	}
	if err := session.Settle(x.facing, x.leg.media); err != nil {
		return err
	}
	if err := x.place.Accept(ours); err != nil {
		return err
	}
	x.leg.said = d
	x.seat, err = s.room.Join(x.place)
	return err
}

// modified takes the word of a side to a re-INVITE of ours.
func (s *supervision) modified(l *leg, ev dialog.Modified) {
	x := s.sideAt(l)
	if !x.pending {
		return
	}
	x.pending = false
	var d *sdp.Description
	err := error(ev.Status)
	if ev.Status.Success() {
		if d, err = description.Find(&ev.Response.Message); err == nil && d == nil {
			err = sip.StatusNotAcceptableHere
		}
	}
	if s.state == joinFirst || s.state == joinSecond {
		s.led(x, d, err)
		return
	}
	s.parted(x, d, err)
}

// led goes on when a side has its place, or does not want it.
func (s *supervision) led(x *side, d *sdp.Description, err error) {
	if err == nil {
		err = s.seated(x, d)
	} else {
		x.leg.media.Abandon()
	}
	switch {
	case err != nil && len(s.guests) > 0:
		s.fail(description.Status(err))
	case s.state == joinFirst && err != nil:
		s.done()
	case len(s.guests) == 0:
		s.part() // who wanted to listen has gone meanwhile
	case s.state == joinFirst:
		s.state = joinSecond
		s.lead()
	default:
		s.state = joined
		for _, g := range slices.Clone(s.guests) {
			s.welcome(g)
		}
		s.call.announceNext()
	}
}

// part leads the sides back to each other: the second one makes an offer, which the first answers.
func (s *supervision) part() {
	c := s.call
	if c.over || c.supervision != s {
		return
	}
	s.state = partFirst
	x := s.sides[1]
	if err := x.leg.usage.Modify(dialog.Body{}); err != nil {
		s.partLater()
		return
	}
	x.pending = true
}

// partLater tries again, for a side is changing its session itself. Two who will not part go on in the room: they hear each other there.
func (s *supervision) partLater() {
	c := s.call
	s.state = joinedAlone
	c.announceNext()
	if s.tries++; s.tries >= maxJoins {
		return
	}
	c.engine.After(c.stripe, joinPause, func() {
		if s.state == joinedAlone { // nobody has joined meanwhile
			s.part()
		}
		c.sweep()
	})
}

// parted goes on with what a side has said on the way back.
func (s *supervision) parted(x *side, d *sdp.Description, err error) {
	c, first, second := s.call, s.sides[0].leg, s.sides[1].leg
	switch {
	case x.leg == second && err != nil:
		s.partLater()
	case x.leg == second:
		s.state = partSecond
		body, err := c.lateOffer(first, second, d)
		if err == nil {
			err = first.usage.Modify(body)
		}
		if err != nil {
			c.hangUp(badAnswer)
			return
		}
		s.sides[0].pending = true
	case err != nil:
		c.hangUp(badAnswer) // the second side waits for an answer that nobody gives
	default:
		body, err := c.settle(second, first, d)
		if err != nil {
			c.hangUp(badAnswer)
			return
		}
		second.usage.Ack(body)
		s.done()
	}
}

// offered takes an offer of a side that sits in the room: hold, resume, another address.
func (s *supervision) offered(l *leg, req *sip.Request) {
	x := s.sideAt(l)
	offer, err := description.Find(&req.Message)
	if err == nil && (offer == nil || x.pending || s.state != joined && s.state != joinedAlone) {
		err = sip.StatusRequestPending
	}
	var ours *sdp.Description
	if err == nil {
		ours, err = s.answerSide(x, offer)
	}
	if err != nil {
		l.media.Abandon()
		l.usage.Refuse(description.Status(err))
		return
	}
	l.said = offer
	l.usage.Accept(dialog.SDP(ours.AppendTo(nil)))
}

// answerSide has the place answer an offer.
func (s *supervision) answerSide(x *side, offer *sdp.Description) (*sdp.Description, error) {
	if err := x.leg.media.Offered(offer); err != nil {
		return nil, err
	}
	shown, err := x.facing.Offer(context.Background(), offer)
	if err != nil {
		return nil, err
	}
	answer, err := x.place.Answer(shown)
	if err != nil {
		return nil, err
	}
	if err := x.facing.Answered(answer); err != nil {
		return nil, err
	}
	ours, err := x.leg.media.Answer(context.Background(), answer)
	if err != nil {
		return nil, err
	}
	return ours, session.Settle(x.leg.media, x.facing)
}

// done ends the supervision of a call that goes on.
func (s *supervision) done() {
	s.call.supervision = nil
	s.close()
	s.call.announceAgain()
}

// close frees the room.
func (s *supervision) close() {
	for _, g := range s.guests {
		g.hush(s)
	}
	s.guests = nil
	room, sides, saying := s.room, s.sides, s.saying
	for _, x := range sides {
		if x != nil {
			x.facing.Close()
		}
	}
	s.call.b.work.Go(func() {
		for _, x := range sides {
			if x != nil && x.place != nil {
				x.place.Close()
			}
		}
		if room != nil {
			room.Close()
		}
		saying.close()
	})
}

// endSupervision ends it with the call.
func (c *call) endSupervision() {
	s := c.supervision
	if s == nil {
		return
	}
	c.supervision = nil
	for _, g := range s.guests {
		if u := g.leg.usage; !u.Over() && u.Reject(sip.StatusCallDoesNotExist) != nil {
			u.Bye("")
		}
	}
	s.close()
}
