package sdp

// Streams that belong together: a=mid and a=group. RFC 5888 §4 and RFC 5888 §5; BUNDLE: RFC 9143 §7; RTCP on the RTP port: RFC 5761 §5.1.1, RFC 8858 §4.

import "strings"

// MID returns the identification tag of m, empty if it has none.
func (m *Media) MID() string {
	v, _ := m.Lines.Attribute("mid")
	return v
}

// Bundles returns the tags of each BUNDLE group, the tagged stream first. RFC 9143 §7.1.
func (d *Description) Bundles() [][]string {
	var all [][]string
	for v := range d.Lines.Attributes("group") {
		if f := strings.Fields(v); len(f) > 1 && f[0] == "BUNDLE" {
			all = append(all, f[1:])
		}
	}
	return all
}

// SetBundle makes the streams with these tags the only BUNDLE group; none takes it away.
func (d *Description) SetBundle(mids ...string) {
	d.removeBundle()
	if len(mids) > 0 {
		d.Lines.AddAttribute("group", "BUNDLE "+strings.Join(mids, " "))
	}
}

// Mux tells whether the author takes RTCP on the port of RTP, and whether on no other (RFC 8858 §4).
func (m *Media) Mux() (takes, only bool) {
	_, takes = m.Lines.Attribute("rtcp-mux")
	_, only = m.Lines.Attribute("rtcp-mux-only")
	return takes || only, only
}
