package sdp

// Lines of one section and the attributes among them. RFC 8866 §5.13, order of RFC 8866 §9.

import (
	"iter"
	"slices"
	"strings"
)

// A Line is one "type=value" line without its line end.
type Line struct {
	Type  byte
	Value string
}

// Lines are the lines of the session or of one medium, in their order.
type Lines []Line

// size is how many bytes appendTo appends.
func (ls Lines) size() int {
	n := 4 * len(ls)
	for i := range ls {
		n += len(ls[i].Value)
	}
	return n
}

func (ls Lines) appendTo(b []byte) []byte {
	for _, l := range ls {
		b = append(append(append(b, l.Type, '='), l.Value...), "\r\n"...)
	}
	return b
}

// Value returns the value of the first line of that type.
func (ls Lines) Value(typ byte) (string, bool) {
	for _, l := range ls {
		if l.Type == typ {
			return l.Value, true
		}
	}
	return "", false
}

// Set replaces the first line of l's type and removes the others of that type, or inserts l where it belongs.
func (ls *Lines) Set(l Line) {
	i := slices.IndexFunc(*ls, func(o Line) bool { return o.Type == l.Type })
	if i < 0 {
		ls.Insert(l)
		return
	}
	(*ls)[i].Value = l.Value
	rest := slices.DeleteFunc((*ls)[i+1:], func(o Line) bool { return o.Type == l.Type })
	*ls = (*ls)[:i+1+len(rest)]
}

// Remove removes all lines of that type.
func (ls *Lines) Remove(typ byte) {
	*ls = slices.DeleteFunc(*ls, func(l Line) bool { return l.Type == typ })
}

// order is the order of lines at session level; at media level it is the same with gaps. RFC 8866 §9.
const order = "vosiuepcbtrzka"

// Insert puts l behind the last line that RFC 8866 §9 wants before it.
func (ls *Lines) Insert(l Line) {
	rank, at := strings.IndexByte(order, l.Type), 0
	for i, o := range *ls {
		if r := strings.IndexByte(order, o.Type); rank < 0 || r >= 0 && r <= rank {
			at = i + 1
		}
	}
	*ls = slices.Insert(*ls, at, l)
}

// Attribute returns the value of the first a= line of that name, empty for a flag such as a=rtcp-mux. Attribute names
// are case-sensitive: RFC 8866 §5.13.
func (ls Lines) Attribute(name string) (string, bool) {
	for i := range ls {
		if ls[i].isAttribute(name) {
			_, v, _ := ls[i].attribute()
			return v, true
		}
	}
	return "", false
}

// Attributes goes through the values of all a= lines of that name.
func (ls Lines) Attributes(name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range ls {
			if !ls[i].isAttribute(name) {
				continue
			}
			if _, v, _ := ls[i].attribute(); !yield(v) {
				return
			}
		}
	}
}

// AddAttribute appends an a= line; an empty value makes a flag.
func (ls *Lines) AddAttribute(name, value string) { ls.Insert(attributeLine(name, value)) }

// SetAttribute replaces the first a= line of that name and removes the others, or appends one.
func (ls *Lines) SetAttribute(name, value string) {
	l := attributeLine(name, value)
	i := slices.IndexFunc(*ls, func(o Line) bool { return o.isAttribute(name) })
	if i < 0 {
		ls.Insert(l)
		return
	}
	(*ls)[i] = l
	rest := Lines((*ls)[i+1:])
	rest.RemoveAttribute(name)
	*ls = (*ls)[:i+1+len(rest)]
}

// RemoveAttribute removes the a= lines of all these names.
func (ls *Lines) RemoveAttribute(names ...string) {
	ls.removeAttributes(func(name string) bool { return slices.Contains(names, name) })
}

func (ls *Lines) removeAttributes(drop func(name string) bool) {
	*ls = slices.DeleteFunc(*ls, func(l Line) bool {
		n, _, ok := l.attribute()
		return ok && drop(n)
	})
}

func attributeLine(name, value string) Line {
	if value == "" {
		return Line{'a', name}
	}
	return Line{'a', name + ":" + value}
}

// attribute cuts an a= line into name and value. Some phones end flags with blanks.
func (l Line) attribute() (name, value string, ok bool) {
	if l.Type != 'a' {
		return "", "", false
	}
	name, value, _ = strings.Cut(l.Value, ":")
	return trimmed(name), trimmed(value), true
}

// isAttribute reports whether l is an a= line of that name. Most are not, and show it by their first letters.
func (l Line) isAttribute(name string) bool {
	switch v := l.Value; {
	case l.Type != 'a' || v == "":
		return l.Type == 'a' && name == ""
	case v[0] > ' ' && v[0] < 0x80 && !strings.HasPrefix(v, name):
		return false
	case strings.HasPrefix(v, name) && (len(v) == len(name) || v[len(name)] == ':'):
		return true
	}
	n, _, ok := l.attribute()
	return ok && n == name
}

// trimmed is strings.TrimSpace, which nearly no line needs.
func trimmed(s string) string {
	if n := len(s); n > 0 && (s[0] <= ' ' || s[0] >= 0x80 || s[n-1] <= ' ' || s[n-1] >= 0x80) {
		return strings.TrimSpace(s)
	}
	return s
}
