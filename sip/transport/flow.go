// The table of stream flows: by id, by target, by source; with caps. RFC 5626 §3.1 (flows), RFC 5923 (reuse).

package transport

import (
	"net/netip"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// flowTable holds every stream connection of a layer. Its size is bounded by Limits.Connections.
type flowTable struct {
	mu        sync.RWMutex
	limits    Limits
	next      uint64
	closed    bool
	open      map[*stream]struct{} // handshakes included
	byID      map[uint64]*stream   // ready ones
	byTarget  map[Target]*stream   // those that requests to a target may use
	dialing   map[Target]*dialing  // those being opened
	perSource map[netip.Prefix]int // connections that peers opened
}

// dialing is a connection being opened; flow and err are set before done is closed.
type dialing struct {
	done chan struct{}
	flow sip.Flow
	err  error
}

func (t *flowTable) begin(limits Limits) {
	t.limits = limits
	// Ids count on from the nanosecond of the start. Connections open slower than that, so the ids of the next start are higher.
	t.next = uint64(time.Now().UnixNano())
	t.open = make(map[*stream]struct{})
	t.byID = make(map[uint64]*stream)
	t.byTarget = make(map[Target]*stream)
	t.dialing = make(map[Target]*dialing)
	t.perSource = make(map[netip.Prefix]int)
}

// sourceOf groups addresses for the cap: who has one IPv6 address has its whole /64.
func sourceOf(a netip.Addr) netip.Prefix {
	bits := 32
	if a.Is6() {
		bits = 64
	}
	p, _ := a.WithZone("").Prefix(bits)
	return p
}

// enter takes a connection into the table unless a cap is reached; leave must follow.
func (t *flowTable) enter(s *stream) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	source := sourceOf(s.flow.Remote.Addr())
	if t.closed || len(t.open) >= t.limits.Connections || s.accepted && t.perSource[source] >= t.limits.PerSource {
		return false
	}
	t.open[s] = struct{}{}
	if s.accepted {
		t.perSource[source]++
	}
	t.next++
	s.flow.ID = t.next
	return true
}

// ready makes the flow of s known.
func (t *flowTable) ready(s *stream) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.byID[s.flow.ID] = s
	if !s.accepted {
		t.byTarget[*s.target] = s
	}
}

// alias lets requests to target use s, unless they have a connection of their own.
func (t *flowTable) alias(s *stream, target Target) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byTarget[target] == nil && t.byID[s.flow.ID] == s && s.target == nil {
		s.target = &target
		t.byTarget[target] = s
	}
}

// leave forgets s.
func (t *flowTable) leave(s *stream) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.open, s)
	delete(t.byID, s.flow.ID)
	if s.target != nil && t.byTarget[*s.target] == s {
		delete(t.byTarget, *s.target)
	}
	if !s.accepted {
		return
	}
	source := sourceOf(s.flow.Remote.Addr())
	if t.perSource[source]--; t.perSource[source] <= 0 {
		delete(t.perSource, source)
	}
}

// get returns the open connection with this id, or nil.
func (t *flowTable) get(id uint64) *stream {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.byID[id]
}

// to returns an open connection to a target, or nil.
func (t *flowTable) to(target Target) *stream {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.byTarget[target]
}

// dial returns the attempt to reach target that is under way; first is true if the caller must make it.
func (t *flowTable) dial(target Target) (d *dialing, first bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if d = t.dialing[target]; d != nil {
		return d, false
	}
	d = &dialing{done: make(chan struct{})}
	t.dialing[target] = d
	return d, true
}

// dialed ends an attempt and tells those who wait.
func (t *flowTable) dialed(target Target, flow sip.Flow, err error) {
	t.mu.Lock()
	d := t.dialing[target]
	delete(t.dialing, target)
	t.mu.Unlock()
	d.flow, d.err = flow, err
	close(d.done)
}

// closeAll closes every connection and lets no new one in.
func (t *flowTable) closeAll() {
	t.mu.Lock()
	t.closed = true
	all := make([]*stream, 0, len(t.open))
	for s := range t.open {
		all = append(all, s)
	}
	t.mu.Unlock()
	for _, s := range all {
		s.close()
	}
}
