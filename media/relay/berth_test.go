package relay

import (
	"context"
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/network"
)

const sharedPort = 9000

// check is a connectivity check without protection, for somebody.
func check(name string) []byte {
	name += ":them"
	attribute := append(binary.BigEndian.AppendUint16([]byte{0, 6}, uint16(len(name))), name...)
	for len(attribute)%4 != 0 {
		attribute = append(attribute, 0)
	}
	b := binary.BigEndian.AppendUint16([]byte{0, 1}, uint16(len(attribute)))
	b = append(b, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
	return append(b, attribute...)
}

// guest is a peer of a stream on a shared port. Its stream believes every check that names it, as if it had the password, and answers with what it got.
type guest struct {
	*party
	stream *Stream
	aside  []string // what its stream was given of STUN and DTLS
}

// keyOf is the key of a guest.
func keyOf(name string) uint32 { return map[string]uint32{"anna": 7, "bert": 8}[name] }

// board opens a stream on the shared port of local for a peer that has not checked yet.
func board(t *testing.T, r *Relay, local netip.Addr, p *party, name string) *guest {
	t.Helper()
	s, err := r.OpenShared(t.Context(), local)
	if err != nil {
		t.Fatal(err)
	}
	g := &guest{party: p, stream: s}
	s.Aside(func(b []byte, from netip.AddrPort, _ bool) {
		g.aside = append(g.aside, string(b))
		if b[0] == 0 {
			s.Checked(from)
			s.Fix(from)
			_ = s.SendTo([]byte{1, 1}, from, false)
		}
	})
	s.Called(name)
	s.Mux(true)
	s.Secure(&seal{key: keyOf(name), seen: map[uint16]bool{}})
	return g
}

// boarded is two guests of one port, each joined to a peer with ports of its own, and a third party.
type boarded struct {
	*testing.T
	relay   *Relay
	guests  [2]*guest
	far     [2]*party
	farAt   [2]netip.AddrPort
	mallory *party
	port    netip.AddrPort
}

func aboard(t *testing.T, f func(b *boarded)) {
	world(t, func(t *testing.T, sim *network.Sim, r *Relay) {
		r.Shared = sharedPort
		b := &boarded{T: t, relay: r, port: netip.AddrPortFrom(serverAddress, sharedPort)}
		near, far := sim.Host(netip.MustParseAddr("192.0.2.1")), sim.Host(netip.MustParseAddr("192.0.2.2"))
		for i, name := range []string{"anna", "bert"} {
			b.guests[i] = board(t, r, serverAddress, newParty(t, near, netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), uint16(4000+i)).String()), name)
			if media, control := b.guests[i].stream.Local(); media != b.port || control != b.port {
				t.Fatalf("%s is at %v and %v", name, media, control)
			}
			at := netip.AddrPortFrom(netip.MustParseAddr("192.0.2.2"), uint16(5000+2*i))
			b.far[i] = newParty(t, far, at.String())
			s := open(t, r)
			s.Aim(Peer{RTP: at, Signalled: at.Addr()})
			b.farAt[i], _ = s.Local()
			Join(b.guests[i].stream, s)
		}
		b.mallory = newParty(t, sim.Host(netip.MustParseAddr("203.0.113.66")), "203.0.113.66:6000")
		f(b)
		for _, g := range b.guests {
			g.stream.Close()
		}
		p := r.sharing.ports[serverAddress]
		if len(p.names)+len(p.claims)+p.berths != 0 {
			t.Errorf("left: %v, %d claims, %d places", p.names, len(p.claims), p.berths)
		}
	})
}

// arrive lets both guests check.
func (b *boarded) arrive() {
	for i, name := range []string{"anna", "bert"} {
		b.guests[i].send(b.T, b.port, check(name))
		if got := b.guests[i].take(); !slices.Equal(got, []string{"\x01\x01"}) {
			b.Fatalf("%s was answered %q", name, got)
		}
	}
}

// speak lets both guests and their partners say something with this number, and tells what of it came to whom it was for.
func (b *boarded) speak(seq uint16) (heard int) {
	for i, g := range b.guests {
		voice := rtpPacket(seq, uint32(i+1), "voice")
		g.send(b.T, b.port, sealed(uint32(7+i), voice))
		b.far[i].send(b.T, b.farAt[i], voice)
		for _, got := range b.far[i].take() {
			if got == string(voice) {
				heard++
			}
		}
		for _, got := range g.take() {
			if got == string(sealed(uint32(7+i), voice)) {
				heard++
			}
		}
	}
	return heard
}

// TestSharedPort: who a check is for says its user name, and whose the rest is says where it comes from. RFC 8445 §7.2.2, RFC 7983 §7.
func TestSharedPort(t *testing.T) {
	aboard(t, func(b *boarded) {
		if n := b.speak(1); n != 0 {
			t.Errorf("%d packets were heard before a check", n)
		}
		b.arrive()
		if n := b.speak(2); n != 4 {
			t.Errorf("%d packets of 4 were heard", n)
		}
		b.guests[1].send(t, b.port, []byte{22, 254, 253})
		if a, z := b.guests[0].aside, b.guests[1].aside; len(a) != 1 || len(z) != 2 || z[1] != "\x16\xfe\xfd" {
			t.Errorf("aside: %q and %q", a, z)
		}
		report := append(rtcpPacket(2), 0, 0, 0, 0)[:8]
		b.guests[1].send(t, b.port, sealed(8, report))
		if n := b.guests[1].stream.Counters(); n.PacketsIn != 2 || n.Packets != 1 {
			t.Errorf("counters %+v", n)
		}
		moved := newParty(t, b.relay.Network.(*network.SimHost), "192.0.2.250:4999") // a third address of the peer; here one of our host, which is none of our sockets
		moved.send(t, b.port, check("anna"))
		moved.send(t, b.port, sealed(7, rtpPacket(3, 1, "from there")))
		if got := b.far[0].take(); len(got) != 1 || !strings.HasSuffix(got[0], "from there") {
			t.Errorf("after it moved: %q", got)
		}
	})
}

// TestSharedPortRestart: the checks of both generations reach the stream, and those of none do not. RFC 8445 §9.
func TestSharedPortRestart(t *testing.T) {
	aboard(t, func(b *boarded) {
		s := b.guests[0].stream
		s.Called("anna2", "anna")
		for i, c := range []struct {
			name string
			want int
		}{{"anna", 1}, {"anna2", 2}, {"bert", 2}} {
			b.guests[0].send(t, b.port, check(c.name))
			if n := len(b.guests[0].aside); n != c.want {
				t.Errorf("step %d: %d checks came", i, n)
			}
		}
		s.Called("bert") // it is another's
		b.guests[1].send(t, b.port, check("bert"))
		if n := len(b.guests[0].aside); n != 2 {
			t.Errorf("%d checks came", n)
		}
		s.Called()
		b.guests[0].send(t, b.port, check("anna2"))
		if n := len(b.guests[0].aside); n != 2 {
			t.Errorf("%d checks came after the end", n)
		}
	})
}

// TestSharedPortSpray: a third party that sends whatever it likes, from before the call, takes nothing away, is not heard, gets no answer, and leaves nothing behind. RFC 7362 §5.
func TestSharedPortSpray(t *testing.T) {
	aboard(t, func(b *boarded) {
		junk := func(seq uint16) {
			for _, p := range [][]byte{rtpPacket(seq, 1, "spam"), sealed(9, rtpPacket(seq, 1, "spam")), rtcpPacket(1), {22, 254, 253, 1}, check("nobody"), check("anna")[:24], {0}, {200}} {
				b.mallory.send(t, b.port, p)
			}
		}
		junk(1)
		b.guests[0].stream.Aim(Peer{RTP: netip.MustParseAddrPort("192.0.2.1:4000"), Signalled: netip.MustParseAddr("203.0.113.66")}) // even who signals from there
		b.arrive()
		for seq := range uint16(100) {
			junk(seq + 2)
			if n := b.speak(seq + 2); n != 4 {
				t.Fatalf("%d packets of 4 were heard", n)
			}
		}
		if got := b.mallory.take(); len(got) != 0 {
			t.Errorf("the third party got %d packets", len(got))
		}
		p := b.relay.sharing.ports[serverAddress]
		if n := b.relay.Strays(); n != 101*8 || len(p.claims) != 2 || len(b.guests[0].aside) != 1 {
			t.Errorf("%d strays, %d claims, aside %d", n, len(p.claims), len(b.guests[0].aside))
		}
	})
}

// TestSharedPortInjection: what comes with the address of a guest, but without its keys, or for the second time, is not heard.
func TestSharedPortInjection(t *testing.T) {
	aboard(t, func(b *boarded) {
		b.arrive()
		good := sealed(7, rtpPacket(5, 1, "once"))
		for _, p := range [][]byte{good, good, sealed(8, rtpPacket(6, 1, "another's key")), rtpPacket(7, 1, "in the clear")} {
			b.guests[0].send(t, b.port, p)
		}
		if got := b.far[0].take(); len(got) != 1 || len(b.far[1].take()) != 0 {
			t.Errorf("heard %q", got)
		}
	})
}

// TestSharedPortTheft: one guest lets a check of its own come from the address of another. It gets nothing as long as that address is in use by its owner.
func TestSharedPortTheft(t *testing.T) {
	aboard(t, func(b *boarded) {
		b.arrive()
		b.speak(1)
		forge := func() { b.guests[0].send(t, b.port, check("bert")) } // as bert, from anna's address
		for seq := range uint16(5) {
			forge()
			b.guests[1].send(t, b.port, check("bert"))
			b.guests[0].take()
			b.guests[1].take()
			if n := b.speak(seq + 2); n != 4 {
				t.Errorf("%d packets of 4 were heard", n)
			}
			later(5 * time.Second)
			b.arrive()
		}
		later(fresh) // anna has gone, and bert has her address from the same translator
		forge()
		b.guests[0].take()
		b.guests[0].send(t, b.port, sealed(8, rtpPacket(50, 2, "moved")))
		if got := b.far[1].take(); len(got) != 1 || !strings.HasSuffix(got[0], "moved") {
			t.Errorf("an address that nobody has any more stays taken: %q", got)
		}
	})
}

// TestClaims: which claim of one stream yields to which of another.
func TestClaims(t *testing.T) {
	for _, c := range []struct {
		name                string
		was, proven, checks bool
		after               time.Duration
		want                bool
	}{
		{"described by both", false, false, false, 0, false},
		{"described, and checked by another", false, false, true, 0, true},
		{"checked, and described by another", true, false, false, time.Hour, false},
		{"checked by both", true, false, true, 0, true},
		{"proven, and checked by another", true, true, true, fresh - 1, false},
		{"proven long ago", true, true, true, fresh, true},
	} {
		held := &claim{checked: c.was, at: time.Second}
		if c.proven {
			held.prove()
		}
		if got := held.yields(c.checks, time.Second+c.after); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// TestSharedPortBounds: a peer that checks from everywhere holds a few addresses, and keeps the one in use.
func TestSharedPortBounds(t *testing.T) {
	aboard(t, func(b *boarded) {
		b.arrive()
		s := b.guests[0].stream
		for i := range uint16(1000) {
			s.Checked(netip.AddrPortFrom(netip.MustParseAddr("203.0.113.7"), 1000+i))
		}
		s.Checked(b.port)
		b.guests[1].stream.Aim(Peer{RTP: netip.MustParseAddrPort("192.0.2.1:4000")}) // anna's: described only
		b.guests[1].stream.Aim(Peer{RTP: netip.MustParseAddrPort("0.0.0.0:9")})
		p := b.relay.sharing.ports[serverAddress]
		if len(p.claims) != maxClaims+1 || p.claims[b.port] != nil {
			t.Errorf("%d addresses are claimed", len(p.claims))
		}
		s.Called("1", "2", "3", "4", "5", "6")
		if len(p.names) != maxNames+1 {
			t.Errorf("%d names", len(p.names))
		}
		if n := b.speak(1); n != 4 {
			t.Errorf("%d packets of 4 were heard", n)
		}
		p.berths = maxBerths
		full, err := b.relay.OpenShared(t.Context(), serverAddress)
		if err != nil {
			t.Fatal(err)
		}
		if at, _ := full.Local(); at.Port() == sharedPort {
			t.Error("there is no end of room")
		}
		p.berths = 2
		full.Close()
	})
}

// TestShare: a stream gives its own ports back when it goes over the shared one, and keeps them where there is none, or another program has it.
func TestShare(t *testing.T) {
	world(t, func(t *testing.T, sim *network.Sim, r *Relay) {
		own := open(t, r)
		if own.Share(t.Context()) || r.pool.taken != 1 {
			t.Error("it went over a port that is not there")
		}
		r.Shared = sharedPort
		alice := newParty(t, sim.Host(netip.MustParseAddr("192.0.2.1")), "192.0.2.1:4000")
		for range 2 {
			if !own.Share(t.Context()) || r.pool.taken != 0 {
				t.Error("it stays where it was")
			}
		}
		at, _ := own.Local()
		own.Aim(Peer{RTP: netip.MustParseAddrPort("192.0.2.1:4000")}) // who answers without ICE is heard from where its description says
		heard := 0
		own.Tap(func([]byte, time.Time, bool) { heard++ })
		alice.send(t, at, rtpPacket(1, 1, "voice"))
		if at.Port() != sharedPort || heard != 1 || own.Ride().Share(t.Context()) {
			t.Errorf("at %v, heard %d", at, heard)
		}
		other := netip.MustParseAddr("192.0.2.251")
		host := sim.Host(other)
		taken, err := host.ListenPacket(context.Background(), netip.AddrPortFrom(other, sharedPort), 1)
		if err != nil {
			t.Fatal(err)
		}
		second := &Relay{Network: host, Shared: sharedPort}
		s, err := second.OpenShared(t.Context(), other)
		if err != nil || s.Share(t.Context()) {
			t.Errorf("%v, or a port of somebody else is shared", err)
		}
		if at, _ := s.Local(); at.Port() == sharedPort {
			t.Error("a port of somebody else is shared")
		}
		if err := second.Close(); err != nil {
			t.Error(err)
		}
		if _, err := second.OpenShared(t.Context(), other); err == nil || s.Share(t.Context()) {
			t.Error("open after the end")
		}
		_ = taken[0].Close()
	})
}

// TestSharedPortIPv6: as TestSharedPort, over the other family.
func TestSharedPortIPv6(t *testing.T) {
	world(t, func(t *testing.T, sim *network.Sim, r *Relay) {
		six := netip.MustParseAddr("2001:db8::250")
		here := netip.MustParseAddr("192.0.2.249")
		r.Network, r.Shared = sim.Host(here, six), sharedPort
		four := board(t, r, here, newParty(t, sim.Host(netip.MustParseAddr("192.0.2.1")), "192.0.2.1:4000"), "anna")
		g := board(t, r, six, newParty(t, sim.Host(netip.MustParseAddr("2001:db8::1")), "[2001:db8::1]:4000"), "bert")
		Join(four.stream, g.stream)
		four.send(t, netip.AddrPortFrom(here, sharedPort), check("anna"))
		g.send(t, netip.AddrPortFrom(six, sharedPort), check("bert"))
		g.take()
		four.send(t, netip.AddrPortFrom(here, sharedPort), sealed(7, rtpPacket(1, 1, "voice")))
		if got := g.take(); len(got) != 1 || got[0] != string(sealed(8, rtpPacket(1, 1, "voice"))) {
			t.Errorf("got %q", got)
		}
	})
}
