package rtp

// Packets sent again, as a stream of their own. RFC 4588 §4.

import "encoding/binary"

// repairHead is what stands in front of the payload: the number that the packet had at first. RFC 4588 §4.
const repairHead = 2

// A Repair says how a packet is sent again.
type Repair struct {
	SSRC        uint32 // of the stream of repairs
	PayloadType uint8  // of repairs of the packet's payload type
	Sequence    uint16 // in the stream of repairs
}

// AppendTo appends the packet b as a repair; header extensions are left out. It appends nothing if b is no packet.
func (r *Repair) AppendTo(dst, b []byte) []byte {
	p, err := Parse(b)
	if err != nil {
		return dst
	}
	h := Header{Marker: p.Marker, PayloadType: r.PayloadType, Sequence: r.Sequence, Timestamp: p.Timestamp, SSRC: r.SSRC}
	at := len(dst)
	dst = append(dst, make([]byte, HeaderSize)...)
	dst[at] = 0x80
	h.Put(dst[at:])
	dst = binary.BigEndian.AppendUint16(dst, p.Sequence)
	return append(dst, p.Payload...)
}

// Repaired makes of p, a repair, the packet that it repeats, of a stream and a payload type. It reports false for one that repeats none, but serves to fill or to measure the way.
func (p *Packet) Repaired(ssrc uint32, payloadType uint8) bool {
	if len(p.Payload) <= repairHead {
		return false
	}
	p.Sequence, p.SSRC, p.PayloadType = binary.BigEndian.Uint16(p.Payload), ssrc, payloadType
	p.Payload = p.Payload[repairHead:]
	p.ExtensionProfile, p.Extension = 0, nil
	return true
}
