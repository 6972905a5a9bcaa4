// The document of a domain: its people and objects as one YAML text. A section that is there says everything of its kind; one that is not there leaves it as it is.

package object

import (
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"

	"github.com/goccy/go-yaml/ast"
)

// Document is what a text says of a domain.
type Document struct {
	Domain   string             // "" where the text does not say
	People   map[string]*Person // by user
	Settings *Settings
	sections map[string]bool // that the text has
	file     string
	lines    map[place]int
}

// place is what stands in a line.
type place struct{ kind, name, field string }

// accounts is the section of people: what they are and their settings.
const accounts = "accounts"

// Has reports whether the document speaks of a kind.
func (d *Document) Has(k *Kind) bool { return d.sections[k.Plural] }

// HasPeople reports whether the document speaks of people.
func (d *Document) HasPeople() bool { return d.sections[accounts] }

// Says reports whether the document names a field of an object.
func (d *Document) Says(k *Kind, name, field string) bool {
	_, ok := d.lines[place{k.Name, name, field}]
	return ok
}

// ParseDocument reads a document; file is what it is called in errors. They are [Faults] with their lines. The objects are checked by whoever writes them.
func ParseDocument(file string, text []byte) (*Document, error) {
	return readDocument(file, func() (ast.Node, error) { return parseYAML(text) })
}

// readDocument reads what is parsed.
func readDocument(file string, parse func() (ast.Node, error)) (*Document, error) {
	d := &Document{People: make(map[string]*Person), Settings: new(Settings), sections: make(map[string]bool), file: filepath.Base(file), lines: make(map[place]int)}
	body, err := parse()
	if err != nil {
		return nil, d.faults(err, "", "")
	}
	if body == nil {
		return nil, Faults{{Where: d.file, Problem: "the document is empty; `sipwerk export` writes one"}}
	}
	sections, err := pairs(body)
	if err != nil {
		return nil, d.faults(err, "", "")
	}
	var faults Faults
	for _, s := range sections {
		faults = append(faults, d.section(s)...)
	}
	if len(faults) > 0 {
		return nil, faults
	}
	return d, nil
}

// faults puts the line to an error.
func (d *Document) faults(err error, kind, name string) Faults {
	f := &Error{Where: d.file, Kind: kind, Name: name, Problem: err.Error()}
	var le *lineError
	if errors.As(err, &le) {
		f.Field, f.Problem = le.field, le.problem
		if le.line > 0 {
			f.Where = fmt.Sprintf("%s line %d", d.file, le.line)
		}
	}
	return Faults{f}
}

// section reads one name of the top level.
func (d *Document) section(s *ast.MappingValueNode) Faults {
	name := s.Key.GetToken().Value
	if name == "domain" {
		text, _ := scalar(s.Value)
		if err := CheckUser(text); text == "" || err != nil && checkHost(text) != "" {
			return d.faults(&lineError{line: line(s.Key), field: name, problem: "is no domain; write one such as example.org"}, "", "")
		}
		d.Domain = text
		return nil
	}
	i := slices.IndexFunc(kinds, func(k *Kind) bool { return k.Plural == name })
	if i < 0 {
		names := []string{"domain"}
		for _, k := range kinds {
			names = append(names, k.Plural)
		}
		return d.faults(&lineError{line: line(s.Key), field: name, problem: "no such section; " + nearest(name, names)}, "", "")
	}
	k := kinds[i]
	d.sections[name] = true
	if k.Key == "" {
		if text, ok := scalar(s.Value); ok && text == "" {
			return nil // there is none
		}
		return d.object(k, "", s)
	}
	objects, err := pairs(s.Value)
	if err != nil {
		return d.faults(err, k.Name, "")
	}
	var faults Faults
	for _, o := range objects {
		faults = append(faults, d.object(k, o.Key.GetToken().Value, o)...)
	}
	return faults
}

// object reads one object, or a person with the settings of its account.
func (d *Document) object(k *Kind, name string, n *ast.MappingValueNode) Faults {
	d.lines[place{k.Name, name, ""}] = line(n.Key)
	if fields, err := pairs(n.Value); err == nil {
		for _, f := range fields {
			d.lines[place{k.Name, name, f.Key.GetToken().Value}] = line(f.Key)
		}
	}
	o := k.Named(name)
	if k.Plural == accounts {
		return d.person(name, o.(*Account), n)
	}
	if err := decodeStruct(n.Value, reflect.ValueOf(o).Elem(), k.Key); err != nil {
		return d.faults(err, k.Name, name)
	}
	d.Settings.Put(o)
	return nil
}

// person reads an account.
func (d *Document) person(user string, settings *Account, n *ast.MappingValueNode) Faults {
	var both struct {
		Person
		Account
	}
	both.Person.User, both.Account = user, *settings
	if err := decodeStruct(n.Value, reflect.ValueOf(&both).Elem(), "user"); err != nil {
		return d.faults(err, "account", user)
	}
	p := &both.Person
	if p.Devices == nil {
		if _, given := d.lines[place{"account", user, "devices"}]; !given {
			p.Devices = []string{user}
		}
	}
	var numbers []string
	for _, block := range p.Numbers {
		some, err := Expand(block)
		if err != nil {
			return d.faults(&lineError{line: d.lines[place{"account", user, "numbers"}], field: "numbers", problem: err.Error()}, "account", user)
		}
		numbers = append(numbers, some...)
	}
	p.Numbers = numbers
	slices.Sort(p.Numbers)
	slices.Sort(p.Devices)
	if err := p.Check(); err != nil {
		return d.Locate(err).(Faults)
	}
	d.People[user] = p
	if !both.Account.IsDefault() {
		*settings = both.Account
		d.Settings.Put(settings)
	}
	return nil
}

// Locate puts the lines of the document to an error that came of it: [Faults] or an [*Error]; others come back as they are.
func (d *Document) Locate(err error) error {
	var faults Faults
	var one *Error
	switch {
	case errors.As(err, &faults):
	case errors.As(err, &one):
		faults = Faults{one}
	default:
		return err
	}
	located := make(Faults, len(faults))
	for i, f := range faults {
		c := *f
		l := d.lines[place{f.Kind, f.Name, f.Field}]
		if l == 0 {
			l = d.lines[place{f.Kind, f.Name, ""}]
		}
		if l > 0 && c.Where == "" {
			c.Where = fmt.Sprintf("%s line %d", d.file, l)
		}
		located[i] = &c
	}
	return located
}
