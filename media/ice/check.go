package ice

// Checks: ours and the peer's. RFC 8445 §7.

import (
	"net/netip"
	"time"

	"github.com/pion/stun/v4"
)

// role is what our checks say. RFC 8445 §7.1.3.
func (a *agenda) role() stun.AttrType {
	if a.controlling {
		return stun.AttrICEControlling
	}
	return stun.AttrICEControlled
}

// heard takes a check of the peer, whose protection is good. RFC 8445 §7.3.
func (a *agenda) heard(now time.Time, r request, from netip.AddrPort) {
	if !a.lite && !a.agree(r) {
		a.out = append(a.out, datagram{from, conflict(r.id, a.local.Pwd)})
		return
	}
	p := a.add(from, r.priority)
	if p == nil {
		return
	}
	a.out = append(a.out, datagram{from, success(r.id, from, a.local.Pwd)})
	a.permit(p)
	p.heard = now
	p.nominated = p.nominated || r.nominate
	if p == a.selected {
		a.vigil.note(now, r)
	}
	switch {
	case a.lite || p.state == succeeded:
		if r.nominate && !a.controlling {
			a.nominate(now, p)
		}
	case p.state != running:
		p.state, p.triggered = waiting, true
	case now.Sub(p.check.last) >= hurry: // the way is open now, and our check may have been lost
		p.check.last = now
		a.out = append(a.out, datagram{p.remote, p.check.sent})
	}
}

// agree settles a conflict of roles; false: the peer has to change its own. RFC 8445 §7.3.1.1.
func (a *agenda) agree(r request) bool {
	if r.role != a.role() {
		return true
	}
	if (a.breaker >= r.breaker) == a.controlling {
		return false
	}
	a.controlling = !a.controlling
	return true
}

// answered takes the answer to a check of ours. False: it is to none. RFC 8445 §7.2.5.
func (a *agenda) answered(now time.Time, b []byte, from netip.AddrPort) bool {
	id := transactionOf(b)
	if a.consent.id == id && a.consent.open {
		a.consented(now, b, from)
		return true
	}
	for _, p := range a.pairs {
		if p.state != running || p.check.id != id {
			continue
		}
		if r, ok := readResponse(b, a.remote.Pwd); ok {
			a.conclude(now, p, r, from)
		}
		return true
	}
	return false
}

// conclude ends a check with its answer.
func (a *agenda) conclude(now time.Time, p *pair, r response, from netip.AddrPort) {
	switch {
	case from != p.remote: // RFC 8445 §7.2.5.2.1: it must come back the way it went
		p.state = failed
	case r.code == int(stun.CodeRoleConflict):
		if a.role() == p.check.role {
			a.controlling = !a.controlling
		}
		p.state, p.triggered = waiting, true
	case r.code != 0:
		p.state = failed
	default:
		p.state = succeeded
		a.permit(p)
		if a.selected == nil && a.first.IsZero() {
			a.first = now
		}
		if a.controlling && p.check.choose || !a.controlling && p.nominated {
			a.nominate(now, p)
		}
	}
}

// start sends a check over p.
func (a *agenda) start(now time.Time, p *pair, choose bool) {
	c := check{role: a.role(), choose: choose, tries: 1, last: now, due: now.Add(rto)}
	a.draw(c.id[:])
	c.sent = a.request(c.id, choose)
	p.state, p.triggered, p.check = running, false, c
	a.out = append(a.out, datagram{p.remote, c.sent})
}

// request prints a check. RFC 8445 §7.1.
func (a *agenda) request(id [stun.TransactionIDSize]byte, choose bool) []byte {
	setters := []stun.Setter{
		stun.NewTransactionIDSetter(id), stun.BindingRequest,
		stun.NewUsername(a.remote.Ufrag + ":" + a.local.Ufrag),
		// RFC 8445 §7.1.1: the priority that an address learned from this check would have.
		number32(stun.AttrPriority, PeerReflexive.preference()<<24|a.localPriority&0xffffff),
		number64(a.role(), a.breaker),
	}
	if choose {
		setters = append(setters, attribute{typ: stun.AttrUseCandidate})
	}
	return build(append(setters, stun.NewShortTermIntegrity(a.remote.Pwd), stun.Fingerprint)...)
}

// tick does what is due. The caller comes again at wake.
func (a *agenda) tick(now time.Time) {
	if a.lite || a.remote.Ufrag == "" {
		return
	}
	for _, p := range a.pairs {
		if p.state == running && !now.Before(p.check.due) {
			a.repeat(now, p)
		}
	}
	if !now.Before(a.next) {
		if p := a.toCheck(); p != nil {
			a.start(now, p, false)
			a.next = now.Add(pace)
		}
	}
	a.choose(now)
	a.refresh(now)
	a.giveUp(now)
}

// repeat sends a check again, or gives it up.
func (a *agenda) repeat(now time.Time, p *pair) {
	if p.check.tries == maxTries {
		p.state = failed
		return
	}
	p.check.tries++
	p.check.last, p.check.due = now, now.Add(p.check.wait())
	a.out = append(a.out, datagram{p.remote, p.check.sent})
}

// toCheck returns the pair whose turn it is. RFC 8445 §6.1.4.2.
func (a *agenda) toCheck() *pair {
	if p := a.best(func(p *pair) bool { return p.state == waiting && p.triggered }); p != nil {
		return p
	}
	if a.selected != nil {
		return nil
	}
	return a.best(func(p *pair) bool { return p.state == waiting })
}

// giveUp says so when there is no way. It waits though all pairs have failed, for the peer may know an address of its own that we do not: RFC 8863 §4.
func (a *agenda) giveUp(now time.Time) {
	if a.selected == nil && !a.began.IsZero() && !now.Before(a.began.Add(patience)) {
		a.began = time.Time{}
		a.news.failed = ErrNoPath
	}
}

// wake returns when the next step is due; zero: when something comes.
func (a *agenda) wake() time.Time {
	var at time.Time
	earlier := func(t time.Time) {
		if !t.IsZero() && (at.IsZero() || t.Before(at)) {
			at = t
		}
	}
	if a.lite || a.remote.Ufrag == "" {
		return at
	}
	for _, p := range a.pairs {
		if p.state == running {
			earlier(p.check.due)
		}
	}
	if a.toCheck() != nil {
		earlier(a.next)
		if a.next.IsZero() {
			earlier(a.began)
		}
	}
	if a.selected == nil {
		if !a.began.IsZero() {
			earlier(a.began.Add(patience))
		}
		if a.controlling && !a.first.IsZero() && a.candidateToChoose() != nil {
			earlier(a.first.Add(settling))
		}
		return at
	}
	earlier(a.consent.due)
	return at
}
