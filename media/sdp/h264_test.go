package sdp

import (
	"net/netip"
	"strings"
	"testing"
)

// TestH264: RFC 6184 §8.2.2: profile and packetization mode are the same in both directions, the level is that of the weaker side unless each may have its own.
func TestH264(t *testing.T) {
	for name, c := range map[string]struct {
		ours, theirs string
		answer       string // empty: no codec in common
	}{
		"the same":                 {"packetization-mode=1;profile-level-id=42e01f", "profile-level-id=42e01f;packetization-mode=1", "packetization-mode=1;profile-level-id=42e01f"},
		"a lower level":            {"packetization-mode=1;profile-level-id=42e01f", "profile-level-id=42801E; packetization-mode=1", "packetization-mode=1;profile-level-id=42801e"},
		"a higher level":           {"packetization-mode=1;profile-level-id=42e01f", "profile-level-id=420029;packetization-mode=1", "packetization-mode=1;profile-level-id=42001f"},
		"levels of their own":      {"level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f", "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e00c", "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"},
		"nothing said":             {"profile-level-id=42e01f", "", "packetization-mode=0"},
		"another profile":          {"packetization-mode=1;profile-level-id=42e01f", "packetization-mode=1;profile-level-id=640c1f", ""},
		"another mode":             {"packetization-mode=1;profile-level-id=42e01f", "profile-level-id=42e01f", ""},
		"a profile that is no one": {"profile-level-id=42e01f", "profile-level-id=42e0;=;x", "packetization-mode=0"},
	} {
		own := Capability{Type: "video", Codecs: []Codec{{PayloadType: 97, Name: "H264", Clock: 90000, FMTP: c.ours}}}
		got := own.common([]Codec{{PayloadType: 120, Name: "h264", Clock: 90000, FMTP: c.theirs}})
		switch {
		case c.answer == "" && len(got) > 0:
			t.Errorf("%s: answered %+v", name, got)
		case c.answer != "" && (len(got) != 1 || got[0].FMTP != c.answer || got[0].PayloadType != 120):
			t.Errorf("%s: answered %+v, want %s", name, got, c.answer)
		}
	}
}

// TestCapabilityOfALine: what is bound to a line is used there, whatever stands before it. RFC 3264 §8.
func TestCapabilityOfALine(t *testing.T) {
	offer, err := Parse([]byte("v=0\nc=IN IP4 192.0.2.1\nm=video 4000 RTP/AVP 96\na=rtpmap:96 VP8/90000\nm=video 4002 RTP/AVP 96\na=rtpmap:96 VP8/90000\n"))
	if err != nil {
		t.Fatal(err)
	}
	vp8 := []Codec{{PayloadType: 100, Name: "VP8", Clock: 90000}}
	c := Capabilities{Media: []Capability{{Type: "video", Codecs: vp8, Line: 2, Direction: SendOnly, Place: Place{RTP: netip.MustParseAddrPort("192.0.2.2:5000")}}}}
	answer, err := c.Answer(offer)
	if err != nil || !answer.Media[0].Rejected() || answer.Media[1].Port != 5000 || !strings.Contains(answer.String(), "a=sendonly") {
		t.Errorf("%v\n%s", err, answer)
	}
}
