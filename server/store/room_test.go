package store

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestRooms: a room is kept as it was set, its name is its own, and the directory follows.
func TestRooms(t *testing.T) {
	s, _ := open(t)
	add(t, s, "alice")
	directory, err := NewDirectory(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	sales := Room{Domain: domain, User: "4000", Title: "Sales", PIN: "hash", ModeratorPIN: "other", Owners: []string{"alice", "bob"}, MaxMembers: 7,
		WaitForModerator: true, MuteOnEntry: true, Quiet: true, Record: true, Factory: true}
	if err := s.AddRoom(t.Context(), sales); err != nil {
		t.Fatal(err)
	}
	same := func(where string, got, want Room) {
		t.Helper()
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Room{}, "Created")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", where, diff)
		}
	}
	follow := func() (Room, bool) {
		t.Helper()
		if _, err := directory.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		return directory.Room(domain, "4000")
	}
	kept, err := s.Room(t.Context(), domain, "4000")
	if err != nil || kept.Created.IsZero() {
		t.Error(kept.Created, err)
	}
	same("kept", kept, sales)
	known, _ := follow()
	same("in the directory", known, sales)
	plain := Room{Domain: domain, User: "4000"}
	if err := s.SetRoom(t.Context(), plain); err != nil {
		t.Error(err)
	}
	known, _ = follow()
	same("set anew", known, plain)
	if rs, err := s.Rooms(t.Context(), ""); err != nil || len(rs) != 1 || directory.Rooms() != 1 {
		t.Errorf("%v %v", rs, err)
	}
	for _, taken := range []error{
		s.AddRoom(t.Context(), sales),
		s.AddRoom(t.Context(), Room{Domain: domain, User: "alice"}),
		s.AddAccount(t.Context(), Account{Domain: domain, User: "4000"}, "secret"),
	} {
		if !errors.Is(taken, ErrExists) {
			t.Errorf("a name that is taken: %v", taken)
		}
	}
	if err := s.RemoveRoom(t.Context(), domain, "4000"); err != nil {
		t.Error(err)
	}
	if _, ok := follow(); ok {
		t.Error("a removed room is known")
	}
	for _, missing := range []error{s.RemoveRoom(t.Context(), domain, "4000"), s.SetRoom(t.Context(), plain), s.AddRoom(t.Context(), Room{Domain: "example.net", User: "1"})} {
		if !errors.Is(missing, ErrNotFound) {
			t.Errorf("what is not there: %v", missing)
		}
	}
	for _, bad := range []Room{{User: "a b"}, {User: "1", Title: "a\n"}, {User: "1", MaxMembers: -1}, {User: "1", Owners: []string{"a,b"}}} {
		bad.Domain = domain
		if err := s.AddRoom(t.Context(), bad); err == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
}
