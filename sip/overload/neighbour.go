// What the servers that we send to have asked for, and what is held back for them. RFC 7339 §5.4–§5.10.

package overload

import (
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// maxNeighbours is how many servers are remembered; what one more asks for is heeded when a place is free.
const maxNeighbours = 1024

// defaultValidity holds where a response names none. RFC 7339 §4.3.
const defaultValidity = 500 * time.Millisecond

// maxValidity bounds for how long one response silences us.
const maxValidity = 60 * time.Second

// Neighbours remembers the servers downstream. The zero value works. It may be used by several goroutines.
type Neighbours struct {
	some  atomic.Int32 // how many are remembered: the fast way
	held  atomic.Uint64
	mu    sync.Mutex // guards known
	known map[netip.AddrPort]request
}

// request is what a server has asked for.
type request struct {
	loss  uint64 // percent of the new requests that it wants to be spared
	until time.Time
	seq   float64
}

// Mark is what a request to a server carries in our Via: we can be told. RFC 7339 §4.1, §4.2.
const Mark = `;oc;oc-algo="loss"`

// Heard takes the Via that a server has sent back to us.
func (n *Neighbours) Heard(now time.Time, from netip.AddrPort, via sip.Via) {
	value, ok := via.Params.Lookup("oc")
	if !ok || value == "" {
		return
	}
	loss, err := strconv.ParseUint(value, 10, 32)
	seq, err2 := strconv.ParseFloat(via.Params.Get("oc-seq"), 64)
	if err != nil || err2 != nil || loss > 100 || !strings.EqualFold(strings.Trim(via.Params.Get("oc-algo"), `"`), "loss") {
		return // RFC 7339 §5.4: what is malformed, or speaks of an algorithm that we did not offer, is not heeded
	}
	valid := defaultValidity
	if ms, err := strconv.ParseUint(via.Params.Get("oc-validity"), 10, 32); err == nil {
		valid = min(time.Duration(ms)*time.Millisecond, maxValidity)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	old, known := n.known[from]
	switch {
	case known && seq < old.seq:
		return // RFC 7339 §4.4: it is older than what we know
	case loss == 0 || valid == 0:
		loss, valid = 0, defaultValidity // remembered for a while, lest an older response be taken for news
	}
	if known || loss > 0 && n.roomLocked(now) {
		n.known[from] = request{loss: loss, until: now.Add(valid), seq: seq}
	}
	n.some.Store(int32(len(n.known)))
}

// roomLocked makes room for one more, by forgetting those whose time is over.
func (n *Neighbours) roomLocked(now time.Time) bool {
	if n.known == nil {
		n.known = make(map[netip.AddrPort]request)
	}
	if len(n.known) < maxNeighbours {
		return true
	}
	for at, r := range n.known {
		if !now.Before(r.until) {
			delete(n.known, at)
		}
	}
	return len(n.known) < maxNeighbours
}

// Permit reports whether a request may be sent to a server now. All requests of one Call-ID fare alike. What is not permitted is answered with 503 by whoever
// was to send it.
func (n *Neighbours) Permit(now time.Time, to netip.AddrPort, req *sip.Request) bool {
	if n.some.Load() == 0 {
		return true
	}
	n.mu.Lock()
	r, known := n.known[to]
	if known && !now.Before(r.until) {
		delete(n.known, to)
		n.some.Store(int32(len(n.known)))
		known = false
	}
	n.mu.Unlock()
	if !known || !Fresh(req) || Emergency(req.URI) || share(req.CallID()) >= r.loss {
		return true
	}
	n.held.Add(1)
	return false
}

// Held is how many requests were held back.
func (n *Neighbours) Held() uint64 { return n.held.Load() }
