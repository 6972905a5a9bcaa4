package relay

// What can be seen of a packet without decoding it. RFC 3550 §5.1, RFC 3550 §6.4; RFC 5761 §4; RFC 7983 §7.

import "encoding/binary"

// kind says what a datagram on a media socket is.
type kind uint8

const (
	other kind = iota
	rtp
	rtcp
)

// kindOf tells RTP and RTCP from each other and from everything else (STUN, DTLS, keep-alives, noise).
func kindOf(b []byte) kind {
	if len(b) < 8 || b[0]>>6 != 2 {
		return other
	}
	if b[1] >= 192 && b[1] <= 223 { // RFC 5761 §4
		return rtcp
	}
	if len(b) < 12 {
		return other
	}
	return rtp
}

// header is the part of an RTP or RTCP header that latch and counters need.
type header struct {
	kind      kind
	seq       uint16
	timestamp uint32
	ssrc      uint32
}

func parseHeader(b []byte) header {
	switch k := kindOf(b); k {
	case rtp:
		return header{k, binary.BigEndian.Uint16(b[2:]), binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint32(b[8:])}
	case rtcp:
		return header{kind: k, ssrc: binary.BigEndian.Uint32(b[4:])}
	}
	return header{}
}
