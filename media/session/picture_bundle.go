package session

// Pictures that go over the transport of the sound: BUNDLE. RFC 9143 §7. Lines that are bundled without the sound have a transport each.

import (
	"slices"

	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/media/sdp"
)

// discard is the port of a line that has none of its own: that of a service which nobody has.
const discard = 9

// Bundles tells whether all goes over one transport: then more pictures cost no ports. It is known with the first description of the peer; until then it is what its [Kind] lets expect.
func (e *Endpoint) Bundles() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.bundlesLocked()
}

func (e *Endpoint) bundlesLocked() bool {
	return e.bundles || e.agreements == 0 && e.peer.Kind == WebRTC
}

// soundLine returns the line of the sound; -1 if there is none.
func soundLine(d *sdp.Description) int {
	return slices.IndexFunc(d.Media, func(m sdp.Media) bool { return m.Type == sound && !m.Rejected() })
}

// leadersLocked returns for each line of a description of the peer the one that says how it is carried; a picture with sockets of its own speaks for itself.
func (e *Endpoint) leadersLocked(d *sdp.Description) []int {
	lead := d.Leaders()
	for i := range lead {
		if e.wayLocked(i) != &e.way {
			lead[i] = i
		}
	}
	return lead
}

// hearGroupsLocked takes from a description of the peer whether it bundles, and ends the pictures that were to be bundled and are not. RFC 9143 §7.3.3.
func (e *Endpoint) hearGroupsLocked(d *sdp.Description) {
	lead, at := d.Leaders(), soundLine(d)
	e.bundles = at >= 0 && slices.ContainsFunc(d.Bundles(), func(mids []string) bool { return slices.Contains(mids, d.Media[at].MID()) })
	for _, p := range slices.Clone(e.pictures) {
		i := p.line
		apart := i >= 0 && i < len(lead) && (at < 0 || lead[i] != lead[at])
		if p.rides() && (apart || i < 0 && !e.bundles) {
			e.dropLocked(p)
		}
	}
}

// rides tells whether the picture goes over the transport of the sound.
func (p *Picture) rides() bool { return p.way == &p.endpoint.way }

// bundleLocked says in ours, an answer to offer, or an offer if that is nil, what goes over one transport.
func (e *Endpoint) bundleLocked(ours, offer *sdp.Description) {
	if offer == nil && !e.bundlesLocked() || offer != nil && !e.bundles {
		return
	}
	if offer == nil {
		known := make([]string, len(ours.Media))
		for i := range known {
			known[i] = ours.Media[i].MID()
		}
		identify(ours, known)
	}
	identifier := sharedIdentifier(ours, midURI)
	var mids []string
	for i := range ours.Media {
		m, p := &ours.Media[i], e.pictureLocked(i)
		if m.Rejected() || p != nil && !p.rides() {
			continue
		}
		mids = append(mids, m.MID())
		if offer != nil {
			identifier = identifierOf(&offer.Media[i], midURI)
		}
		extend(m, identifier, midURI)
		if offer == nil && p != nil && !p.is().on {
			m.Port = 0 // RFC 9143 §7.2.1: there it goes, or nowhere
			m.Lines.SetAttribute("bundle-only", "")
		}
	}
	if offer != nil { // the tagged line of the offer comes first: RFC 9143 §7.3.1
		group := slices.IndexFunc(offer.Bundles(), func(all []string) bool { return slices.Contains(all, mids[0]) })
		mids = slices.DeleteFunc(offer.Bundles()[group], func(mid string) bool { return !slices.Contains(mids, mid) })
	}
	ours.SetBundles(mids)
}

// sortLocked lets the transport tell its lines apart, and each line bear its tag where both sides have said that it does.
func (e *Endpoint) sortLocked(theirs, ours *sdp.Description) {
	var lanes []relay.Lane
	var identifier uint8
	for i := range min(len(theirs.Media), len(ours.Media)) {
		m, p := &ours.Media[i], e.pictureLocked(i)
		if m.Rejected() || theirs.Media[i].Rejected() || p == nil && m.Type != sound || p != nil && !p.rides() {
			continue
		}
		stream := e.stream
		if p != nil {
			stream = p.stream
		}
		lanes = append(lanes, relay.Lane{Stream: stream, MID: m.MID(), Payloads: payloads(m)})
		if id := agreedIdentifier(&theirs.Media[i], m, midURI); id != 0 {
			identifier = id
		}
	}
	for _, lane := range lanes {
		// Nothing else is agreed on for pictures that are passed on: what is in their packets means something to others.
		lane.Stream.Stamp(identifier, lane.MID, lane.Stream != e.stream)
	}
	if len(lanes) == 1 {
		lanes = nil
	}
	e.stream.Sort(identifier, lanes...)
}
