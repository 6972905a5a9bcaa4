package relay

// A stream: two sockets, one peer, and what is known about both.

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sipwerk/sipwerk/internal/mmsg"
	"github.com/sipwerk/sipwerk/media/rtp"
)

// A Stream is one m= line of one leg. Its methods may be called from anywhere.
type Stream struct {
	relay   *Relay
	carrier *Stream    // that it rides on; nil: the sockets are its own
	ip      netip.Addr // that was asked for
	hub     *mmsg.Hub  // that serves the sockets; nil: a goroutine each
	berth   *berth     // on a shared port; nil: the sockets are for nobody else
	sockets [2]socket
	pair    int // of the pool
	tap     atomic.Pointer[Listener]
	record  atomic.Pointer[Listener]
	aside   atomic.Pointer[Aside]
	filter  atomic.Pointer[Filter]
	express atomic.Pointer[tracks] // of the base; nil: the kernel has carried nothing yet

	mu       sync.Mutex // of the base, guards what follows
	partner  atomic.Pointer[Stream]
	counters traffic
	receiver rtp.Receiver
	hearing  hearing // of the peer
	last     time.Duration
	stamp    *stamp         // nil: nothing is written into its packets
	number   func(b []byte) // told of RTP that is sent; nil: nobody

	// Of the base alone.
	latches [2]latch
	lanes   *lanes // what is told apart; nil: all is its own
	sweep   *Sweep // that reads it
	cipher  Cipher // nil: plain
	closed  bool   // of each
	shared  bool   // others ride on it, or have
	swept   bool   // a sweep reads it, or has: the sockets are for no other stream
	mux     bool   // RTCP on the RTP port
	opaque  bool
	own     bool // the peer is a stream of ours
}

// Peer is what an offer or answer says about the other end of a stream.
type Peer struct {
	RTP, RTCP netip.AddrPort // where the description wants packets; invalid if it does not say, unspecified on hold
	Signalled netip.Addr     // where the SIP messages come from
	Clock     int            // of RTP timestamps in Hz, for jitter; 0: not known
	Own       bool           // the other end is a stream of this relay too: an endpoint of ours, or another call
	Opaque    bool           // not RTP (DTLS, T.38): whatever comes from the peer is passed on
}

// A Listener gets each packet heard from the peer, without protection, on the goroutine that read it, and is told when it arrived. It must neither block nor keep b.
// control tells that it came on the RTCP socket, or is RTCP of a peer with which [Stream.Mux] is on.
type Listener func(b []byte, at time.Time, control bool)

// base is the stream whose sockets s uses, and whose mutex guards it: itself, or the one that it rides on.
func (s *Stream) base() *Stream {
	if s.carrier != nil {
		return s.carrier
	}
	return s
}

// Local returns the addresses of the sockets.
func (s *Stream) Local() (rtp, rtcp netip.AddrPort) {
	return s.base().sockets[media].local(), s.base().sockets[control].local()
}

// Aim takes what an offer or answer of the peer says, and opens the learning window. An address that is one of our own sockets is none,
// unless p.Own: a call that comes back to us over other servers gets no media rather than a loop. For one that rides only p.Clock counts.
func (s *Stream) Aim(p Peer) {
	if s.carrier != nil {
		s.base().mu.Lock()
		defer s.base().mu.Unlock()
		s.receiver.Clock = uint32(p.Clock)
		return
	}
	for _, a := range [...]*netip.AddrPort{&p.RTP, &p.RTCP} {
		if !p.Own && s.relay.owns(*a) {
			*a = netip.AddrPort{}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.halt()
	s.collectLocked()
	s.receiver.Clock, s.opaque, s.own = uint32(p.Clock), p.Opaque, p.Own
	s.latches[media].open(p.RTP, p.Signalled)
	s.latches[control].open(p.RTCP, p.Signalled)
	if s.berth != nil {
		s.berth.describe(s, p.RTP)
	}
}

// Remote returns where RTP to the peer goes now; invalid if that is not known.
func (s *Stream) Remote() netip.AddrPort {
	t := s.base()
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.latches[media].target()
}

// Tap gives every packet heard to f as well; nil ends that.
func (s *Stream) Tap(f Listener) {
	if f == nil {
		s.tap.Store(nil)
		return
	}
	s.tap.Store(&f)
	s.halt()
}

// Record is [Stream.Tap] for one more listener, which hears beside it.
func (s *Stream) Record(f Listener) {
	if f == nil {
		s.record.Store(nil)
		return
	}
	s.record.Store(&f)
	s.halt()
}

// A Filter gets each packet that goes from a stream to its partner, without protection, on the goroutine that read it. It returns what goes on, a part of b that it may have changed; nil: nothing
// does, and it may have said something else by [Stream.Send] of the partner. It must neither block nor keep b. control is that of [Listener].
type Filter func(b []byte, control bool) []byte

// Filter lets f decide what the partner gets of what is heard; nil ends that.
func (s *Stream) Filter(f Filter) {
	if f == nil {
		s.filter.Store(nil)
		return
	}
	s.filter.Store(&f)
	s.halt()
}

// Counters returns the counts so far.
func (s *Stream) Counters() Counters {
	now := s.relay.now()
	s.base().mu.Lock()
	defer s.base().mu.Unlock()
	s.collectLocked()
	c := s.counters.counters()
	received := s.receiver.Statistics()
	c.Packets, c.Lost, c.Jitter = received.Packets, received.Lost, received.Jitter
	s.hearing.fill(&c, s.receiver.Clock) // both ways have one clock, but for codecs that are converted
	c.LastIn = -1
	if c.PacketsIn > 0 {
		c.LastIn = max(0, now-s.last) // the kernel may have heard something since
	}
	return c
}

// Source returns the SSRC of what the peer sends; false if it has sent nothing.
func (s *Stream) Source() (uint32, bool) {
	s.base().mu.Lock()
	defer s.base().mu.Unlock()
	s.collectLocked()
	heard := s.receiver.Statistics()
	return heard.LastSource, heard.Sources > 0
}

// Timestamp returns the RTP timestamp of what the peer would be sending now, by the clock of its description; false if it has sent nothing. Who speaks in the peer's place
// begins there: some receivers take a jump of the timestamps for frames that are too old.
func (s *Stream) Timestamp() (uint32, bool) {
	now := s.relay.started.Add(s.relay.now())
	s.base().mu.Lock()
	defer s.base().mu.Unlock()
	s.collectLocked()
	return s.receiver.Timestamp(now)
}

// Join makes a and b one path: what is heard on one is sent on the other. Each leaves the stream it was joined with before.
func Join(a, b *Stream) {
	Part(a)
	Part(b)
	a.setPartner(nil, b)
	b.setPartner(nil, a)
}

// Part ends the path that s is part of.
func Part(s *Stream) {
	s.base().mu.Lock()
	old := s.partner.Swap(nil)
	s.base().mu.Unlock()
	s.halt()
	if old != nil {
		old.setPartner(s, nil)
	}
}

// setPartner makes to the partner if it is from.
func (s *Stream) setPartner(from, to *Stream) {
	s.base().mu.Lock()
	defer s.base().mu.Unlock()
	if s.partner.Load() == from && !s.closed {
		s.partner.Store(to)
		s.halt()
	}
}

// Close closes the sockets and frees their ports, unless they are those of another stream. It may be called twice.
func (s *Stream) Close() {
	Part(s)
	s.base().mu.Lock()
	closed, keep := s.closed, !s.swept
	s.closed = true
	s.base().mu.Unlock()
	s.halt()
	if closed || s.carrier != nil {
		return
	}
	s.relay.remove(s)
	s.release(keep)
}
