package session

// Lines of a leg that go over one transport: BUNDLE. RFC 9143 §7.
//
// Deviates: each line repeats what is said of the transport, which RFC 9143 §7.1.3 wants in the tagged one alone: browsers do the same, and some insist on rtcp-mux in each.

import (
	"slices"
	"strconv"

	"github.com/sipwerk/sipwerk/media/carriage"
	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/media/sdp"
)

// tagging is how the packets of a line are told from those of others on its transport, as we have said last.
type tagging struct {
	identifier uint8   // of the MID in header extensions, 0: none
	bare       bool    // the other extensions in packets of the far side mean nothing to the peer
	payloads   []uint8 // payload types that the peer is to send
}

// carriage is how the line goes over the wire when what is being agreed on is settled.
func (n *line) carriage() *carriage.Transport {
	if n.joins != nil {
		return n.joins
	}
	return n.way
}

// board gives the lines of an offer that the peer bundles one transport, and returns which line speaks for each. A line that is up keeps the transport that it has: it is bundled with those that have the same, or not at all.
func (l *Leg) board(d *sdp.Description) (lead []int) {
	l.grow(len(d.Media))
	l.groups, lead = d.Bundles(), d.Leaders()
	ways := make(map[int]*carriage.Transport, len(lead))
	for i, leader := range lead {
		if l.lines[i].settled && ways[leader] == nil {
			ways[leader] = l.lines[i].way
		}
	}
	speaker := make(map[*carriage.Transport]int, len(lead))
	for i, leader := range lead {
		n := &l.lines[i]
		way := ways[leader]
		if way == nil {
			way = l.lines[leader].way
			ways[leader] = way
		}
		if n.stream == nil && d.Media[i].IsRTP() && !d.Media[i].Rejected() {
			n.way = way
		}
		if n.way != way {
			lead[i] = i
		}
		if s, ok := speaker[n.way]; ok && s != lead[i] || d.Media[i].BundleOnly() && lead[i] == i {
			n.reject = true // it wants to go where it cannot: RFC 9143 §7.3.3
		}
		if !d.Media[i].Rejected() {
			speaker[n.way] = lead[i]
		}
	}
	return lead
}

// merge prepares the lines of an answer that the peer bundles to go over one transport, and returns which line speaks for each.
func (l *Leg) merge(d *sdp.Description) (lead []int) {
	l.grow(len(d.Media))
	l.groups, lead = d.Bundles(), d.Leaders()
	for i, leader := range lead {
		n := &l.lines[i]
		way := l.lines[leader].way
		switch {
		case n.way == way && leader == i && n.boards():
			n.reject = true // it was to be bundled or not to be: RFC 9143 §7.2.1
		case n.way == way:
		case n.settled:
			lead[i] = i
		default:
			n.joins = way
		}
	}
	return lead
}

// boards tells whether n is to go over a transport that is up, and is not up itself.
func (n *line) boards() bool { return !n.settled && n.way.Settled() }

// embark lets the new lines of an offer to a peer that bundles go over the transport that it has.
func (l *Leg) embark(d *sdp.Description) {
	l.grow(len(d.Media))
	way := l.bundled()
	for i := range d.Media {
		m, n := &d.Media[i], &l.lines[i]
		if _, isRTP := m.Profile(); way != nil && isRTP && n.stream == nil && !n.settled {
			n.way = way
		}
	}
}

// bundled returns the transport of the lines that the peer bundles; nil: it does not.
func (l *Leg) bundled() *carriage.Transport {
	for _, mids := range l.groups {
		for i := range l.lines {
			if n := &l.lines[i]; n.settled && n.mid != "" && n.way.Now().Mux && slices.Contains(mids, n.mid) {
				return n.way
			}
		}
	}
	return nil
}

// transfer moves a line to the transport that it joins.
func (l *Leg) transfer(i int) {
	n := &l.lines[i]
	way := n.joins
	if n.joins = nil; way == nil || n.stream == nil {
		return
	}
	n.silence()
	kept := *n
	l.end(i)
	kept.way, kept.joins, kept.stream = way, nil, way.Stream.Ride()
	*n = kept
}

// bundle says in a description of ours which lines go over one transport, and how their packets are told apart.
func (l *Leg) bundle(ours *sdp.Description, answers, bare bool) {
	proposes := l.peer.Kind == WebRTC && l.proposes()
	if !proposes && len(l.groups) == 0 {
		return
	}
	if !answers {
		known := make([]string, len(ours.Media))
		for i := range known {
			known[i] = l.lines[i].mid
		}
		identify(ours, known)
	}
	var groups [][]string
	switch {
	case answers:
		groups = l.acceptedGroups(ours)
	case proposes:
		groups = [][]string{l.mids(ours, func(*line) bool { return true })}
	default:
		way := l.bundled()
		groups = [][]string{l.mids(ours, func(n *line) bool { return n.way == way })}
	}
	ours.SetBundles(groups...)
	identifier := l.tagged()
	if identifier == 0 {
		identifier = sharedIdentifier(ours, midURI)
	}
	for i := range ours.Media {
		m, n := &ours.Media[i], &l.lines[i]
		if !slices.ContainsFunc(groups, func(mids []string) bool { return slices.Contains(mids, m.MID()) }) {
			continue
		}
		if answers {
			identifier = n.news.tag
		}
		extend(m, identifier, midURI)
		n.tagging = tagging{identifier: identifierOf(m, midURI), bare: bare, payloads: payloads(m)}
		if !answers && n.boards() {
			m.Port = 0 // RFC 9143 §7.2.1: there it goes, or nowhere
			m.Lines.AddAttribute("bundle-only", "")
		}
	}
}

// tagged returns the identifier under which the peer knows the MID, 0 if it does not: browsers refuse an offer that gives it another one.
func (l *Leg) tagged() uint8 {
	for i := range l.lines {
		if n := &l.lines[i]; n.settled && n.told.tag != 0 {
			return n.told.tag
		}
	}
	return 0
}

// acceptedGroups are the groups of the peer's offer as far as we bundle them. RFC 9143 §7.3.1.
func (l *Leg) acceptedGroups(ours *sdp.Description) (groups [][]string) {
	for _, offered := range l.groups {
		var way *carriage.Transport
		var mids []string
		for _, mid := range offered {
			for _, own := range l.mids(ours, func(n *line) bool { return n.mid == mid && (way == nil || n.way == way) }) {
				mids = append(mids, own)
				way = l.lines[slices.IndexFunc(l.lines, func(n line) bool { return n.mid == mid })].way
			}
		}
		groups = append(groups, mids)
	}
	return groups
}

// mids are the tags of the RTP lines of a description that are not rejected and that f wants.
func (l *Leg) mids(d *sdp.Description, f func(*line) bool) (mids []string) {
	for i := range d.Media {
		m := &d.Media[i]
		if _, isRTP := m.Profile(); isRTP && !m.Rejected() && m.MID() != "" && f(&l.lines[i]) {
			mids = append(mids, m.MID())
		}
	}
	return mids
}

// identify gives each line a tag that no other has, but for those whose tag is known. RFC 9143 §7.2, RFC 5888 §4.
func identify(d *sdp.Description, known []string) {
	taken := make(map[string]bool, len(d.Media))
	for _, mid := range known {
		taken[mid] = true
	}
	taken[""] = true
	for i := range d.Media {
		m := &d.Media[i]
		if known[i] != "" {
			continue
		}
		mid := m.MID()
		for next := i; taken[mid]; next++ {
			mid = strconv.Itoa(next)
		}
		taken[mid] = true
		m.Lines.SetAttribute("mid", mid)
	}
}

// payloads are the payload types of a line.
func payloads(m *sdp.Media) (all []uint8) {
	for _, f := range m.Formats {
		if pt, err := strconv.ParseUint(f, 10, 7); err == nil {
			all = append(all, uint8(pt))
		}
	}
	return all
}

// sort lets each transport tell its lines apart, and each line bear its tag where both sides have said that it does.
func (l *Leg) sort() {
	for i := range l.lines {
		n := &l.lines[i]
		if n.stream == nil || slices.ContainsFunc(l.lines[:i], func(o line) bool { return o.stream != nil && o.way == n.way }) {
			continue
		}
		var lanes []relay.Lane
		var identifier uint8
		for j := i; j < len(l.lines); j++ {
			o := &l.lines[j]
			if o.stream == nil || o.way != n.way {
				continue
			}
			if o.tagging.identifier == o.told.tag && o.told.tag != 0 {
				identifier = o.told.tag
			}
			lanes = append(lanes, relay.Lane{Stream: o.stream, MID: o.mid, Payloads: o.tagging.payloads})
		}
		for _, a := range lanes {
			// Alone too: browsers with which a tag is agreed on hear nothing that bears none.
			a.Stream.Stamp(identifier, a.MID, n.tagging.bare)
		}
		if len(lanes) == 1 && n.stream == n.way.Stream {
			lanes = nil
		}
		n.way.Stream.Sort(identifier, lanes...)
	}
}
