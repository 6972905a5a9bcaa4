package session

// The place of an endpoint in a room.

import (
	"slices"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/media/codec"
	"github.com/sipwerk/sipwerk/media/rtp"
)

// A Seat is the place of an endpoint in a [Room].
type Seat struct {
	room     *Room
	endpoint *Endpoint

	// Guarded by the mutex of the room.
	participant *audio.Participant // nil until the endpoint has agreed on a session
	muted, deaf bool
	confidant   *Seat        // who alone hears this one; nil: everybody
	source      audio.Source // waits for the participant
	left        bool

	// Of the goroutine that beats.
	agreements int    // of the endpoint, seen so far
	swept      bool   // the room reads the endpoint's packets
	due        []byte // the payload that is mixed
	payload    []byte // to send
	hearTones  func(pcm []int16)
}

// Endpoint returns who sits here.
func (s *Seat) Endpoint() *Endpoint { return s.endpoint }

// Leave ends the seat. The endpoint beats by itself again, silent unless something is written.
func (s *Seat) Leave() {
	r := s.room
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.left {
		return
	}
	s.left = true
	r.sweep.Dismiss(s.endpoint.stream)
	if i := slices.Index(r.seats, s); i >= 0 {
		r.seats = slices.Delete(r.seats, i, i+1)
	}
	if s.participant != nil {
		r.mixer.Leave(s.participant)
	}
	s.endpoint.stand()
}

// Mute keeps the seat from being heard by others.
func (s *Seat) Mute(on bool) { s.set(func() { s.muted = on }) }

// Deafen lets the seat hear nothing but [Seat.Play].
func (s *Seat) Deafen(on bool) { s.set(func() { s.deaf = on }) }

// Whisper lets nobody but to, a seat of the same room, hear this one; nil ends that.
func (s *Seat) Whisper(to *Seat) { s.set(func() { s.confidant = to }) }

// Play lets this seat alone hear a source of the room's rate, over the mix, in place of one that plays; nil ends that.
func (s *Seat) Play(src audio.Source) {
	s.set(func() {
		s.source = src
		if s.participant != nil {
			s.participant.Play(src)
		}
	})
}

// set changes what the participant is told.
func (s *Seat) set(change func()) {
	s.room.mu.Lock()
	defer s.room.mu.Unlock()
	change()
	s.applyLocked()
}

// applyLocked tells the participant who hears whom.
func (s *Seat) applyLocked() {
	p := s.participant
	if p == nil {
		return
	}
	p.Muted, p.Deaf, p.Confidant = s.muted, s.deaf, nil
	if to := s.confidant; to != nil {
		p.Confidant = to.participant
		p.Muted = s.muted || to.left || to.participant == nil // nobody else is to hear it
	}
}

// Playing tells whether the source of [Seat.Play] has not ended.
func (s *Seat) Playing() bool {
	s.room.mu.Lock()
	defer s.room.mu.Unlock()
	if s.participant == nil {
		return s.source != nil
	}
	return s.participant.Playing()
}

// Level returns how loud the seat was lately, in -dBov: 0 is the loudest, 127 silent. RFC 6464 §3.
func (s *Seat) Level() int {
	s.room.mu.Lock()
	defer s.room.mu.Unlock()
	if s.participant == nil {
		return codec.Silence
	}
	return int(s.participant.Level())
}

// listen gives the mixer what is due of the endpoint. The room is locked.
func (s *Seat) listen() {
	e := s.endpoint
	e.mu.Lock()
	defer e.mu.Unlock()
	s.digitsLocked()
	if s.agreements != e.agreements {
		s.agreements = e.agreements
		s.takePartLocked()
	}
	if s.participant == nil {
		return
	}
	if !s.swept && e.ear.receiver.Started() {
		// Not before: until sound comes, keys and a way are being agreed on, and that is not to wait.
		s.swept = true
		s.room.sweep.Enlist(e.stream)
	}
	if s.confidant != nil {
		s.applyLocked()
	}
	for !s.participant.Ready() && s.playLocked() {
	}
}

// takePartLocked makes the agreed format that in which the seat hears.
func (s *Seat) takePartLocked() {
	format := s.endpoint.agreed.format
	if s.participant != nil {
		// A format that cannot be encoded leaves the former one, and its payload type in use says nothing to the peer: silence.
		_ = s.participant.SetFormat(format)
		return
	}
	p, err := s.room.mixer.Join(format)
	if err != nil {
		return
	}
	p.Play(s.source)
	s.participant = p
	s.applyLocked()
}

// playLocked hands over the packet that is due; it reports false if none is.
func (s *Seat) playLocked() bool {
	e := s.endpoint
	p, playout := e.ear.jitter.Pop()
	switch playout {
	case rtp.Played:
		decoder := e.agreed.decoder(p.PayloadType)
		if decoder == nil {
			return false // a digit, or noise: a beat of silence
		}
		e.ear.last = p.PayloadType
		s.due = append(s.due[:0], p.Payload...)
		s.participant.Decoded = nil
		if !e.agreed.events {
			s.participant.Decoded = s.hearTones
		}
		s.participant.Hear(decoder, s.due, e.ear.level)
		return true
	case rtp.Lost:
		s.missLocked()
		return true
	}
	return false
}

// missLocked makes up for a lost packet of somebody who is heard.
func (s *Seat) missLocked() {
	e := s.endpoint
	if next, ok := e.ear.jitter.Next(); ok && next.PayloadType == e.ear.last {
		s.due = append(s.due[:0], next.Payload...)
		s.participant.Recover(s.due)
		return
	}
	s.participant.Miss()
}

// digitsLocked notes the digits that came, for after the step.
func (s *Seat) digitsLocked() {
	if s.room.Digit == nil {
		return
	}
	for {
		select {
		case digit := <-s.endpoint.ear.digits:
			s.room.changes = append(s.room.changes, change{seat: s, digit: digit})
		default:
			return
		}
	}
}

// speak sends what the seat hears, on the goroutine of the room.
func (s *Seat) speak(now time.Time) {
	e, r := s.endpoint, s.room
	if s.payload == nil {
		return
	}
	e.mu.Lock()
	if e.closed || e.seat != s {
		e.mu.Unlock()
		return
	}
	r.packet = e.speak(r.packet[:0], s.payload)
	e.mu.Unlock()
	r.packet = e.send(r.sweep, r.packet, now)
}
