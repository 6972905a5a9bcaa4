// What objects refer to: that it is there, and that no number is taken twice.

package object

import (
	"fmt"
	"iter"
	"reflect"
	"strings"

	"github.com/sipwerk/sipwerk/sip"
)

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
	if h, ok := o.(*Hours); ok {
		if other := s.hoursOfCode(h); other != "" {
			faults = append(faults, Fault(o, "code", "%s is the code of the hours %s; choose another", h.Code, other))
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

// hoursOfCode says which other hours have the code of h; "" for none.
func (s *Settings) hoursOfCode(h *Hours) string {
	for name, other := range s.Hours {
		if h.Code != "" && other.Code == h.Code && name != h.Name {
			return name
		}
	}
	return ""
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
