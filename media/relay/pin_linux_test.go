package relay

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/network"
)

// pinOf returns what the second socket of a local address is connected to; invalid: the table shows none.
func pinOf(t *testing.T, local netip.AddrPort) (pinned netip.AddrPort) {
	t.Helper()
	table, err := os.ReadFile("/proc/net/udp")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(table)) {
		var slot int
		var from, to uint32
		var at, port uint16
		n, _ := fmt.Sscanf(line, "%d: %x:%x %x:%x", &slot, &from, &at, &to, &port)
		if n == 5 && addr4(from) == local.Addr() && at == local.Port() && port != 0 {
			pinned = netip.AddrPortFrom(addr4(to), port)
		}
	}
	return pinned
}

// addr4 is an address as the table shows it: the word that it is in memory.
func addr4(word uint32) netip.Addr {
	var b [4]byte
	binary.NativeEndian.PutUint32(b[:], word)
	return netip.AddrFrom4(b)
}

// conversation is a call in which the first phone has been heard for so long that its stream has a socket for it alone. Its next sequence number is 10.
type conversation struct {
	relay   *Relay
	phones  [2]*phone
	streams [2]*Stream
	to      netip.AddrPort // of the first stream
	before  [2]uint64      // see passed
}

func pinned(t *testing.T) conversation {
	t.Helper()
	r, phones, streams := realCall(t)
	to, _ := streams[0].Local()
	for seq := range uint16(10) {
		voice := rtpPacket(seq, 7, "voice")
		phones[0].send(voice, to)
		if got := phones[1].hear(); got != string(voice) {
			t.Fatalf("heard %q", got)
		}
		streams[0].old()
	}
	expectPin(t, to, phones[0])
	return conversation{relay: r, phones: phones, streams: streams, to: to}
}

// old makes it long ago that a source was learned.
func (s *Stream) old() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latches[media].closes = 0
}

// quiet makes it long ago that anything was heard.
func (s *Stream) quiet() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latches[media].last -= silence
}

// expectPin expects a socket that is for p alone; nil: for nobody. The system writes its table piece by piece, and leaves out lines when other sockets come and go meanwhile: what it does not show at
// once it shows when it is asked again.
func expectPin(t *testing.T, local netip.AddrPort, p *phone) {
	t.Helper()
	var want netip.AddrPort
	times := 1
	if p != nil {
		want, times = p.addr(), 50
	}
	var got netip.AddrPort
	for range times {
		if got = pinOf(t, local); got == want {
			return
		}
	}
	t.Fatalf("%v has a socket for %v, want %v", local, got, want)
}

// talks lets p say something and expects the second phone to hear it, and p what that says: whatever strangers send is not heard.
func (c *conversation) talks(t *testing.T, p *phone, seq uint16, ssrc uint32) {
	t.Helper()
	b, _ := c.streams[1].Local()
	for i := range uint16(3) {
		voice, answer := rtpPacket(seq+i, ssrc, "voice"), rtpPacket(seq+i, 9, "answer")
		p.send(voice, c.to)
		if got := c.phones[1].hear(); got != string(voice) {
			t.Fatalf("heard %q", got)
		}
		c.phones[1].send(answer, b)
		if got := p.hear(); got != string(answer) {
			t.Fatalf("the answer is %q", got)
		}
	}
}

// TestPinned: while a phone has a socket for it alone, what others inject is neither heard nor answered, and silence opens the stream for nobody who does not fit. RFC 7362 §5.
func TestPinned(t *testing.T) {
	c := pinned(t)
	phones, streams, to := c.phones, c.streams, c.to
	thief := newPhone(t)
	for round := range 2 {
		for seq := range uint16(20) {
			thief.send(rtpPacket(seq, 8, "noise"), to)
			thief.send(rtcpPacket(8), to)
		}
		c.talks(t, phones[0], uint16(10+10*round), 7)
		streams[0].quiet()
	}
	for streams[0].Counters().Refused < 80 {
		runtime.Gosched()
	}
	if n := streams[0].Counters().PacketsIn; n != 16 {
		t.Errorf("%d were heard", n)
	}
	expectPin(t, to, phones[0])
}

// TestPinnedMoves: a phone that comes from another port after silence is heard, and what it gets goes there at once; a socket of its own follows. RFC 7362 §4.
func TestPinnedMoves(t *testing.T) {
	c := pinned(t)
	phones, streams, to := c.phones, c.streams, c.to
	moved := newPhone(t)
	moved.send(rtpPacket(10, 7, "too early"), to)
	c.talks(t, phones[0], 10, 7)
	streams[0].quiet()
	c.talks(t, moved, 13, 7)
	phones[0].send(rtpPacket(16, 7, "too late"), to)
	c.talks(t, moved, 16, 7)
	expectPin(t, to, phones[0])
	streams[0].old()
	c.talks(t, moved, 19, 7)
	expectPin(t, to, moved)
}

// TestPinnedProof: a packet that opens makes its source the peer at once, although another has a socket of its own. RFC 7362 §4.
func TestPinnedProof(t *testing.T) {
	c := pinned(t)
	phones, streams, to := c.phones, c.streams, c.to
	streams[0].Secure(&seal{key: 7, seen: map[uint16]bool{}})
	other := newPhone(t)
	for i, p := range []*phone{phones[0], other, phones[0], other} {
		voice := rtpPacket(uint16(20+i), 7, "voice")
		p.send(sealed(7, voice), to)
		if got := phones[1].hear(); got != string(voice) {
			t.Fatalf("heard %q", got)
		}
		streams[0].Send(voice)
		if got := p.hear(); got != string(sealed(7, voice)) {
			t.Fatalf("who spoke last gets %q", got)
		}
	}
	expectPin(t, to, phones[0])
}

// TestPinnedAim: a new description opens the window for another peer, and the former one is not heard any more.
func TestPinnedAim(t *testing.T) {
	c := pinned(t)
	phones, streams, to := c.phones, c.streams, c.to
	next := newPhone(t)
	streams[0].Aim(Peer{RTP: next.addr(), Signalled: loopback})
	c.talks(t, next, 500, 20)
	streams[0].old()
	phones[0].send(rtpPacket(10, 7, "former"), to)
	c.talks(t, next, 503, 20)
	expectPin(t, to, next)
}

// TestPinnedFix: what ICE chooses is heard and reached at once, and STUN of anybody still gets through.
func TestPinnedFix(t *testing.T) {
	c := pinned(t)
	phones, streams, to := c.phones, c.streams, c.to
	checks := make(chan netip.AddrPort, 10)
	streams[0].Aside(func(b []byte, from netip.AddrPort, _ bool) {
		checks <- from
		_ = streams[0].SendTo(b, from, false)
	})
	chosen := newPhone(t)
	for _, p := range []*phone{chosen, phones[0], newPhone(t)} {
		p.send(check("anna"), to)
		if from := <-checks; from != p.addr() {
			t.Fatalf("checked from %v", from)
		}
		if got := p.hear(); got != string(check("anna")) {
			t.Fatalf("the answer to the check is %q", got)
		}
	}
	streams[0].Fix(chosen.addr())
	phones[0].send(rtpPacket(10, 7, "former"), to)
	c.talks(t, chosen, 10, 7)
	expectPin(t, to, chosen)
	streams[0].Fix(netip.AddrPort{})
	c.talks(t, phones[0], 13, 7)
}

// TestPinnedSweep: a room that reads the stream at its beat ends it, and when it has left it comes back.
func TestPinnedSweep(t *testing.T) {
	c := pinned(t)
	phones, streams, to := c.phones, c.streams, c.to
	w := c.relay.NewSweep()
	defer w.Close()
	w.Enlist(streams[0])
	expectPin(t, to, nil)
	voice := rtpPacket(10, 7, "voice")
	phones[0].send(voice, to)
	w.Read()
	w.Flush()
	if got := phones[1].hear(); got != string(voice) {
		t.Errorf("heard %q", got)
	}
	expectPin(t, to, nil)
	w.Dismiss(streams[0])
	c.talks(t, phones[0], 11, 7)
	expectPin(t, to, phones[0])
}

// hearSoon is hear for a packet that may be lost, and is sent again after a moment. Empty: none has come.
func (p *phone) hearSoon() string {
	p.t.Helper()
	b := make([]byte, 4096)
	_ = p.conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	n, err := p.conn.Read(b)
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		p.t.Fatal(err)
	}
	return string(b[:n])
}

// TestPinnedUnreachable: a phone whose port is closed for a while is heard when it is back, and hears all that is said from then on.
func TestPinnedUnreachable(t *testing.T) {
	c := pinned(t)
	phones, streams, to := c.phones, c.streams, c.to
	at := phones[0].addr()
	_ = phones[0].conn.Close()
	for seq := range uint16(20) {
		streams[0].Send(rtpPacket(seq, 9, "lost"))
	}
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(at))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	phones[0] = &phone{t: t, conn: conn}
	voice, answer := rtpPacket(10, 7, "voice"), rtpPacket(10, 9, "answer")
	phones[0].send(voice, to)
	if got := phones[1].hear(); got != string(voice) {
		t.Errorf("heard %q", got)
	}
	from, _ := streams[1].Local()
	got := ""
	for tries := 0; got != string(answer) && tries < 1000; tries++ { // the system may still be at what was lost
		phones[1].send(answer, from)
		got = phones[0].hearSoon()
	}
	if got != string(answer) {
		t.Fatalf("the answer is %q", got)
	}
	expectPin(t, to, phones[0])
}

// TestPinnedKept: the next call on the ports of one that is over hears its own phone, and has nothing of the former one.
func TestPinnedKept(t *testing.T) {
	r := &Relay{Network: network.OS{}, Ports: freePair(t)}
	r.kept.rest = -1
	t.Cleanup(func() { _ = r.Close() })
	var former *phone
	for call := range 3 {
		s, err := r.Open(t.Context(), loopback)
		if err != nil {
			t.Fatal(err)
		}
		to, _ := s.Local()
		expectPin(t, to, nil)
		heard := make(chan string, 10)
		s.Tap(func(b []byte, _ time.Time, _ bool) { heard <- string(b) })
		p := newPhone(t)
		s.Aim(Peer{RTP: p.addr(), Signalled: loopback})
		for seq := range uint16(5) {
			voice := rtpPacket(seq, uint32(call), "voice")
			p.send(voice, to)
			if got := <-heard; got != string(voice) {
				t.Fatalf("heard %q", got)
			}
			if former != nil {
				former.send(rtpPacket(seq, 7, "former"), to)
				for s.Counters().Refused <= uint64(seq) { // none is left for the next call
					runtime.Gosched()
				}
			}
			s.old()
		}
		expectPin(t, to, p)
		former = p
		s.Close()
	}
}

// TestPinnedClosed: a packet that is on its way through a stream while that is closed leaves nothing on its ports, which rest for another.
func TestPinnedClosed(t *testing.T) {
	r := &Relay{Network: network.OS{}, Ports: freePair(t)}
	t.Cleanup(func() { _ = r.Close() })
	s, err := r.Open(t.Context(), loopback)
	if err != nil {
		t.Fatal(err)
	}
	to, _ := s.Local()
	p := newPhone(t)
	s.Aim(Peer{RTP: p.addr(), Signalled: loopback})
	s.Fix(p.addr()) // so that it is no new source
	late := func() {
		m := r.batch()
		s.sockets[media].take(m, m.buf[:copy(m.buf[:], rtpPacket(1, 7, "voice"))], arrival{from: p.addr(), at: r.now()})
	}
	late()
	expectPin(t, to, p)
	s.Close()
	expectPin(t, to, nil)
	late()
	expectPin(t, to, nil)
}
