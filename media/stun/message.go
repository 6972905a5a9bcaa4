package stun

// The frame of a message, and the name of who is meant. RFC 8489 §5, RFC 8489 §14.3.

import (
	"bytes"
	"encoding/binary"
)

const (
	// MaxSize is the longest message that is looked at; checks have some hundred bytes.
	MaxSize = 1280
	// HeaderSize is that of each message. RFC 8489 §5.
	HeaderSize = 20

	cookie = 0x2112A442
)

// Types of messages. RFC 8489 §5.
const (
	BindingRequest    = 0x0001
	BindingIndication = 0x0011
	BindingSuccess    = 0x0101
	BindingError      = 0x0111
)

// username is the attribute USERNAME. RFC 8489 §14.3.
const username = 0x0006

// Type tells whether b is framed as a STUN message, and of which type, without reading its attributes.
func Type(b []byte) (typ uint16, ok bool) {
	if len(b) < HeaderSize || len(b) > MaxSize || b[0] > 3 || binary.BigEndian.Uint32(b[4:]) != cookie {
		return 0, false
	}
	n := int(binary.BigEndian.Uint16(b[2:]))
	return binary.BigEndian.Uint16(b), n%4 == 0 && HeaderSize+n == len(b)
}

// Ufrag returns whom a connectivity check is for: the fragment of our own in front of the colon of its USERNAME (RFC 8445 §7.2.2); false for all that is no binding request with such a name. Nothing is
// proven by it. The result is a part of b.
func Ufrag(b []byte) ([]byte, bool) {
	if typ, ok := Type(b); !ok || typ != BindingRequest {
		return nil, false
	}
	for rest := b[HeaderSize:]; len(rest) >= 4; {
		typ, n := binary.BigEndian.Uint16(rest), int(binary.BigEndian.Uint16(rest[2:]))
		if len(rest) < 4+n {
			return nil, false
		}
		if typ == username {
			ours, _, ok := bytes.Cut(rest[4:4+n], []byte{':'})
			return ours, ok
		}
		rest = rest[min(len(rest), 4+(n+3)&^3):]
	}
	return nil, false
}
