package carriage

import (
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/media/sdp"
	"github.com/sipwerk/sipwerk/network"
)

// here and there are our address and the peer's.
var here, there = netip.MustParseAddr("192.0.2.1"), netip.MustParseAddrPort("192.0.2.2:4000")

// attached runs f with a transport that has a stream.
func attached(t *testing.T, f func(t *testing.T, way *Transport)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		sim := &network.Sim{Seed: 1}
		r := &relay.Relay{Network: sim.Host(here)}
		s, err := r.Open(t.Context(), here)
		must(t, err)
		way, local := new(Transport), netip.AddrPort{}
		local, _ = s.Local()
		way.Attach(Config{Stream: s, Local: local, Identity: new(Identity)})
		f(t, way)
		way.Close()
		s.Close()
		must(t, r.Close())
		must(t, sim.Close())
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// describe returns a description of one line.
func describe(t *testing.T, lines ...string) *sdp.Description {
	t.Helper()
	d, err := sdp.Parse([]byte("v=0\r\no=- 1 1 IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 192.0.2.2\r\nt=0 0\r\n" + strings.Join(lines, "\r\n") + "\r\n"))
	must(t, err)
	return d
}

// takes lets way take an offer and answer it, and puts the terms in force.
func takes(t *testing.T, way *Transport, offer *sdp.Description) *sdp.Description {
	t.Helper()
	w, ok := Read(offer, &offer.Media[0])
	if !ok || !way.Hear(w) {
		t.Fatalf("not taken:\n%s", offer)
	}
	answer := offer.Clone()
	answer.Strip(false)
	must(t, way.Answer(answer, &answer.Media[0]))
	must(t, way.Settle(relay.Peer{RTP: there, RTCP: there}))
	return answer
}

// TestAssociation: offers that name the same certificate and the same tls-id, or none, leave the handshake and its roles as they are, also with ICE begun anew; another of either asks for another. RFC 8842 §5.1 and RFC 8842 §5.3.
func TestAssociation(t *testing.T) {
	offer := func(t *testing.T, certificate, id, ufrag, setup string) *sdp.Description {
		return describe(t, "m=audio 4000 UDP/TLS/RTP/SAVPF 8", "a=rtcp-mux", "a=setup:"+setup, "a=fingerprint:sha-256 "+strings.TrimSuffix(strings.Repeat(certificate+":", 32), ":"), "a=tls-id:"+id,
			"a=ice-ufrag:"+ufrag, "a=ice-pwd:alicealicealicealicealice", "a=candidate:1 1 UDP 2130706431 192.0.2.2 4000 typ host")
	}
	attached(t, func(t *testing.T, way *Transport) {
		takes(t, way, offer(t, "A0", "abcdefghijklmnopqrstu", "alic", "active"))
		for _, step := range []struct {
			name, certificate, id, ufrag, setup string
			stays                               bool
		}{
			{"the same", "A0", "abcdefghijklmnopqrstu", "alic", "actpass", true},
			{"ICE anew", "A0", "abcdefghijklmnopqrstu", "bobb", "actpass", true},
			{"another tls-id", "A0", "bbcdefghijklmnopqrstu", "bobb", "actpass", false},
			{"another certificate", "B0", "bbcdefghijklmnopqrstu", "bobb", "actpass", false},
			{"the other role", "B0", "bbcdefghijklmnopqrstu", "bobb", "passive", false},
		} {
			before, active := way.association, way.now.active
			answer := takes(t, way, offer(t, step.certificate, step.id, step.ufrag, step.setup))
			if stays := way.association == before; stays != step.stays || stays && way.now.active != active {
				t.Errorf("%s: the handshake stays: %v, and we begin: %v\n%s", step.name, stays, way.now.active, answer)
			}
		}
	})
}

// TestDrop: what was refused leaves the terms in force, and before there are any it leaves nothing behind.
func TestDrop(t *testing.T) {
	plain := "m=audio 4000 RTP/AVP 8"
	browser := []string{"m=audio 4000 RTP/AVPF 8", "a=rtcp-mux", "a=ice-ufrag:alic", "a=ice-pwd:alicealicealicealicealice", "a=candidate:1 1 UDP 2130706431 192.0.2.2 4000 typ host"}
	attached(t, func(t *testing.T, way *Transport) {
		refuse := func() {
			t.Helper()
			d := describe(t, browser...)
			w, _ := Read(d, &d.Media[0])
			if !way.Hear(w) || !way.Next().ICE {
				t.Errorf("heard %+v", way.Next())
			}
			must(t, way.Answer(d, &d.Media[0]))
			way.Drop()
		}
		if refuse(); way.agent != nil || way.Settled() {
			t.Error("something is left of an offer that was refused")
		}
		takes(t, way, describe(t, plain))
		before := way.Now()
		if refuse(); way.Next() != before || way.Now() != before {
			t.Errorf("next %+v, now %+v", way.Next(), way.Now())
		}
	})
}
