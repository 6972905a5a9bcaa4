package sdp

import (
	"net/netip"
	"testing"
)

var addresses = map[string]struct{ in, rtp, rtcp string }{
	"session level":    {"v=0\nc=IN IP4 192.0.2.1\nm=audio 4000 RTP/AVP 0", "192.0.2.1:4000", "192.0.2.1:4001"},
	"media level wins": {"v=0\nc=IN IP4 192.0.2.1\nm=audio 4000 RTP/AVP 0\nc=IN IP4 192.0.2.2", "192.0.2.2:4000", "192.0.2.2:4001"},
	"odd port":         {"v=0\nc=IN IP4 192.0.2.1\nm=audio 4001 RTP/AVP 0", "192.0.2.1:4001", "192.0.2.1:4002"},
	"last port":        {"v=0\nc=IN IP4 192.0.2.1\nm=audio 65535 RTP/AVP 0", "192.0.2.1:65535", ""},
	"rejected":         {"v=0\nc=IN IP4 192.0.2.1\nm=audio 0 RTP/AVP 0", "192.0.2.1:0", ""},
	"rtcp port":        {"v=0\nc=IN IP4 192.0.2.1\nm=audio 4000 RTP/AVP 0\na=rtcp:53020", "192.0.2.1:4000", "192.0.2.1:53020"},
	"rtcp address":     {"v=0\nc=IN IP4 192.0.2.1\nm=audio 4000 RTP/AVP 0\na=rtcp:5 IN IP6 2001:db8::1", "192.0.2.1:4000", "[2001:db8::1]:5"},
	"rtcp nonsense":    {"v=0\nc=IN IP4 192.0.2.1\nm=audio 4000 RTP/AVP 0\na=rtcp:x IN", "192.0.2.1:4000", "192.0.2.1:4001"},
	"rtcp too large":   {"v=0\nc=IN IP4 192.0.2.1\nm=audio 4000 RTP/AVP 0\na=rtcp:65536", "192.0.2.1:4000", "192.0.2.1:4001"},
	"IPv6":             {"v=0\nc=IN IP6 2001:db8::20\nm=audio 6000 RTP/AVP 2", "[2001:db8::20]:6000", "[2001:db8::20]:6001"},
	"brackets":         {"v=0\nc=IN IP6 [2001:db8::20]\nm=audio 6000 RTP/AVP 2", "[2001:db8::20]:6000", "[2001:db8::20]:6001"},
	"wrong family":     {"v=0\nc=IN IP4 2001:db8::20\nm=audio 6000 RTP/AVP 2", "[2001:db8::20]:6000", "[2001:db8::20]:6001"},
	"IPv4 mapped":      {"v=0\nc=IN IP6 ::ffff:192.0.2.2\nm=audio 6000 RTP/AVP 2", "192.0.2.2:6000", "192.0.2.2:6001"},
	"multicast":        {"v=0\nc=IN IP4 224.2.1.1/127/3\nm=audio 6000 RTP/AVP 0", "224.2.1.1:6000", "224.2.1.1:6001"},
	"host name":        {"v=0\nc=IN IP4 phone.example.com\nm=audio 6000 RTP/AVP 0", "", ""},
	"none":             {"v=0\nm=audio 6000 RTP/AVP 0", "", ""},
	"other network":    {"v=0\nc=ATM NSAP 47.0091\nm=audio 6000 RTP/AVP 0", "", ""},
	"cut":              {"v=0\nc=IN IP4\nm=audio 6000 RTP/AVP 0", "", ""},
	"bad media level":  {"v=0\nc=IN IP4 192.0.2.1\nm=audio 4000 RTP/AVP 0\nc=", "", ""},
	"octet too large":  {"v=0\nc=IN IP4 192.0.2.256\nm=audio 4000 RTP/AVP 0", "", ""},
}

func TestAddress(t *testing.T) {
	text := func(a Address) string {
		if ap, ok := a.AddrPort(); ok {
			return ap.String()
		}
		return ""
	}
	for name, tt := range addresses {
		d := mustParse(t, tt.in)
		m := &d.Media[0]
		if got := text(d.Address(m)); got != tt.rtp {
			t.Errorf("%s: RTP to %q, want %q", name, got, tt.rtp)
		}
		if got := text(d.RTCPAddress(m)); got != tt.rtcp {
			t.Errorf("%s: RTCP to %q, want %q", name, got, tt.rtcp)
		}
	}
	d := mustParse(t, addresses["host name"].in)
	if got, want := d.Address(&d.Media[0]), (Address{"phone.example.com", 6000}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Streams of one description may use different address families. RFC 5118 §4.8.
func TestAddressPerStream(t *testing.T) {
	d := mustParse(t, "v=0\no=bob 280744730 28977631 IN IP4 host.example.com\ns=\nt=0 0\nm=audio 22334 RTP/AVP 0\n"+
		"c=IN IP4 192.0.2.1\nm=video 6024 RTP/AVP 107\nc=IN IP6 2001:db8::1\na=rtpmap:107 H263-1998/90000\n")
	for i, want := range []string{"192.0.2.1", "2001:db8::1"} {
		if got := d.Address(&d.Media[i]).Host; got != want {
			t.Errorf("stream %d: %q, want %q", i, got, want)
		}
	}
}

func relayPlaces() []Place {
	return []Place{
		{RTP: netip.MustParseAddrPort("198.51.100.1:30000"), RTCP: netip.MustParseAddrPort("198.51.100.1:30001")},
		{RTP: netip.MustParseAddrPort("[2001:db8:1::1]:30002"), RTCP: netip.MustParseAddrPort("198.51.100.2:30005")},
	}
}

func TestRelocateGolden(t *testing.T) {
	for name, s := range samples(t) {
		d := mustParse(t, s)
		d.Relocate(relayPlaces())
		d.Complete()
		checkGolden(t, "testdata/"+name+".relocated", d.String())
	}
}

func TestRelocate(t *testing.T) {
	ap := netip.MustParseAddrPort
	one := []Place{{RTP: ap("198.51.100.1:30001"), RTCP: ap("198.51.100.1:30002")}}
	for name, tt := range map[string]struct {
		in, out string
		places  []Place
	}{
		"odd port": {
			"v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 0\r\na=rtcp:4007\r\n",
			"v=0\r\nc=IN IP4 198.51.100.1\r\nm=audio 30001 RTP/AVP 0\r\n", one},
		"no place": {
			"v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000/2 RTP/AVP 0\r\n",
			"v=0\r\nc=IN IP4 0.0.0.0\r\nm=audio 0 RTP/AVP 0\r\n", nil},
		"rejected stays": {
			"v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 0 RTP/AVP 0\r\nc=IN IP4 192.0.2.2\r\n",
			"v=0\r\nc=IN IP4 198.51.100.1\r\nm=audio 0 RTP/AVP 0\r\n", one},
		"apart": {
			"v=0\r\nm=audio 4000 RTP/AVP 0\r\nc=IN IP4 192.0.2.1\r\n",
			"v=0\r\nc=IN IP4 198.51.100.1\r\nm=audio 2 RTP/AVP 0\r\na=rtcp:9\r\n",
			[]Place{{RTP: ap("198.51.100.1:2"), RTCP: ap("198.51.100.1:9")}}},
		"RTCP unknown": {
			"v=0\r\nm=audio 4000 RTP/AVP 0\r\nc=IN IP4 192.0.2.1\r\n",
			"v=0\r\nc=IN IP4 198.51.100.1\r\nm=audio 2 RTP/AVP 0\r\n",
			[]Place{{RTP: ap("198.51.100.1:2")}}},
		"held and received only": {
			"v=0\r\nc=IN IP4 0.0.0.0\r\na=recvonly\r\nm=audio 4000 RTP/AVP 0\r\n",
			"v=0\r\nc=IN IP4 198.51.100.1\r\na=recvonly\r\nm=audio 30001 RTP/AVP 0\r\na=inactive\r\n", one},
		"no media": {"v=0\r\ns=-\r\n", "v=0\r\ns=-\r\n", nil},
	} {
		d := mustParse(t, tt.in)
		d.Relocate(tt.places)
		if got := d.String(); got != tt.out {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, tt.out)
		}
	}
}
