package session

// What shows that the peer of a leg is there. RFC 3550 §6.2; RFC 7675 §5.1; RFC 8445 §11.

import (
	"slices"
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/media/carriage"
	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/media/sdp"
)

// A Presence is what shows that the peer of a leg is there.
type Presence struct {
	Heard    time.Time // when a packet of it came last, or something of ICE; the zero time if nothing did
	Consents bool      // it shows all the time that it is there, and is gone after [ConsentEnd] without that, whatever the directions of its streams. RFC 7675 §5.1
	Pauses   bool      // it has named a codec in which who does not speak sends nothing
	Reports  bool      // it has sent sound or pictures, and RTCP, and has no line of another kind: as long as it is there RTCP goes on, even if it is muted. RFC 3550 §6.2
}

// ConsentEnd is for [Presence].
const ConsentEnd = carriage.ConsentEnd

// Presence returns what is known now.
func (l *Leg) Presence() (p Presence) {
	now := time.Now()
	var sent, reported, other bool
	for i := range l.lines {
		n := &l.lines[i]
		if n.stream == nil {
			continue
		}
		c := n.stream.Counters()
		p.hear(lastOf(&c, now))
		shown, consents := n.way.Heard()
		p.hear(shown)
		p.Consents = p.Consents || consents
		p.Pauses = p.Pauses || slices.ContainsFunc(n.told.codecs, pauses)
		sent, reported, other = sent || c.Packets > 0, reported || c.Reported, other || n.told.other
	}
	p.Reports = sent && reported && !other
	return p
}

func (p *Presence) hear(at time.Time) {
	if at.After(p.Heard) {
		p.Heard = at
	}
}

// pauses tells whether who speaks in c may send nothing at all for minutes: with comfort noise, RFC 3389 §4, and in the codecs that have one of their own unless that is ruled out.
func pauses(c sdp.Codec) bool {
	switch strings.ToUpper(c.Name) {
	case comfortNoise:
		return true
	case "G729":
		return !strings.Contains(c.FMTP, "annexb=no")
	case "G723":
		return !strings.Contains(c.FMTP, "annexa=no")
	}
	return false
}

// lastOf returns when the last packet was heard that is counted in c; the zero time if none was.
func lastOf(c *relay.Counters, now time.Time) time.Time {
	if c.LastIn >= 0 {
		return now.Add(-c.LastIn)
	}
	return time.Time{}
}
