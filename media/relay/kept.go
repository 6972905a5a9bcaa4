package relay

// Pairs of sockets that outlive their stream, so that where call follows call none is opened, registered and closed for each. A pair that nobody has stays ours: what comes to
// it is read and dropped.

import (
	"cmp"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/internal/mmsg"
)

const (
	// maxKept is how many pairs are kept: for so many streams a second, twice as many as calls, none is opened while they rest.
	maxKept = 6144
	// restTime is how long a pair rests between two streams: a telephone that has not heard of the end of its call goes on for a moment, and must not be heard in the next one.
	restTime = 500 * time.Millisecond
)

// pair is two sockets of a hub on ports of the range.
type pair struct {
	ip    netip.Addr // that was asked for
	hub   *mmsg.Hub
	lines [2]*line
	index int           // in the pool
	since time.Duration // by the clock of the relay
}

// kept holds the pairs that no stream has. The one that has rested longest is used first: late packets of an old call do not meet a new one.
type kept struct {
	mu     sync.Mutex // guards what follows
	pairs  []pair
	rest   time.Duration // 0: restTime; negative: none
	closed bool
}

// take gives s a pair at a local address, if there is one that has rested.
func (k *kept) take(s *Stream, ip netip.Addr) bool {
	k.mu.Lock()
	i := slices.IndexFunc(k.pairs, func(p pair) bool { return p.ip == ip })
	if i < 0 || s.relay.now()-k.pairs[i].since < cmp.Or(k.rest, restTime) {
		k.mu.Unlock()
		return false
	}
	p := k.pairs[i]
	if i == 0 {
		k.pairs = k.pairs[1:] // the memory before is given back when append moves the rest
	} else {
		k.pairs = slices.Delete(k.pairs, i, i+1)
	}
	k.mu.Unlock()
	s.hub, s.pair = p.hub, p.index
	for c, l := range p.lines {
		s.sockets[c].line = l
		l.socket.Store(&s.sockets[c])
	}
	return true
}

// put takes the pair of s, which is closed, if it is worth keeping.
func (k *kept) put(s *Stream) bool {
	p := pair{ip: s.ip, hub: s.hub, index: s.pair, since: s.relay.now()}
	for c := range p.lines {
		p.lines[c] = s.sockets[c].line
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed || len(k.pairs) >= maxKept {
		return false
	}
	for _, l := range p.lines {
		l.socket.Store(nil)
		l.Unpin()
	}
	k.pairs = append(k.pairs, p)
	return true
}

// release gives the sockets of s back, to be kept if that is of use.
func (s *Stream) release(keep bool) {
	if s.berth != nil {
		s.berth.leave(s)
		return
	}
	ranged := s.relay.Ports.Min != 0
	if ranged && keep && s.hub != nil && s.relay.kept.put(s) {
		return
	}
	s.closeSockets()
	if ranged {
		s.relay.pool.put(s.pair)
	}
}

// dropKept closes the pair that was kept longest, and reports whether there was one: its ports are wanted for another address.
func (r *Relay) dropKept() bool {
	r.kept.mu.Lock()
	if len(r.kept.pairs) == 0 {
		r.kept.mu.Unlock()
		return false
	}
	p := r.kept.pairs[0]
	r.kept.pairs = r.kept.pairs[1:]
	r.kept.mu.Unlock()
	for _, l := range p.lines {
		_ = l.Close()
	}
	r.pool.put(p.index)
	return true
}

// closeKept closes all of them; none is kept any more.
func (r *Relay) closeKept() {
	r.kept.mu.Lock()
	r.kept.closed = true
	r.kept.mu.Unlock()
	for r.dropKept() {
	}
}
