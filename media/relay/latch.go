package relay

// Whose packets a stream listens to, and where its own go: symmetric RTP with a guarded learning window. RFC 4961,
// RFC 7362 §4. A step function without clock, socket or lock.

import (
	"net/netip"
	"time"
)

const (
	// window is how long after the first packet a better source may still displace the one that came first.
	window = time.Second
	// silence is how long a source must have been quiet before its packets are taken from another port.
	silence = 5 * time.Second
	// dropout is the largest gap of sequence numbers that still counts as the same stream. RFC 3550 §A.1.
	dropout = 3000
)

// rank is how well a source fits what signalling said; the better one displaces the other while the window is open.
type rank uint8

const (
	stranger  rank = iota + 1 // neither described nor signalled
	neighbour                 // the address of the description or of the signalling, another port
	expected                  // exactly what the description says, or who was heard before a new description said the same
)

// phase is how far learning has come.
type phase uint8

const (
	shut    phase = iota // no description yet: nobody is heard
	waiting              // open, no packet yet
	racing               // open until closes
	locked               // one source and no other
)

// latch is the learning state of one socket. It is plain data.
type latch struct {
	described netip.AddrPort  // where the peer's description wants packets
	signalled netip.Addr      // where the peer's SIP messages come from
	source    netip.AddrPort  // who is heard; kept when the window opens again, until someone is heard
	fixed     *netip.AddrPort // the only source and target; nil: they are learned
	strangers bool            // rank stranger is heard at all

	phase  phase
	rank   rank          // of source in this window
	closes time.Duration // end of the window while racing; while locked, until when the source is new
	last   time.Duration // arrival of the last packet heard
	kind   kind          // of the last packet heard, RTP if there was any
	ssrc   uint32        // of the last packet heard of that kind
	seq    uint16        // of the last RTP packet heard
}

// arrival is what a latch sees of a packet.
type arrival struct {
	from    netip.AddrPort
	at      time.Duration // since any fixed moment
	kind    kind
	ssrc    uint32
	seq     uint16 // RTP only
	size    int    // as it came
	proven  bool   // its protection shows that it comes from the peer
	claim   *claim // by which it came from a shared port; nil: from another
	pinned  bool   // it came by a socket that is for its source alone
	steady  bool   // it was heard, its source is no new one, and no beat reads it
	plain   bool   // it is for the partner of its stream alone, as it came
	express bool   // the kernel carries others of its kind
}

// open begins a learning window: an offer or an answer has come. A source that was heard under the same description goes
// on as the expected one.
func (l *latch) open(described netip.AddrPort, signalled netip.Addr) {
	if described != l.described || signalled != l.signalled {
		l.source, l.kind = netip.AddrPort{}, foreign
	}
	l.described, l.signalled = described, signalled
	l.phase, l.rank = waiting, 0
}

// target is where packets to the peer go; invalid if that is not known, or if the peer holds by the address 0.0.0.0
// (RFC 3264 §8.4).
func (l *latch) target() netip.AddrPort {
	switch {
	case l.fixed != nil:
		return *l.fixed
	case l.described.Addr().IsUnspecified():
		return netip.AddrPort{}
	case l.source.IsValid():
		return l.source
	}
	return l.described
}

// heardFrom is who is listened to; invalid if nobody is yet.
func (l *latch) heardFrom() netip.AddrPort {
	if l.fixed != nil {
		return *l.fixed
	}
	return l.source
}

// step decides whether a packet is heard, and learns from it.
func (l *latch) step(a arrival) bool {
	if !l.admit(a) {
		return false
	}
	l.last = a.at
	if a.kind == report && l.kind == sound { // RTCP among RTP has no numbers that fit
		return true
	}
	l.kind, l.ssrc, l.seq = a.kind, a.ssrc, a.seq
	return true
}

func (l *latch) admit(a arrival) bool {
	if l.phase == racing && a.at >= l.closes {
		l.phase = locked
	}
	switch {
	case l.fixed != nil:
		return a.from == *l.fixed
	case a.proven:
		if a.from != l.source {
			l.follow(a)
		}
		l.phase = locked
		return true
	}
	switch l.phase {
	case waiting:
		r := l.rankOf(a.from)
		if r == stranger && !l.strangers {
			return false
		}
		l.phase, l.closes = racing, a.at+window
		l.source, l.rank = a.from, r
		return true
	case racing:
		if a.from == l.source {
			return true
		}
		r := l.rankOf(a.from)
		if r <= l.rank {
			return false
		}
		l.source, l.rank = a.from, r
		return true
	case locked:
		return a.from == l.source || l.moved(a)
	}
	return false
}

// moved tells whether a packet from another port is the locked source behind a new NAT mapping, and follows it.
func (l *latch) moved(a arrival) bool {
	if a.at-l.last < silence || a.from.Addr() != l.source.Addr() || a.kind == foreign || a.kind != l.kind || a.ssrc != l.ssrc {
		return false
	}
	if a.kind == sound && a.seq-l.seq-1 >= dropout {
		return false
	}
	l.follow(a)
	return true
}

// follow takes another source in the place of the one that was locked.
func (l *latch) follow(a arrival) { l.source, l.closes = a.from, a.at+window }

// steady tells whether the source has been the only one for as long as a window is open.
func (l *latch) steady(at time.Duration) bool {
	return l.fixed != nil || l.phase >= racing && at >= l.closes
}

func (l *latch) rankOf(from netip.AddrPort) rank {
	switch {
	case from == l.described || from == l.source:
		return expected
	case from.Addr() == l.described.Addr() || from.Addr() == l.signalled:
		return neighbour
	}
	return stranger
}
