package relay

import (
	"context"
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sipwerk/sipwerk/network"
)

var serverAddress = netip.MustParseAddr("192.0.2.250")

// world runs f in a bubble with a relay; the relay is closed and must leave nothing behind.
func world(t *testing.T, f func(t *testing.T, s *network.Sim, r *Relay)) {
	synctest.Test(t, func(t *testing.T) {
		s := &network.Sim{Seed: 1}
		r := &Relay{Network: s.Host(serverAddress), Ports: Ports{Min: 10000, Max: 10007}}
		f(t, s, r)
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		if n := r.Streams(); n != 0 || r.pool.taken != 0 {
			t.Errorf("%d streams and %d pairs of ports left", n, r.pool.taken)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

// party is a peer that keeps what it gets.
type party struct {
	conn network.PacketConn
	mu   sync.Mutex
	got  []string
	from []netip.AddrPort
}

func newParty(t *testing.T, h *network.SimHost, addr string) *party {
	t.Helper()
	conns, err := h.ListenPacket(context.Background(), netip.MustParseAddrPort(addr), 1)
	if err != nil {
		t.Fatal(err)
	}
	p := &party{conn: conns[0]}
	go func() {
		ms := []network.Datagram{{Buf: make([]byte, 4096)}}
		for {
			if _, err := p.conn.ReadBatch(ms); err != nil {
				return
			}
			p.mu.Lock()
			p.got = append(p.got, string(ms[0].Buf[:ms[0].N]))
			p.from = append(p.from, ms[0].Peer)
			p.mu.Unlock()
		}
	}()
	return p
}

func (p *party) send(t *testing.T, to netip.AddrPort, b []byte) {
	t.Helper()
	if _, err := p.conn.WriteBatch([]network.Datagram{{Buf: b, Peer: to}}); err != nil {
		t.Fatal(err)
	}
	settle()
}

// take returns what came since the last call.
func (p *party) take() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	got := p.got
	p.got = nil
	return got
}

// settle lets the network deliver everything.
func settle() {
	time.Sleep(time.Millisecond)
	synctest.Wait()
}

// later lets time pass.
func later(d time.Duration) { time.Sleep(d) }

func rtpPacket(seq uint16, ssrc uint32, payload string) []byte {
	b := make([]byte, 12, 12+len(payload))
	b[0] = 0x80
	binary.BigEndian.PutUint16(b[2:], seq)
	binary.BigEndian.PutUint32(b[4:], uint32(seq)*160)
	binary.BigEndian.PutUint32(b[8:], ssrc)
	return append(b, payload...)
}

func rtcpPacket(ssrc uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{0x80, 201, 0, 1}, ssrc)
}

func open(t *testing.T, r *Relay) *Stream {
	t.Helper()
	s, err := r.Open(t.Context(), serverAddress)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func aim(s *Stream, rtp, rtcp string) {
	a := netip.MustParseAddrPort(rtp)
	s.Aim(Peer{RTP: a, RTCP: netip.MustParseAddrPort(rtcp), Signalled: a.Addr()})
}

// TestRelay: RFC 4961 §4 (symmetric), RFC 3605 §2.1 (RTCP elsewhere), RFC 3550 §11 (pairs of ports).
func TestRelay(t *testing.T) {
	world(t, func(t *testing.T, sim *network.Sim, r *Relay) {
		alice := newParty(t, sim.Host(netip.MustParseAddr("192.0.2.1")), "192.0.2.1:4000")
		bob := newParty(t, sim.Host(netip.MustParseAddr("192.0.2.2")), "192.0.2.2:5001")
		bobControl := newParty(t, sim.Host(netip.MustParseAddr("192.0.2.3")), "192.0.2.3:7777")
		a, b := open(t, r), open(t, r)
		aim(a, "192.0.2.1:4000", "192.0.2.1:4001")
		aim(b, "192.0.2.2:5001", "192.0.2.3:7777")
		Join(a, b)

		rtpA, rtcpA := a.Local()
		if rtpA.Port()%2 != 0 || rtcpA.Port() != rtpA.Port()+1 {
			t.Errorf("local ports %v, %v are no pair", rtpA, rtcpA)
		}
		packet := rtpPacket(1, 7, "hello")
		alice.send(t, rtpA, packet)
		if got := bob.take(); len(got) != 1 || got[0] != string(packet) {
			t.Errorf("bob got %q", got)
		}
		rtpB, _ := b.Local()
		if got := bob.from[0]; got != rtpB {
			t.Errorf("came from %v, want %v", got, rtpB)
		}
		alice.send(t, rtcpA, rtcpPacket(7))
		if got := bobControl.take(); len(got) != 1 {
			t.Errorf("RTCP did not go where a=rtcp asks: %q", got)
		}
		bob.send(t, rtpB, rtpPacket(1, 9, "hi"))
		if got := alice.take(); len(got) != 1 {
			t.Errorf("alice got %q", got)
		}
		c := a.Counters()
		want := Counters{PacketsIn: 2, BytesIn: uint64(len(packet)) + 8, PacketsOut: 1, BytesOut: 14, Packets: 1, MOS: c.MOS, Reported: true, LastIn: c.LastIn}
		if c != want || c.LastIn <= 0 {
			t.Errorf("counters %+v, want %+v", c, want)
		}
	})
}

func TestThirdPartyIsNotHeard(t *testing.T) {
	world(t, func(t *testing.T, sim *network.Sim, r *Relay) {
		alice := newParty(t, sim.Host(netip.MustParseAddr("192.0.2.1")), "192.0.2.1:4000")
		bob := newParty(t, sim.Host(netip.MustParseAddr("192.0.2.2")), "192.0.2.2:5000")
		mallory := newParty(t, sim.Host(netip.MustParseAddr("192.0.2.66")), "192.0.2.66:6000")
		a, b := open(t, r), open(t, r)
		aim(a, "192.0.2.1:4000", "192.0.2.1:4001")
		aim(b, "192.0.2.2:5000", "192.0.2.2:5001")
		Join(a, b)
		rtpA, rtcpA := a.Local()
		rtpB, _ := b.Local()
		for range 3 {
			mallory.send(t, rtpA, rtpPacket(1, 7, "spam"))
			mallory.send(t, rtcpA, rtcpPacket(7))
			alice.send(t, rtpA, rtpPacket(2, 7, "voice"))
			bob.send(t, rtpB, rtpPacket(2, 8, "voice"))
			time.Sleep(7 * time.Second)
		}
		if got := bob.take(); len(got) != 3 || slices.ContainsFunc(got, func(s string) bool { return s[12:] != "voice" }) {
			t.Errorf("bob got %q", got)
		}
		if got := mallory.take(); len(got) != 0 {
			t.Errorf("the third party got %q", got)
		}
		if c := a.Counters(); c.Refused != 6 {
			t.Errorf("%d refused, want 6", c.Refused)
		}
	})
}

// TestNoLoop: two descriptions name our own sockets, each that of the other side.
func TestNoLoop(t *testing.T) {
	world(t, func(t *testing.T, sim *network.Sim, r *Relay) {
		sim.SetConditions(network.Conditions{Delay: 500 * time.Microsecond})
		mallory := newParty(t, sim.Host(netip.MustParseAddr("192.0.2.66")), "192.0.2.66:6000")
		a, b := open(t, r), open(t, r)
		rtpA, rtcpA := a.Local()
		rtpB, rtcpB := b.Local()
		a.Aim(Peer{RTP: rtpB, RTCP: rtcpB, Signalled: mallory.conn.LocalAddr().Addr()})
		b.Aim(Peer{RTP: rtpA, RTCP: rtcpA, Signalled: mallory.conn.LocalAddr().Addr()})
		Join(a, b)
		mallory.send(t, rtpA, rtpPacket(1, 1, ""))
		mallory.send(t, rtpB, rtpPacket(1, 1, ""))
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		if n := a.Counters().PacketsIn + b.Counters().PacketsIn; n > 4 {
			t.Errorf("%d packets went round", n)
		}
		if c := b.Counters(); c.PacketsIn != 1 {
			t.Errorf("counters %+v", c)
		}
	})
}

func TestNoiseIsRefused(t *testing.T) {
	world(t, func(t *testing.T, sim *network.Sim, r *Relay) {
		alice := newParty(t, sim.Host(netip.MustParseAddr("192.0.2.1")), "192.0.2.1:4000")
		bob := newParty(t, sim.Host(netip.MustParseAddr("192.0.2.2")), "192.0.2.2:5000")
		a, b := open(t, r), open(t, r)
		aim(a, "192.0.2.1:4000", "192.0.2.1:4001")
		aim(b, "192.0.2.2:5000", "192.0.2.2:5001")
		Join(a, b)
		rtpA, _ := a.Local()
		noise := [][]byte{nil, {0}, {0x80}, make([]byte, 11), make([]byte, 1500), append(rtpPacket(1, 1, ""), make([]byte, room)...), []byte("INVITE sip:x SIP/2.0\r\n\r\n")}
		for _, b := range noise {
			alice.send(t, rtpA, b)
		}
		if got := bob.take(); len(got) != 0 {
			t.Errorf("bob got %q", got)
		}
		if c := a.Counters(); c.Refused != uint64(len(noise)) || c.LastIn != -1 {
			t.Errorf("counters %+v", c)
		}
		a.Aim(Peer{RTP: netip.MustParseAddrPort("192.0.2.1:4000"), Opaque: true})
		alice.send(t, rtpA, []byte{22, 254, 253})
		if got := bob.take(); len(got) != 1 {
			t.Errorf("an opaque stream did not pass a packet on")
		}
	})
}

func TestPartAndTap(t *testing.T) {
	world(t, func(t *testing.T, sim *network.Sim, r *Relay) {
		alice := newParty(t, sim.Host(netip.MustParseAddr("192.0.2.1")), "192.0.2.1:4000")
		bob := newParty(t, sim.Host(netip.MustParseAddr("192.0.2.2")), "192.0.2.2:5000")
		a, b, c := open(t, r), open(t, r), open(t, r)
		aim(a, "192.0.2.1:4000", "192.0.2.1:4001")
		aim(b, "192.0.2.2:5000", "192.0.2.2:5001")
		heard := 0
		a.Tap(func(b []byte, _ time.Time, control bool) { heard++ })
		rtpA, _ := a.Local()
		alice.send(t, rtpA, rtpPacket(1, 7, ""))
		Join(a, c)
		Join(a, b)
		alice.send(t, rtpA, rtpPacket(2, 7, ""))
		if got := bob.take(); len(got) != 1 {
			t.Errorf("bob got %d packets while joined", len(got))
		}
		c.Close()
		alice.send(t, rtpA, rtpPacket(3, 7, ""))
		Part(b)
		a.Tap(nil)
		alice.send(t, rtpA, rtpPacket(4, 7, ""))
		if got := bob.take(); len(got) != 1 {
			t.Errorf("bob got %d packets after the former partner was closed and before the path was parted, want 1", len(got))
		}
		if heard != 3 {
			t.Errorf("tap heard %d packets, want 3", heard)
		}
		a.Send(rtpPacket(1, 9, "echo"))
		a.SendControl(rtcpPacket(9))
		b.Close()
		b.Send(rtpPacket(1, 9, ""))
		settle()
		if got := alice.take(); len(got) != 1 {
			t.Errorf("alice got %q", got)
		}
	})
}

func TestPortsRunOut(t *testing.T) {
	world(t, func(t *testing.T, sim *network.Sim, r *Relay) {
		taken, err := r.Network.ListenPacket(t.Context(), netip.AddrPortFrom(serverAddress, 10003), 1)
		if err != nil {
			t.Fatal(err)
		}
		var streams []*Stream
		for range 3 {
			streams = append(streams, open(t, r))
		}
		if _, err := r.Open(t.Context(), serverAddress); !errors.Is(err, ErrPorts) {
			t.Errorf("error %v, want ErrPorts", err)
		}
		streams[1].Close()
		streams[1].Close()
		open(t, r)
		if _, err := r.Open(t.Context(), netip.MustParseAddr("192.0.2.251")); err == nil || errors.Is(err, ErrPorts) {
			t.Errorf("error %v for an address that is not ours", err)
		}
		if err := taken[0].Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestAnyPort(t *testing.T) {
	world(t, func(t *testing.T, sim *network.Sim, r *Relay) {
		r.Ports = Ports{}
		for range 4 {
			rtp, rtcp := open(t, r).Local()
			if rtp.Port()%2 != 0 || rtcp.Port() != rtp.Port()+1 {
				t.Errorf("local ports %v, %v are no pair", rtp, rtcp)
			}
		}
	})
}

// TestFilter: what goes to the partner is what the filter leaves of it, and a listener hears what came.
func TestFilter(t *testing.T) {
	world(t, func(t *testing.T, sim *network.Sim, r *Relay) {
		alice := newParty(t, sim.Host(netip.MustParseAddr("192.0.2.1")), "192.0.2.1:4000")
		bob := newParty(t, sim.Host(netip.MustParseAddr("192.0.2.2")), "192.0.2.2:5000")
		a, b := open(t, r), open(t, r)
		aim(a, "192.0.2.1:4000", "192.0.2.1:4001")
		aim(b, "192.0.2.2:5000", "192.0.2.2:5001")
		Join(a, b)
		var heard []string
		a.Record(func(packet []byte, _ time.Time, _ bool) { heard = append(heard, string(packet[12:])) })
		a.Filter(func(packet []byte, control bool) []byte {
			switch string(packet[12:]) {
			case "nothing":
				return nil
			case "another":
				b.Send(rtpPacket(9, 9, "first"))
				return append(packet[:12], "then"...)
			}
			return packet
		})
		to, _ := a.Local()
		for i, word := range []string{"hello", "nothing", "another"} {
			alice.send(t, to, rtpPacket(uint16(i), 7, word))
		}
		a.Filter(nil)
		alice.send(t, to, rtpPacket(3, 7, "nothing"))
		var got []string
		for _, packet := range bob.take() {
			got = append(got, packet[12:])
		}
		if want := []string{"hello", "first", "then", "nothing"}; !slices.Equal(got, want) || !slices.Equal(heard, []string{"hello", "nothing", "another", "nothing"}) {
			t.Errorf("bob got %q, want %q; heard %q", got, want, heard)
		}
	})
}
