package session

// Offer and answer of an endpoint. RFC 3264; RFC 4733 §7 for digits.

import (
	"net/netip"
	"slices"

	"github.com/sipwerk/sipwerk/media/carriage"
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
		if err := e.wayLocked(i).Offer(again, m, e.peer.Kind.terms()); err != nil {
			m.Reject() // no randomness for a key: nothing is said rather than in the clear
		}
	}
	e.bundleLocked(again, nil)
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
	e.shareLocked(offer)
	answer, err := e.capabilitiesLocked().Answer(e.carriedLocked(offer))
	if err == nil && !speaks(answer) {
		err = sdp.ErrNothingCommon
	}
	if err != nil {
		e.forgetLocked()
		return nil, err
	}
	lead := e.leadersLocked(offer)
	heard := make(map[*carriage.Transport]bool, len(lead))
	for i := range answer.Media {
		theirs, m, way := &offer.Media[i], &answer.Media[i], e.wayLocked(i)
		if mid := theirs.MID(); mid != "" {
			m.Lines.SetAttribute("mid", mid)
		}
		if w, isRTP := carriage.Read(offer, &offer.Media[lead[i]]); isRTP && !m.Rejected() && !heard[way] {
			heard[way] = way.Hear(w)
		}
		if m.Rejected() || !heard[way] {
			m.Proto = theirs.Proto
			m.Reject()
			continue
		}
		if err := e.answerLocked(offer, answer, i); err != nil {
			return nil, err
		}
	}
	for i := range answer.Media {
		if m := &answer.Media[i]; !m.Rejected() {
			if err := e.settleLineLocked(i, lead, offer, m); err != nil {
				return nil, err
			}
		}
	}
	e.pruneLocked(offer, answer)
	e.bundleLocked(answer, offer)
	e.sortLocked(offer, answer)
	return e.sayLocked(answer), nil
}

// shareLocked lets the streams that ICE finds share a port, before the peer is told of any other.
func (e *Endpoint) shareLocked(offer *sdp.Description) {
	lead := e.leadersLocked(offer)
	for i := range offer.Media {
		if w, isRTP := carriage.Read(offer, &offer.Media[lead[i]]); isRTP && !offer.Media[i].Rejected() {
			e.wayLocked(i).Share(w, func(at netip.AddrPort) netip.AddrPort { return e.site.advertise(e.peer, at) })
		}
	}
	e.ours.Media[0].Place = e.placeOf(e.stream)
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

// answerLocked completes line i of our answer.
func (e *Endpoint) answerLocked(offer, answer *sdp.Description, i int) error {
	theirs, m := &offer.Media[i], &answer.Media[i]
	if err := e.wayLocked(i).Answer(answer, m); err != nil {
		return err
	}
	if p := e.pictureLocked(i); p != nil {
		p.answer(theirs, m)
		return nil
	}
	answerLevel(theirs, m)
	return nil
}

// settleLineLocked makes line i of d, which is the peer's, and ours the agreement. lead is which line of d says how each is carried.
func (e *Endpoint) settleLineLocked(i int, lead []int, d *sdp.Description, ours *sdp.Media) error {
	theirs, p := &d.Media[i], e.pictureLocked(i)
	if p != nil {
		if err := p.settleLocked(d, theirs, ours); err != nil {
			return err
		}
		return e.aimLocked(p.way, p.stream, pictureClock, d, &d.Media[lead[i]])
	}
	if err := e.settleLocked(d, theirs, ours); err != nil {
		return err
	}
	if err := e.aimLocked(&e.way, e.stream, e.agreed.format.Clock, d, &d.Media[lead[i]]); err != nil {
		return err
	}
	e.beatLocked()
	return nil
}

// carriedLocked is an offer as if all of it were plain RTP, without what we cannot carry.
func (e *Endpoint) carriedLocked(offer *sdp.Description) *sdp.Description {
	plain, lead := offer.Clone(), e.leadersLocked(offer)
	plain.Strip(false)
	for i := range plain.Media {
		m, way := &plain.Media[i], e.wayLocked(i)
		w, isRTP := carriage.Read(offer, &offer.Media[lead[i]])
		if !isRTP {
			continue
		}
		if _, ok := way.Weigh(w); !ok {
			m.Reject()
		} else if offer.Media[i].BundleOnly() && way == &e.way {
			m.Port = discard // it has none of its own, and is there
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
	e.hearGroupsLocked(answer)
	lead := e.leadersLocked(answer)
	accepted, heard := make(map[*carriage.Transport]bool, len(lead)), false
	for i := range min(len(answer.Media), len(e.said.Media)) {
		theirs, ours, way := &answer.Media[i], &e.said.Media[i], e.wayLocked(i)
		w, isRTP := carriage.Read(answer, &answer.Media[lead[i]])
		if theirs.Rejected() || !isRTP || ours.Rejected() || ours.Type != sound && e.pictureLocked(i) == nil {
			continue
		}
		if !accepted[way] {
			if err := way.Accept(w); err != nil {
				return err
			}
			accepted[way] = true
		}
		if err := e.settleLineLocked(i, lead, answer, ours); err != nil {
			return err
		}
		heard = heard || ours.Type == sound
	}
	if !heard {
		return sdp.ErrNothingCommon
	}
	e.pruneLocked(answer, e.said)
	e.sortLocked(answer, e.said)
	return nil
}

// SetDirection says what we want from the next offer or answer on: [sdp.SendOnly] puts the peer on hold.
func (e *Endpoint) SetDirection(d sdp.Direction) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.direction = d
}

// settleLocked makes the sound of both descriptions the agreement.
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
	return nil
}

// agreeLocked makes a what both sides do.
func (e *Endpoint) agreeLocked(a agreement) {
	a.succeed(&e.agreed)
	e.agreed = a
	e.mouth.events.PayloadType, e.mouth.events.Step = a.event, a.format.Ticks(frameTime)
	e.ear.receiver.Clock = uint32(a.format.Clock)
	e.agreements++
}
