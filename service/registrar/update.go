// What a REGISTER does to the bindings of its address-of-record: a pure function. RFC 3261 §10.3 step 6 and 7, RFC 5626 §6, RFC 5627 §5.1.

package registrar

import (
	"hash/maphash"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// ChangeKind says what happened to a binding.
type ChangeKind uint8

// The kinds of changes.
const (
	Added ChangeKind = iota + 1
	Refreshed
	Removed // by its owner, or replaced by a newer one of the same device
	Expired
	Deactivated // its connection is gone
)

// String names the kind in the words of RFC 3680 §5.3.
func (k ChangeKind) String() string {
	return [...]string{"", "registered", "refreshed", "unregistered", "expired", "deactivated"}[k]
}

// Change is what happened to one binding of an address-of-record. Its strings are valid until [Registrar.Changed] returns.
type Change struct {
	AOR     string
	Kind    ChangeKind
	Binding Binding
}

// update is what one REGISTER, the time or a lost flow asks of the bindings.
type update struct {
	lost   uint64 // id of a flow that is gone; 0: none
	failed uint64 // key of a binding that cannot be reached; 0: none
	seed   maphash.Seed
	wishes []wish
	star   bool
	max    int
	now    time.Time
	via    sip.Via
	origin Binding // the fields that all its bindings share

	outbound bool // it registers a flow (outbound.go)
	direct   bool // the flow of a device that came straight here
	gruu     bool // its sender understands GRUUs
	push     bool // its sender asks to be woken
}

// updateState is the work of one apply, and its memory: used again, it allocates nothing.
type updateState struct {
	*update
	bindings []Binding
	touched  []bool // by a wish of this request; as long as bindings
	changes  []Change
}

// apply turns the bindings old into those after the update, in s.bindings with what happened in s.changes, or gives a reason to change nothing: all of it happens or
// none. Nothing is written to old.
func (s *updateState) apply(u *update, old []Binding) *refusal {
	s.update = u
	s.bindings, s.touched, s.changes = append(s.bindings[:0], old...), s.touched[:0], s.changes[:0]
	for range old {
		s.touched = append(s.touched, false)
	}
	s.dropGone()
	alive := len(s.bindings)
	var no *refusal
	if u.star {
		no = s.removeAll()
	} else {
		no = s.applyWishes()
	}
	if no == nil && len(s.bindings) > max(u.max, alive) {
		no = &refusal{status: sip.StatusForbidden, reason: "Too Many Contacts"}
	}
	return no
}

// dropGone removes what has expired and what hangs on a lost flow.
func (s *updateState) dropGone() {
	for i := 0; i < len(s.bindings); {
		b := &s.bindings[i]
		switch {
		case b.expired(s.now):
			s.drop(i, Expired)
		case s.lost != 0 && b.hangsOn() == s.lost, s.failed != 0 && b.key(s.seed) == s.failed:
			s.drop(i, Deactivated)
		default:
			i++
		}
	}
}

func (s *updateState) removeAll() *refusal {
	for i := range s.bindings {
		if s.order(&s.bindings[i]) <= 0 {
			return outOfOrder()
		}
	}
	for len(s.bindings) > 0 {
		s.drop(0, Removed)
	}
	return nil
}

// applyWishes looks for the bindings that are named first: a device with two contacts must not replace one by the other.
func (s *updateState) applyWishes() *refusal {
	for i := range s.wishes {
		w := &s.wishes[i]
		at := s.find(w)
		if w.found = at >= 0; !w.found {
			continue
		}
		if no := s.refresh(at, w); no != nil {
			return no
		}
	}
	s.dropUnset()
	for i := range s.wishes {
		// Of a contact that is given twice the first value counts.
		if w := &s.wishes[i]; !w.found && w.expires > 0 && s.find(w) < 0 {
			if no := s.add(w); no != nil {
				return no
			}
		}
	}
	return nil
}

// find returns the place of the binding that w names, -1 if there is none: by instance and flow where it has both (RFC 5626 §6), otherwise by its URI.
func (s *updateState) find(w *wish) int {
	for i := range s.bindings {
		b := &s.bindings[i]
		switch {
		case b.Expires.IsZero():
		case w.regID != 0:
			if b.RegID == w.regID && b.Instance == w.instance {
				return i
			}
		case sameContact(b, w):
			return i
		}
	}
	return -1
}

// refresh renews or removes the binding that w names. Removed bindings stay, without expiry, until dropUnset.
func (s *updateState) refresh(at int, w *wish) *refusal {
	b := &s.bindings[at]
	order := s.order(b)
	// Deviates: RFC 3261 §10.3 step 7 lets a CSeq that is not higher fail. A copy of the REGISTER that made the binding gets the same 200: no transaction
	// remembers it (RFC 3261 §8.2.7). Behind a later one it does fail, but then nobody waits for its answer any more.
	if order == 0 && w.expires > 0 {
		s.touched[at] = true
		return nil
	}
	if order <= 0 {
		return outOfOrder()
	}
	s.touched[at] = true
	if w.expires == 0 {
		s.note(Removed, b)
		b.Expires = time.Time{}
		return nil
	}
	s.bind(b, w)
	s.note(Refreshed, b)
	return nil
}

func (s *updateState) dropUnset() {
	for i := 0; i < len(s.bindings); {
		if s.bindings[i].Expires.IsZero() {
			s.cut(i)
			continue
		}
		i++
	}
}

// add makes a new binding. It replaces those that the same device left behind: a phone that was restarted or has moved (RFC 5626 §6: same instance and reg-id).
func (s *updateState) add(w *wish) *refusal {
	for i := range s.bindings {
		if s.isPredecessor(i, w) && s.order(&s.bindings[i]) <= 0 {
			return outOfOrder()
		}
	}
	for i := 0; i < len(s.bindings); {
		if s.isPredecessor(i, w) {
			s.drop(i, Removed)
			continue
		}
		i++
	}
	s.bindings, s.touched = append(s.bindings, Binding{}), append(s.touched, true)
	b := &s.bindings[len(s.bindings)-1]
	s.bind(b, w)
	s.note(Added, b)
	return nil
}

// isPredecessor reports whether a binding is what the device of w left behind. A device that has learned to keep several flows leaves the one it had without.
func (s *updateState) isPredecessor(i int, w *wish) bool {
	b := &s.bindings[i]
	return w.instance != "" && b.Instance == w.instance && (b.RegID == w.regID || b.RegID == 0) && !s.touched[i]
}

// drop removes a binding and says why.
func (s *updateState) drop(i int, kind ChangeKind) {
	s.note(kind, &s.bindings[i])
	s.cut(i)
}

func (s *updateState) cut(i int) {
	s.bindings, s.touched = append(s.bindings[:i], s.bindings[i+1:]...), append(s.touched[:i], s.touched[i+1:]...)
}

// order compares the request with what made the binding: below 0 if it is older, 0 if it is the same.
func (s *updateState) order(b *Binding) int {
	if b.CallID != s.origin.CallID {
		return 1
	}
	return int(s.origin.CSeq) - int(b.CSeq)
}

func outOfOrder() *refusal {
	return &refusal{status: sip.StatusServerInternalError, reason: "CSeq Out Of Order"}
}

// bind makes b what w asks for.
func (s *updateState) bind(b *Binding, w *wish) {
	*b = s.origin
	b.Contact, b.Instance, b.RegID, b.Q = w.text, w.instance, w.regID, w.q
	b.Expires = s.now.Add(w.expires)
	// RFC 5626 §5.3: a flow that was registered as one is the way back, whatever the contact says.
	b.Bound = w.regID != 0 && s.direct || bound(b.Flow, s.via, w.uri)
}

func (s *updateState) note(kind ChangeKind, b *Binding) {
	s.changes = append(s.changes, Change{Kind: kind, Binding: *b})
}

// sameContact compares by RFC 3261 §19.1.4.
func sameContact(b *Binding, w *wish) bool {
	if b.Contact == w.text {
		return true
	}
	a, err := sip.ParseAddress(b.Contact)
	return err == nil && a.URI.Equal(w.uri)
}
