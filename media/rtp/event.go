package rtp

// The payload of a telephone event, and which event is which digit. RFC 4733 §2.3, RFC 4733 §3.2.

import (
	"encoding/binary"
	"strings"
)

const errEvent ParseError = "telephone event shorter than 4 bytes"

// digits are the DTMF events 0 to 16; 16 is the hook flash.
const digits = "0123456789*#ABCD!"

// An Event is the payload of a telephone event.
type Event struct {
	Code     uint8  // 0 to 15 are the DTMF digits
	End      bool   // the event is over
	Volume   uint8  // in -dBm0, 0 to 63
	Duration uint16 // since the timestamp of the packet, in its ticks
}

// ParseEvent reads the payload of a telephone event. More than one event in a payload (RFC 4733 §2.5.1.5) is seen with no
// phone; only the first is read. The error is a [ParseError].
func ParseEvent(b []byte) (Event, error) {
	if len(b) < 4 {
		return Event{}, errEvent
	}
	return Event{Code: b[0], End: b[1]&0x80 != 0, Volume: b[1] & 0x3f, Duration: binary.BigEndian.Uint16(b[2:])}, nil
}

// AppendTo appends the payload.
func (e *Event) AppendTo(b []byte) []byte {
	second := e.Volume & 0x3f
	if e.End {
		second |= 0x80
	}
	return binary.BigEndian.AppendUint16(append(b, e.Code, second), e.Duration)
}

// Digit returns the character of an event: 0 to 9, *, #, A to D, or ! for a hook flash. It reports false for others.
func (e *Event) Digit() (byte, bool) {
	if int(e.Code) >= len(digits) {
		return 0, false
	}
	return digits[e.Code], true
}

// EventCode returns the event of a character, see [Event.Digit]; small letters are taken too.
func EventCode(digit byte) (uint8, bool) {
	if digit >= 'a' && digit <= 'd' {
		digit -= 'a' - 'A'
	}
	i := strings.IndexByte(digits, digit)
	return uint8(i), i >= 0
}
