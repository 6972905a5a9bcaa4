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

// SetBundles makes these the BUNDLE groups, each the tags of its streams, the tagged one first; empty ones are left out.
func (d *Description) SetBundles(groups ...[]string) {
	d.removeBundle()
	for _, mids := range groups {
		if len(mids) > 0 {
			d.Lines.AddAttribute("group", "BUNDLE "+strings.Join(mids, " "))
		}
	}
}

// BundleOnly tells whether the author wants the stream on the transport of its group or not at all. RFC 9143 §6.
func (m *Media) BundleOnly() bool {
	_, only := m.Lines.Attribute("bundle-only")
	return only && m.Port == 0
}

// Leaders returns for each stream the index of the one whose lines say how it is carried: that of its BUNDLE group which is tagged, or the stream itself. The tagged one is the first that is not rejected, is RTP, and takes RTCP on
// the port of RTP, without which nothing is bundled; one with a port is better than one without. RFC 9143 §7.1.3, RFC 9143 §9.3.
func (d *Description) Leaders() []int {
	lead, groups := make([]int, len(d.Media)), d.Bundles()
	for i := range lead {
		lead[i] = i
	}
	if len(groups) == 0 {
		return lead
	}
	at, grouped := make(map[string]int, len(d.Media)), make([]bool, len(d.Media))
	for i := range d.Media {
		if mid := d.Media[i].MID(); mid != "" {
			at[mid] = i
		}
	}
	for _, mids := range groups {
		first := -1
		for _, mid := range mids {
			if i, ok := at[mid]; ok && d.Media[i].leads() && (first < 0 || d.Media[first].BundleOnly() && !d.Media[i].BundleOnly()) {
				first = i
			}
		}
		for _, mid := range mids {
			if i, ok := at[mid]; ok && first >= 0 && !grouped[i] && d.Media[i].shares() {
				lead[i], grouped[i] = first, true
			}
		}
	}
	return lead
}

// shares tells whether a stream can go over the transport of others.
func (m *Media) shares() bool {
	_, isRTP := m.Profile()
	return isRTP && !m.Rejected()
}

// leads tells whether a stream can say how others are carried.
func (m *Media) leads() bool {
	mux, _ := m.Mux()
	return mux && m.shares()
}

// Mux tells whether the author takes RTCP on the port of RTP, and whether on no other (RFC 8858 §4).
func (m *Media) Mux() (takes, only bool) {
	_, takes = m.Lines.Attribute("rtcp-mux")
	_, only = m.Lines.Attribute("rtcp-mux-only")
	return takes || only, only
}
