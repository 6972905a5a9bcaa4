package sdp

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestProfile: RFC 5124 §4, RFC 5764 §8.
func TestProfile(t *testing.T) {
	for proto, want := range map[string]Profile{
		"RTP/AVP": {}, "RTP/AVPF": {Feedback: true}, "RTP/SAVP": {Secure: true}, "RTP/SAVPF": {Secure: true, Feedback: true},
		"UDP/TLS/RTP/SAVP": {Secure: true, DTLS: true}, "UDP/TLS/RTP/SAVPF": {Secure: true, Feedback: true, DTLS: true},
	} {
		p, ok := (&Media{Proto: proto}).Profile()
		if !ok || p != want || p.String() != proto {
			t.Errorf("%s: %+v %v, printed %s", proto, p, ok, p)
		}
	}
	for _, proto := range []string{"udptl", "TCP/RTP/AVP", "UDP/TLS/RTP/AVP", "UDP/DTLS/SCTP", "UDP/TLS/UDPTL", "rtp/avp", ""} {
		if p, ok := (&Media{Proto: proto}).Profile(); ok {
			t.Errorf("%s is %v", proto, p)
		}
	}
}

// TestSecurityAttributes: what the session says holds where the medium says nothing. RFC 8122 §5, RFC 4145 §4.
func TestSecurityAttributes(t *testing.T) {
	d := mustParse(t, "v=0\r\na=fingerprint:sha-256 AA\r\na=setup:ACTPASS\r\na=tls-id:one\r\nm=audio 1 RTP/SAVP 0\r\na=crypto:1 A inline:x\r\na=crypto:2 B inline:y\r\n"+
		"m=audio 2 RTP/SAVP 0\r\na=fingerprint:sha-1 BB\r\na=fingerprint:sha-256 CC\r\na=setup:passive\r\na=tls-id:two\r\nm=audio 3 RTP/SAVP 0\r\na=setup:never\r\n")
	for i, want := range [][]string{{"sha-256 AA"}, {"sha-1 BB", "sha-256 CC"}, {"sha-256 AA"}} {
		if got := d.Fingerprints(&d.Media[i]); !slices.Equal(got, want) {
			t.Errorf("stream %d: fingerprints %q, want %q", i, got, want)
		}
	}
	for i, want := range []Setup{ActPass, Passive, ""} {
		if got := d.Setup(&d.Media[i]); got != want {
			t.Errorf("stream %d: setup %q, want %q", i, got, want)
		}
	}
	if a, b := d.TLSID(&d.Media[0]), d.TLSID(&d.Media[1]); a != "one" || b != "two" {
		t.Errorf("tls-id %q and %q", a, b)
	}
	if got := d.Media[0].Cryptos(); !slices.Equal(got, []string{"1 A inline:x", "2 B inline:y"}) {
		t.Errorf("crypto %q", got)
	}
	for offer, want := range map[Setup]Setup{ActPass: Passive, Active: Passive, Passive: Active, "": Passive} {
		if got := offer.Answer(); got != want {
			t.Errorf("%s is answered %s, want %s", offer, got, want)
		}
	}
}

// TestICE: RFC 8839 §5.4 has lengths, RFC 8839 §4.2.5 the mismatch.
func TestICE(t *testing.T) {
	d := mustParse(t, samples(t)["chromium"])
	i, ok := d.ICE(&d.Media[0])
	if !ok || i.Ufrag != "4ZcD" || len(i.Candidates) != 2 || !i.Trickles() || i.Lite {
		t.Errorf("%+v, %v", i, ok)
	}
	if d.Mismatched(&d.Media[0]) || d.Mismatched(&d.Media[1]) {
		t.Error("mismatch where there is none")
	}
	d.Media[0].Port++
	if !d.Mismatched(&d.Media[0]) {
		t.Error("the default address is no candidate, and nobody minds")
	}
	for _, lines := range []string{"", "a=ice-ufrag:abc\r\na=ice-pwd:1234567890123456789012\r\n", "a=ice-ufrag:abcd\r\na=ice-pwd:123456789012345678901\r\n",
		"a=ice-ufrag:abcd\r\na=ice-pwd:1234567890123456789012\r\na=ice-mismatch\r\n"} {
		d := mustParse(t, "v=0\r\nm=audio 1 RTP/AVP 0\r\n"+lines)
		if _, ok := d.ICE(&d.Media[0]); ok {
			t.Errorf("usable: %q", lines)
		}
	}
	d = mustParse(t, "v=0\r\nm=audio 1 RTP/AVP 0\r\n")
	want := ICE{Ufrag: "abcd", Password: "1234567890123456789012", Options: []string{"ice2"}, Candidates: []string{"1 1 udp 1 192.0.2.1 1 typ host"}, Lite: true, End: true}
	d.SetICE(&d.Media[0], want)
	d.SetICE(&d.Media[0], want)
	if got, ok := d.ICE(&d.Media[0]); !ok || !cmp.Equal(got, want) || strings.Count(d.String(), "ice-lite") != 1 {
		t.Errorf("%+v in\n%s", got, d)
	}
}

// TestGroups: RFC 9143 §7.1, RFC 8858 §4.
func TestGroups(t *testing.T) {
	d := mustParse(t, "v=0\r\na=group:LS 0 1\r\na=group:BUNDLE 0 1\r\na=group:BUNDLE\r\nm=audio 1 RTP/AVP 0\r\na=mid:0\r\na=rtcp-mux-only\r\nm=video 0 RTP/AVP 31\r\na=mid:1\r\na=bundle-only\r\na=rtcp-mux\r\n")
	if got := d.Bundles(); len(got) != 1 || !slices.Equal(got[0], []string{"0", "1"}) {
		t.Errorf("bundles %q", got)
	}
	if takes, only := d.Media[0].Mux(); !takes || !only || d.Media[0].MID() != "0" {
		t.Error("mux-only not seen")
	}
	if takes, only := d.Media[1].Mux(); !takes || only {
		t.Error("mux not seen")
	}
	d.SetBundles([]string{"x"}, nil)
	if got := d.Bundles(); len(got) != 1 || got[0][0] != "x" {
		t.Errorf("bundles %q", got)
	}
	if d.SetBundles(); len(d.Bundles()) != 0 || !strings.Contains(d.String(), "group:LS") {
		t.Errorf("left:\n%s", d)
	}
}

// TestFeedback: RFC 4585 §4.2, RFC 5104 §7.1.
func TestFeedback(t *testing.T) {
	m := &mustParse(t, "v=0\r\nm=video 1 RTP/AVPF 96\r\na=rtcp-fb:96 nack\r\na=rtcp-fb:* nack pli\r\na=rtcp-fb:96\r\n").Media[0]
	if pli, fir := m.Refreshes(); !pli || fir {
		t.Errorf("pli %v, fir %v", pli, fir)
	}
	m.AddFeedback(Feedback{Payload: "*", Type: "ccm", Detail: "fir"})
	if _, fir := m.Refreshes(); !fir || len(slices.Collect(m.Feedbacks())) != 3 {
		t.Errorf("feedback %+v", slices.Collect(m.Feedbacks()))
	}
}

// TestStrip: what belongs to one side does not reach the other. RFC 7092 §3.1.
func TestStrip(t *testing.T) {
	for name, s := range samples(t) {
		for suffix, rich := range map[string]bool{"bare": false, "rich": true} {
			d := mustParse(t, s)
			d.Strip(rich)
			checkGolden(t, "testdata/"+name+"."+suffix, d.String())
		}
	}
}

// FuzzAttributes: nothing that stands in a description makes a reader fail, and stripping is done at once.
func FuzzAttributes(f *testing.F) {
	for _, s := range samples(f) {
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, s string, rich bool) {
		d, err := Parse([]byte(s))
		if err != nil {
			return
		}
		d.Bundles()
		for i := range d.Media {
			m := &d.Media[i]
			i, _ := d.ICE(m)
			i.Trickles()
			d.Mismatched(m)
			d.Fingerprints(m)
			d.Setup(m)
			d.TLSID(m)
			m.Refreshes()
			m.Mux()
		}
		d.Strip(rich)
		once := d.String()
		if d.Strip(rich); d.String() != once {
			t.Errorf("stripped twice:\n%s\nonce:\n%s", d, once)
		}
		for i := range d.Media {
			if p, ok := d.Media[i].Profile(); ok && p.Secure {
				t.Errorf("secure after Strip: %s", d.Media[i].Proto)
			}
		}
	})
}
