// The settings of a domain: every object of it, as one snapshot.

package object

import (
	"iter"
	"maps"
	"reflect"
	"slices"
)

// Settings are the objects of a domain. Those that a server hands out are never changed: whoever wants others makes a [Settings.Clone]. The maps may be nil; their keys are the
// names of the objects.
type Settings struct {
	Domain  string
	Version int64 // of the newest change in it
	Plan    *Plan // nil: none is set, see [Settings.DialPlan]
	Mail    *Mail // nil: none is set

	Hours      map[string]*Hours
	Accounts   map[string]*Account // of who has set something; see [Settings.Account]
	Mailboxes  map[string]*Mailbox
	Groups     map[string]*Group
	Queues     map[string]*Queue
	Menus      map[string]*Menu
	Pages      map[string]*Page
	Rooms      map[string]*Room
	Trunks     map[string]*Trunk
	Recordings map[string]*Recording
}

// place is where the settings keep the objects of a kind: a pointer, or a map of pointers.
func (s *Settings) place(k *Kind) reflect.Value { return reflect.ValueOf(s).Elem().Field(k.place) }

// Get returns an object, nil if there is none. The name of the only one of its kind is "".
func (s *Settings) Get(k *Kind, name string) Object {
	at := s.place(k)
	if k.Key != "" {
		if at = at.MapIndex(reflect.ValueOf(name)); !at.IsValid() {
			return nil
		}
	}
	if at.IsNil() {
		return nil
	}
	return at.Interface().(Object)
}

// Put adds an object or replaces the one of its kind and name.
func (s *Settings) Put(o Object) {
	k := KindOf(o)
	at := s.place(k)
	if k.Key == "" {
		at.Set(reflect.ValueOf(o))
		return
	}
	if at.IsNil() {
		at.Set(reflect.MakeMap(at.Type()))
	}
	at.SetMapIndex(reflect.ValueOf(NameOf(o)), reflect.ValueOf(o))
}

// Remove takes an object out, if it is there.
func (s *Settings) Remove(k *Kind, name string) {
	at := s.place(k)
	if k.Key == "" {
		at.SetZero()
		return
	}
	if !at.IsNil() {
		at.SetMapIndex(reflect.ValueOf(name), reflect.Value{})
	}
	if at.Len() == 0 {
		at.SetZero() // none is written in one way only
	}
}

// Objects yields the objects of a kind in the order of their names.
func (s *Settings) Objects(k *Kind) iter.Seq[Object] {
	return func(yield func(Object) bool) {
		if k.Key == "" {
			if o := s.Get(k, ""); o != nil {
				yield(o)
			}
			return
		}
		at := s.place(k)
		names := make([]string, 0, at.Len())
		for _, key := range at.MapKeys() {
			names = append(names, key.String())
		}
		slices.Sort(names)
		for _, name := range names {
			if !yield(s.Get(k, name)) {
				return
			}
		}
	}
}

// All yields every object, kind by kind.
func (s *Settings) All() iter.Seq[Object] {
	return func(yield func(Object) bool) {
		for _, k := range kinds {
			for o := range s.Objects(k) {
				if !yield(o) {
					return
				}
			}
		}
	}
}

// Clone returns settings of which objects can be put and removed. The objects themselves are shared.
func (s *Settings) Clone() *Settings {
	c := *s
	c.Hours, c.Accounts, c.Mailboxes = maps.Clone(s.Hours), maps.Clone(s.Accounts), maps.Clone(s.Mailboxes)
	c.Groups, c.Queues, c.Menus, c.Pages = maps.Clone(s.Groups), maps.Clone(s.Queues), maps.Clone(s.Menus), maps.Clone(s.Pages)
	c.Rooms, c.Trunks, c.Recordings = maps.Clone(s.Rooms), maps.Clone(s.Trunks), maps.Clone(s.Recordings)
	return &c
}

// unset are the settings of an account that has set nothing; nobody changes them.
var unset = KindNamed("account").New().(*Account)

// Account returns the settings of an account; who has set nothing has the defaults, without a user, and ok is false.
func (s *Settings) Account(user string) (a *Account, ok bool) {
	if a, ok = s.Accounts[user]; ok {
		return a, true
	}
	return unset, false
}

// standard is the plan of a domain that has set none; nobody changes it.
var standard = KindNamed("dialplan").New().(*Plan)

// DialPlan returns the plan, or the one with which every domain begins.
func (s *Settings) DialPlan() *Plan {
	if s.Plan == nil {
		return standard
	}
	return s.Plan
}

// Number returns the group, queue, menu, page or room with a number, nil if there is none.
func (s *Settings) Number(number string) Object {
	if g, ok := s.Groups[number]; ok {
		return g
	}
	if q, ok := s.Queues[number]; ok {
		return q
	}
	if m, ok := s.Menus[number]; ok {
		return m
	}
	if p, ok := s.Pages[number]; ok {
		return p
	}
	if r, ok := s.Rooms[number]; ok {
		return r
	}
	return nil
}
