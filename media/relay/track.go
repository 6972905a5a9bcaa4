package relay

// What a stream and the kernel have to do with each other: when it may carry, what it has counted, and what ends it.

import (
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/sipwerk/sipwerk/internal/kernel"
)

// grace is how long after the begin of a way packets of it may come to the socket: they have waited there.
const grace = time.Second

// track is the way of the RTP packets of one peer through the kernel. Whoever stops its entry has them come to the socket again.
type track struct {
	entry   *kernel.Entry
	from    *Stream
	to      *Stream        // written before the entry begins
	source  netip.AddrPort // of the packets
	ssrc    uint32
	since   time.Duration
	heard   tally // as far as from has counted it, guarded by its mutex
	said    tally // as far as to has
	resting bool  // it was found stopped at the last beat
}

type tally struct{ packets, bytes uint64 }

// count returns what has come since the last time.
func (t *tally) count(c *kernel.Count) (fresh tally) {
	fresh = tally{c.Packets - t.packets, c.Bytes - t.bytes}
	*t = tally{c.Packets, c.Bytes}
	return fresh
}

// halt gives what the kernel carries from and to the peer of s back to the sockets. It is called when something has changed that the kernel does not know of.
func (s *Stream) halt() {
	if t := s.base().express.Load(); t != nil {
		for _, x := range [...]*track{t.heard.Load(), t.said.Load()} {
			if x != nil {
				x.entry.Stop()
			}
		}
	}
}

// ask asks the kernel to carry what the peer of s says; it reports whether that is so, or may be soon.
func (s *Stream) ask(a *arrival) bool {
	e := s.relay.express
	switch {
	case e == nil || a.express:
		return a.express
	case !a.plain:
		return false
	}
	t := s.tracks()
	if a.at < time.Duration(t.due.Load()) {
		return false
	}
	t.due.Store(int64(a.at + askAgain))
	select {
	case e.asking <- s:
		return true
	default:
		return false
	}
}

// tireLocked makes the stream wait for longer than it did last, unless the kernel carries enough meanwhile: a way by which nothing comes, or that breaks again and again, is not worth the asking.
func (t *tracks) tireLocked(now time.Duration) {
	t.pause = min(max(askAgain, 2*t.pause), askSeldom)
	t.restLocked(now, t.pause)
}

// restLocked lets the stream ask no more for a while, which is no shorter than least.
func (t *tracks) restLocked(now, least time.Duration) { t.due.Store(int64(now + max(least, t.pause))) }

// tracks returns those of s, which has some from now on.
func (s *Stream) tracks() *tracks {
	if t := s.express.Load(); t != nil {
		return t
	}
	s.express.CompareAndSwap(nil, new(tracks))
	return s.express.Load()
}

// bareLocked tells whether packets of s are plain RTP on sockets of its own.
func (s *Stream) bareLocked() bool {
	return !s.closed && s.carrier == nil && !s.shared && s.lanes == nil && s.cipher == nil && !s.opaque && !s.own && s.sweep == nil && s.sockets[media].line != nil
}

// plainLocked tells whether what the peer of s says is for its partner alone, as it comes, and whether nobody else can become that peer now.
func (s *Stream) plainLocked(now time.Duration) bool {
	l := &s.latches[media]
	return s.bareLocked() && l.kind == sound && l.steady(now) && s.tap.Load() == nil && s.record.Load() == nil && s.filter.Load() == nil
}

// takesLocked tells whether what goes to the peer of s is what comes from the peer of from, and where that is has lasted.
func (s *Stream) takesLocked(from *Stream, now time.Duration) bool {
	l := &s.latches[media]
	return s.bareLocked() && s.partner.Load() == from && s.stamp == nil && s.number == nil && l.steady(now) && l.target().IsValid()
}

// goes tells whether the kernel may carry what the peer of s says, as far as can be told beforehand.
func (s *Stream) goes() bool {
	s.mu.Lock()
	to, plain := s.partner.Load(), s.plainLocked(s.relay.now())
	s.mu.Unlock()
	if to == nil || to.carrier != nil || !plain {
		return false
	}
	to.mu.Lock()
	defer to.mu.Unlock()
	return to.takesLocked(s, s.relay.now())
}

// lend makes x the way of what the peer of s says, and completes it and w as far as s knows.
func (s *Stream) lend(x *track, w *kernel.Way) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.collectLocked()
	s.tracks().heard.Store(x) // before anything is looked at: who listens from now on stops it
	x.to = s.partner.Load()
	standing, started := s.receiver.Standing()
	l := &s.latches[media]
	x.source, x.ssrc, x.since = l.heardFrom(), standing.SSRC, s.relay.now()
	s.tracks().tireLocked(x.since)
	w.From, w.At, w.Clock, w.Standing = x.source, s.sockets[media].local(), s.receiver.Clock, standing
	return started && x.to != nil && x.to.carrier == nil && x.source.IsValid() && s.plainLocked(x.since)
}

// borrow is lend for the stream by which they leave.
func (s *Stream) borrow(x *track, w *kernel.Way) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.collectLocked()
	s.tracks().said.Store(x)
	w.Via, w.To = s.sockets[media].local(), s.latches[media].target()
	return s.takesLocked(x.from, s.relay.now())
}

// leave takes x out of a place in s.
func (x *track) leave(s *Stream, place func(*tracks) *atomic.Pointer[track]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.collectLocked()
	if t := s.express.Load(); t != nil {
		place(t).CompareAndSwap(x, nil)
	}
}

// collectLocked counts what the kernel has carried, and returns the way of what is heard, if it runs.
func (s *Stream) collectLocked() *track {
	t := s.express.Load()
	if t == nil {
		return nil
	}
	if x := t.said.Load(); x != nil {
		c := x.entry.Count()
		fresh := x.said.count(&c)
		s.counters.PacketsOut += fresh.packets
		s.counters.BytesOut += fresh.bytes
	}
	x := t.heard.Load()
	if x == nil {
		return nil
	}
	s.hearTrackLocked(x)
	if !x.entry.Running() {
		return nil
	}
	return x
}

func (s *Stream) hearTrackLocked(x *track) {
	c := x.entry.Count()
	fresh := x.heard.count(&c)
	if fresh.packets == 0 {
		return
	}
	s.counters.PacketsIn += fresh.packets
	s.counters.BytesIn += fresh.bytes
	at := c.Standing.Last.Sub(s.relay.started)
	s.last = max(s.last, at)
	s.receiver.Advance(uint32(fresh.packets), c.Standing)
	if c.Packets >= worthwhile {
		s.tracks().pause = 0
	}
	if l := &s.latches[media]; l.heardFrom() == x.source && l.kind == sound && l.ssrc == x.ssrc {
		l.last, l.seq = max(l.last, at), uint16(c.Standing.Highest)
	}
}

// besideLocked looks at what came to the socket of a stream that the kernel carries: what belongs to the way, and was left by the program, it does not know well enough any more.
func (s *Stream) besideLocked(x *track, a *arrival, heard bool) {
	switch {
	case s.latches[media].heardFrom() != x.source:
		s.halt()
	case heard && a.kind == sound && (a.ssrc != x.ssrc || a.at-x.since > grace):
		x.entry.Stop()
		s.tracks().restLocked(a.at, askAgain)
	}
}
