// Where somebody can be reached now: what a proxy or B2BUA asks for. RFC 3261 §16.5, RFC 3327 §5.4.

package registrar

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// Result is what [Registrar.Locate] has found, and the memory of it: used again it allocates nothing. The zero Result is ready; it belongs to one goroutine at a time.
type Result struct {
	Bindings []Binding // in force, the preferred first; valid until the Result is used again

	account, line reading
}

// reading is memory for the bindings of one address-of-record.
type reading struct {
	name, record []byte
	decoder
}

// Locate finds who is called by uri and fills res with the bindings that are in force, the preferred first: by q, then the most recent. known is false if uri is
// nobody's; somebody who is known and not registered has no bindings.
//
// A GRUU finds the bindings of its device only (RFC 5627 §5.4). A number finds those of its account, bulk contacts expanded (RFC 6140 §5.2), and its own. Flows of one device stand behind each other, see [Binding.SameDevice].
func (r *Registrar) Locate(res *Result, uri sip.URI) (known bool) {
	res.Bindings = nil
	aor, known := r.Resolve(uri)
	if known {
		r.find(res, aor)
	}
	return known
}

// find fills res with the bindings of an address-of-record, of one device if it has a gr parameter.
func (r *Registrar) find(res *Result, aor sip.URI) {
	c := calledBy(&aor)
	kept := r.inForce(&res.account, aor, &c)
	if own, ok := line(aor, c.number); ok {
		kept = append(kept, r.inForce(&res.line, own, &c)...)
	}
	if res.Bindings = kept; len(kept) > 1 {
		slices.SortStableFunc(kept, func(a, b Binding) int {
			return cmp.Or(cmp.Compare(b.Q, a.Q), b.Received.Compare(a.Received))
		})
		gather(kept)
	}
}

// inForce returns the bindings kept under a name that lead to who is called.
func (r *Registrar) inForce(m *reading, aor sip.URI, c *called) []Binding {
	m.name = appendName(m.name[:0], aor)
	s := r.table.lock(m.name)
	m.record = append(m.record[:0], s.getLocked()...)
	s.mu.Unlock()
	bindings, _ := m.decode(m.record) // what the table holds was made by appendBindings
	now := time.Now()
	kept := bindings[:0]
	for i := range bindings {
		if b := &bindings[i]; !b.expired(now) && c.reaches(b) {
			kept = append(kept, *b)
		}
	}
	return kept
}

// gather puts the flows of each device behind its first.
func gather(bindings []Binding) {
	for i := range bindings {
		next := i + 1
		for j := next; j < len(bindings); j++ {
			if b := bindings[j]; bindings[i].SameDevice(&b) {
				copy(bindings[next+1:j+1], bindings[next:j])
				bindings[next] = b
				next++
			}
		}
	}
}

// Lookup returns the bindings of aor, an address-of-record as [Registrar.Resolve] gives it, that are in force, the preferred first as by [Registrar.Locate]. It returns none for
// somebody who is not registered and for somebody who does not exist. The result is the caller's.
func (r *Registrar) Lookup(aor sip.URI) []Binding {
	r.start()
	var res Result
	r.find(&res, aor)
	for i := range res.Bindings {
		res.Bindings[i].own()
	}
	return res.Bindings
}

// IsAt reports whether a device of aor, an address-of-record as [Registrar.Resolve] gives it, has registered from an address, whatever the port, and its binding is in force. The system that has
// registered in bulk counts as a device of the account.
func (r *Registrar) IsAt(aor sip.URI, a netip.Addr) bool {
	r.start()
	var res Result
	c := calledBy(&aor)
	c.all = true
	there := func(b Binding) bool { return b.Flow.Remote.Addr().Unmap() == a.Unmap() }
	if slices.ContainsFunc(r.inForce(&res.account, aor, &c), there) {
		return true
	}
	own, ok := line(aor, c.number)
	return ok && slices.ContainsFunc(r.inForce(&res.line, own, &c), there)
}

// own makes the strings of b its own.
func (b *Binding) own() {
	b.Contact, b.CallID, b.UserAgent, b.Instance = strings.Clone(b.Contact), strings.Clone(b.CallID), strings.Clone(b.UserAgent), strings.Clone(b.Instance)
	b.Number, b.Device = strings.Clone(b.Number), strings.Clone(b.Device)
	b.Path = slices.Clone(b.Path)
	for i := range b.Path {
		b.Path[i] = strings.Clone(b.Path[i])
	}
}
