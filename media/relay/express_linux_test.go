package relay

import (
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/internal/kernel"
	"github.com/sipwerk/sipwerk/network"
)

// expressed is a call whose packets the kernel carries, both ways. Where the system allows nothing of the kind the call goes on as ever, and ok is false. The next number of either phone is 6.
func expressed(t *testing.T) (c conversation, ok bool) {
	t.Helper()
	for try := 1; ; try++ {
		r := &Relay{Network: network.OS{}}
		err := r.Express(nil)
		phones, streams := callOn(t, r)
		to, _ := streams[0].Local()
		c = conversation{relay: r, phones: phones, streams: streams, to: to}
		c.talks(t, phones[0], 0, 7)
		streams[0].old()
		streams[1].old()
		c.talks(t, phones[0], 3, 7)
		switch {
		case err != nil:
			t.Logf("this system allows none: %v", err)
			return c, false
		case c.carried():
			return c, true
		case try == 3:
			t.Fatal("the kernel does not carry the call")
		}
		streams[0].Close() // a machine that stood still for a second: see besideLocked
		streams[1].Close()
	}
}

// carry waits until the kernel carries both ways.
func (c *conversation) carry(t *testing.T) {
	t.Helper()
	if !c.carried() {
		t.Fatal("the kernel does not carry the call")
	}
}

// carried waits for some time until the kernel carries both ways, and reports whether it does.
func (c *conversation) carried() bool {
	for began := time.Now(); c.relay.Carried() < 2; runtime.Gosched() {
		if time.Since(began) > 30*time.Second {
			return false
		}
	}
	for i, s := range c.streams {
		c.before[i] = s.passed()
	}
	return true
}

// passed is how many packets of one phone have passed in the kernel since it carries both.
func (c *conversation) passed(i int) int { return int(c.streams[i].passed() - c.before[i]) }

// passed is how many packets of the peer of s have passed in the kernel on its way of now.
func (s *Stream) passed() uint64 {
	if t := s.express.Load(); t != nil && t.heard.Load() != nil {
		return t.heard.Load().entry.Count().Packets
	}
	return 0
}

// TestExpress: the packets of a call that has settled pass in the kernel, and are counted as if they had come to the sockets. RTCP does come there.
func TestExpress(t *testing.T) {
	c, ok := expressed(t)
	c.talks(t, c.phones[0], 6, 7)
	for i, s := range c.streams {
		if got := c.passed(i); ok && got != 3 {
			t.Errorf("%d passed in the kernel, want 3", got)
		}
		if at, said := s.Timestamp(); !said || at != 8*160 {
			t.Errorf("the timestamp is %d", at)
		}
		n := uint64(len("voice") + 12)
		if i == 1 {
			n = uint64(len("answer") + 12)
		}
		k := s.Counters()
		if k.PacketsIn != 9 || k.Packets != 9 || k.BytesIn != 9*n || k.PacketsOut != 9 || k.Lost != 0 || k.Refused != 0 {
			t.Errorf("stream %d: %+v", i, k)
		}
		if k.LastIn < 0 || k.LastIn > time.Minute {
			t.Errorf("stream %d: heard %v ago", i, k.LastIn)
		}
	}
	_, control := c.streams[0].Local()
	c.phones[0].send(rtpPacket(12, 7, "three are missing"), c.to)
	c.phones[1].hear()
	if k := c.streams[0].Counters(); k.Lost != 3 {
		t.Errorf("%d are missing, want 3", k.Lost)
	}
	c.streams[0].Aim(Peer{RTP: c.phones[0].addr(), RTCP: c.phones[0].addr(), Signalled: loopback})
	c.streams[1].Aim(Peer{RTP: c.phones[1].addr(), RTCP: c.phones[1].addr(), Signalled: loopback})
	c.phones[0].send(rtcpPacket(7), control)
	if got := c.phones[1].hear(); got != string(rtcpPacket(7)) {
		t.Errorf("RTCP became %q", got)
	}
}

// TestExpressInjected: what others send to a port whose packets the kernel carries is neither heard nor answered, and the call goes on in the kernel. RFC 7362 §5.
func TestExpressInjected(t *testing.T) {
	c, ok := expressed(t)
	thief := newPhone(t)
	for seq := range uint16(20) {
		thief.send(rtpPacket(9+seq, 7, "noise"), c.to)
	}
	c.talks(t, c.phones[0], 6, 7)
	for c.streams[0].Counters().Refused < 20 {
		runtime.Gosched()
	}
	c.talks(t, c.phones[0], 9, 7)
	if got := c.passed(0); ok && got != 6 {
		t.Errorf("%d passed in the kernel, want 6", got)
	}
}

// TestExpressEnds: whatever changes about a stream takes its packets out of the kernel before the change is said to be done, whichever of the two it is.
func TestExpressEnds(t *testing.T) {
	hold := netip.AddrPortFrom(netip.IPv4Unspecified(), 9)
	for name, change := range map[string]func(c *conversation, s *Stream){
		"re-INVITE": func(c *conversation, s *Stream) { s.Aim(Peer{RTP: c.phones[0].addr(), Signalled: loopback}) },
		"hold":      func(_ *conversation, s *Stream) { s.Aim(Peer{RTP: hold, Signalled: loopback}) },
		"part":      func(_ *conversation, s *Stream) { Part(s) },
		"another":   func(c *conversation, s *Stream) { Join(s, c.another(t)) },
		"tap":       func(_ *conversation, s *Stream) { s.Tap(func([]byte, time.Time, bool) {}) },
		"record":    func(_ *conversation, s *Stream) { s.Record(func([]byte, time.Time, bool) {}) },
		"filter":    func(_ *conversation, s *Stream) { s.Filter(func(b []byte, _ bool) []byte { return b }) },
		"number":    func(_ *conversation, s *Stream) { s.Number(func([]byte) {}) },
		"stamp":     func(_ *conversation, s *Stream) { s.Stamp(1, "a", true) },
		"keys":      func(_ *conversation, s *Stream) { s.Secure(&seal{key: 7, seen: map[uint16]bool{}}) },
		"ICE":       func(c *conversation, s *Stream) { s.Fix(c.phones[0].addr()) },
		"ride":      func(_ *conversation, s *Stream) { s.Ride() },
		"sort":      func(_ *conversation, s *Stream) { s.Sort(0, Lane{Stream: s, Payloads: []uint8{0}}) },
		"end":       func(_ *conversation, s *Stream) { s.Close() },
		"sweep": func(c *conversation, s *Stream) {
			w := c.relay.NewSweep()
			t.Cleanup(w.Close)
			w.Enlist(s)
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := expressed(t)
			change(&c, c.streams[len(name)%2])
			if n := c.relay.Carried(); n != 0 {
				t.Errorf("the kernel carries %d", n)
			}
			for _, s := range c.streams {
				before := s.passed()
				local, _ := s.Local()
				for i, p := range c.phones {
					p.send(rtpPacket(6, uint32(7+2*i), "after"), local)
				}
				if s.passed() != before {
					t.Error("a packet passed")
				}
			}
		})
	}
}

// another is a stream of nobody.
func (c *conversation) another(t *testing.T) *Stream {
	t.Helper()
	s, err := c.relay.Open(t.Context(), loopback)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// write lets f change something of s.
func (s *Stream) write(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// TestExpressRefuses: streams that are not fit stay with the sockets.
func TestExpressRefuses(t *testing.T) {
	for name, change := range map[string]func(a, b *Stream){
		"tap":         func(a, _ *Stream) { a.Tap(func([]byte, time.Time, bool) {}) },
		"number":      func(_, b *Stream) { b.Number(func([]byte) {}) },
		"new peer":    func(a, _ *Stream) { a.Aim(Peer{RTP: a.Remote(), Signalled: loopback}) },
		"new partner": func(_, b *Stream) { b.write(func() { b.latches[media].closes = time.Hour }) },
		"our own":     func(_, b *Stream) { b.write(func() { b.own = true }) },
		"opaque":      func(a, _ *Stream) { a.write(func() { a.opaque = true }) },
	} {
		c, ok := expressed(t)
		if !ok {
			return
		}
		a, b := c.streams[0], c.streams[1]
		a.halt()
		change(a, b)
		x, w := &track{from: a}, kernel.Way{}
		if a.goes() {
			t.Errorf("%s: it is said to go", name)
		}
		x.entry = a.express.Load().heard.Load().entry
		if a.lend(x, &w) && b.borrow(x, &w) {
			t.Errorf("%s: it goes", name)
		}
	}
}

// TestExpressReturns: after a change that passes, the window of learning is open for as long as ever, and then the kernel carries the call again.
func TestExpressReturns(t *testing.T) {
	c, ok := expressed(t)
	for i, s := range c.streams {
		s.Aim(Peer{RTP: c.phones[i].addr(), Signalled: loopback})
	}
	c.talks(t, c.phones[0], 6, 7)
	if n := c.relay.Carried(); n != 0 {
		t.Errorf("the kernel carries %d of those that have just begun", n)
	}
	for _, s := range c.streams {
		s.old()
		s.mu.Lock()
		s.latches[media].phase = locked
		s.tracks().due.Store(0)
		s.mu.Unlock()
	}
	c.talks(t, c.phones[0], 9, 7)
	if !ok {
		return
	}
	c.carry(t)
	c.talks(t, c.phones[0], 12, 7)
	for i, s := range c.streams {
		if k := s.Counters(); c.passed(i) != 3 || k.PacketsIn != 15 || k.PacketsOut != 15 || k.Lost != 0 {
			t.Errorf("stream %d: %d passed, %+v", i, c.passed(i), k)
		}
	}
}

// TestExpressMoves: a phone that comes from another port after silence is heard, and one that goes on meanwhile is not silent. RFC 7362 §4.
func TestExpressMoves(t *testing.T) {
	c, ok := expressed(t)
	moved := newPhone(t)
	c.streams[0].quiet()
	c.talks(t, c.phones[0], 6, 7)
	moved.send(rtpPacket(9, 7, "too early"), c.to)
	c.talks(t, c.phones[0], 9, 7)
	if n := c.passed(0); ok && n != 6 {
		t.Errorf("%d passed, want 6", n)
	}
	c.streams[0].Counters()
	c.streams[0].quiet()
	c.talks(t, moved, 15, 7)
	if n := c.relay.Carried(); n != 0 {
		t.Errorf("the kernel carries %d", n)
	}
	c.phones[0].send(rtpPacket(18, 7, "too late"), c.to)
	c.talks(t, moved, 18, 7)
}

// TestExpressSource: a peer that goes on under another SSRC is heard, and the kernel does not take it for the former one.
func TestExpressSource(t *testing.T) {
	c, ok := expressed(t)
	c.talks(t, c.phones[0], 500, 8)
	if k := c.streams[0].Counters(); k.Packets != 9 {
		t.Errorf("%+v", k)
	}
	if source, _ := c.streams[0].Source(); source != 8 {
		t.Errorf("the source is %d", source)
	}
	if n := c.relay.Carried(); ok && n != 1 {
		t.Errorf("the kernel carries %d, want the other way alone", n)
	}
}

// TestExpressClosed: with the relay the program ends, and what it has carried was counted.
func TestExpressClosed(t *testing.T) {
	c, _ := expressed(t)
	if err := c.relay.Close(); err != nil {
		t.Error(err)
	}
	if n := c.relay.Carried(); n != 0 {
		t.Errorf("the kernel carries %d", n)
	}
	for i, s := range c.streams {
		if k := s.Counters(); k.PacketsIn != 6 || k.PacketsOut != 6 {
			t.Errorf("stream %d: %+v", i, k)
		}
	}
}
