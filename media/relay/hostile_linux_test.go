package relay

import (
	"context"
	"math/rand/v2"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/network"
)

var loopback = netip.MustParseAddr("127.0.0.1")

// phone is a peer on a real socket.
type phone struct {
	t    *testing.T
	conn *net.UDPConn
}

func newPhone(t *testing.T) *phone {
	t.Helper()
	c, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(loopback, 0)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return &phone{t: t, conn: c}
}

func (p *phone) addr() netip.AddrPort { return p.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

func (p *phone) send(b []byte, to netip.AddrPort) {
	if _, err := p.conn.WriteToUDPAddrPort(b, to); err != nil {
		p.t.Error(err)
	}
}

// hear waits for a packet; a minute is for a machine that does much else.
func (p *phone) hear() string {
	p.t.Helper()
	b := make([]byte, 4096)
	_ = p.conn.SetReadDeadline(time.Now().Add(time.Minute))
	n, err := p.conn.Read(b)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(b[:n])
}

// realCall is two phones on two joined streams of a real network.
func realCall(t *testing.T) (r *Relay, phones [2]*phone, streams [2]*Stream) {
	t.Helper()
	r = &Relay{Network: network.OS{}}
	phones, streams = callOn(t, r)
	return r, phones, streams
}

// callOn is realCall on a relay, which ends with the test.
func callOn(t *testing.T, r *Relay) (phones [2]*phone, streams [2]*Stream) {
	t.Helper()
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	for i := range phones {
		phones[i] = newPhone(t)
		s, err := r.Open(t.Context(), loopback)
		if err != nil {
			t.Fatal(err)
		}
		s.Aim(Peer{RTP: phones[i].addr(), Signalled: loopback})
		streams[i] = s
	}
	Join(streams[0], streams[1])
	return phones, streams
}

// TestNoiseOnEveryPort: ten thousand datagrams of random bytes to every port, from the peer and from others: nothing panics, nothing grows, and the call goes on.
func TestNoiseOnEveryPort(t *testing.T) {
	r, phones, streams := realCall(t)
	streams[1].Secure(&seal{key: 7, seen: map[uint16]bool{}})
	streams[1].Aside(func([]byte, netip.AddrPort, bool) {})
	stranger := newPhone(t)
	random := rand.New(rand.NewPCG(1, 2))
	before := heap()
	noise := make([]byte, 2000)
	for i := range 10_000 {
		b := noise[:random.IntN(200)]
		if i%50 == 0 {
			b = noise
		}
		for j := range b {
			b[j] = byte(random.Uint32())
		}
		for _, s := range streams {
			rtp, rtcp := s.Local()
			from := phones[0]
			if i%2 == 0 {
				from = stranger
			}
			from.send(b, rtp)
			from.send(b, rtcp)
		}
	}
	if grown := heap() - before; grown > 1<<20 {
		t.Errorf("the heap has grown by %d bytes", grown)
	}
	if n := r.Streams(); n != 2 {
		t.Errorf("%d streams", n)
	}
	rtp, _ := streams[0].Local()
	voice := string(rtpPacket(1, 7, "voice"))
	ctx, quiet := context.WithCancel(t.Context())
	var talk sync.WaitGroup
	talk.Go(func() { // what waits in the socket may leave no room for a packet: a voice goes on
		for beat := time.NewTicker(10 * time.Millisecond); ctx.Err() == nil; <-beat.C {
			phones[0].send([]byte(voice), rtp)
		}
	})
	protected := string(sealed(7, []byte(voice)))
	for phones[1].hear() != protected { // noise that looks like RTP of the peer is passed on
	}
	quiet()
	talk.Wait()
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestMemoryOfSession: the media of a call, two streams with four sockets, takes at most 16 KB.
func TestMemoryOfSession(t *testing.T) {
	r := &Relay{Network: network.OS{}}
	defer r.Close()
	open := func() *Stream {
		s, err := r.Open(t.Context(), loopback)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for range perHub { // the threads are there
		Join(open(), open())
	}
	before := heap()
	const sessions = 50
	for range sessions {
		Join(open(), open())
	}
	if each := (heap() - before) / sessions; each > 16<<10 {
		t.Errorf("%d bytes of heap a session", each)
	} else {
		t.Logf("%d bytes of heap a session", each)
	}
	if want := min(2, runtime.NumCPU()); len(r.hubs) < want {
		t.Errorf("%d threads, want at least %d", len(r.hubs), want)
	}
}

// TestHubsEnd: after its end a relay has nothing open, and its ports are free.
func TestHubsEnd(t *testing.T) {
	r, phones, streams := realCall(t)
	rtp, _ := streams[0].Local()
	phones[0].send(rtpPacket(1, 7, "voice"), rtp)
	if got := phones[1].hear(); got != string(rtpPacket(1, 7, "voice")) {
		t.Errorf("heard %q", got)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if n := r.Streams(); n != 0 || len(r.hubs) != 0 {
		t.Errorf("%d streams and %d threads left", n, len(r.hubs))
	}
	if _, err := r.Open(t.Context(), loopback); err == nil {
		t.Error("a stream was opened after the end")
	}
	c, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(rtp))
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
}

// TestSharedPortOnHubs: a stream of a shared port and one whose sockets a hub serves, on a real network: what comes to either leaves by the other, and ten thousand datagrams of random bytes leave nothing
// behind.
func TestSharedPortOnHubs(t *testing.T) {
	probe := newPhone(t) // finds a port that is free
	r := &Relay{Network: network.OS{}, Shared: probe.addr().Port()}
	_ = probe.conn.Close()
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	browser, desk := newPhone(t), newPhone(t)
	a, err := r.OpenShared(t.Context(), loopback)
	if err != nil {
		t.Fatal(err)
	}
	b, err := r.Open(t.Context(), loopback)
	if err != nil {
		t.Fatal(err)
	}
	at, _ := a.Local()
	desks, _ := b.Local()
	if at.Port() != r.Shared || b.hub == nil {
		t.Fatalf("at %v, and no hub", at)
	}
	a.Aside(func(b []byte, from netip.AddrPort, _ bool) {
		a.Checked(from)
		_ = a.SendTo([]byte("welcome"), from, false)
	})
	a.Called("anna")
	b.Aim(Peer{RTP: desk.addr(), Signalled: loopback})
	Join(a, b)
	browser.send(check("anna"), at)
	if got := browser.hear(); got != "welcome" {
		t.Fatalf("got %q", got)
	}
	a.Aim(Peer{RTP: browser.addr(), Signalled: loopback})
	random := rand.New(rand.NewPCG(1, 2))
	noise := newPhone(t)
	for i := range 10000 {
		junk := make([]byte, random.IntN(300))
		for j := range junk {
			junk[j] = byte(random.Uint32())
		}
		noise.send(junk, at)
		if i%100 == 0 {
			voice := rtpPacket(uint16(i/100), 7, "voice")
			browser.send(voice, at)
			if got := desk.hear(); got != string(voice) {
				t.Fatalf("the desk heard %q", got)
			}
			desk.send(voice, desks)
			if got := browser.hear(); got != string(voice) {
				t.Fatalf("the browser heard %q", got)
			}
		}
	}
	if p := a.berth.port; len(p.claims) != 1 || len(p.names) != 1 {
		t.Errorf("%d claims, %d names", len(p.claims), len(p.names))
	}
	a.Close()
	b.Close()
}

// TestReportsOfTwoLines: a report that concerns two lines of a bundle reaches both far sides whole, each with its own protection, where a hub reads.
func TestReportsOfTwoLines(t *testing.T) {
	r, phones, streams := realCall(t)
	third := newPhone(t)
	line := streams[0].Ride()
	far, err := r.Open(t.Context(), loopback)
	if err != nil {
		t.Fatal(err)
	}
	far.Aim(Peer{RTP: third.addr(), Signalled: loopback})
	Join(line, far)
	for i, s := range []*Stream{streams[1], far} {
		s.Mux(true)
		s.Secure(&seal{key: uint32(7 + i), seen: map[uint16]bool{}})
	}
	streams[0].Mux(true)
	streams[0].Sort(rideMID, Lane{streams[0], "a", []uint8{0}}, Lane{line, "v", []uint8{96}})
	at, _ := streams[0].Local()
	for i, packet := range [][]byte{tagged(1, 0, "a"), tagged(2, 96, "v")} {
		phones[0].send(packet, at)
		[]*phone{phones[1], third}[i].hear()
	}
	both := append(rtcpPacket(1), rtcpPacket(2)...)
	for range 200 {
		phones[0].send(both, at)
		for i, p := range []*phone{phones[1], third} {
			if got := p.hear(); got != string(sealed(uint32(7+i), both)) {
				t.Fatalf("far side %d got %x", i, got)
			}
		}
	}
}
