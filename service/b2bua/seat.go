package b2bua

// In how many calls an account takes part, for limits and for those who want no second call.

import (
	"slices"

	"github.com/sipwerk/sipwerk/sip"
)

// CallsOf returns in how many calls an account takes part: those it has made, those that ring at its devices and those it has answered.
func (b *B2BUA) CallsOf(account sip.URI) int {
	aor := account.AOR()
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.seats[aor]
}

// seat counts a call for an account and returns how many it has then; false if that is more than limit, and nothing was counted.
func (b *B2BUA) seat(aor string, limit int) (int, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := b.seats[aor] + 1
	if limit > 0 && n > limit {
		return n, false
	}
	if b.seats == nil {
		b.seats = make(map[string]int)
	}
	b.seats[aor] = n
	return n, true
}

// unseat undoes seat.
func (b *B2BUA) unseat(aor string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.seats[aor]--; b.seats[aor] <= 0 {
		delete(b.seats, aor)
	}
}

// seat counts the call for an account whose devices are to ring, unless it has too many, and returns what it is counted under.
func (c *call) seat(account sip.URI, limit int) (aor string, ok bool) {
	aor = account.AOR()
	if slices.Contains(c.seats, aor) {
		return aor, true
	}
	if _, ok = c.b.seat(aor, limit); ok {
		c.seats = append(c.seats, aor)
	}
	return aor, ok
}

// count counts the call for the account of a leg that has taken a place in it, and for nobody who has none any more.
func (c *call) count(l *leg) {
	if l.aor != "" && !slices.Contains(c.seats, l.aor) {
		c.b.seat(l.aor, 0)
		c.seats = append(c.seats, l.aor)
	}
	c.recount()
}

// recount takes the call out of the count of those who have no part in it any more.
func (c *call) recount() {
	kept := c.seats[:0]
	for _, aor := range c.seats {
		if !c.over && c.includes(aor) {
			kept = append(kept, aor)
		} else {
			c.b.unseat(aor)
		}
	}
	c.seats = kept
}

// includes reports whether an account is one of the two sides, or rings.
func (c *call) includes(aor string) bool {
	if c.caller.aor == aor || c.callee != nil && c.callee.aor == aor {
		return true
	}
	return slices.ContainsFunc(c.branches, func(l *leg) bool { return l.aor == aor && l.status == 0 && l.hunt != nil && !l.hunt.over })
}
