package session

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/media/sdp"
	"github.com/sipwerk/sipwerk/network"
)

var (
	server4 = netip.MustParseAddr("192.0.2.250")
	server6 = netip.MustParseAddr("2001:db8::250")
	alice4  = netip.MustParseAddr("192.0.2.1")
	bob6    = netip.MustParseAddr("2001:db8::2")
)

// world runs f in a bubble with a site of four streams; no stream may be left at the end.
func world(t *testing.T, f func(t *testing.T, sim *network.Sim, site *Site)) {
	synctest.Test(t, func(t *testing.T) {
		sim := &network.Sim{Seed: 1}
		r := &relay.Relay{Network: sim.Host(server4, server6), Ports: relay.Ports{Min: 10000, Max: 10007}}
		f(t, sim, &Site{Relay: r})
		if n := r.Streams(); n != 0 {
			t.Errorf("%d streams left", n)
		}
		if err := errors.Join(r.Close(), sim.Close()); err != nil {
			t.Error(err)
		}
	})
}

func describe(t *testing.T, lines ...string) *sdp.Description {
	t.Helper()
	d, err := sdp.Parse([]byte(strings.Join(lines, "\r\n") + "\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func present(t *testing.T, f func(context.Context, *sdp.Description) (*sdp.Description, error), d *sdp.Description) string {
	t.Helper()
	ours, err := f(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	return ours.String()
}

func text(lines ...string) string { return strings.Join(lines, "\r\n") + "\r\n" }

// talk sends a packet from one host's port and reports whether another host's port gets it.
func talk(t *testing.T, from network.PacketConn, to netip.AddrPort, at network.PacketConn) bool {
	t.Helper()
	got := make(chan bool, 1)
	go func() {
		ms := []network.Datagram{{Buf: make([]byte, 2048)}}
		_, err := at.ReadBatch(ms)
		got <- err == nil && ms[0].N == 12
	}()
	packet := []byte{0x80, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1}
	if _, err := from.WriteBatch([]network.Datagram{{Buf: packet, Peer: to}}); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Millisecond)
	synctest.Wait()
	select {
	case ok := <-got:
		return ok
	default:
		return false
	}
}

func socket(t *testing.T, h *network.SimHost, addr string) network.PacketConn {
	t.Helper()
	conns, err := h.ListenPacket(context.Background(), netip.MustParseAddrPort(addr), 1)
	if err != nil {
		t.Fatal(err)
	}
	return conns[0]
}

// TestOfferAnswer: RFC 3264 §6, RFC 3605 §2.1, and the version of RFC 8866 §5.2.
func TestOfferAnswer(t *testing.T) {
	world(t, func(t *testing.T, sim *network.Sim, site *Site) {
		alice := socket(t, sim.Host(alice4), "192.0.2.1:4001")
		bob := socket(t, sim.Host(bob6), "[2001:db8::2]:6000")
		a, b := site.NewLeg(Peer{Remote: alice4}, 20), site.NewLeg(Peer{Remote: bob6}, 40)
		offer := describe(t, "v=0", "o=- 1 7 IN IP4 192.0.2.1", "s=x", "c=IN IP4 192.0.2.1", "t=0 0", "a=tool:phone",
			"m=audio 4001 RTP/AVP 8 101", "a=rtcp:4999", "a=rtpmap:101 telephone-event/8000", "a=candidate:1 1 UDP 1 10.0.0.1 4001 typ host", "a=sendrecv",
			"m=video 0 RTP/AVP 96", "a=rtpmap:96 H264/90000")
		must(t, a.Offered(offer))
		want := text("v=0", "o=- 20 1 IN IP6 2001:db8::250", "s=x", "c=IN IP6 2001:db8::250", "t=0 0", "a=tool:phone",
			"m=audio 10000 RTP/AVP 8 101", "a=rtpmap:101 telephone-event/8000", "a=sendrecv",
			"m=video 0 RTP/AVP 96", "a=rtpmap:96 H264/90000")
		if diff := cmp.Diff(want, present(t, b.Offer, offer)); diff != "" {
			t.Errorf("offer to bob (-want +got):\n%s", diff)
		}
		answer := describe(t, "v=0", "o=- 2 2 IN IP6 2001:db8::2", "s=-", "c=IN IP6 2001:db8::2", "t=0 0",
			"m=audio 6000 RTP/AVP 8", "a=sendrecv", "m=video 0 RTP/AVP 96")
		must(t, b.Answered(answer))
		want = text("v=0", "o=- 10 1 IN IP4 192.0.2.250", "s=-", "c=IN IP4 192.0.2.250", "t=0 0",
			"m=audio 10002 RTP/AVP 8 101", "a=sendrecv", "a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-16", "m=video 0 RTP/AVP 96") // we turn digits into tones for bob
		if diff := cmp.Diff(want, present(t, a.Answer, answer)); diff != "" {
			t.Errorf("answer to alice (-want +got):\n%s", diff)
		}
		if got := present(t, a.Answer, answer); got != want {
			t.Errorf("the same answer again is another one:\n%s", got)
		}
		must(t, Settle(a, b))
		if !talk(t, alice, netip.AddrPortFrom(server4, 10002), bob) || !talk(t, bob, netip.AddrPortFrom(server6, 10000), alice) {
			t.Error("alice and bob do not hear each other")
		}
		if c := a.Counters(); len(c) != 2 || c[0].PacketsIn != 1 || c[0].PacketsOut != 1 {
			t.Errorf("counters %+v", c)
		}
		a.Close()
		b.Close()
	})
}

// TestFamilyMissing: a telephone with both families that names an address of the one which we have not is heard, and hears, over that of its signalling.
func TestFamilyMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := &network.Sim{Seed: 1}
		r := &relay.Relay{Network: sim.Host(server4)}
		site := &Site{Relay: r}
		alice := socket(t, sim.Host(alice4, bob6), "192.0.2.1:4001")
		bob := socket(t, sim.Host(netip.MustParseAddr("192.0.2.2")), "192.0.2.2:6000")
		a, b := site.NewLeg(Peer{Remote: alice4}, 20), site.NewLeg(Peer{Remote: netip.MustParseAddr("192.0.2.2")}, 40)
		offer := describe(t, "v=0", "c=IN IP6 2001:db8::2", "m=audio 4001 RTP/AVP 8")
		must(t, a.Offered(offer))
		present(t, b.Offer, offer)
		answer := describe(t, "v=0", "c=IN IP4 192.0.2.2", "m=audio 6000 RTP/AVP 8")
		must(t, b.Answered(answer))
		if got := present(t, a.Answer, answer); !strings.Contains(got, "c=IN IP4 192.0.2.250") {
			t.Errorf("the answer names another address:\n%s", got)
		}
		must(t, Settle(a, b))
		to, _ := a.lines[0].stream.Local()
		if !talk(t, alice, to, bob) {
			t.Error("bob does not hear alice")
		}
		if to, _ = b.lines[0].stream.Local(); !talk(t, bob, to, alice) {
			t.Error("alice does not hear bob")
		}
		a.Close()
		b.Close()
		must(t, errors.Join(r.Close(), sim.Close()))
	})
}

// TestRefusedOfferChangesNothing: RFC 3264 §8.
func TestRefusedOfferChangesNothing(t *testing.T) {
	world(t, func(t *testing.T, sim *network.Sim, site *Site) {
		alice, bob := socket(t, sim.Host(alice4), "192.0.2.1:4000"), socket(t, sim.Host(bob6), "[2001:db8::2]:6000")
		a, b := site.NewLeg(Peer{Remote: alice4}, 1), site.NewLeg(Peer{Remote: bob6}, 1)
		one := describe(t, "v=0", "c=IN IP4 192.0.2.1", "m=audio 4000 RTP/AVP 0")
		must(t, a.Offered(one))
		present(t, b.Offer, one)
		answer := describe(t, "v=0", "c=IN IP6 2001:db8::2", "m=audio 6000 RTP/AVP 0")
		must(t, b.Answered(answer))
		present(t, a.Answer, answer)
		must(t, Settle(a, b))
		rtp, _ := a.lines[0].stream.Local()

		two := describe(t, "v=0", "c=IN IP4 203.0.113.1", "m=audio 4000 RTP/AVP 0", "m=video 4002 RTP/AVP 31")
		must(t, a.Offered(two))
		if got := present(t, b.Offer, two); !strings.Contains(got, " 2 IN IP6") || !strings.Contains(got, "m=video 1000") {
			t.Errorf("second offer to bob:\n%s", got)
		}
		a.Abandon()
		b.Abandon()
		if !talk(t, alice, rtp, bob) {
			t.Error("a refused offer ended the session")
		}
		if n := site.Relay.Streams(); n != 2 {
			t.Errorf("%d streams after the refusal, want 2", n)
		}
		off := describe(t, "v=0", "c=IN IP4 192.0.2.1", "m=audio 0 RTP/AVP 0")
		for _, d := range []*sdp.Description{off, one} {
			must(t, a.Offered(d))
			present(t, b.Offer, d)
			reply := describe(t, "v=0", "c=IN IP6 2001:db8::2", "m=audio 6000 RTP/AVP 0")
			if d == off {
				reply.Media[0].Reject()
			}
			must(t, b.Answered(reply))
			present(t, a.Answer, reply)
			must(t, Settle(a, b))
			if got, want := site.Relay.Streams(), 2; d == one && got != want || d == off && got != 0 {
				t.Errorf("%d streams", got)
			}
		}
		a.Close()
		b.Close()
	})
}

func TestLimitsOfALeg(t *testing.T) {
	world(t, func(t *testing.T, sim *network.Sim, site *Site) {
		lines := []string{"v=0", "c=IN IP4 192.0.2.1"}
		for range 5 {
			lines = append(lines, "m=audio 4000 RTP/AVP 0")
		}
		l := site.NewLeg(Peer{Remote: alice4}, 1)
		if _, err := l.Offer(t.Context(), describe(t, lines...)); !errors.Is(err, relay.ErrPorts) {
			t.Errorf("error %v, want ErrPorts", err)
		}
		if n := site.Relay.Streams(); n != 0 {
			t.Errorf("%d streams left", n)
		}
		site.Relay.Ports = relay.Ports{}
		for range 15 {
			lines = append(lines, "m=audio 4000 RTP/AVP 0")
		}
		if got := strings.Count(present(t, l.Offer, describe(t, lines...)), "m=audio 0"); got != 20-maxStreams {
			t.Errorf("%d of 20 streams rejected", got)
		}
		l.Close()
	})
}

func TestSite(t *testing.T) {
	world(t, func(t *testing.T, sim *network.Sim, site *Site) {
		offer := describe(t, "v=0", "c=IN IP4 192.0.2.1", "m=audio 4000 RTP/AVP 0")
		for _, tt := range []struct {
			name    string
			site    *Site
			peer    Peer
			connect string
		}{
			{"as reached", &Site{}, Peer{Remote: alice4, Local: netip.MustParseAddr("127.0.0.1")}, "IN IP4 127.0.0.1"},
			{"other family", &Site{}, Peer{Remote: bob6, Local: server4}, "IN IP6 2001:db8::250"},
			{"bound", &Site{Bind: []netip.Addr{server6, server4}}, Peer{Remote: alice4, Local: netip.MustParseAddr("127.0.0.1")}, "IN IP4 192.0.2.250"},
			{"advertised", &Site{Advertise: []netip.Addr{netip.MustParseAddr("198.51.100.1")}}, Peer{Remote: alice4}, "IN IP4 198.51.100.1"},
			{"advertised, other family", &Site{Advertise: []netip.Addr{netip.MustParseAddr("198.51.100.1")}}, Peer{Remote: bob6}, "IN IP6 2001:db8::250"},
		} {
			tt.site.Relay = site.Relay
			l := tt.site.NewLeg(tt.peer, 1)
			if got := present(t, l.Offer, offer); !strings.Contains(got, "c="+tt.connect+"\r\n") {
				t.Errorf("%s: want %s in\n%s", tt.name, tt.connect, got)
			}
			l.Close()
		}
	})
}

func TestAddressOfAPeer(t *testing.T) {
	loopback := netip.MustParseAddr("127.0.0.1")
	for _, tt := range []struct {
		host   string
		remote netip.Addr
		want   string
	}{
		{"192.0.2.1", alice4, "192.0.2.1:4000"},
		{"10.0.0.1", alice4, "10.0.0.1:4000"},
		{"0.0.0.0", alice4, "0.0.0.0:4000"},
		{"127.0.0.1", loopback, "127.0.0.1:4000"},
		{"127.0.0.1", alice4, "invalid AddrPort"},
		{"::1", bob6, "invalid AddrPort"},
		{"224.0.0.1", alice4, "invalid AddrPort"},
		{"ff02::1", bob6, "invalid AddrPort"},
		{"255.255.255.255", alice4, "invalid AddrPort"},
		{"phone.example.org", alice4, "invalid AddrPort"},
	} {
		if got := (Peer{Remote: tt.remote}).address(sdp.Address{Host: tt.host, Port: 4000}); got.String() != tt.want {
			t.Errorf("%s of %v: %v, want %s", tt.host, tt.remote, got, tt.want)
		}
	}
}
