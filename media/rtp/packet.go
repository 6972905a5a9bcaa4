package rtp

// RTP packets. RFC 3550 §5.1, RFC 3550 §5.3.1.

import "encoding/binary"

const version = 2

// HeaderSize is the size of a header without CSRC list and extension.
const HeaderSize = 12

// A ParseError says why a packet was refused.
type ParseError string

// Error implements error.
func (e ParseError) Error() string { return "rtp: parse: " + string(e) }

// Reasons to refuse an RTP packet.
const (
	errShort     ParseError = "shorter than its header"
	errVersion   ParseError = "not version 2"
	errCSRC      ParseError = "shorter than its CSRC list"
	errExtension ParseError = "shorter than its header extension"
	errPadding   ParseError = "padding longer than the payload"
)

// A Header is the fixed part of a packet's header.
type Header struct {
	Marker      bool
	PayloadType uint8 // 0 to 127
	Sequence    uint16
	Timestamp   uint32
	SSRC        uint32
}

// A Packet is an RTP packet. The slices of a parsed one point into the buffer it was parsed from.
type Packet struct {
	Header
	// CSRC is the list of contributing sources, 4 bytes each, at most 15.
	CSRC []byte
	// ExtensionProfile is the first half-word of the header extension.
	ExtensionProfile uint16
	// Extension is the body of the header extension, a multiple of 4 bytes; nil if there is none.
	Extension []byte
	// Payload is what the header announces, without padding.
	Payload []byte
}

// Parse reads a packet. It allocates nothing; the error is a [ParseError].
func Parse(b []byte) (Packet, error) {
	var p Packet
	if len(b) < HeaderSize {
		return p, errShort
	}
	if b[0]>>6 != version {
		return p, errVersion
	}
	p.Header = Header{
		Marker:      b[1]&0x80 != 0,
		PayloadType: b[1] & 0x7f,
		Sequence:    binary.BigEndian.Uint16(b[2:]),
		Timestamp:   binary.BigEndian.Uint32(b[4:]),
		SSRC:        binary.BigEndian.Uint32(b[8:]),
	}
	rest := b[HeaderSize:]
	if n := 4 * int(b[0]&0x0f); n > 0 {
		if len(rest) < n {
			return p, errCSRC
		}
		p.CSRC, rest = rest[:n:n], rest[n:]
	}
	if b[0]&0x10 != 0 {
		if len(rest) < 4 {
			return p, errExtension
		}
		n := 4 + 4*int(binary.BigEndian.Uint16(rest[2:]))
		if len(rest) < n {
			return p, errExtension
		}
		p.ExtensionProfile = binary.BigEndian.Uint16(rest)
		p.Extension, rest = rest[4:n:n], rest[n:]
	}
	if b[0]&0x20 != 0 {
		if len(rest) == 0 {
			return p, errPadding
		}
		n := int(rest[len(rest)-1])
		if n == 0 || n > len(rest) {
			return p, errPadding
		}
		rest = rest[:len(rest)-n]
	}
	p.Payload = rest
	return p, nil
}

// ExtensionElement returns the content of an element of the header extension: one or two bytes in front of each, RFC 8285 §4.2 and RFC 8285 §4.3. It
// reports false if there is none with that identifier.
func (p *Packet) ExtensionElement(id uint8) ([]byte, bool) {
	short := p.ExtensionProfile == 0xbede
	if !short && p.ExtensionProfile&0xfff0 != 0x1000 {
		return nil, false
	}
	for b := p.Extension; len(b) > 0; {
		if b[0] == 0 {
			b = b[1:] // padding
			continue
		}
		head, found, n := 1, b[0]>>4, int(b[0]&0xf)+1
		if short && found == 15 {
			return nil, false // reserved: what follows is not to be read
		}
		if !short {
			if len(b) < 2 {
				return nil, false
			}
			head, found, n = 2, b[0], int(b[1])
		}
		if len(b) < head+n {
			return nil, false
		}
		if found == id {
			return b[head : head+n], true
		}
		b = b[head+n:]
	}
	return nil, false
}

// AppendTo appends the packet. CSRC and Extension must obey their limits; what exceeds them is left out.
func (p *Packet) AppendTo(b []byte) []byte {
	csrc := p.CSRC[:min(len(p.CSRC), 60)&^3]
	extension := p.Extension[:min(len(p.Extension), 4*0xffff)&^3]
	first := byte(version<<6 | len(csrc)/4)
	if p.Extension != nil {
		first |= 0x10
	}
	b = append(b, first, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	p.Header.Put(b[len(b)-HeaderSize:])
	b = append(b, csrc...)
	if p.Extension != nil {
		b = binary.BigEndian.AppendUint16(b, p.ExtensionProfile)
		b = binary.BigEndian.AppendUint16(b, uint16(len(extension)/4))
		b = append(b, extension...)
	}
	return append(b, p.Payload...)
}

// Put overwrites the header of the packet in b and leaves everything else, including what tells of CSRC list, extension
// and padding. A packet that is passed on with other numbers is changed this way. b must hold a header.
func (h *Header) Put(b []byte) {
	b[1] = h.PayloadType & 0x7f
	if h.Marker {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], h.Sequence)
	binary.BigEndian.PutUint32(b[4:], h.Timestamp)
	binary.BigEndian.PutUint32(b[8:], h.SSRC)
}

// IsRTCP tells RTCP from RTP on a shared port. RFC 5761 §4.
func IsRTCP(b []byte) bool {
	return len(b) >= 4 && b[0]>>6 == version && b[1] >= 192 && b[1] <= 223
}
