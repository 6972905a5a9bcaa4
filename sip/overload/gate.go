// The gate before new requests. RFC 7339 §5.3, §5.10.

package overload

import (
	"hash/fnv"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// Defaults of [Gate]. A machine shared with others stands still for a tenth of a second now and then, and that is no overload; a client sends its request again
// after half a second.
const (
	defaultPatience = 120 * time.Millisecond
	interval        = 200 * time.Millisecond
)

// Gate decides which new requests are let in. The zero value works. It may be used by several goroutines at once.
type Gate struct {
	// Patience is how long requests may have waited without harm. Beyond it more and more are refused; all, where they have waited twice as long. 0: 120 ms.
	Patience time.Duration
	// Emergency tells which requests always pass; nil: [Emergency].
	Emergency func(*sip.Request) bool

	offered atomic.Int64 // in the interval
	refused atomic.Int64 // in the interval
	total   atomic.Uint64
	percent atomic.Uint32 // what neighbours shall hold back
	ends    atomic.Int64  // the interval, in nanoseconds since 1970

	mu       sync.Mutex // guards feedback
	feedback feedback
}

// Admit reports whether a request that has waited so long to be read may come in. What it refuses is answered with 503 and Retry-After, and nothing is kept of it.
// All requests of one Call-ID fare alike as long as the wait is the same.
func (g *Gate) Admit(now time.Time, waited time.Duration, req *sip.Request) bool {
	if !Fresh(req) {
		return true
	}
	g.offered.Add(1)
	if now.UnixNano() > g.ends.Load() {
		g.reckon(now)
	}
	patience := g.Patience
	if patience <= 0 {
		patience = defaultPatience
	}
	excess := waited - patience
	if excess <= 0 || int64(excess)*100 <= int64(share(req.CallID()))*int64(patience) || g.emergency(req) {
		return true
	}
	g.refused.Add(1)
	g.total.Add(1)
	return false
}

// share is a number below 100 that belongs to a Call-ID.
func share(callID string) uint64 {
	h := fnv.New64a()
	_, _ = io.WriteString(h, callID) // it never fails
	return h.Sum64() % 100
}

// reckon ends the interval, for one of those who notice.
func (g *Gate) reckon(now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	over := now.UnixNano() - g.ends.Load()
	if over <= 0 {
		return
	}
	g.ends.Store(now.Add(interval).UnixNano())
	offered, refused := int(g.offered.Swap(0)), int(g.refused.Swap(0))
	for range min(over/int64(interval), 100) {
		g.feedback = g.feedback.step(0, 0) // intervals in which nothing came
	}
	g.feedback = g.feedback.step(offered, refused)
	g.percent.Store(uint32(g.feedback.loss*100 + 0.5))
}

// Fresh reports whether a request begins something: it is outside of dialogs, and nothing waits for it.
func Fresh(req *sip.Request) bool {
	return req.Method != sip.MethodAck && req.Method != sip.MethodCancel && req.Method != sip.MethodPrack && req.ToTag() == ""
}

func (g *Gate) emergency(req *sip.Request) bool {
	if g.Emergency != nil {
		return g.Emergency(req)
	}
	return Emergency(req)
}

// sos is the service URN of emergency calls, sub-services included. RFC 5031 §4.2.
const sos = "urn:service:sos"

// Emergency reports whether a request is for an emergency service by its name.
func Emergency(req *sip.Request) bool {
	uri := req.URI.String()
	return len(uri) >= len(sos) && strings.EqualFold(uri[:len(sos)], sos) && (len(uri) == len(sos) || uri[len(sos)] == '.')
}

// Refused is how many requests were refused.
func (g *Gate) Refused() uint64 { return g.total.Load() }

// Loss is the percentage of new requests that neighbours are asked to hold back.
func (g *Gate) Loss() int { return int(g.percent.Load()) }
