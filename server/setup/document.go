// Everything of a domain as one document: written, compared, and put into force.

package setup

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/server/store"
)

// Export returns the document of a domain: what [Setup.Apply] makes of it again is the same, but for hours switched by hand meanwhile. Secrets and PINs are not in it.
func (s *Setup) Export(ctx context.Context, domain string) (text []byte, err error) {
	_, err = s.Store.Revise(ctx, domain, store.Draft{People: true, Try: true, Change: func(c *store.Company) error {
		text = object.FormatDocument(domain, c.People, c.Settings)
		return nil
	}})
	return text, err
}

// Plan returns what a document would change in a domain, and changes nothing. done and errors are those of Apply.
func (s *Setup) Plan(ctx context.Context, domain string, d *object.Document, done func(people int)) (*Change, error) {
	change, err := s.document(ctx, domain, d, store.Draft{Try: true, Done: done})
	if err != nil {
		return nil, err
	}
	change.PINs = nil // nobody keeps what was made for the trial
	for i := range change.Devices {
		change.Devices[i].Secret = ""
	}
	return change, nil
}

// Apply puts a document into force in a domain, which is made if it is missing: all of it in one transaction, or nothing. done, if it is set, is told now and then how many people are done. Faults of the document are
// [object.Faults] with their lines.
func (s *Setup) Apply(ctx context.Context, domain string, d *object.Document, done func(people int)) (*Change, error) {
	return s.document(ctx, domain, d, store.Draft{Done: done})
}

// document makes the draft of a document.
func (s *Setup) document(ctx context.Context, domain string, d *object.Document, draft store.Draft) (*Change, error) {
	draft.People, draft.Make = true, true
	secrets := make(map[string]string)
	draft.Secret = func(device string) string { return secrets[device] }
	var before *object.Settings
	var people map[string]*object.Person
	draft.Change = func(c *store.Company) error {
		before = c.Settings.Clone()
		if d.HasPeople() {
			if err := s.deviceSecrets(c.People, d.People, secrets); err != nil {
				return err
			}
			c.People = d.People
		}
		people = c.People
		for _, k := range object.Kinds() {
			if !d.Has(k) {
				continue
			}
			for o := range before.Objects(k) {
				c.Settings.Remove(k, object.NameOf(o))
			}
			for o := range d.Settings.Objects(k) {
				c.Settings.Put(asSwitched(d, o, before))
			}
		}
		return nil
	}
	change, err := s.revise(ctx, domain, draft)
	if err != nil {
		return nil, d.Locate(err)
	}
	change.Affected = affected(change, before, people)
	return change, nil
}

// asSwitched is an object of a document as it is to be. Hours stay as people have opened or closed them at their telephones, unless the document says how they are to stand.
func asSwitched(d *object.Document, o object.Object, before *object.Settings) object.Object {
	h, ok := o.(*object.Hours)
	if !ok || before.Hours[h.Name] == nil || d.Says(object.KindOf(h), h.Name, "state") {
		return o
	}
	kept := *h
	kept.State = before.Hours[h.Name].State
	return &kept
}

// deviceSecrets reads the secrets of the devices that a document adds.
func (s *Setup) deviceSecrets(before, after map[string]*object.Person, into map[string]string) error {
	for _, user := range slices.Sorted(maps.Keys(after)) {
		p := after[user]
		for device, reference := range p.Secrets {
			if old := before[user]; old != nil && slices.Contains(old.Devices, device) {
				continue // it has one
			}
			secret, err := s.read(object.Field{}, reference)
			if err == nil {
				err = store.CheckSecret(secret)
			}
			if err != nil {
				return &object.Error{Kind: "account", Name: user, Field: "secrets", Problem: device + ": " + err.Error()}
			}
			into[device] = secret
		}
	}
	return nil
}

// Item is what becomes of one thing: an account with its settings, or another object.
type Item struct {
	Action string       `json:"action"` // add, change, remove
	Kind   string       `json:"kind"`
	Name   string       `json:"name"` // "" where a domain has just one
	Fields []FieldValue `json:"fields,omitempty"`
}

// FieldValue is what becomes of one field. Of a secret only whether there is one.
type FieldValue struct {
	Field  string `json:"field"`
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

// Items returns what has changed, thing by thing: people first, then kind by kind.
func (c *Change) Items() []Item {
	items := make([]Item, 0, len(c.People)+len(c.Objects))
	at := make(map[string]int) // account → item
	for _, p := range c.People {
		at[p.User()] = len(items)
		items = append(items, Item{Action: action(p.Before == nil, p.After == nil), Kind: "account", Name: p.User(), Fields: personFields(p)})
	}
	for _, o := range c.Objects {
		fields := objectFields(o)
		if i, ok := at[o.Name]; ok && o.Kind.Name == "account" {
			if items[i].Action != "remove" {
				items[i].Fields = append(items[i].Fields, fields...)
			}
			continue
		}
		item := Item{Action: action(o.Before == nil, o.After == nil), Kind: o.Kind.Name, Name: o.Name, Fields: fields}
		if o.Kind.Name == "account" { // its person is as before: only its settings come and go
			item.Action = "change"
		}
		items = append(items, item)
	}
	return items
}

func action(added, removed bool) string {
	switch {
	case added:
		return "add"
	case removed:
		return "remove"
	}
	return "change"
}

// personFields are the fields of a person that are others.
func personFields(p store.PersonChange) (fields []FieldValue) {
	if p.After == nil {
		return nil
	}
	before := p.Before
	if before == nil {
		before = new(object.Person)
	}
	for _, f := range []FieldValue{
		{"name", before.Name, p.After.Name},
		{"devices", strings.Join(before.Devices, ","), strings.Join(p.After.Devices, ",")},
		{"numbers", strings.Join(object.Blocks(before.Numbers), ","), strings.Join(object.Blocks(p.After.Numbers), ",")},
	} {
		if f.Before != f.After {
			fields = append(fields, f)
		}
	}
	return fields
}

// objectFields are the fields of an object that are others; those of a new one that are not as in every new one.
func objectFields(c store.ObjectChange) (fields []FieldValue) {
	if c.After == nil && c.Kind.Name != "account" {
		return nil
	}
	before, after := c.Before, c.After
	if before == nil {
		before = c.Kind.Named(c.Name)
	}
	if after == nil {
		after = c.Kind.Named(c.Name)
	}
	for _, f := range c.Kind.Fields() {
		v := FieldValue{f.Name, f.Text(before), f.Text(after)}
		if f.Secret() && f.Sealed(before) != f.Sealed(after) {
			v.Before, v.After = secretWord(f.Sealed(before)), secretWord(f.Sealed(after))
			if v.Before == v.After {
				v.After = "another"
			}
		}
		if v.Before != v.After {
			fields = append(fields, v)
		}
	}
	return fields
}

// secretWord says whether there is a secret.
func secretWord(sealed string) string {
	if sealed == "" {
		return ""
	}
	return "set"
}

// everybody notices a change of these kinds.
var everybody = []string{"dialplan", "trunk", "mail"}

// affected says who notices a change: everybody, or the accounts in what has changed, and whatever leads there.
func affected(c *Change, before *object.Settings, people map[string]*object.Person) []string {
	whom, reached, changed := make(map[string]bool), make(map[string]bool), make(map[string]bool)
	for _, p := range c.People {
		whom["account "+p.User()], reached[p.User()] = true, true
	}
	for _, o := range c.Objects {
		if slices.Contains(everybody, o.Kind.Name) {
			return []string{"everybody"}
		}
		changed[o.Kind.Name+" "+o.Name] = true
		if o.Kind.Key != "user" { // what somebody wants of the own calls changes nothing for others
			reached[o.Name] = true
		}
		for _, version := range []object.Object{o.Before, o.After} {
			for name := range object.References(version) {
				if people[name] != nil {
					whom["account "+name] = true
				}
			}
		}
	}
	for more := true; more; { // over as many steps as it takes
		more = false
		for o := range before.All() {
			what := object.KindOf(o).Name + " " + object.NameOf(o)
			if !whom[what] && !changed[what] && leadsTo(o, reached) {
				whom[what], reached[object.NameOf(o)], more = true, true, true
			}
		}
	}
	return slices.Sorted(maps.Keys(whom))
}

// leadsTo reports whether an object refers to one of the names, beside its own.
func leadsTo(o object.Object, names map[string]bool) bool {
	for name := range object.References(o) {
		if names[name] && name != object.NameOf(o) {
			return true
		}
	}
	return false
}
