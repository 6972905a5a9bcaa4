package sdp

// Where media and its RTCP go, and how a relay puts itself there. RFC 8866 §5.7, RFC 3605, RFC 5118 §4.6 to
// RFC 5118 §4.10.

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// An Address is where to send. The zero value means nowhere.
type Address struct {
	Host string // as written, without multicast suffix: an IP address or a host name
	Port uint16
}

// AddrPort returns the address if Host is an IP address; IPv4-mapped IPv6 addresses come back as IPv4. A host name must
// be resolved by whoever may wait for it.
func (a Address) AddrPort() (netip.AddrPort, bool) {
	ip, err := netip.ParseAddr(a.Host)
	if err != nil {
		return netip.AddrPort{}, false
	}
	return netip.AddrPortFrom(ip.Unmap(), a.Port), true
}

// IsUnspecified tells that Host is 0.0.0.0 or ::, the old way to put a stream on hold.
func (a Address) IsUnspecified() bool {
	ap, ok := a.AddrPort()
	return ok && ap.Addr().IsUnspecified()
}

// Address returns where media of m goes: its own c= line, or else the one of the session. It is zero if there is none
// that can be read.
func (d *Description) Address(m *Media) Address {
	v, ok := m.Lines.Value('c')
	if !ok {
		v, ok = d.Lines.Value('c')
	}
	host := parseConnection(v)
	if !ok || host == "" {
		return Address{}
	}
	return Address{Host: host, Port: m.Port}
}

// RTCPAddress returns where RTCP of m goes: what a=rtcp says, or else the port above the one of the media, be that odd
// or even. Whether RTCP shares the media port (a=rtcp-mux) depends on both descriptions and is for the session to know.
func (d *Description) RTCPAddress(m *Media) Address {
	a := d.Address(m)
	if a.Host == "" {
		return a
	}
	if v, ok := m.Lines.Attribute("rtcp"); ok {
		port, connection, _ := strings.Cut(v, " ")
		if n, err := strconv.ParseUint(port, 10, 16); err == nil {
			a.Port = uint16(n)
			if host := parseConnection(connection); host != "" {
				a.Host = host
			}
			return a
		}
	}
	if a.Port == 0 || a.Port == 65535 {
		return Address{}
	}
	a.Port++
	return a
}

// parseConnection reads the host of "IN IP4 224.2.1.1/127". The family is not compared with the address: the address
// knows its own. Brackets around IPv6 are wrong here (RFC 5118 §4.6) but seen.
func parseConnection(v string) string {
	network, rest := word(v)
	_, rest = word(rest)
	host, _ := word(rest)
	if host == "" || !strings.EqualFold(network, "IN") {
		return ""
	}
	host, _, _ = strings.Cut(host, "/")
	if n := len(host); n > 2 && host[0] == '[' && host[n-1] == ']' {
		host = host[1 : n-1]
	}
	return host
}

// word cuts the first word off a line.
func word(s string) (first, rest string) {
	start := 0
	for start < len(s) && blank(s[start]) {
		start++
	}
	end := start
	for end < len(s) && !blank(s[end]) {
		end++
	}
	return s[start:end], s[end:]
}

func blank(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

func connectionValue(host string) string {
	if strings.Contains(host, ":") {
		return "IN IP6 " + host
	}
	return "IN IP4 " + host
}

// A Place is where a relay receives one stream.
type Place struct {
	RTP  netip.AddrPort // invalid: the stream is rejected
	RTCP netip.AddrPort // invalid: the port above RTP
}

// Relocate moves each stream to the place of the same index, a stream without one is rejected, and a rejected stream
// stays so. Codecs and everything else end-to-end are left untouched. What would tell the peer a way around the relay
// is removed: other addresses, ICE, source filters, bundling. A hold that was said by the address 0.0.0.0 is said by
// direction afterwards.
func (d *Description) Relocate(places []Place) {
	d.holdByDirection()
	for i := range d.Media {
		d.Media[i].relocate(placeAt(places, i))
	}
	d.Lines.RemoveAttribute("ice-ufrag", "ice-pwd", "ice-options", "ice-pacing", "ice-lite", "source-filter", "rtcp")
	d.removeBundle()
	d.setConnections(places)
}

func placeAt(places []Place, i int) Place {
	if i < len(places) {
		return places[i]
	}
	return Place{}
}

func (m *Media) relocate(p Place) {
	m.Lines.RemoveAttribute("candidate", "end-of-candidates", "remote-candidates", "ice-ufrag", "ice-pwd", "ice-options",
		"ice-pacing", "ice-mismatch", "source-filter", "rtcp")
	if m.Rejected() || !p.RTP.IsValid() {
		m.Reject()
		return
	}
	m.Port, m.PortCount = p.RTP.Port(), 0
	m.Lines.RemoveAttribute("bundle-only")
	if m.IsRTP() {
		m.setRTCP(p)
	}
}

// setRTCP writes a=rtcp where the default would be wrong. RFC 3605 §2.1.
func (m *Media) setRTCP(p Place) {
	if !p.RTCP.IsValid() {
		return
	}
	same := p.RTCP.Addr() == p.RTP.Addr()
	if same && int(p.RTCP.Port()) == int(p.RTP.Port())+1 {
		return
	}
	v := strconv.Itoa(int(p.RTCP.Port()))
	if !same {
		v += " " + connectionValue(p.RTCP.Addr().String())
	}
	m.Lines.SetAttribute("rtcp", v)
}

// removeBundle takes out a=group:BUNDLE: relayed streams have a port each. RFC 9143 §7.
func (d *Description) removeBundle() {
	d.Lines = slices.DeleteFunc(d.Lines, func(l Line) bool {
		n, v, _ := l.attribute()
		return n == "group" && strings.HasPrefix(v, "BUNDLE")
	})
}

// setConnections puts the first address at session level and others at media level.
func (d *Description) setConnections(places []Place) {
	var first netip.Addr
	for i := range d.Media {
		m := &d.Media[i]
		ip := placeAt(places, i).RTP.Addr()
		if !first.IsValid() && ip.IsValid() {
			first = ip
			d.Lines.Set(Line{'c', connectionValue(ip.String())})
		}
		m.Lines.Remove('c')
		if m.Port != 0 && ip != first {
			m.Lines.Insert(Line{'c', connectionValue(ip.String())})
		}
	}
	if !first.IsValid() && len(d.Media) > 0 {
		d.Lines.Set(Line{'c', "IN IP4 0.0.0.0"}) // all are rejected, yet RFC 8866 §5.7 wants one
	}
}
