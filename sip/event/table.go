// The notifier: its packages, its subscriptions, and who is told when a resource changes. RFC 6665 §4.2, §4.4.4.

package event

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// Notifier takes SUBSCRIBE requests, keeps the subscriptions and sends their NOTIFYs. It is an event handler for the requests that a [dialog.Table] passes on;
// who stands in front has had the sender prove who it is. Fill the fields before first use and leave them alone.
type Notifier struct {
	Packages []*Package
	// Account names who sends a request: its subscriptions are counted together, and nobody else may refresh them. nil: the user who proved to have sent it, or the
	// address it came from.
	Account func(ev *sip.Event) string
	// Limit is how many subscriptions there may be, PerAccount how many of one account; 0 means 100,000 and 1,000. A new one beyond gets 503.
	Limit, PerAccount int
	// Rate is how many new subscriptions a second an account may make in the long run; 0 means 10. Bursts up to PerAccount pass.
	Rate float64

	lanes    [sip.Stripes]map[string]*Subscription // by local tag; each is the matter of its stripe
	count    atomic.Int64
	notified atomic.Uint64
	refused  atomic.Uint64

	mu       sync.Mutex // guards what follows
	accounts map[string]*account
	watched  map[resource]map[*Subscription]struct{}
}

// The limits of a Notifier that does not say.
const (
	defaultLimit      = 100_000
	defaultPerAccount = 1_000
	defaultRate       = 10
)

// resource is what subscriptions are about.
type resource struct{ pack, name string }

// account is how many subscriptions somebody has, and how many new ones they may make.
type account struct {
	held   int
	tokens float64
	at     time.Time // when tokens were counted
}

// Counts is what a notifier has done.
type Counts struct {
	Subscriptions int    // alive
	Notified      uint64 // NOTIFY requests sent
	Refused       uint64 // SUBSCRIBE and REFER requests refused
}

// Counts returns what the notifier has done so far. It may be called from anywhere.
func (n *Notifier) Counts() Counts {
	return Counts{Subscriptions: int(n.count.Load()), Notified: n.notified.Load(), Refused: n.refused.Load()}
}

// Len returns how many subscriptions there are.
func (n *Notifier) Len() int { return int(n.count.Load()) }

// Changed says that the state of a resource of a package has changed: each of its subscribers is told as soon as the throttle allows. It may be called from
// anywhere and does not wait.
func (n *Notifier) Changed(pack, name string) {
	n.each(resource{pack, name}, func(s *Subscription) { s.step(noticeChange) })
}

// Watched reports whether anybody subscribes to a resource of a package. It may be called from anywhere.
func (n *Notifier) Watched(pack, name string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.watched[resource{pack, name}]) > 0
}

// End ends the subscriptions to a resource. reason is one of RFC 6665 §4.1.3: "noresource" for one that is no more, "rejected" for one that may not be seen any more.
// It may be called from anywhere and does not wait.
func (n *Notifier) End(pack, name, reason string) {
	n.each(resource{pack, name}, func(s *Subscription) { s.end(reason) })
}

// Review asks about each subscription whether it is over, and ends it for the reason that is said; "" leaves it. With "rejected" (RFC 6665 §4.1.3) the last NOTIFY tells nothing of what
// the subscriber may not see any more. It may be called from anywhere; over must not block.
func (n *Notifier) Review(over func(pack, name, account string) (reason string)) {
	n.mu.Lock()
	var all []*Subscription
	for _, subscriptions := range n.watched {
		all = slices.AppendSeq(all, maps.Keys(subscriptions))
	}
	n.mu.Unlock()
	for _, s := range all {
		if reason := over(s.Package, s.Resource, s.Account); reason != "" {
			s.engine.Do(s.stripe, func() { s.end(reason) })
		}
	}
}

// EndAll ends every subscription: with the reason "deactivated" the subscribers come again at once. It may be called from anywhere and does not wait.
func (n *Notifier) EndAll(reason string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, subscriptions := range n.watched {
		for s := range subscriptions {
			s.engine.Do(s.stripe, func() { s.end(reason) })
		}
	}
}

// each runs f for the subscriptions to a resource, each in its stripe.
func (n *Notifier) each(r resource, f func(s *Subscription)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for s := range n.watched[r] {
		s.engine.Do(s.stripe, func() { f(s) })
	}
}

// pack returns the package of that name, nil if there is none.
func (n *Notifier) pack(name string) *Package {
	for _, p := range n.Packages {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// Knows reports whether a SUBSCRIBE is for a package of ours, or inside a dialog, where it may be about a REFER.
func (n *Notifier) Knows(req *sip.Request) bool {
	about, err := sip.ParseEventPackage(req.Get(sip.HeaderEvent))
	return err == nil && (n.pack(about.Name) != nil || about.Name == referPackage && req.ToTag() != "")
}

// AllowEvents returns the names of the packages as the value of an Allow-Events header. RFC 6665 §8.2.2.
func (n *Notifier) AllowEvents() string {
	names := make([]string, len(n.Packages))
	for i, p := range n.Packages {
		names[i] = p.Name
	}
	return strings.Join(names, ", ")
}

// accountOf names who sends a request.
func (n *Notifier) accountOf(ev *sip.Event) string { return senderOf(n.Account, ev) }

// senderOf names who sends a request, by account if that is set. It owns its memory.
func senderOf(account func(*sip.Event) string, ev *sip.Event) string {
	switch {
	case account != nil:
		return strings.Clone(account(ev))
	case ev.User != "":
		return strings.Clone(ev.User)
	}
	return ev.Flow.Remote.Addr().String()
}

// admit enters a subscription, unless there are too many.
func (n *Notifier) admit(s *Subscription) bool {
	if n.count.Add(1) > int64(orDefault(n.Limit, defaultLimit)) || !n.charge(s.Account) {
		n.count.Add(-1)
		return false
	}
	if s.Dialog != nil { // otherwise the call finds it
		lane := n.lanes[s.stripe]
		if lane == nil {
			lane = make(map[string]*Subscription)
			n.lanes[s.stripe] = lane
		}
		lane[s.Dialog.LocalTag] = s
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.watchLocked(s)
	return true
}

// watchLocked enters a subscription under its resource.
func (n *Notifier) watchLocked(s *Subscription) {
	if n.watched == nil {
		n.watched = make(map[resource]map[*Subscription]struct{})
	}
	r := s.resource()
	if n.watched[r] == nil {
		n.watched[r] = make(map[*Subscription]struct{})
	}
	n.watched[r][s] = struct{}{}
}

// remove forgets a subscription.
func (n *Notifier) remove(s *Subscription) {
	if s.Dialog != nil {
		delete(n.lanes[s.stripe], s.Dialog.LocalTag)
	}
	n.count.Add(-1)
	n.mu.Lock()
	defer n.mu.Unlock()
	r := s.resource()
	delete(n.watched[r], s)
	if len(n.watched[r]) == 0 {
		delete(n.watched, r)
	}
	if a := n.accounts[s.Account]; a != nil {
		a.held--
	}
}

// charge counts a new subscription of an account; false if it has too many, or makes too many.
func (n *Notifier) charge(name string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	most, rate := orDefault(n.PerAccount, defaultPerAccount), n.Rate
	if rate == 0 {
		rate = defaultRate
	}
	now := time.Now()
	a := n.accounts[name]
	if a == nil {
		n.sweepLocked(now, float64(most)/rate)
		a = &account{tokens: float64(most), at: now}
		if n.accounts == nil {
			n.accounts = make(map[string]*account)
		}
		n.accounts[name] = a
	}
	a.tokens = min(float64(most), a.tokens+rate*now.Sub(a.at).Seconds())
	a.at = now
	if a.held >= most || a.tokens < 1 {
		return false
	}
	a.held++
	a.tokens--
	return true
}

// sweepLocked forgets, when the table has doubled, the accounts that have nothing and whose tokens have come back: it stays a multiple of the subscriptions.
func (n *Notifier) sweepLocked(now time.Time, refill float64) {
	if len(n.accounts) < 1024 || len(n.accounts)&(len(n.accounts)-1) != 0 {
		return
	}
	for name, a := range n.accounts {
		if a.held == 0 && now.Sub(a.at).Seconds() > refill {
			delete(n.accounts, name)
		}
	}
}

func orDefault(n, usual int) int {
	if n == 0 {
		return usual
	}
	return n
}
