package store

import (
	"errors"
	"fmt"
	"testing"

	"github.com/sipwerk/sipwerk/server/object"
)

// TestManyPeople: thousands who come at once are told apart like one: nobody gets a name that somebody or something has.
func TestManyPeople(t *testing.T) {
	s, _ := open(t)
	add(t, s, "anna")
	group := object.KindNamed("group").Named("600").(*object.Group)
	group.Members = []string{"anna"}
	if _, err := s.Edit(t.Context(), domain, func(set *object.Settings) error { set.Put(group); return nil }); err != nil {
		t.Fatal(err)
	}
	revise := func(change func(p *object.Person)) error {
		_, err := s.Revise(t.Context(), domain, Draft{People: true, Change: func(c *Company) error {
			for i := range 2 * manyPeople {
				user := fmt.Sprint("u", i)
				p := &object.Person{User: user, Devices: []string{user, user + "-desk"}, Numbers: []string{fmt.Sprint("+49301000", i)}}
				if i == manyPeople {
					change(p)
				}
				c.People[p.User] = p
			}
			return nil
		}})
		return err
	}
	for what, change := range map[string]func(p *object.Person){
		"a device called like an account": func(p *object.Person) { p.Devices = []string{"anna"} },
		"a device called like a new one":  func(p *object.Person) { p.Devices = []string{"u1"} },
		"a device called like a group":    func(p *object.Person) { p.Devices = []string{"600"} },
		"a number of somebody else":       func(p *object.Person) { p.Numbers = []string{"+493010001"} },
		"an account called like a device": func(p *object.Person) { p.User = "u1-desk" },
		"an account called like a group":  func(p *object.Person) { p.User = "600" },
	} {
		if err := revise(change); !errors.Is(err, ErrExists) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := revise(func(*object.Person) {}); err != nil {
		t.Error(err)
	}
	if err := s.AddAccount(t.Context(), Account{Domain: domain, User: "u7-desk"}, "x"); !errors.Is(err, ErrExists) {
		t.Errorf("a name that is taken since: %v", err)
	}
}
