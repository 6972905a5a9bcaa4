// Numbers: who has them, what the directory knows of them, and what becomes of them with their account.

package store

import (
	"errors"
	"fmt"
	"slices"
	"testing"
)

func TestNumbers(t *testing.T) {
	s, _ := open(t)
	add(t, s, "pbx", "alice")
	d, err := NewDirectory(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.AddNumbers(t.Context(), "Example.org", "pbx", []string{"+12145550103", "+12145550102"}); err != nil {
		t.Fatal(err)
	}
	if n, err := d.Refresh(t.Context()); err != nil || n != 2 {
		t.Errorf("%d changes, %v", n, err)
	}
	for a, err := range s.Accounts(t.Context(), domain) {
		if want := map[string][]string{"pbx": {"+12145550102", "+12145550103"}}[a.User]; err != nil || !slices.Equal(a.Numbers, want) {
			t.Errorf("%s has %v, %v", a.User, a.Numbers, err)
		}
	}
	if account, ok := d.Account(domain, "+12145550102"); !ok || account != "pbx" {
		t.Errorf("the number leads to %q, %t", account, ok)
	}
	if u, ok := d.Lookup(domain, "+12145550102"); !ok || u.Device || u.Name != "Name of pbx" {
		t.Errorf("the number is %+v, %t", u, ok)
	}
	for _, tt := range []struct {
		err  error
		want error
	}{
		{s.AddNumbers(t.Context(), domain, "alice", []string{"+12145550199", "+12145550102"}), ErrExists},
		{s.AddNumbers(t.Context(), domain, "nobody", []string{"+12145550199"}), ErrNotFound},
		{s.AddNumbers(t.Context(), "example.net", "pbx", []string{"+12145550199"}), ErrNotFound},
		{s.AddAccount(t.Context(), Account{Domain: domain, User: "+12145550102"}, "x"), ErrExists},
		{s.RemoveNumbers(t.Context(), domain, "alice", []string{"+12145550102"}), ErrNotFound},
		{s.RemoveNumbers(t.Context(), domain, "pbx", []string{"+12145550103", "+12145550104"}), ErrNotFound},
	} {
		if !errors.Is(tt.err, tt.want) {
			t.Errorf("got %v, want %v", tt.err, tt.want)
		}
	}
	for _, bad := range [][]string{nil, {"2145550102"}, {"+1 214"}, {"+1-214-555-0102"}, make([]string, MaxNumbers+1)} {
		if s.AddNumbers(t.Context(), domain, "pbx", bad) == nil {
			t.Errorf("%.40q is taken", bad)
		}
	}
	if err := s.RemoveNumbers(t.Context(), domain, "pbx", []string{"+12145550103"}); err != nil {
		t.Fatal(err)
	}
	if err := s.RemoveAccount(t.Context(), domain, "pbx"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, n := range []string{"+12145550102", "+12145550103", "+12145550199"} {
		if account, ok := d.Account(domain, n); ok {
			t.Errorf("%s still leads to %s", n, account)
		}
	}
}

// TestManyNumbers: a large block is read by a running server in one go.
func TestManyNumbers(t *testing.T) {
	s, _ := open(t)
	add(t, s, "pbx")
	d, err := NewDirectory(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	var block []string
	for i := range 1500 {
		block = append(block, fmt.Sprintf("+1214555%04d", i))
	}
	if err := s.AddNumbers(t.Context(), domain, "pbx", block); err != nil {
		t.Fatal(err)
	}
	if n, err := d.Refresh(t.Context()); err != nil || n != 1 || d.Len() != 1501 {
		t.Errorf("%d changes, %d users, %v", n, d.Len(), err)
	}
}
