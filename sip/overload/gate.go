// The gate before new requests. RFC 7339 §5.3, §5.10.

package overload

import (
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
	// Patience is how long requests may have waited without harm. Beyond it more and more are refused; all, where they have waited half as long again. 0: 120 ms.
	Patience time.Duration
	// Emergency tells by method and Request-URI which requests always pass; nil: [Emergency].
	Emergency func(sip.Method, sip.URI) bool

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
	refused := g.excessive(waited, req.CallID()) && !g.emergency(req.Method, req.URI)
	g.count(now, refused)
	return !refused
}

// Late reports whether a request of this Call-ID that has waited so long is refused, unless it is none that is fresh, or a call for help.
func (g *Gate) Late(waited time.Duration, callID string) bool { return g.excessive(waited, callID) }

// Refuse is Admit before a request is read: it reports whether one with this outline is refused. What is not has yet to be read, and Admit asked.
func (g *Gate) Refuse(now time.Time, waited time.Duration, o *sip.Outline) bool {
	if !fresh(o.Method, o.ToTag) || !g.excessive(waited, o.CallID) || g.emergency(o.Method, o.URI) {
		return false
	}
	g.count(now, true)
	return true
}

// excessive reports whether a request of a Call-ID has waited too long.
func (g *Gate) excessive(waited time.Duration, callID string) bool {
	patience := g.patience()
	excess := waited - patience
	return excess > 0 && int64(excess)*100 > int64(share(callID))*int64(patience/2)
}

func (g *Gate) patience() time.Duration {
	if g.Patience <= 0 {
		return defaultPatience
	}
	return g.Patience
}

// count takes note of a fresh request.
func (g *Gate) count(now time.Time, refused bool) {
	g.offered.Add(1)
	if now.UnixNano() > g.ends.Load() {
		g.reckon(now)
	}
	if refused {
		g.refused.Add(1)
		g.total.Add(1)
	}
}

// share is a number below 100 that belongs to a Call-ID.
func share(callID string) uint64 {
	const offset, prime = 14695981039346656037, 1099511628211 // FNV-1a
	h := uint64(offset)
	for i := range len(callID) {
		h = (h ^ uint64(callID[i])) * prime
	}
	return h % 100
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
func Fresh(req *sip.Request) bool { return fresh(req.Method, req.ToTag()) }

func fresh(m sip.Method, toTag string) bool {
	return m != sip.MethodAck && m != sip.MethodCancel && m != sip.MethodPrack && toTag == ""
}

func (g *Gate) emergency(m sip.Method, uri sip.URI) bool {
	if g.Emergency != nil {
		return g.Emergency(m, uri)
	}
	return Emergency(uri)
}

// sos is the service URN of emergency calls, sub-services included, behind its scheme. RFC 5031 §4.2.
const sos = "service:sos"

// Emergency reports whether a Request-URI names an emergency service.
func Emergency(uri sip.URI) bool {
	name := uri.Host
	return len(name) >= len(sos) && strings.EqualFold(uri.Scheme, "urn") && strings.EqualFold(name[:len(sos)], sos) && (len(name) == len(sos) || name[len(sos)] == '.')
}

// Refused is how many requests were refused.
func (g *Gate) Refused() uint64 { return g.total.Load() }

// Loss is the percentage of new requests that neighbours are asked to hold back.
func (g *Gate) Loss() int { return int(g.percent.Load()) }
