// One trunk at work: what its stripe owns, and what others may see of it.

package trunk

import (
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// line is one trunk. What is not atomic belongs to its stripe.
type line struct {
	group    *Group
	set      *Settings
	stripe   sip.Stripe
	contact  string // the parameter line of our Contact: whoever calls by it has it from the registration
	instance string // RFC 5626 §4.1
	auth     *keys
	ended    func()

	now   atomic.Pointer[state]
	calls atomic.Int64
	count counts

	reg    registering
	health probing
	source sourcing
}

// state is what others see.
type state struct {
	registration regState
	health       healthState
	status       sip.Status // of the last answer that mattered
	err          error      // why it is not well
	since        time.Time  // of the last change
	until        time.Time  // the end of the binding
	flow         sip.Flow   // by which we are registered
	services     []string   // RFC 3608: the route that the registrar gives
	addresses    []netip.AddrPort
}

// counts are figures of a line.
type counts struct{ out, in, failed, full atomic.Uint64 }

func (g *Group) newLine(s *Settings) *line {
	own := *s
	n := name{s.Domain, s.Name}
	l := &line{group: g, set: &own, contact: g.token("contact", n), instance: urn(g.token("instance", n))}
	l.stripe = sip.StripeOf(l.contact)
	l.auth = newKeys(&own)
	l.now.Store(&state{since: time.Now()})
	return l
}

// urn makes an instance of 32 hexadecimal digits. RFC 5626 §4.1.
func urn(hex string) string {
	return `"<urn:uuid:` + hex[:8] + "-" + hex[8:12] + "-8" + hex[13:16] + "-8" + hex[17:20] + "-" + hex[20:] + `>"`
}

// do runs f in the stripe of the line.
func (l *line) do(f func()) { l.group.Engine.Do(l.stripe, f) }

// after runs f in the stripe when d has passed.
func (l *line) after(d time.Duration, f func()) sip.Timer {
	return l.group.Engine.After(l.stripe, d, f)
}

// stop stops a timer that may be nil.
func stop(timers ...*sip.Timer) {
	for _, t := range timers {
		if *t != nil {
			(*t).Stop()
			*t = nil
		}
	}
}

func (l *line) state() state { return *l.now.Load() }

// change makes a change visible.
func (l *line) change(f func(s *state)) {
	s := l.state()
	f(&s)
	l.now.Store(&s)
}

// begin starts a trunk.
func (l *line) begin() {
	if l.ended != nil {
		return // it was taken away before it began
	}
	l.findSources()
	if l.set.Register {
		l.register(regStart)
	}
	l.ask(healthDue)
}

// end takes it back; then is called when nothing more will come of it.
func (l *line) end(then func()) {
	if l.ended != nil {
		then()
		return
	}
	l.ended = then
	stop(&l.health.next, &l.health.patience, &l.source.next)
	l.health.tx = 0
	if l.reg.state == regIdle {
		l.reg.state = regGone
		then()
		return
	}
	l.register(regStop)
}

// drop ends a trunk whose place another takes: the provider need not be told.
func (l *line) drop() {
	if l.ended != nil {
		return
	}
	l.ended = func() {}
	r, h := &l.reg, &l.health
	stop(&r.next, &r.end, &r.ping, &h.next, &h.patience, &l.source.next)
	r.state, r.tx, h.tx = regGone, 0, 0
}

// usable says why no call can go out now; nil if one can.
func (l *line) usable() error {
	s := l.state()
	switch {
	case l.set.Register && !s.registration.registered():
		return errUnregistered
	case s.health == healthDown:
		return errDown
	case l.full():
		return errFull
	}
	return nil
}

func (l *line) full() bool {
	return l.set.MaxCalls > 0 && l.calls.Load() >= int64(l.set.MaxCalls)
}

// take enters a call, unless all lines are taken.
func (l *line) take() bool {
	for {
		n := l.calls.Load()
		if l.set.MaxCalls > 0 && n >= int64(l.set.MaxCalls) {
			l.count.full.Add(1)
			l.group.tell(Event{Domain: l.set.Domain, Trunk: l.set.Name, What: Full})
			return false
		}
		if l.calls.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// release ends a call; that of a line that was replaced meanwhile counts there.
func (l *line) release() {
	now := l.group.line(l.set.Domain, l.set.Name)
	if now == nil {
		now = l
	}
	now.calls.Add(-1)
}

// owns reports whether an address belongs to the provider.
func (l *line) owns(s *state, a netip.AddrPort, stream bool) bool {
	if slices.ContainsFunc(l.set.Sources, func(p netip.Prefix) bool { return p.Contains(a.Addr()) }) {
		return true
	}
	return slices.ContainsFunc(s.addresses, func(b netip.AddrPort) bool {
		return a == b || stream && a.Addr() == b.Addr() // who connects does so from any port
	})
}
