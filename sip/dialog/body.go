// Bodies: what a message carries, and whether a session description is in it. RFC 3261 §13.2.1; RFC 5621 §3.

package dialog

import (
	"bytes"
	"strings"

	"github.com/sipwerk/sipwerk/sip"
)

// Body is what a message carries: bytes and their media type. The zero Body is none.
type Body struct {
	Type  string
	Bytes []byte
}

// keep returns b with memory of its own, for what is sent again.
func (b Body) keep() Body {
	b.Bytes = bytes.Clone(b.Bytes)
	return b
}

// SDP makes a session description a Body.
func SDP(b []byte) Body { return Body{Type: sdpType, Bytes: b} }

// sdpType is the media type of session descriptions.
const sdpType = "application/sdp"

// bodyOf returns the body of a message of ours: the bytes themselves, which nobody changes.
func bodyOf(m *sip.Message) Body {
	kind := sdpType
	if t := m.Get(sip.HeaderContentType); t != sdpType { // the text of a header would keep its message
		kind = strings.Clone(t)
	}
	return Body{Type: kind, Bytes: m.Body()}
}

// described reports whether a message holds a session description, alone or among other parts.
func described(m *sip.Message) bool {
	switch {
	case len(m.Body()) == 0:
		return false
	case m.ContentType() == sdpType && !m.Has(sip.HeaderContentDisposition):
		return true
	}
	p, ok := m.Part(sdpType)
	return ok && p.Disposition.Type == "session"
}

// onlyOther reports whether a message holds something, but no session description.
func onlyOther(m *sip.Message) bool { return len(m.Body()) > 0 && !described(m) }
