package relay

// What can be seen of a packet without decoding it. RFC 3550 §5.1, RFC 3550 §6.4; RFC 7983 §7.

import (
	"encoding/binary"

	"github.com/sipwerk/sipwerk/media/rtp"
)

// kind says what a datagram on a media socket is.
type kind uint8

const (
	foreign kind = iota // STUN, DTLS, keep-alives, noise
	sound               // RTP
	report              // RTCP
)

// parse tells RTP and RTCP from each other and from everything else, and reads what latch and counters need. Of an RTCP packet
// only the SSRC is set. The body is not looked at: it may be encrypted.
func parse(b []byte) (rtp.Header, kind) {
	switch {
	case len(b) < 8 || b[0]>>6 != 2:
		return rtp.Header{}, foreign
	case rtp.IsRTCP(b):
		return rtp.Header{SSRC: binary.BigEndian.Uint32(b[4:])}, report
	case len(b) < rtp.HeaderSize:
		return rtp.Header{}, foreign
	}
	return rtp.Header{
		Marker: b[1]&0x80 != 0, PayloadType: b[1] & 0x7f, Sequence: binary.BigEndian.Uint16(b[2:]),
		Timestamp: binary.BigEndian.Uint32(b[4:]), SSRC: binary.BigEndian.Uint32(b[8:]),
	}, sound
}
