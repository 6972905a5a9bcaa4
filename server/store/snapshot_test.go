package store

import (
	"slices"
	"testing"

	"github.com/sipwerk/sipwerk/server/object"
)

// TestWatchAll: whoever watches everything is told once, after those who watch a domain, however many domains have changed; and of users too.
func TestWatchAll(t *testing.T) {
	s, _ := open(t)
	add(t, s, "200")
	if _, _, err := s.EnsureDomain(t.Context(), "example.net"); err != nil {
		t.Fatal(err)
	}
	d, err := NewDirectory(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	d.Watch(func(*object.Settings) { told = append(told, "domain") })
	d.WatchUsers(func() { told = append(told, "users") })
	d.WatchAll(func() { told = append(told, "all") })
	refresh := func(what string, want ...string) {
		t.Helper()
		told = nil
		if _, err := d.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(told, want) {
			t.Errorf("%s: told %q, want %q", what, told, want)
		}
	}
	for _, domain := range []string{domain, "example.net"} {
		if _, err := s.Edit(t.Context(), domain, func(set *object.Settings) error {
			set.Put(&object.Page{Number: "600", Mode: object.PageOneWay})
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	refresh("objects of two domains", "domain", "domain", "all")
	refresh("nothing")
	add(t, s, "201")
	refresh("a user", "users", "all")
	if err := s.change(t.Context(), func(tx *transaction) error { tx.noteAll(); return nil }); err != nil {
		t.Fatal(err)
	}
	refresh("perhaps everything", "users", "all")
}

// TestChangedObjects: a store knows what it has changed itself, but no more than so much.
func TestChangedObjects(t *testing.T) {
	first, dir := open(t)
	add(t, first, "200")
	s, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if names, all := s.ChangedObjects("group"); s.Changed() || all || len(names) > 0 {
		t.Errorf("at first %v, %v", names, all)
	}
	put(t, s, group("600", "200"))
	if names, all := s.ChangedObjects("group"); !s.Changed() || all || !slices.Equal(names, []Name{{domain, "group", "600"}}) {
		t.Errorf("of one group %v, %v", names, all)
	}
	if names, all := s.ChangedObjects("trunk"); all || len(names) > 0 {
		t.Errorf("of no trunk %v, %v", names, all)
	}
	if err := s.change(t.Context(), func(tx *transaction) error { tx.noteAll(); return nil }); err != nil {
		t.Fatal(err)
	}
	if names, all := s.ChangedObjects("group"); !all || len(names) > 0 {
		t.Errorf("of everything %v, %v", names, all)
	}
}
