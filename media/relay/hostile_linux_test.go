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
	return r, phones, streams
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
