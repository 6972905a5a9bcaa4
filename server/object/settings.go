// The settings of a domain: every object of it, as one snapshot.

package object

import (
	"fmt"
	"iter"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/sipwerk/sipwerk/sip"
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
	} else if !at.IsNil() {
		at.SetMapIndex(reflect.ValueOf(name), reflect.Value{})
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

// Names says what a user of the domain is that no object is: "account", "device", "number"; "" for nothing.
type Names func(user string) (what string, err error)

// Check looks at what objects have to do with each other: that what they refer to is there, and that no number is taken twice. It looks at the objects for which which says
// true, at all of them for nil. The error is that of a look-up.
func (s *Settings) Check(names Names, which func(Object) bool) (faults Faults, err error) {
	for o := range s.All() {
		if which != nil && !which(o) {
			continue
		}
		more, err := s.checkOne(o, names)
		if err != nil {
			return nil, err
		}
		faults = append(faults, more...)
	}
	return faults, nil
}

// checkOne looks at one object.
func (s *Settings) checkOne(o Object, names Names) (faults []*Error, err error) {
	k := KindOf(o)
	if k.Numbered() {
		what, err := s.taken(NameOf(o), k, names)
		if err != nil {
			return nil, err
		}
		if what != "" {
			faults = append(faults, Fault(o, k.Key, "%s is taken by the %s of this number; choose another", NameOf(o), what))
		}
	}
	for _, f := range k.Fields() {
		for text, is := range texts(f.value(o), f.Is) {
			problem, err := s.checkReference(text, is, names)
			if err != nil {
				return nil, err
			}
			if problem != "" {
				faults = append(faults, Fault(o, f.Name, "%s", problem))
			}
		}
	}
	return faults, nil
}

// taken says what has a number beside the kind k.
func (s *Settings) taken(number string, k *Kind, names Names) (string, error) {
	for _, other := range kinds {
		if other != k && other.Numbered() && s.Get(other, number) != nil {
			return other.Name, nil
		}
	}
	return names(number)
}

// texts yields the texts of a field, and of the fields of its structs, with what they must be.
func texts(v reflect.Value, is string) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) { eachText(v, is, yield) }
}

func eachText(v reflect.Value, is string, yield func(string, string) bool) bool {
	switch v.Kind() {
	case reflect.String:
		return v.String() == "" || yield(v.String(), is)
	case reflect.Slice:
		for i := range v.Len() {
			if !eachText(v.Index(i), is, yield) {
				return false
			}
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			if !eachText(v.MapIndex(key), is, yield) {
				return false
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if !eachText(v.Field(i), v.Type().Field(i).Tag.Get("is"), yield) {
				return false
			}
		}
	}
	return true
}

// References yields the names to which an object refers: accounts, numbers, hours, trunks. Its own is among them where it belongs to an account.
func References(o Object) iter.Seq[string] {
	return func(yield func(string) bool) {
		if o == nil {
			return
		}
		for _, f := range KindOf(o).Fields() {
			for text, is := range texts(f.value(o), f.Is) {
				for _, name := range namesOf(text, is) {
					if !yield(name) {
						return
					}
				}
			}
		}
	}
}

// namesOf returns the names in a text.
func namesOf(text, is string) []string {
	switch is {
	case "account", "account*", "trunk":
		return []string{text}
	case "inbound":
		_, target, _ := strings.Cut(text, "=")
		return namesOf(target, "target")
	case "target", "dial":
		t, err := ParseTarget(text)
		if err != nil {
			return nil
		}
		names := append(namesOf(t.Open, "target"), namesOf(t.Closed, "target")...)
		for _, name := range []string{t.Number, t.Hours} {
			if name != "" {
				names = append(names, name)
			}
		}
		return names
	}
	return nil
}

// checkReference says what is wrong with what a text refers to.
func (s *Settings) checkReference(text, is string, names Names) (string, error) {
	switch is {
	case "account", "account*":
		if text == "*" {
			return "", nil
		}
		what, err := names(text)
		if what != "account" {
			return fmt.Sprintf("there is no account %s; add it with `sipwerk account add %s`, or name another", text, text), err
		}
	case "trunk":
		if s.Trunks[text] == nil {
			return fmt.Sprintf("there is no trunk %s; add it with `sipwerk trunk add %s`, or name another", text, text), nil
		}
	case "inbound":
		_, target, _ := strings.Cut(text, "=")
		return s.checkTarget(target, names)
	case "target", "dial":
		return s.checkTarget(text, names)
	}
	return "", nil
}

// checkTarget says what is wrong with what a target refers to.
func (s *Settings) checkTarget(text string, names Names) (string, error) {
	t, err := ParseTarget(text)
	switch {
	case err != nil:
		return "", nil // said by the check of the object
	case t.Kind == TargetVoicemail && t.Number != "" && s.Mailboxes[t.Number] == nil:
		return fmt.Sprintf("there is no mailbox of %s; add it with `sipwerk mailbox add %s`, or name another target", t.Number, t.Number), nil
	case t.Kind == TargetHours:
		return s.checkHours(t, names)
	case t.Kind != TargetDial || s.outside(t.Number) || s.Number(t.Number) != nil:
		return "", nil
	}
	what, err := names(t.Number)
	if what == "" {
		return fmt.Sprintf("nobody has the number %s; name an account, a group, a queue, a menu, a page or a room, or write a number of the outside in full", t.Number), err
	}
	return "", err
}

// checkHours looks at a target that depends on opening hours.
func (s *Settings) checkHours(t Target, names Names) (string, error) {
	if s.Hours[t.Hours] == nil {
		return fmt.Sprintf("there are no hours %s; add them with `sipwerk hours add %s`, or name others", t.Hours, t.Hours), nil
	}
	for _, next := range []string{t.Open, t.Closed} {
		if next == "" {
			continue
		}
		if problem, err := s.checkTarget(next, names); problem != "" || err != nil {
			return problem, err
		}
	}
	return "", nil
}

// outside reports whether what is dialled leads to where it cannot be known whether anybody is there: to a feature or out of the house.
func (s *Settings) outside(number string) bool {
	plan := s.DialPlan()
	_, short := plan.ShortNumbers[number]
	return short || number[0] == '*' || number[0] == '#' || number[0] == '0' || sip.IsGlobalNumber(number) || len(number) > 6 && strings.Trim(number, "0123456789") == "" ||
		plan.OutsidePrefix != "" && strings.HasPrefix(number, plan.OutsidePrefix)
}
