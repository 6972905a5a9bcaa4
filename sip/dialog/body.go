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
func SDP(b []byte) Body { return Body{Type: "application/sdp", Bytes: b} }

// bodyOf returns the body of a message with memory of its own.
func bodyOf(m *sip.Message) Body {
	return Body{Type: strings.Clone(m.Get(sip.HeaderContentType)), Bytes: bytes.Clone(m.Body())}
}

// described reports whether a message holds a session description, alone or among other parts.
func described(m *sip.Message) bool {
	switch {
	case len(m.Body()) == 0:
		return false
	case m.ContentType() == "application/sdp" && !m.Has(sip.HeaderContentDisposition):
		return true
	}
	p, ok := m.Part("application/sdp")
	return ok && p.Disposition.Type == "session"
}

// onlyOther reports whether a message holds something, but no session description.
func onlyOther(m *sip.Message) bool { return len(m.Body()) > 0 && !described(m) }
