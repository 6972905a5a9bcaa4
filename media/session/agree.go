package session

// Offer and answer of an endpoint. RFC 3264; RFC 4733 §7 for digits.

import (
	"slices"

	"github.com/sipwerk/sipwerk/media/sdp"
)

// sound is the medium of the line that each endpoint has.
const sound = "audio"

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
	e.offerPicturesLocked(again)
	for i := range again.Media {
		m := &again.Media[i]
		if m.Rejected() {
			continue
		}
		if m.Type == sound {
			m.SetDirection(e.direction)
			offerLevel(m)
		}
		if err := e.wayLocked(i).offer(again, m, e.peer.Kind); err != nil {
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
	e.openPicturesLocked(offer)
	answer, err := e.capabilitiesLocked().Answer(e.carriedLocked(offer))
	if err == nil && !speaks(answer) {
		err = sdp.ErrNothingCommon
	}
	if err != nil {
		e.forgetLocked()
		return nil, err
	}
	for i := range answer.Media {
		if err := e.answerLocked(offer, answer, i); err != nil {
			return nil, err
		}
	}
	e.pruneLocked(offer, answer)
	if len(offer.Bundles()) > 0 {
		bundleFirst(answer)
	}
	return e.sayLocked(answer), nil
}

// capabilitiesLocked are what we can answer with now.
func (e *Endpoint) capabilitiesLocked() *sdp.Capabilities {
	ours := e.ours
	ours.Media = []sdp.Capability{e.ours.Media[0]}
	ours.Media[0].Direction = e.direction
	for _, p := range e.pictures {
		if p.line >= 0 {
			ours.Media = append(ours.Media, p.capabilityLocked(e.voice.Pictures))
		}
	}
	return &ours
}

// speaks tells whether a description has sound: without it there is nobody here.
func speaks(d *sdp.Description) bool {
	return slices.ContainsFunc(d.Media, func(m sdp.Media) bool { return m.Type == sound && !m.Rejected() })
}

// answerLocked completes line i of our answer, and makes it the agreement.
func (e *Endpoint) answerLocked(offer, answer *sdp.Description, i int) error {
	theirs, m := &offer.Media[i], &answer.Media[i]
	w, isRTP := read(offer, theirs)
	if mid := theirs.MID(); mid != "" {
		m.Lines.SetAttribute("mid", mid)
	}
	if m.Rejected() {
		m.Proto = theirs.Proto
	}
	way := e.wayLocked(i)
	if m.Rejected() || !isRTP || !way.hear(w) {
		return nil
	}
	if err := way.answer(answer, m); err != nil {
		return err
	}
	if p := e.pictureLocked(i); p != nil {
		p.answer(theirs, m)
		return p.settleLocked(offer, theirs, m)
	}
	answerLevel(theirs, m)
	return e.settleLocked(offer, theirs, m)
}

// carriedLocked is an offer as if all of it were plain RTP, without what we cannot carry.
func (e *Endpoint) carriedLocked(offer *sdp.Description) *sdp.Description {
	plain := offer.Clone()
	plain.Strip(false)
	for i := range plain.Media {
		m := &plain.Media[i]
		if w, isRTP := read(offer, &offer.Media[i]); isRTP {
			if _, ok := e.wayLocked(i).weigh(w); !ok {
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
	if !speaks(answer) || !speaks(e.said) {
		return sdp.ErrNothingCommon
	}
	heard := false
	for i := range min(len(answer.Media), len(e.said.Media)) {
		theirs, ours := &answer.Media[i], &e.said.Media[i]
		w, isRTP := read(answer, theirs)
		if theirs.Rejected() || !isRTP || ours.Rejected() {
			continue
		}
		if err := e.wayLocked(i).accept(w); err != nil {
			return err
		}
		settle := e.settleLocked
		if p := e.pictureLocked(i); p != nil {
			settle = p.settleLocked
		}
		if err := settle(answer, theirs, ours); err != nil {
			return err
		}
		heard = heard || ours.Type == sound
	}
	if !heard {
		return sdp.ErrNothingCommon
	}
	e.pruneLocked(answer, e.said)
	return nil
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
	if k := newPacker(packetTimesOf(theirs), frameTime, theirs.Codecs()); !k.like(e.packer.Load()) {
		e.packer.Store(k) // of one that does the same the numbers go on
	}
	e.agreeLocked(a)
	if err := e.aimLocked(&e.way, d, theirs, a.format.Clock); err != nil {
		return err
	}
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
