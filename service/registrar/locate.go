// Where somebody can be reached now: what a proxy or B2BUA asks for. RFC 3261 §16.5, RFC 3327 §5.4.

package registrar

import (
	"cmp"
	"slices"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// Lookup returns the bindings of aor, an address-of-record as [Accounts] gives it, that are in force, the preferred first: by q, then the most recent. It returns none for somebody who is
// not registered and for somebody who does not exist. The result is the caller's.
func (r *Registrar) Lookup(aor sip.URI) []Binding {
	r.start()
	bindings := r.bindings(nameOf(aor), time.Now())
	slices.SortStableFunc(bindings, func(a, b Binding) int {
		return cmp.Or(cmp.Compare(b.Q, a.Q), b.Received.Compare(a.Received))
	})
	return bindings
}

// bindings returns the bindings of a name that are in force, in the order in which they came.
func (r *Registrar) bindings(name string, now time.Time) []Binding {
	s := r.table.lock(name)
	all := s.oldLocked()
	s.mu.Unlock()
	return slices.DeleteFunc(all, func(b Binding) bool { return b.expired(now) })
}
