// Documents written: every section, and of each object what is not as in a new one. What is read again is the same.

package object

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// FormatDocument writes the people and objects of a domain. Secrets and PINs are not in it: "keep" stands where there is one.
func FormatDocument(domain string, people map[string]*Person, set *Settings) []byte {
	w := new(writer)
	w.line(0, "# What is set up for %s. A section that is left out is left as it is; `keep` stands for a secret or a PIN that is not shown.", domain)
	w.line(0, "domain: %s", quoted(domain))
	for _, k := range kinds {
		w.line(0, "")
		switch {
		case k.Plural == accounts:
			w.people(people, set)
		case k.Key == "":
			w.single(k, set.Get(k, ""))
		default:
			w.objects(k, slices.Collect(set.Objects(k)))
		}
	}
	return []byte(w.String())
}

// writer writes YAML.
type writer struct{ strings.Builder }

// line writes a line, so many steps deep.
func (w *writer) line(depth int, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if text != "" {
		w.WriteString(strings.Repeat("  ", depth))
	}
	w.WriteString(text + "\n")
}

// open begins a mapping; it is closed at once where it holds nothing.
func (w *writer) open(depth int, name string, empty bool) {
	if empty {
		w.line(depth, "%s: {}", name)
		return
	}
	w.line(depth, "%s:", name)
}

func (w *writer) people(people map[string]*Person, set *Settings) {
	w.open(0, accounts, len(people) == 0)
	for _, user := range slices.Sorted(maps.Keys(people)) {
		p := people[user]
		inner := new(writer)
		if p.Name != "" {
			inner.line(2, "name: %s", quoted(p.Name))
		}
		if !slices.Equal(p.Devices, []string{user}) {
			inner.value(2, "devices", reflect.ValueOf(p.Devices))
		}
		if len(p.Numbers) > 0 {
			inner.value(2, "numbers", reflect.ValueOf(Blocks(p.Numbers)))
		}
		if a, ok := set.Account(user); ok {
			inner.fields(2, KindOf(a), a)
		}
		w.open(1, quoted(user), inner.Len() == 0)
		w.WriteString(inner.String())
	}
}

func (w *writer) single(k *Kind, o Object) {
	if o == nil {
		w.line(0, "%s: null", k.Plural)
		return
	}
	inner := new(writer)
	inner.fields(1, k, o)
	w.open(0, k.Plural, inner.Len() == 0)
	w.WriteString(inner.String())
}

func (w *writer) objects(k *Kind, all []Object) {
	w.open(0, k.Plural, len(all) == 0)
	for _, o := range all {
		inner := new(writer)
		inner.fields(2, k, o)
		w.open(1, quoted(NameOf(o)), inner.Len() == 0)
		w.WriteString(inner.String())
	}
}

// fields writes what is not as in a new object.
func (w *writer) fields(depth int, k *Kind, o Object) {
	for _, f := range k.Fields() {
		switch {
		case f.Key || f.IsDefault(o):
		case f.Secret():
			w.line(depth, "%s: %s", f.Name, Keep)
		default:
			w.value(depth, f.Name, f.value(o))
		}
	}
}

// maxLine is how long a list may be in one line.
const maxLine = 120

// value writes a name with its value.
func (w *writer) value(depth int, name string, v reflect.Value) {
	switch {
	case v.Kind() == reflect.Slice && isPlainStruct(v.Type().Elem()):
		w.line(depth, "%s:", name)
		for i := range v.Len() {
			w.item(depth+1, v.Index(i))
		}
	case v.Kind() == reflect.Slice:
		w.list(depth, name, v)
	case v.Kind() == reflect.Map:
		w.line(depth, "%s:", name)
		for _, key := range slices.SortedFunc(slices.Values(v.MapKeys()), func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) }) {
			w.line(depth+1, "%s: %s", quoted(key.String()), quoted(v.MapIndex(key).String()))
		}
	case v.Kind() == reflect.Bool:
		w.line(depth, "%s: %t", name, v.Bool())
	case v.Kind() == reflect.String && isBlock(v.String()):
		w.block(depth, name, v.String())
	default:
		w.line(depth, "%s: %s", name, quoted(Text(v)))
	}
}

// list writes plain values, in one line if they fit.
func (w *writer) list(depth int, name string, v reflect.Value) {
	items := make([]string, v.Len())
	for i := range items {
		items[i] = quoted(Text(v.Index(i)))
	}
	if line := "[" + strings.Join(items, ", ") + "]"; len(line) <= maxLine {
		w.line(depth, "%s: %s", name, line)
		return
	}
	w.line(depth, "%s:", name)
	for _, item := range items {
		w.line(depth+1, "- %s", item)
	}
}

// item writes a struct in a list; its first field stands behind the dash.
func (w *writer) item(depth int, v reflect.Value) {
	inner := new(writer)
	for _, sf := range reflect.VisibleFields(v.Type()) {
		if field := v.FieldByIndex(sf.Index); !field.IsZero() {
			inner.value(depth+1, sf.Tag.Get("json"), field)
		}
	}
	text := strings.TrimLeft(inner.String(), " ")
	if text == "" {
		text = "{}\n"
	}
	w.WriteString(strings.Repeat("  ", depth) + "- " + text)
}

// isBlock reports whether a text is better written line by line: what cannot be written so is not.
func isBlock(s string) bool {
	return strings.Contains(s, "\n") && s[0] != ' ' && s[0] != '\n' && s[0] != '\t' && !strings.Contains(s, "\t") && !strings.HasSuffix(s, "\n\n") && !strings.Contains(s, " \n")
}

// block writes a text line by line.
func (w *writer) block(depth int, name, text string) {
	style := "|-"
	if strings.HasSuffix(text, "\n") {
		style, text = "|", strings.TrimSuffix(text, "\n")
	}
	w.line(depth, "%s: %s", name, style)
	for l := range strings.SplitSeq(text, "\n") {
		if l == "" {
			w.line(0, "")
		} else {
			w.line(depth+1, "%s", l)
		}
	}
}
