// Package object holds what a company sets up for its telephones: groups, queues, menus, trunks, the dial plan and their like. Each kind is one struct, whose
// tags say what its fields are called, what they mean and what they may hold; the command line, the document of `sipwerk export`, the page docs/objects.md and
// the checks are made from them. The package is data without a database, a clock or a network: package store keeps the objects, and services are given what they need of
// them by package server.
package object

import (
	"fmt"
	"reflect"
	"strings"
)

// Object is one thing that is set up. All are pointers to the structs of this package.
type Object interface {
	// Check reports what is wrong with the object by itself: an [*Error], one sentence with the field and the cure. What it refers to is looked at by [Settings.Check].
	Check() error
}

// Kind is a kind of objects.
type Kind struct {
	Name     string   // "group": of its command and in the database
	Plural   string   // "groups": in a document
	Key      string   // the field that names one: "number", "name", "user"; "" where a domain has just one
	Title    string   // what its command is for
	Doc      string   // what it is, one or two sentences
	Examples []string // arguments of `add` (of `set` where there is just one)

	typ    reflect.Type  // of the struct
	fresh  reflect.Value // one with its defaults
	fields []Field
	place  int // the field of Settings with its objects
}

// Numbered reports whether the names of its objects are numbers that can be dialled: they share one name space with the accounts, their devices and numbers.
func (k *Kind) Numbered() bool { return k.Key == "number" }

// Kinds returns every kind, in the order of a document.
func Kinds() []*Kind { return kinds }

// kinds is the table, and kindOf the same by the type of the struct. Nothing writes to them.
var (
	kinds  = complete(table)
	kindOf = byType(kinds)
)

// table is what there is to say of each kind; an object refers mostly to kinds before its own.
var table = []*Kind{
	{Name: "dialplan", Title: "Set up the dial plan", Plural: "dialplan", typ: reflect.TypeFor[Plan](), Doc: "The dial plan of the domain: how numbers are written, where calls may go, rules, and tests that run before a change goes live.",
		Examples: []string{"--country DE --area-code 30", "--countries AT,CH --night-lock all"}},
	{Name: "hours", Title: "Set up opening hours", Plural: "hours", Key: "name", typ: reflect.TypeFor[Hours](), Doc: "Opening hours with holidays. `hours:NAME?open=TARGET&closed=TARGET` is a target that depends on them.",
		Examples: []string{"office --open 'mon-fri 09:00-17:00' --holiday '12-25 Christmas'"}},
	{Name: "account", Title: "Settings of accounts", Plural: "accounts", Key: "user", typ: reflect.TypeFor[Account](), Doc: "What is to happen with the calls of an account: forwarding, do not disturb, caller ID, limits.",
		Examples: []string{"200 --forward-no-answer voicemail --ring-time 20s", "200 --dnd", "200 --forward-always ''"}},
	{Name: "mailbox", Title: "Set up voicemail", Plural: "mailboxes", Key: "user", typ: reflect.TypeFor[Mailbox](), Doc: "The voicemail of an account.",
		Examples: []string{"200 --pin new --email alice@example.org"}},
	{Name: "group", Title: "Set up ring groups", Plural: "groups", Key: "number", typ: reflect.TypeFor[Group](), Doc: "A number that rings several telephones.",
		Examples: []string{"600 --member 200 --member 201", "600 --member 200,201 --strategy order --ring-time 15s --otherwise voicemail:200"}},
	{Name: "queue", Title: "Set up queues", Plural: "queues", Key: "number", typ: reflect.TypeFor[Queue](), Doc: "A number whose callers wait for an agent.",
		Examples: []string{"700 --title Support --agent 200,201 --max-wait 5m --otherwise voicemail:200"}},
	{Name: "menu", Title: "Set up voice menus", Plural: "menus", Key: "number", typ: reflect.TypeFor[Menu](), Doc: "A number that speaks a text and asks for a digit.",
		Examples: []string{"800 --text 'Sales, press 1. Support, press 2.' --choice 1=600 --choice 2=700 --otherwise 600"}},
	{Name: "page", Title: "Set up paging", Plural: "pages", Key: "number", typ: reflect.TypeFor[Page](), Doc: "A number that speaks through the loudspeakers of several telephones.",
		Examples: []string{"900 --member 200,201,202", "901 --multicast 239.255.1.1:10000"}},
	{Name: "room", Title: "Set up conference rooms", Plural: "rooms", Key: "number", typ: reflect.TypeFor[Room](), Doc: "A conference room: everybody in it hears the others. A conference under way keeps the settings with which it began.",
		Examples: []string{"4000 --title Sales", "board --pin new --owner alice --wait-for-moderator", "conference --factory"}},
	{Name: "trunk", Title: "Set up trunks", Plural: "trunks", Key: "name", typ: reflect.TypeFor[Trunk](), Doc: "A line to the rest of the world: a provider at which the server registers, or a system known by its address.",
		Examples: []string{"provider --server sip.example.net --user 4930123456 --secret - --numbers +4930123450-+4930123459 --default-target 600"}},
	{Name: "recording", Title: "Set up rules of recording", Plural: "recordings", Key: "name", typ: reflect.TypeFor[Recording](), Doc: "A rule by which calls are recorded.",
		Examples: []string{"support --accounts 200,201 --direction in --announce beep"}},
	{Name: "mail", Title: "Set up the mail server", Plural: "mail", typ: reflect.TypeFor[Mail](), Doc: "The mail server that takes the mail of the domain: voicemail and missed calls.",
		Examples: []string{"--host smtp.example.org --user phone@example.org --secret - --from phone@example.org"}},
}

// complete reads the structs of the kinds.
func complete(all []*Kind) []*Kind {
	settings := reflect.TypeFor[Settings]()
	for _, k := range all {
		k.fresh = reflect.New(k.typ).Elem()
		setDefaults(k.fresh)
		for _, sf := range reflect.VisibleFields(k.typ) {
			if !sf.Anonymous {
				f := fieldOf(sf)
				f.Key, f.fresh = f.Name == k.Key, Text(k.fresh.FieldByIndex(sf.Index))
				k.fields = append(k.fields, f)
			}
		}
		for i := range settings.NumField() {
			if t := settings.Field(i).Type; t == reflect.PointerTo(k.typ) || t.Kind() == reflect.Map && t.Elem() == reflect.PointerTo(k.typ) {
				k.place = i
			}
		}
	}
	return all
}

func byType(all []*Kind) map[reflect.Type]*Kind {
	m := make(map[reflect.Type]*Kind, len(all))
	for _, k := range all {
		m[reflect.PointerTo(k.typ)] = k
	}
	return m
}

// New returns an object with the defaults of its fields.
func (k *Kind) New() Object {
	v := reflect.New(k.typ)
	v.Elem().Set(k.fresh)
	for _, f := range k.fields {
		if own := v.Elem().FieldByIndex(f.index); own.Kind() == reflect.Slice && own.Len() > 0 {
			own.Set(reflect.AppendSlice(reflect.MakeSlice(own.Type(), 0, own.Len()), own))
		}
	}
	return v.Interface().(Object)
}

// KindOf returns the kind of an object.
func KindOf(o Object) *Kind { return kindOf[reflect.TypeOf(o)] }

// KindNamed returns the kind with a name or a plural, nil if there is none.
func KindNamed(name string) *Kind {
	for _, k := range kinds {
		if k.Name == name || k.Plural == name {
			return k
		}
	}
	return nil
}

// NameOf returns what an object is called: the value of its key, "" where a domain has just one.
func NameOf(o Object) string {
	if KindOf(o).Key == "" {
		return ""
	}
	return reflect.ValueOf(o).Elem().Field(0).String()
}

// Named returns a new object of the kind called name, with defaults.
func (k *Kind) Named(name string) Object {
	o := k.New()
	if k.Key != "" {
		reflect.ValueOf(o).Elem().Field(0).SetString(name)
	}
	return o
}

// Error is what is wrong with one object. It prints as one sentence with the cure.
type Error struct {
	Where   string // "company.yaml line 3", "--ring-time"; "" where nothing was read
	Kind    string // "group"; "" where the fault is with the document
	Name    string // "600"
	Field   string // "ring-time"; "" where it is the object as a whole
	Problem string // what is wrong, and behind a semicolon what would be right
}

// Error gives "company.yaml line 3: group 600: ring-time: …; write …".
func (e *Error) Error() string {
	text := e.Problem
	if e.Field != "" {
		text = e.Field + ": " + text
	}
	if e.Kind != "" {
		what := e.Kind
		if e.Name != "" {
			what += " " + e.Name
		}
		text = what + ": " + text
	}
	if e.Where != "" {
		text = e.Where + ": " + text
	}
	return text
}

// Faults is everything that is wrong with objects that were given together, never empty.
type Faults []*Error

// Error gives the faults, one a line.
func (fs Faults) Error() string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = f.Error()
	}
	return strings.Join(lines, "\n")
}

// Fault is an Error about a field of o; format says what is wrong, and behind a semicolon what would be right.
func Fault(o Object, field, format string, args ...any) *Error {
	return &Error{Kind: KindOf(o).Name, Name: NameOf(o), Field: field, Problem: fmt.Sprintf(format, args...)}
}
