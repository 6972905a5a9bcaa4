package session

// Offer and answer of an endpoint. RFC 3264; RFC 4733 §7 for digits.

import (
	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/media/sdp"
)

// Offer returns our offer: the first of a call, or one that says anew what we want of a call that is up. The peer's answer goes to
// [Endpoint.Accept].
func (e *Endpoint) Offer() *sdp.Description {
	e.mu.Lock()
	defer e.mu.Unlock()
	again := e.ours.Offer()
	if e.said != nil {
		again = e.said.Clone() // RFC 3264 §8: every stream keeps its slot
	}
	again.Strip(true)
	for i := range again.Media {
		m := &again.Media[i]
		if m.Rejected() {
			continue
		}
		m.SetDirection(e.direction)
		offerLevel(m)
		if err := e.way.offer(again, m, e.peer.Kind); err != nil {
			m.Reject() // no randomness for a key: nothing is said rather than in the clear
		}
	}
	return e.sayLocked(again)
}

// sayLocked puts our o= line on a description and remembers it.
func (e *Endpoint) sayLocked(d *sdp.Description) *sdp.Description {
	e.origin.Stamp(d)
	e.said = d
	return d.Clone()
}

// Answer takes an offer of the peer, returns our answer, and begins to speak and hear. The error is [sdp.ErrNothingCommon] if there is
// nothing we both have; then all is as before.
func (e *Endpoint) Answer(offer *sdp.Description) (*sdp.Description, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	ours := e.ours
	ours.Media = []sdp.Capability{e.ours.Media[0]}
	ours.Media[0].Direction = e.direction
	answer, err := ours.Answer(e.carriedLocked(offer))
	if err != nil {
		return nil, err
	}
	for i := range answer.Media {
		m := &answer.Media[i]
		w, isRTP := read(offer, &offer.Media[i])
		if mid := offer.Media[i].MID(); mid != "" {
			m.Lines.SetAttribute("mid", mid)
		}
		if m.Rejected() {
			m.Proto = offer.Media[i].Proto
		}
		if m.Rejected() || !isRTP || !e.way.hear(w) {
			continue
		}
		if err := e.way.answer(answer, m); err != nil {
			return nil, err
		}
		answerLevel(&offer.Media[i], m)
		if err := e.settleLocked(offer, &offer.Media[i], m); err != nil {
			return nil, err
		}
	}
	if len(offer.Bundles()) > 0 {
		bundleFirst(answer)
	}
	return e.sayLocked(answer), nil
}

// carriedLocked is an offer as if all of it were plain RTP, without what we cannot carry.
func (e *Endpoint) carriedLocked(offer *sdp.Description) *sdp.Description {
	plain := offer.Clone()
	plain.Strip(false)
	for i := range plain.Media {
		m := &plain.Media[i]
		if w, isRTP := read(offer, &offer.Media[i]); isRTP {
			if _, ok := e.way.weigh(w); !ok {
				m.Reject()
			}
		}
	}
	return plain
}

// Accept takes the peer's answer to our offer and begins to speak and hear. The error is [sdp.ErrNothingCommon] if the answer rejects
// everything or names no codec of ours.
func (e *Endpoint) Accept(answer *sdp.Description) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.said == nil {
		return sdp.ErrNothingCommon
	}
	for i := range min(len(answer.Media), len(e.said.Media)) {
		m := &answer.Media[i]
		w, isRTP := read(answer, m)
		if m.Rejected() || !isRTP || e.said.Media[i].Rejected() {
			continue
		}
		if err := e.way.accept(w); err != nil {
			return err
		}
		return e.settleLocked(answer, m, &e.said.Media[i])
	}
	return sdp.ErrNothingCommon
}

// SetDirection says what we want from the next offer or answer on: [sdp.SendOnly] puts the peer on hold.
func (e *Endpoint) SetDirection(d sdp.Direction) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.direction = d
}

// settleLocked makes a stream of both descriptions the agreement, and starts the beat.
func (e *Endpoint) settleLocked(d *sdp.Description, theirs, ours *sdp.Media) error {
	a := agreement{direction: d.Direction(theirs).Answer(e.direction), level: levelExtension(theirs, ours)}
	if err := a.send(e.voice.Formats, theirs.Codecs()); err != nil {
		return err
	}
	a.receive(e.voice.Formats, ours.Codecs())
	e.agreeLocked(a)
	p := relay.Peer{Signalled: e.peer.Remote, Own: e.peer.Inside, Clock: a.format.Clock}
	p.RTP = e.peer.address(d.Address(theirs))
	p.RTCP = e.peer.address(d.RTCPAddress(theirs))
	if e.way.next.mux {
		p.RTCP = p.RTP
	}
	if err := e.way.settle(p); err != nil {
		return err
	}
	e.stream.Aim(p)
	e.beatLocked()
	return nil
}

// agreeLocked makes a what both sides do.
func (e *Endpoint) agreeLocked(a agreement) {
	e.agreed = a
	e.mouth.events.PayloadType, e.mouth.events.Step = a.event, a.format.Ticks(frameTime)
	e.ear.receiver.Clock = uint32(a.format.Clock)
	e.agreements++
}
