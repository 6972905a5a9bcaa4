package ice

// What is known and what is to be done between two restarts: pairs, and what leaves or has happened. RFC 8445 §6.1.2.

import (
	"encoding/binary"
	"errors"
	"io"
	"net/netip"
	"slices"
	"time"

	"github.com/pion/stun/v4"
)

// Limits and times.
const (
	maxPairs = 32                     // addresses of the peer
	pace     = 50 * time.Millisecond  // Ta, between two new checks: RFC 8445 §14.2
	rto      = 500 * time.Millisecond // until the first repetition of a check: RFC 8445 §14.3
	maxTries = 20                     // of a check
	hurry    = 200 * time.Millisecond // so soon a check may be repeated because one of the peer's came over the same pair
	patience = 40 * time.Second       // until a way must be found: as long as one check is repeated (RFC 8863 §4)
	settling = 300 * time.Millisecond // how long a better pair than the first may take
	flux     = 5 * time.Second        // how long the best of several nominations wins, and not the last: RFC 8445 §8.1.1 against RFC 5245
)

// Why there is no way, or none any more.
var (
	ErrNoPath  = errors.New("ice: no way to the peer was found")
	ErrConsent = errors.New("ice: the peer has stopped to answer")
)

// pairState is that of RFC 8445 §6.1.2.6. None is frozen: with one component and one base there is nothing to learn from another's foundation.
type pairState uint8

const (
	waiting pairState = iota
	running
	succeeded
	failed
)

// pair is an address of the peer, which is paired with our only socket.
type pair struct {
	remote    netip.AddrPort
	priority  uint32 // of the remote candidate
	state     pairState
	triggered bool      // to be checked before others: RFC 8445 §7.3.1.4
	nominated bool      // the peer has chosen it
	permitted bool      // a check passed here, one way or the other
	heard     time.Time // when the peer's last check came

	check check // while running, and for consent
}

// check is a request that waits for its answer.
type check struct {
	id     [stun.TransactionIDSize]byte
	sent   []byte
	tries  int
	last   time.Time // when it was sent last
	due    time.Time // of the next repetition, or the end
	role   stun.AttrType
	choose bool // with USE-CANDIDATE
}

// wait is how long after a try the next one comes.
//
// Deviates: RFC 8489 §6.2.1 doubles without end and gives up after 7. With much loss that leaves a single try to the last 20 seconds, while a
// person waits for sound; so the pause stops to grow, and there are more tries in the same time.
func (c *check) wait() time.Duration { return min(rto<<min(c.tries-1, 2), 2*time.Second) }

// datagram is one to be sent.
type datagram struct {
	to netip.AddrPort
	b  []byte
}

// agenda is one generation of an agent. Its methods are steps: time comes in, and what is to be done is left in out and news.
type agenda struct {
	lite, controlling bool
	breaker           uint64
	random            io.Reader
	local             Credentials
	localPriority     uint32 // of our best candidate
	remote            Credentials
	complete          bool // the peer has named all its candidates

	pairs    []*pair
	selected *pair
	first    time.Time // when a pair was selected or, while none is, succeeded first
	began    time.Time // when the peer's credentials became known
	next     time.Time // the earliest moment of the next new check
	consent  consent
	vigil    vigil

	out      []datagram
	gathered []Candidate
	checked  []netip.AddrPort // where a check passed
	news     news
}

// news is what has happened in a step.
type news struct {
	selected netip.AddrPort // if valid: chosen
	failed   error
	complete bool // there are no more candidates of ours
}

// find returns the pair of an address, nil if there is none.
func (a *agenda) find(at netip.AddrPort) *pair {
	for _, p := range a.pairs {
		if p.remote == at {
			return p
		}
	}
	return nil
}

// add returns the pair of an address, and makes it if need be. nil: there are too many.
func (a *agenda) add(at netip.AddrPort, priority uint32) *pair {
	if p := a.find(at); p != nil {
		return p
	}
	if len(a.pairs) == maxPairs && !a.drop() {
		return nil
	}
	p := &pair{remote: at, priority: priority}
	a.pairs = append(a.pairs, p)
	return p
}

// drop makes room: a lite agent forgets whom it has not heard longest, a full one what has failed.
func (a *agenda) drop() bool {
	worst := -1
	for i, p := range a.pairs {
		if p == a.selected || !a.lite && p.state != failed {
			continue
		}
		if worst < 0 || p.heard.Before(a.pairs[worst].heard) {
			worst = i
		}
	}
	if worst < 0 {
		return false
	}
	a.pairs = slices.Delete(a.pairs, worst, worst+1)
	return true
}

// order is the priority of a pair. RFC 8445 §6.1.2.3.
func (a *agenda) order(p *pair) uint64 {
	g, d := uint64(p.priority), uint64(a.localPriority)
	bonus := uint64(0)
	if a.controlling {
		g, d = d, g
	}
	if g > d {
		bonus = 1
	}
	return min(g, d)<<32 + 2*max(g, d) + bonus
}

// best returns the pair of highest priority among those that fit; nil: none does.
func (a *agenda) best(fits func(*pair) bool) *pair {
	var best *pair
	for _, p := range a.pairs {
		if fits(p) && (best == nil || a.order(p) > a.order(best)) {
			best = p
		}
	}
	return best
}

// permitted tells whether an address has passed a check.
func (a *agenda) permitted(at netip.AddrPort) bool {
	p := a.find(at)
	return p != nil && p.permitted
}

// permit takes note that a check has passed over p.
func (a *agenda) permit(p *pair) {
	p.permitted = true
	a.checked = append(a.checked, p.remote)
}

// draw fills an identifier. A source that fails gives zeros, which the peer's answer to another check does not match.
func (a *agenda) draw(b []byte) { _, _ = io.ReadFull(a.random, b) }

func (a *agenda) drawBreaker() {
	var b [8]byte
	a.draw(b[:])
	a.breaker = binary.BigEndian.Uint64(b[:])
}
