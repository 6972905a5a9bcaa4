package session

// Offer and answer of the pictures of an endpoint. RFC 3264 §8: a line keeps its slot; one that was rejected may be used again (RFC 3264 §8.1).

import (
	"slices"

	"github.com/sipwerk/sipwerk/media/carriage"
	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/media/sdp"
)

// wantedFeedback is what we listen to, and say, of pictures. RFC 4585 §4.2, RFC 5104 §7.1.
func wantedFeedback() []sdp.Feedback {
	return []sdp.Feedback{{Payload: "*", Type: "nack"}, {Payload: "*", Type: "nack", Detail: "pli"}, {Payload: "*", Type: "ccm", Detail: "fir"}, {Payload: "*", Type: estimate}}
}

// estimate is the feedback type of [rtp.Estimate].
const estimate = "goog-remb"

// capabilityLocked is what we can do on the line of p.
func (p *Picture) capabilityLocked(codecs []sdp.Codec) sdp.Capability {
	e := p.endpoint
	return sdp.Capability{Type: "video", Line: p.line + 1, Codecs: codecs, OwnOrder: true, Direction: p.want.And(e.direction), Place: e.placeOf(p.stream)}
}

// offerPicturesLocked puts the pictures into an offer of ours that has the sound.
func (e *Endpoint) offerPicturesLocked(d *sdp.Description) {
	if p := (*Picture)(nil); e.said == nil && len(e.pictures) == 0 {
		if p = e.addPictureLocked(-1); p != nil && p.openLocked(e.bundlesLocked()) != nil {
			e.dropLocked(p) // sound alone is better than no call
		}
	}
	for i := range d.Media {
		if m := &d.Media[i]; m.Type != sound && e.pictureLocked(i) == nil {
			m.Reject() // the peer has refused it
		}
	}
	taken := e.takenLocked(d)
	for _, p := range e.pictures {
		c := p.capabilityLocked(p.codecs)
		m := (&sdp.Capabilities{Media: []sdp.Capability{c}}).Offer().Media[0]
		if p.line >= 0 && d.Media[p.line].MID() != "" {
			m.Lines.SetAttribute("mid", d.Media[p.line].MID())
		}
		for _, fb := range wantedFeedback() {
			m.AddFeedback(fb)
		}
		p.identify(&m)
		if a := p.is(); len(a.layers) > 0 {
			m.TakeLayers(a.layers)
			extend(&m, a.layerTag, ridURI)
		}
		if e.promptLocked() {
			p.offerRepairs(&m, &taken)
		}
		if p.line < 0 {
			p.line = e.slotLocked(d)
		}
		if p.line == len(d.Media) {
			d.Media = append(d.Media, m)
		} else {
			d.Media[p.line] = m
		}
	}
}

// promptLocked tells whether the peer is one with RTCP at once: without it nobody asks for packets again.
func (e *Endpoint) promptLocked() bool {
	if e.agreements == 0 {
		return e.peer.Kind.terms().Profile.Feedback
	}
	return e.way.Now().Profile.Feedback
}

// takenLocked are the payload types that stand for something in our descriptions.
func (e *Endpoint) takenLocked(d *sdp.Description) (taken [128]bool) {
	all := append(e.codecsLocked(), e.ours.Media[0].Codecs)
	for i := range d.Media {
		all = append(all, d.Media[i].Codecs())
	}
	for _, codecs := range all {
		for _, c := range codecs {
			taken[c.PayloadType&127] = true
		}
	}
	return taken
}

// slotLocked returns the first line of an offer of ours that can be used for a new picture.
func (e *Endpoint) slotLocked(d *sdp.Description) int {
	for i := range d.Media {
		if d.Media[i].Rejected() && !slices.ContainsFunc(e.pictures, func(p *Picture) bool { return p.line == i }) {
			return i
		}
	}
	return len(d.Media)
}

// identify says who is shown. RFC 8830 §2.
func (p *Picture) identify(m *sdp.Media) {
	if p.id != "" {
		m.Lines.SetAttribute("msid", p.id+" "+p.id+"v")
	}
}

// openPicturesLocked makes a picture of each line of an offer that has none, as many as we take. What we have offered and the peer has not answered waits for our next offer.
func (e *Endpoint) openPicturesLocked(offer *sdp.Description) {
	for _, p := range e.pictures {
		if !p.is().on {
			p.line = -1
		}
	}
	e.hearGroupsLocked(offer)
	lead, at := offer.Leaders(), soundLine(offer)
	for i := range offer.Media {
		m := &offer.Media[i]
		rides := at >= 0 && i != at && lead[i] == lead[at]
		if m.Type != "video" || m.Rejected() || e.pictureLocked(i) != nil || !rides && !e.takesLocked() {
			continue
		}
		if p := e.addPictureLocked(i); p != nil && p.openLocked(rides) != nil {
			e.dropLocked(p)
		}
	}
}

// takesLocked tells whether one more line of the peer is taken that is not bundled: each costs two ports, and a telephone has one camera.
func (e *Endpoint) takesLocked() bool {
	taken := 0
	for _, p := range e.pictures {
		if p.line >= 0 {
			taken++
		}
	}
	return taken < max(e.voice.Lines, 1)
}

// pictureLocked returns the picture of a line, nil if it has none.
func (e *Endpoint) pictureLocked(line int) *Picture {
	for _, p := range e.pictures {
		if p.line == line {
			return p
		}
	}
	return nil
}

// wayLocked is the carriage of a line.
func (e *Endpoint) wayLocked(line int) *carriage.Transport {
	if p := e.pictureLocked(line); p != nil {
		return p.way
	}
	return &e.way
}

// answer completes m, our answer to theirs.
func (p *Picture) answer(theirs, m *sdp.Media) {
	for _, fb := range wantedFeedback() {
		for offered := range theirs.Feedbacks() {
			if offered.Type == fb.Type && offered.Detail == fb.Detail {
				m.AddFeedback(fb)
				break
			}
		}
	}
	p.identify(m)
	defer p.answerRepairs(theirs, m)
	if id := identifierOf(theirs, ridURI); id != 0 && p.want.And(p.endpoint.direction).Receives() {
		m.TakeLayers(theirs.Layers())
		extend(m, id, ridURI)
	}
}

// settleLocked makes a line of both descriptions the agreement.
func (p *Picture) settleLocked(d *sdp.Description, theirs, ours *sdp.Media) error {
	e := p.endpoint
	profile, _ := theirs.Profile()
	a := pictured{on: true, direction: d.Direction(theirs).Answer(p.want.And(e.direction)), mid: theirs.MID(), refreshes: refreshesOf(theirs), prompt: profile.Feedback}
	if a.layerTag = agreedIdentifier(theirs, ours, ridURI); a.layerTag != 0 {
		taken := ours.TakenLayers()
		a.layers = slices.DeleteFunc(theirs.Layers(), func(rid string) bool { return !slices.Contains(taken, rid) })
	}
	for fb := range theirs.Feedbacks() {
		a.estimates = a.estimates || fb.Type == estimate
	}
	mine, others := slices.DeleteFunc(ours.Codecs(), isRepair), theirs.Codecs()
	for _, c := range mine {
		a.takes[c.PayloadType>>6] |= 1 << (c.PayloadType & 63)
		if i := counterpart(c, others); i >= 0 {
			a.codecs = append(a.codecs, others[i])
		}
	}
	if len(a.codecs) == 0 {
		return sdp.ErrNothingCommon
	}
	p.codecs, a.repairs = slices.Clone(mine), agreeRepairs(theirs, ours)
	p.repaired = repairsOf(ours)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.agreed = a
	return nil
}

// counterpart returns which of the peer's codecs is c: that with the same payload type, if there are several of the kind; -1: none.
func counterpart(c sdp.Codec, theirs []sdp.Codec) int {
	same := slices.IndexFunc(theirs, func(o sdp.Codec) bool { return c.PayloadType == o.PayloadType && c.Suits(o) })
	if same >= 0 {
		return same
	}
	return slices.IndexFunc(theirs, c.Suits)
}

// aimLocked takes what at, a line of the peer's description d, says of the way of a stream.
func (e *Endpoint) aimLocked(way *carriage.Transport, stream *relay.Stream, clock int, d *sdp.Description, at *sdp.Media) error {
	p := relay.Peer{Signalled: e.peer.Remote, Own: e.peer.Inside, Clock: clock}
	if stream == way.Stream {
		p.RTP = e.peer.address(d.Address(at))
		p.RTCP = e.peer.address(d.RTCPAddress(at))
		if way.Next().Mux {
			p.RTCP = p.RTP
		}
		if err := way.Settle(p); err != nil {
			return err
		}
	}
	stream.Aim(p)
	return nil
}

// forgetLocked ends the pictures of an offer that we refuse.
func (e *Endpoint) forgetLocked() {
	for _, p := range slices.Clone(e.pictures) {
		if p.line >= 0 && !p.is().on {
			e.dropLocked(p)
		}
	}
}

// pruneLocked ends the pictures that have no line in both descriptions.
func (e *Endpoint) pruneLocked(theirs, ours *sdp.Description) {
	for _, p := range slices.Clone(e.pictures) {
		if i := p.line; i >= 0 && (i >= len(theirs.Media) || i >= len(ours.Media) || theirs.Media[i].Rejected() || ours.Media[i].Rejected()) {
			e.dropLocked(p)
		}
	}
}
