package rtp

// What a source description says of each source, without copying it. RFC 3550 §6.5, RFC 9143 §15.1.

import "encoding/binary"

// ItemMID is the item that names the line a source belongs to. RFC 9143 §15.1.
const ItemMID = 15

// A Chunk is what a source description says of one source.
type Chunk struct {
	SSRC  uint32
	Items []byte // type, length and value of each; a part of the packet
}

// IsDescription tells whether the packet is a source description: its body is Count chunks.
func (c RawControl) IsDescription() bool { return c.Type == typeSourceDescription }

// SplitChunk cuts the first chunk off the body of a source description: a source, then items until a zero, then zeros up to the next multiple of four. False: it is not whole.
func SplitChunk(b []byte) (c Chunk, rest []byte, ok bool) {
	if len(b) < 4 {
		return c, nil, false
	}
	at := 4
	for at < len(b) && b[at] != 0 {
		if at+2 > len(b) || at+2+int(b[at+1]) > len(b) {
			return c, nil, false
		}
		at += 2 + int(b[at+1])
	}
	if at == len(b) {
		return c, nil, false
	}
	return Chunk{SSRC: binary.BigEndian.Uint32(b), Items: b[4:at]}, b[min(at/4*4+4, len(b)):], true
}

// Item returns the value of the last item of a type; false: there is none.
func (c Chunk) Item(typ uint8) (value []byte, ok bool) {
	for rest := c.Items; len(rest) >= 2; rest = rest[2+int(rest[1]):] {
		if rest[0] == typ {
			value, ok = rest[2:2+int(rest[1])], true
		}
	}
	return value, ok
}

// With appends the chunk with a value of a type in the place of those that it has of it. dst is the body of a source description so far.
func (c Chunk) With(dst []byte, typ uint8, value string) []byte {
	start := len(dst)
	dst = binary.BigEndian.AppendUint32(dst, c.SSRC)
	for rest := c.Items; len(rest) >= 2; {
		n := 2 + int(rest[1])
		if rest[0] != typ {
			dst = append(dst, rest[:n]...)
		}
		rest = rest[n:]
	}
	dst = append(append(dst, typ, byte(len(value))), value...)
	dst = append(dst, 0)
	for (len(dst)-start)%4 != 0 {
		dst = append(dst, 0)
	}
	return dst
}
