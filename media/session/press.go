package session

// A digit in the sound that goes on as a telephone event: its packets take the places of those of the sound, for as long as it sounds. RFC 4733 §2.5.1.

import (
	"time"

	"github.com/sipwerk/sipwerk/media/rtp"
)

const (
	// pressLead is how long a digit has sounded when it is recognised.
	pressLead = 25 * time.Millisecond
	// pressEnds is how often the end is said. RFC 4733 §2.5.1.4.
	pressEnds = 3
	// pressLongest is the longest event that one segment can tell of. RFC 4733 §2.5.1.3.
	pressLongest = 0xffff
)

// press is a digit that sounds.
type press struct {
	event  rtp.Event
	began  uint32 // timestamp
	first  bool   // nothing was said of it yet
	sounds bool
	ends   int // how often its end is still to be said
	memory [4]byte
}

// begin begins a digit at a timestamp. One before whose end was said already is forgotten.
func (p *press) begin(code uint8, at uint32) {
	*p = press{event: rtp.Event{Code: code, Volume: toneVolume}, began: at, first: true, sounds: true, ends: pressEnds}
}

// active tells whether the next packet tells of the digit.
func (p *press) active() bool { return p.ends > 0 }

// packet returns what goes in the place of a packet of sound; its payload is valid until the next call.
func (p *press) packet(sound *rtp.Packet, payload uint8) rtp.Packet {
	h := sound.Header
	h.PayloadType, h.Marker, h.Timestamp = payload, p.first, p.began
	if duration := sound.Timestamp - p.began; p.ends == pressEnds && int32(duration) > int32(p.event.Duration) {
		p.event.Duration = uint16(min(duration, pressLongest))
		if duration > pressLongest {
			defer p.again()
		}
	}
	if p.first = false; !p.sounds {
		p.event.End = true
		p.ends--
	}
	return rtp.Packet{Header: h, Payload: p.event.AppendTo(p.memory[:0])}
}

// again begins the next segment where this one has ended. RFC 4733 §2.5.1.3.
func (p *press) again() {
	p.began += pressLongest
	p.event.Duration = 0
}
