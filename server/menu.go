// Menus as their application asks for them: the objects of the domain, and its people.

package server

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/server/store"
	"github.com/sipwerk/sipwerk/service/pbx"
	"github.com/sipwerk/sipwerk/sip"
)

// menuBook implements [pbx.MenuDirectory].
type menuBook struct {
	domains *domains
	store   *store.Store
	boxes   pbx.Boxes
}

// Menu implements [pbx.MenuDirectory].
func (b *menuBook) Menu(uri sip.URI) (pbx.MenuSettings, bool) {
	d := b.domains.of(uri)
	if d == nil {
		return pbx.MenuSettings{}, false
	}
	m, ok := d.directory.Settings(d.name).Menus[uri.UserName()]
	if !ok {
		return pbx.MenuSettings{}, false
	}
	return d.menu(m), true
}

// menu are the settings of a menu of the domain.
func (d *domain) menu(m *object.Menu) pbx.MenuSettings {
	set := pbx.MenuSettings{URI: d.uri(m.Number), Language: m.Language, Choices: make(map[byte]string, len(m.Choices)), Timeout: m.Timeout.D(), Retries: m.Retries,
		Extensions: m.DialExtensions, Otherwise: m.Otherwise}
	if set.Language == "" {
		set.Language = d.language("")
	}
	for key, target := range m.Choices {
		set.Choices[key[0]] = target
	}
	if m.DialByName != "" {
		set.ByName = m.DialByName[0]
	}
	if filepath.IsAbs(m.Greeting) {
		set.File = m.Greeting
	} else {
		set.Prompts = strings.Fields(m.Greeting)
	}
	return set
}

// Extension implements [pbx.MenuDirectory]: accounts, and what else is called by a number.
func (b *menuBook) Extension(menu sip.URI, number string) bool {
	d := b.domains.of(menu)
	if d == nil {
		return false
	}
	if _, ok := d.directory.Account(d.name, number); ok {
		return true
	}
	return number != menu.UserName() && d.directory.Settings(d.name).Number(number) != nil
}

// Spelled implements [pbx.MenuDirectory].
func (b *menuBook) Spelled(ctx context.Context, menu sip.URI, keys string, most int) (people []pbx.Person, err error) {
	d := b.domains.of(menu)
	if d == nil {
		return nil, nil
	}
	for a, err := range b.store.Accounts(ctx, d.name) {
		if err != nil {
			return nil, err
		}
		if !pbx.Spells(a.Name, keys) {
			continue
		}
		p := pbx.Person{Number: a.User}
		if box, ok := b.boxes.Box(d.uri(a.User)); ok {
			if file, ok := b.boxes.Greeting(&box, pbx.GreetName); ok {
				p.File = file
			}
		}
		if people = append(people, p); len(people) == most {
			break
		}
	}
	return people, nil
}
