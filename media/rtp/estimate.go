package rtp

// What a receiver estimates that it can take, as browsers say it: REMB, of draft-alvestrand-rmcat-remb-03. No RFC has it; RFC 4585 §6.4 leaves the format to the application.

import (
	"encoding/binary"
	"math/bits"
)

// formatApplication is that of feedback which only applications know, and estimateName how this one begins.
const (
	formatApplication = 15
	estimateName      = "REMB"
)

// An Estimate is how much a receiver can take of all the streams that it names together.
type Estimate struct {
	SSRC    uint32   // of who says it
	Bitrate uint64   // bits a second, as exact as 18 bits are, rounded down
	SSRCs   []uint32 // of the streams, at most 255
}

// isEstimate tells an estimate from other feedback that only applications know.
func isEstimate(b []byte) bool { return len(b) >= 12 && string(b[8:12]) == estimateName }

func (p *Estimate) parse(_ int, b []byte) bool {
	if len(b) < 16 {
		return false
	}
	p.SSRC = binary.BigEndian.Uint32(b)
	word := binary.BigEndian.Uint32(b[12:])
	exponent, mantissa := word>>18&0x3f, uint64(word&0x3ffff)
	if exponent > 64-18 {
		mantissa, exponent = 1<<18-1, 64-18 // more than anybody can count
	}
	p.Bitrate = mantissa << exponent
	rest := b[16:]
	for range min(int(word>>24), len(rest)/4) {
		p.SSRCs = append(p.SSRCs, binary.BigEndian.Uint32(rest))
		rest = rest[4:]
	}
	return true
}

// AppendTo implements [ControlPacket].
func (p *Estimate) AppendTo(b []byte) []byte {
	start := len(b)
	b = append(appendFeedback(b, typePayloadFeedback, formatApplication, p.SSRC, 0), estimateName...)
	exponent := max(bits.Len64(p.Bitrate)-18, 0)
	sources := p.SSRCs[:min(len(p.SSRCs), 255)]
	b = binary.BigEndian.AppendUint32(b, uint32(len(sources))<<24|uint32(exponent)<<18|uint32(p.Bitrate>>exponent))
	for _, s := range sources {
		b = binary.BigEndian.AppendUint32(b, s)
	}
	return closePacket(b, start)
}
