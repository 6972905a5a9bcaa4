// The middleware that lets only proven and trusted senders through. RFC 3261 §22.1 to §22.3.

package digest

import (
	"crypto/rand"
	"hash/maphash"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// Defaults of the fields of [Authenticator].
const (
	DefaultLifetime = 10 * time.Minute
	DefaultSlots    = 1 << 16
	DefaultFailures = 20
	DefaultRefill   = 3 * time.Second
)

// userFailures is how many times as many failures a user has in stock as a source: many guessers share a user, and none may lock out whoever has proved itself before.
const userFailures = 5

// Authenticator is an EventHandler in front of another. A request that proves its sender goes to Next with [sip.Event].User set, one
// from a trusted source with Trusted set; any other is answered with a challenge and forgotten. Whoever fails too often gets 503 with
// Retry-After for a while; so does whoever tries a user for which too many have failed, but not from where that user has proved itself before.
//
// ACK and CANCEL cannot be challenged (RFC 3261 §22.1) and pass; Next matches them with what it knows. Requests within dialogs that are
// known do not come here: the table of dialogs stands in front. What claims a dialog that nobody knows is challenged like anything else.
//
// Fill the exported fields before the first event and leave them alone afterwards. Safe for use by many goroutines.
type Authenticator struct {
	Realm    string // the domain; needed
	Accounts Accounts
	Next     sip.EventHandler

	Trust      []netip.Prefix // sources that are not challenged. Over UDP a source is only as good as the network that keeps others from forging it
	Algorithms []Algorithm    // what is offered, the preferred first (RFC 8760 §2.4); nil: MD5 alone (docs/design/001-digest-algorithms.md)
	Proxy      bool           // challenge with 407 instead of 401
	Key        []byte         // for the nonces; nodes that share it accept each other's. nil: a random one
	Lifetime   time.Duration  // of a nonce; 0: DefaultLifetime
	Slots      int            // how many nonces in use are remembered, 33 bytes each; 0: DefaultSlots
	Failures   int            // how many failures a source has in stock, and a user from all sources five times as many; 0: DefaultFailures
	Refill     time.Duration  // after which one failure is forgiven; 0: DefaultRefill
	Rand       io.Reader      // nil: crypto/rand

	// Denied is told of each request that is not let through, before it is answered; nil: nobody is. It runs on the goroutine that reads the network and must not block.
	Denied func(ev *sip.Event, d Denial)

	once   sync.Once
	server *server
	counts counters
}

// server is what an Authenticator works with: immutable settings and tables that guard themselves.
type server struct {
	realm      string
	proxy      bool
	algorithms []Algorithm // in the order of the challenges
	nobody     HA1         // stands for users that do not exist
	nonces     *nonces
	replay     *replay
	sources    *throttle
	users      *throttle
	familiar   familiar     // from where users come who need not wait for others' failures
	seed       maphash.Seed // for the fingerprints of requests
	texts      sync.Pool    // of *[]byte: requests to be hashed
	replies    sync.Pool    // of *sip.Response
}

func (a *Authenticator) start() {
	algorithms := slices.Clone(a.Algorithms)
	if algorithms == nil {
		algorithms = []Algorithm{MD5}
	}
	key := a.Key
	if key == nil {
		key = randomKey()
	}
	random := a.Rand
	if random == nil {
		random = rand.Reader
	}
	a.server = &server{
		realm: a.Realm, proxy: a.Proxy, algorithms: algorithms,
		nonces:   newNonces(a.Realm, key, or(a.Lifetime, DefaultLifetime), random),
		replay:   newReplay(or(a.Slots, DefaultSlots)),
		sources:  newThrottle(or(a.Failures, DefaultFailures), or(a.Refill, DefaultRefill)),
		users:    newThrottle(userFailures*or(a.Failures, DefaultFailures), or(a.Refill, DefaultRefill)),
		familiar: make(familiar, or(a.Slots, DefaultSlots)),
		seed:     maphash.MakeSeed(),
		texts:    sync.Pool{New: func() any { return new([]byte) }},
		replies:  sync.Pool{New: func() any { return new(sip.Response) }},
	}
	copy(a.server.nobody[:], randomKey())
}

func or[T int | time.Duration](value, otherwise T) T {
	if value > 0 {
		return value
	}
	return otherwise
}

// HandleEvent passes ev on or answers it.
func (a *Authenticator) HandleEvent(ev *sip.Event) {
	if ev.Kind == sip.EventRequest && !a.Admit(ev, a.Accounts) {
		return
	}
	a.Next.HandleEvent(ev)
}

// Admit reports whether a request proves its sender by accounts, or needs not; otherwise it has been answered. It is for what does not go to Next, such as a request inside a dialog, in which
// another may stand in From. Nonces, their counts and failures are those of HandleEvent: what has proved one request proves no other.
func (a *Authenticator) Admit(ev *sip.Event, accounts Accounts) bool {
	return a.passes(ev) || a.admit(ev, accounts)
}

// passes reports whether a request needs no proof.
func (a *Authenticator) passes(ev *sip.Event) bool {
	source := ev.Flow.Remote.Addr().Unmap()
	ev.Trusted = slices.ContainsFunc(a.Trust, func(p netip.Prefix) bool { return p.Contains(source) })
	return ev.Trusted || ev.Request.Method == sip.MethodAck || ev.Request.Method == sip.MethodCancel
}

// admit verifies the request and answers it unless it proves its sender.
func (a *Authenticator) admit(ev *sip.Event, accounts Accounts) bool {
	a.once.Do(a.start)
	source := ev.Flow.Remote.Addr()
	user, v := a.server.verify(ev.Request, &ev.Flow, accounts)
	a.counts.count(v)
	if v == proved && a.identify(ev, user, accounts) {
		return true
	}
	if a.Denied != nil {
		a.Denied(ev, denial(user, v))
	}
	res := a.server.replies.Get().(*sip.Response)
	a.server.refuse(res, ev.Request, source, v)
	// Nothing is kept. A transaction that has ended meanwhile needs no answer.
	_ = ev.Engine.RespondOnce(ev.Tx, res)
	a.server.replies.Put(res)
	return false
}

// Denial is why a request was not let through.
type Denial struct {
	Why  Why
	User string // whom its credentials name; valid as long as the request. "": nobody
}

// Why is a reason to deny a request.
type Why uint8

// The reasons.
const (
	Unproved  Why = iota // no credentials, or under a nonce that is over: every honest request begins so
	Wrong                // unknown user or wrong password
	Throttled            // not verified: too many failures
	Elsewhere            // proved for another Request-URI
	Foreign              // proved, but From claims somebody else
)

// String is the reason as logs have it.
func (w Why) String() string {
	return [...]string{Unproved: "no credentials", Wrong: "wrong credentials", Throttled: "too many failures", Elsewhere: "credentials for another address", Foreign: "foreign sender"}[w]
}

// denial is what a verdict means to those who are told.
func denial(user string, v verdict) Denial {
	return Denial{User: user, Why: [...]Why{absent: Unproved, stale: Unproved, wrong: Wrong, throttled: Throttled, mismatch: Elsewhere, proved: Foreign}[v]}
}

// refuse makes res the answer to a request with this verdict.
func (s *server) refuse(res *sip.Response, req *sip.Request, source netip.Addr, v verdict) {
	switch v {
	case proved: // and From claims somebody else
		res.ReplyTo(req, sip.StatusForbidden)
	case throttled:
		res.ReplyTo(req, sip.StatusServiceUnavailable)
		wait := max(s.sources.wait(s.sources.source(source), time.Now()), s.users.refill)/time.Second + 1
		res.Set(sip.HeaderRetryAfter, strconv.Itoa(int(wait)))
	case mismatch:
		// RFC 7616 §3.4.6: a uri parameter for another resource SHOULD be answered with 400.
		res.ReplyTo(req, sip.StatusBadRequest)
	default:
		s.challenge(res, req, source, v == stale)
	}
}

// identify sets the user of the event, unless From claims somebody else. What REGISTER binds stands in To, and the registrar judges it (RFC 3261 §10.3 step 4).
func (a *Authenticator) identify(ev *sip.Event, user string, accounts Accounts) bool {
	if ev.Request.Method != sip.MethodRegister {
		from, err := ev.Request.From()
		if err != nil || !anonymous(from.URI) && !accounts.MaySendAs(user, from.URI) {
			a.counts.forbidden.Add(1)
			return false
		}
	}
	ev.User = user
	return true
}

// anonymous reports whether a From hides its sender from the callee. RFC 3323 §4.1.1.3.
func anonymous(from sip.URI) bool { return from.Host == "anonymous.invalid" }

// Counts says how requests that needed a proof have fared since the start.
type Counts struct {
	Proved     uint64 // let through
	Challenged uint64 // had no credentials for the realm
	Stale      uint64 // had a nonce that was old, foreign or used
	Failed     uint64 // unknown user or wrong password
	Throttled  uint64 // not verified: too many failures from the source
	Mismatched uint64 // proved for another Request-URI
	Forbidden  uint64 // proved, but From claimed somebody else
}

type counters struct {
	verdicts  [proved + 1]atomic.Uint64
	forbidden atomic.Uint64
}

func (c *counters) count(v verdict) { c.verdicts[v].Add(1) }

// Counts returns the counters.
func (a *Authenticator) Counts() Counts {
	c := &a.counts.verdicts
	return Counts{
		Proved: c[proved].Load(), Challenged: c[absent].Load(), Stale: c[stale].Load(), Failed: c[wrong].Load(),
		Throttled: c[throttled].Load(), Mismatched: c[mismatch].Load(), Forbidden: a.counts.forbidden.Load(),
	}
}
