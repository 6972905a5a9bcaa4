package sdp

// What a description says about ICE. RFC 8839 §5; trickling: RFC 8840 §4.

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// ICE is what one side says about the connectivity of a stream. RFC 8839 §5.
type ICE struct {
	Ufrag, Password string
	Options         []string // "ice2", "trickle"
	Candidates      []string // values of a=candidate, as written
	Lite            bool
	Mismatch        bool // the author has found the default address changed on the way: no ICE for this stream
	End             bool // all candidates are known
}

// ICE returns what d says about the stream m; false if that is not usable: no user name or password, or a mismatch.
func (d *Description) ICE(m *Media) (ICE, bool) {
	var i ICE
	i.Ufrag, _ = d.inheritedOne(m, "ice-ufrag")
	i.Password, _ = d.inheritedOne(m, "ice-pwd")
	if v, ok := d.inheritedOne(m, "ice-options"); ok {
		i.Options = strings.Fields(v)
	}
	i.Candidates = slices.Collect(m.Lines.Attributes("candidate"))
	_, i.Lite = d.Lines.Attribute("ice-lite")
	_, i.Mismatch = m.Lines.Attribute("ice-mismatch")
	_, i.End = d.inheritedOne(m, "end-of-candidates")
	// RFC 8839 §5.4: lengths; shorter ones could be guessed.
	usable := len(i.Ufrag) >= 4 && len(i.Ufrag) <= 256 && len(i.Password) >= 22 && len(i.Password) <= 256
	return i, usable && !i.Mismatch
}

// Trickles tells whether more candidates may come later.
func (i *ICE) Trickles() bool { return slices.Contains(i.Options, "trickle") && !i.End }

// SetICE writes i into m; what m said before goes. The user name, the password and the options stand with the stream, ice-lite belongs to the session
// (RFC 8839 §5.3) and is set in d.
func (d *Description) SetICE(m *Media, i ICE) {
	m.Lines.RemoveAttribute("candidate", "end-of-candidates", "ice-ufrag", "ice-pwd", "ice-options", "ice-mismatch")
	if i.Lite {
		d.Lines.SetAttribute("ice-lite", "")
	}
	m.Lines.AddAttribute("ice-ufrag", i.Ufrag)
	m.Lines.AddAttribute("ice-pwd", i.Password)
	if len(i.Options) > 0 {
		m.Lines.AddAttribute("ice-options", strings.Join(i.Options, " "))
	}
	for _, c := range i.Candidates {
		m.Lines.AddAttribute("candidate", c)
	}
	if i.End {
		m.Lines.AddAttribute("end-of-candidates", "")
	}
}

// Mismatched tells whether the default address of m is none of its candidates: something on the way has changed it, and does not understand ICE. The answer then
// says a=ice-mismatch and goes on without ICE. Host names, the unspecified address and port 9 say nothing. RFC 8839 §4.2.5.
func (d *Description) Mismatched(m *Media) bool {
	def, ok := d.Address(m).AddrPort()
	if !ok || def.Addr().IsUnspecified() || def.Port() == 9 {
		return false
	}
	known := false
	for v := range m.Lines.Attributes("candidate") {
		f := strings.Fields(v)
		if len(f) < 6 {
			continue
		}
		ip, err := netip.ParseAddr(f[4])
		if err != nil {
			return false // a name may be anything
		}
		known = true
		if ip.Unmap() == def.Addr() && f[5] == strconv.Itoa(int(def.Port())) {
			return false
		}
	}
	return known
}
