// What a REGISTER does to the bindings of its address-of-record: a pure function. RFC 3261 §10.3 step 6 and 7, RFC 5626 §6, RFC 5627 §5.1.

package registrar

import (
	"slices"
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

// Change is what happened to one binding of an address-of-record.
type Change struct {
	AOR     string
	Kind    ChangeKind
	Binding Binding
}

// update is what one REGISTER, the time or a lost flow asks of the bindings.
type update struct {
	lost   uint64 // id of a flow that is gone; 0: none
	wishes []wish
	star   bool
	max    int
	now    time.Time
	via    sip.Via
	origin Binding // the fields that all its bindings share
}

// apply returns the bindings after the update, or a reason to change nothing: all of it happens or none.
func (u *update) apply(old []Binding) (bindings []Binding, changes []Change, no *refusal) {
	s := updateState{update: u, bindings: slices.Clone(old), touched: make([]bool, len(old))}
	s.dropIf(Expired, func(i int) bool { return s.bindings[i].expired(u.now) })
	if u.lost != 0 {
		s.dropIf(Deactivated, func(i int) bool { return s.bindings[i].hangsOn() == u.lost })
	}
	alive := len(s.bindings)
	if u.star {
		no = s.removeAll()
	} else {
		no = s.applyWishes()
	}
	if no == nil && len(s.bindings) > max(u.max, alive) {
		no = &refusal{status: sip.StatusForbidden, reason: "Too Many Contacts"}
	}
	if no != nil {
		return nil, nil, no
	}
	return s.bindings, s.changes, nil
}

// updateState is the work of one apply.
type updateState struct {
	*update
	bindings []Binding
	touched  []bool // by a wish of this request; as long as bindings
	changes  []Change
}

func (s *updateState) removeAll() *refusal {
	for i := range s.bindings {
		if s.order(&s.bindings[i]) <= 0 {
			return outOfOrder()
		}
	}
	s.dropIf(Removed, func(int) bool { return true })
	return nil
}

// applyWishes looks for the bindings that are named by their URI first: a device with two contacts must not replace one by the other.
func (s *updateState) applyWishes() *refusal {
	found := make([]bool, len(s.wishes))
	for i := range s.wishes {
		w := &s.wishes[i]
		at := s.find(w)
		if at < 0 {
			continue
		}
		if no := s.refresh(at, w); no != nil {
			return no
		}
		found[i] = true
	}
	s.dropUnset()
	for i := range s.wishes {
		// Of a contact that is given twice the first value counts.
		if w := &s.wishes[i]; !found[i] && w.expires > 0 && s.find(w) < 0 {
			if no := s.add(w); no != nil {
				return no
			}
		}
	}
	return nil
}

// find returns the place of the binding that w names by its URI, -1 if there is none.
func (s *updateState) find(w *wish) int {
	return slices.IndexFunc(s.bindings, func(b Binding) bool { return !b.Expires.IsZero() && sameContact(&b, w) })
}

// refresh renews or removes the binding that w names. Removed bindings stay, without expiry, until dropUnset.
func (s *updateState) refresh(at int, w *wish) *refusal {
	b := &s.bindings[at]
	order := s.order(b)
	// Deviates: RFC 3261 §10.3 step 7 lets a CSeq that is not higher fail. The very same REGISTER again, after a restart has lost its
	// transaction, finds its binding and gets its 200.
	if order == 0 && w.expires > 0 {
		s.touched[at] = true
		return nil
	}
	if order <= 0 {
		return outOfOrder()
	}
	s.touched[at] = true
	if w.expires == 0 {
		s.note(Removed, *b)
		b.Expires = time.Time{}
		return nil
	}
	*b = s.binding(w)
	s.note(Refreshed, *b)
	return nil
}

func (s *updateState) dropUnset() {
	touched := s.touched[:0]
	for i, b := range s.bindings {
		if !b.Expires.IsZero() {
			touched = append(touched, s.touched[i])
		}
	}
	s.touched = touched
	s.bindings = slices.DeleteFunc(s.bindings, func(b Binding) bool { return b.Expires.IsZero() })
}

// add makes a new binding. It replaces those that the same device left behind: a phone that was restarted or has moved (RFC 5626 §6: same instance and reg-id).
func (s *updateState) add(w *wish) *refusal {
	for i := range s.bindings {
		if s.isPredecessor(i, w) && s.order(&s.bindings[i]) <= 0 {
			return outOfOrder()
		}
	}
	s.dropIf(Removed, func(i int) bool { return s.isPredecessor(i, w) })
	b := s.binding(w)
	s.bindings, s.touched = append(s.bindings, b), append(s.touched, true)
	s.note(Added, b)
	return nil
}

func (s *updateState) isPredecessor(i int, w *wish) bool {
	b := &s.bindings[i]
	return w.instance != "" && b.Instance == w.instance && b.RegID == w.regID && !s.touched[i]
}

// dropIf removes the bindings for which drop says so.
func (s *updateState) dropIf(kind ChangeKind, drop func(i int) bool) {
	kept := 0
	for i := range s.bindings {
		if drop(i) {
			s.note(kind, s.bindings[i])
			continue
		}
		s.bindings[kept], s.touched[kept] = s.bindings[i], s.touched[i]
		kept++
	}
	s.bindings, s.touched = s.bindings[:kept], s.touched[:kept]
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

func (s *updateState) binding(w *wish) Binding {
	b := s.origin
	b.Contact, b.Instance, b.RegID, b.Q = w.text, w.instance, w.regID, w.q
	b.Expires = s.now.Add(w.expires)
	b.Bound = bound(b.Flow, s.via, w.uri)
	return b
}

func (s *updateState) note(kind ChangeKind, b Binding) {
	s.changes = append(s.changes, Change{Kind: kind, Binding: b})
}

// sameContact compares by RFC 3261 §19.1.4.
func sameContact(b *Binding, w *wish) bool {
	if b.Contact == w.text {
		return true
	}
	a, err := sip.ParseAddress(b.Contact)
	return err == nil && a.URI.Equal(w.uri)
}
