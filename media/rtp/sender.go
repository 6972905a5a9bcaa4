package rtp

// The numbering of a sent stream. RFC 3550 §5.1: SSRC, sequence number and timestamp begin at random.

import (
	"math/rand/v2"
	"time"
)

// A Sender numbers the packets of one stream. One goroutine at a time.
type Sender struct {
	ssrc            uint32
	sequence        uint16
	timestamp       uint32
	packets, octets uint32
}

// NewSender returns a sender that begins at random. Whoever can guess the numbers can forge packets: outside tests the
// source should be cryptographic, such as [rand.ChaCha8] with a random seed.
func NewSender(random rand.Source) *Sender {
	a, b := random.Uint64(), random.Uint64()
	return &Sender{ssrc: uint32(a >> 32), sequence: uint16(a), timestamp: uint32(b)}
}

// SSRC returns the identifier of the stream.
func (s *Sender) SSRC() uint32 { return s.ssrc }

// Timestamp returns the time of the stream.
func (s *Sender) Timestamp() uint32 { return s.timestamp }

// Advance moves the time of the stream, whether or not something was sent.
func (s *Sender) Advance(ticks uint32) { s.timestamp += ticks }

// Append appends a packet. SSRC and sequence number are filled in, the timestamp is p's own: that of the stream for
// sound, that of its beginning for a telephone event.
func (s *Sender) Append(b []byte, p Packet) []byte {
	p.SSRC, p.Sequence = s.ssrc, s.sequence
	s.sequence++
	s.packets++
	s.octets += uint32(len(p.Payload))
	return p.AppendTo(b)
}

// Report returns a sender report without reception reports. RFC 3550 §6.4.1.
func (s *Sender) Report(now time.Time) *SenderReport {
	return &SenderReport{SSRC: s.ssrc, NTP: NTP(now), Timestamp: s.timestamp, Packets: s.packets, Octets: s.octets}
}
