// What the table asks about overload. RFC 7339 §5.

package transaction

import (
	"net/netip"
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/transport"
)

// Load decides what is let in and what is let out when there is too much. Its methods are called from many stripes at once, and must not block.
type Load interface {
	// Admit reports whether a request may come in that waited so long to be looked at. If not it is answered with 503 and forgotten.
	Admit(now time.Time, waited time.Duration, req *sip.Request) bool
	// Late reports whether a request of this Call-ID that waited so long is refused, unless there is more to it.
	Late(waited time.Duration, callID string) bool
	// Refuse reports whether a request is refused that was not read yet. What is not is read, and Admit asked.
	Refuse(now time.Time, waited time.Duration, o *sip.Outline) bool
	// Mark returns the parameters that our Via carries toward a server, "" for none.
	Mark(to netip.Addr) string
	// Permit reports whether a server wants to have a request now.
	Permit(now time.Time, to netip.AddrPort, req *sip.Request) bool
	// Heard is given our Via as it came back with a response, if it says anything about load.
	Heard(now time.Time, from netip.AddrPort, via sip.Via)
}

// longestRetry and shortestRetry are the seconds of Retry-After in a 503: spread, so that not everybody comes back at once.
const (
	shortestRetry = 2
	longestRetry  = 9
)

// retryAfter is the digit that the refusal of a request says: the same for each copy.
func retryAfter(key fingerprint) byte {
	return byte('0' + shortestRetry + key%(longestRetry-shortestRetry+1))
}

// wall is the time of the running job as others count it.
func (s *stripe) wall() time.Time { return s.table.start.Add(s.now) }

// admits asks whether the request of p may come in.
func (s *stripe) admits(p *transport.Packet) bool {
	if s.table.Load == nil || p.Flow.Transport == sip.Inside { // it belongs to a call that was admitted
		return true
	}
	waited := p.Waited
	if s.job.queued != 0 {
		waited += s.now - s.job.queued
	}
	return s.table.Load.Admit(s.wall(), waited, p.Request)
}

// hear passes on what a server says of its load.
func (s *stripe) hear(p *transport.Packet) {
	if s.table.Load != nil && strings.Contains(string(p.Via.Params), ";oc=") {
		s.table.Load.Heard(s.wall(), p.Flow.Remote, p.Via)
	}
}

// permits asks whether a request may go out over flow.
func (s *stripe) permits(flow *sip.Flow, req *sip.Request) bool {
	return s.table.Load == nil || s.table.Load.Permit(s.wall(), flow.Remote, req)
}
