package sdp

// Who a secured stream is with, and who begins: DTLS-SRTP. RFC 5763 §5, RFC 8122 §5, RFC 8842 §5. What stands in a=crypto (RFC 4568), a=fingerprint and
// a=candidate is read where it is used: here they are text.

import (
	"iter"
	"slices"
	"strings"
)

// Cryptos returns the values of the a=crypto lines of m, the preferred first. RFC 4568 §9.1.
func (m *Media) Cryptos() []string { return slices.Collect(m.Lines.Attributes("crypto")) }

// Fingerprints returns the values of the a=fingerprint lines that hold for m: its own, or else those of the session. RFC 8122 §5: one that matches is enough.
func (d *Description) Fingerprints(m *Media) []string {
	if _, ok := d.inheritedOne(m, "fingerprint"); !ok {
		return nil
	}
	return slices.Collect(d.inherited(m, "fingerprint"))
}

// inherited goes through the attributes of m of that name, or through those of the session if m has none.
func (d *Description) inherited(m *Media, name string) iter.Seq[string] {
	if _, ok := m.Lines.Attribute(name); ok {
		return m.Lines.Attributes(name)
	}
	return d.Lines.Attributes(name)
}

// inheritedOne is inherited for an attribute of which there is one.
func (d *Description) inheritedOne(m *Media, name string) (string, bool) {
	if v, ok := m.Lines.Attribute(name); ok {
		return v, true
	}
	return d.Lines.Attribute(name)
}

// Setup is who begins the DTLS handshake. RFC 4145 §4, RFC 5763 §5.
type Setup string

// The values of a=setup.
const (
	Active   Setup = "active"   // the author sends the first packet
	Passive  Setup = "passive"  // the author waits for it
	ActPass  Setup = "actpass"  // either; the answerer chooses
	HoldConn Setup = "holdconn" // not now
)

// Setup returns the a=setup that holds for m, empty if there is none that is known.
func (d *Description) Setup(m *Media) Setup {
	v, _ := d.inheritedOne(m, "setup")
	switch s := Setup(strings.ToLower(v)); s {
	case Active, Passive, ActPass, HoldConn:
		return s
	}
	return ""
}

// Answer returns what to answer to an offer of s: passive where the offerer leaves the choice, for one who may be behind a NAT that must send first.
// RFC 5763 §5 would rather have active; it allows both. An offer without a=setup is one of [ActPass].
func (s Setup) Answer() Setup {
	if s == Passive {
		return Active
	}
	return Passive
}

// TLSID returns the a=tls-id that holds for m, empty if there is none: a new value asks for a new handshake. RFC 8842 §5.
func (d *Description) TLSID(m *Media) string {
	v, _ := d.inheritedOne(m, "tls-id")
	return v
}
