// What must be true when the storm is over: one outcome each, and no two that contradict each other.

package storm

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

// calls returns the legs of a party so far.
func (p *party) calls() []*leg {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.legs)
}

// ended reports whether the leg has had its last event.
func (l *leg) ended() (over bool) {
	l.in(func() { over = l.over() })
	return over
}

// String describes a leg for a finding.
func (l *leg) String() string {
	side := "callee"
	if l.caller {
		side = "caller"
	}
	return fmt.Sprintf("%s %s (Call-ID %s, last %q, answered %t, status %d, cause %v, gave up %t, hung up %t)", side, l.party.name, l.callID, l.last, l.answered, l.status,
		l.cause, l.gaveUp, l.hungUp)
}

// conversation is a call with all its legs.
type conversation struct {
	session string
	caller  *leg
	callees []*leg
	server  *detail // nil: the server never made a call of it
}

// callIDs returns the Call-IDs of all legs.
func (c *conversation) callIDs() []string {
	var out []string
	if c.caller != nil {
		out = append(out, c.caller.callID)
	}
	for _, l := range c.callees {
		out = append(out, l.callID)
	}
	if c.server != nil {
		out = append(out, c.server.CallID)
	}
	return out
}

// crashed reports whether one that had a part in it crashed, so that outcomes may differ.
func (c *conversation) crashed(life int) bool {
	legs := c.callees
	if c.caller != nil {
		legs = append(slices.Clone(legs), c.caller)
	}
	return c.server != nil && c.server.life != life || slices.ContainsFunc(legs, func(l *leg) bool { return l.crashed })
}

// deserted reports whether every phone that could end the call has crashed.
func (c *conversation) deserted() bool {
	alive := func(l *leg) bool { return l.answered && !l.crashed && !l.over() }
	return c.caller != nil && c.caller.crashed && !slices.ContainsFunc(c.callees, alive)
}

// conversations returns all calls so far, in an order that is the same each time.
func (s *storm) conversations() []*conversation {
	all := make(map[string]*conversation)
	of := func(session string) *conversation {
		if all[session] == nil {
			all[session] = &conversation{session: session, server: s.server.details[session]}
		}
		return all[session]
	}
	for _, p := range s.parties {
		for _, l := range p.legs {
			c := of(l.session)
			if l.caller {
				c.caller = l
			} else {
				c.callees = append(c.callees, l)
			}
		}
	}
	for id := range s.server.details {
		of(id)
	}
	return slices.SortedFunc(maps.Values(all), func(a, b *conversation) int { return cmp.Compare(a.session, b.session) })
}

// disagreements compares what the two sides of each call that is up know of their session: nothing is under way any more.
func (s *storm) disagreements() []string {
	var out []string
	for _, c := range s.conversations() {
		up := func(l *leg) bool { return l.answered && !l.over() && !l.crashed && !l.hungUp && !l.muddled }
		callees := slices.DeleteFunc(slices.Clone(c.callees), func(l *leg) bool { return !up(l) })
		if c.caller == nil || !up(c.caller) || len(callees) != 1 || c.server != nil && c.server.life != s.server.life {
			continue
		}
		a, b := c.caller, callees[0]
		if a.said != b.heard || a.heard != b.said {
			out = append(out, fmt.Sprintf("call %s: the caller says %q and hears %q, the callee says %q and hears %q: %v, %v", c.session, a.said, a.heard, b.said, b.heard, a, b))
			s.concerned = append(s.concerned, c.callIDs()...)
		}
	}
	return out
}

// contradictions audits all calls and requests of the storm.
func (s *storm) contradictions() []string {
	out := s.found
	for _, p := range s.parties {
		out = append(out, p.unanswered()...)
		for _, l := range p.legs {
			if found := l.outcome(); found != nil {
				out = append(out, found...)
				s.concerned = append(s.concerned, l.callID)
			}
		}
	}
	for _, c := range s.conversations() {
		found := c.contradictions(s)
		for _, f := range found {
			out = append(out, "call "+c.session+": "+f)
		}
		if len(found) > 0 {
			s.concerned = append(s.concerned, c.callIDs()...)
		}
	}
	return out
}

// unanswered audits the requests of a party outside calls.
func (p *party) unanswered() []string {
	var out []string
	for _, q := range p.asked {
		if q.outcomes > 1 || q.outcomes == 0 && !q.crashed {
			out = append(out, fmt.Sprintf("%s: a request has %d outcomes: %v", p.name, q.outcomes, q.request))
		}
	}
	return out
}

// outcome audits one leg by itself.
func (l *leg) outcome() []string {
	switch {
	case l.ends > 1 || l.late:
		return []string{fmt.Sprintf("%d ends, or something behind one: %v", l.ends, l)}
	case l.ends == 0 && !l.crashed:
		return []string{fmt.Sprintf("no end: %v", l)}
	}
	return nil
}

// contradictions audits one call.
func (c *conversation) contradictions(s *storm) []string {
	if d := c.server; d != nil && d.life == s.server.life && (d.started != 1 || d.ended != 1) {
		return []string{fmt.Sprintf("the server tells of %d beginnings and %d ends", d.started, d.ended)}
	}
	if c.server != nil && c.server.open && !c.deserted() {
		return []string{fmt.Sprintf("the server has never ended it: %v, %v", c.caller, c.callees)}
	}
	if c.caller == nil {
		return []string{"nobody has made this call"}
	}
	if c.crashed(s.server.life) {
		return nil
	}
	if s.plan.proxy {
		return c.forwarded(s.server.life)
	}
	found := c.branches()
	if c.server == nil {
		if len(c.callees) > 0 {
			found = append(found, fmt.Sprintf("the server knows nothing of %v", c.callees))
		}
		if c.caller.answered {
			found = append(found, fmt.Sprintf("nobody has answered %v", c.caller))
		}
		return found
	}
	return append(found, c.agreed()...)
}

// forwarded compares what the caller and the callees say of a call that a proxy has forwarded. One that crashed forgets who was to be answered.
func (c *conversation) forwarded(life int) []string {
	answered := func(l *leg) bool { return l.answered || l.cause != 0 }
	switch {
	case life > 0:
		return nil
	case c.caller.answered && !slices.ContainsFunc(c.callees, answered):
		return []string{fmt.Sprintf("nobody has answered %v: %v", c.caller, c.callees)}
	case c.caller.cause == dialog.ByeReceived && !slices.ContainsFunc(c.callees, func(l *leg) bool { return answered(l) && (l.hungUp || l.cause != dialog.ByeReceived) }):
		return []string{fmt.Sprintf("nobody has hung up on %v: %v", c.caller, c.callees)}
	}
	return c.branches()
}

// branches checks that no phone was called twice, unless it has refused the session as the B2BUA described it first.
func (c *conversation) branches() []string {
	var out []string
	seen := make(map[string]*leg)
	for _, l := range c.callees {
		key := fmt.Sprintf("%s %d", l.party.name, l.life)
		if first := seen[key]; first != nil && (c.server == nil || first.status != sip.StatusNotAcceptableHere) {
			out = append(out, fmt.Sprintf("%s was called twice", l.party.name))
		}
		seen[key] = l
	}
	return out
}

// agreed compares what the caller, the server and the callees say of a call.
func (c *conversation) agreed() []string {
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	d, caller := c.server, c.caller
	up := d.Status == sip.StatusOK
	switch {
	case caller.answered && !up:
		say("the caller was answered, the server says %d: %v", d.Status, caller)
	case up && !caller.answered && !caller.gaveUp && !caller.hungUp && caller.wire:
		say("the server says 200, the caller was refused with %d: %v", caller.status, caller)
	case !up && caller.wire && caller.status != d.Status && !caller.gaveUp:
		say("the server says %d, the caller was told %d: %v", d.Status, caller.status, caller)
	}
	answered := slices.DeleteFunc(slices.Clone(c.callees), func(l *leg) bool { return !l.answered && l.cause == 0 })
	if up && len(answered) == 0 {
		say("the server says 200, and nobody has answered: %v", c.callees)
	}
	for _, l := range c.callees {
		if l.caller == caller.caller {
			say("a callee that called: %v", l)
		}
	}
	return append(out, c.hangUps(up, answered)...)
}

// hangUps checks that a call that was up was ended by somebody who says so.
func (c *conversation) hangUps(up bool, answered []*leg) []string {
	left := func(l *leg) bool { return l.hungUp || l.gaveUp || l.cause != dialog.ByeReceived }
	switch d := c.server; {
	case up && d.By == b2bua.ByCaller && !left(c.caller):
		return []string{fmt.Sprintf("the server says that the caller hung up, and the caller does not: %v", c.caller)}
	case up && d.By == b2bua.ByCallee && !slices.ContainsFunc(answered, left):
		return []string{fmt.Sprintf("the server says that the callee hung up, and no callee does: %v", answered)}
	}
	return nil
}

// checkBindings compares the registrar with what the parties were told.
func (s *storm) checkBindings() {
	for n := range s.plan.people {
		var want, may, have []string
		for _, p := range s.parties {
			if p.user != n {
				continue
			}
			switch r := p.register; {
			case p.down:
				may = append(may, p.name)
			case !r.known:
				s.found = append(s.found, fmt.Sprintf("%s: its last registration was answered %d", p.name, r.status))
				s.concerned = append(s.concerned, r.callID)
			case r.bound:
				want = append(want, p.name)
			}
		}
		for _, b := range s.server.registrar.Lookup(aor(n)) {
			name, _, _ := strings.Cut(strings.TrimPrefix(b.Contact, "<sip:"), "@")
			if !slices.Contains(may, name) {
				have = append(have, name)
			}
		}
		slices.Sort(have)
		slices.Sort(want)
		if !slices.Equal(want, have) {
			s.found = append(s.found, fmt.Sprintf("%s is bound to %v, acknowledged were %v", user(n), have, want))
		}
	}
}

// report writes the findings and the ladder of the calls concerned, of everything if it is about none.
func (s *storm) report(findings []string) {
	keep := func(message []byte) bool {
		return len(s.concerned) == 0 || slices.ContainsFunc(s.concerned, func(callID string) bool { return bytes.Contains(message, []byte(callID)) })
	}
	s.T.Logf("the audit has found:\n%s\nthe flow:\n%s", strings.Join(findings, "\n"), s.Excerpt(keep))
}
