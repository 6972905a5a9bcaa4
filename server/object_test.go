// Settings that are changed while a server runs.

package server

import (
	"errors"
	"strings"
	"testing"

	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/server/setup"
	"github.com/sipwerk/sipwerk/server/store"
	"github.com/sipwerk/sipwerk/service/conference"
)

// edit changes the objects of the domain of a server, which knows of it at once.
func edit(t *testing.T, s *Server, f func(*object.Settings)) {
	t.Helper()
	_, err := s.Store.Edit(t.Context(), s.Domain.Name, func(set *object.Settings) error { f(set); return nil })
	if err := errors.Join(err, s.Refresh(t.Context())); err != nil {
		t.Fatal(err)
	}
}

// TestSetup: another process changes the settings of a server that runs, which has them whole, with the secrets that it can read.
func TestSetup(t *testing.T) {
	s := start(t, nil)
	other, err := store.Open(t.Context(), s.Config.Data)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	env := map[string]string{"LINE": "sesame"}
	desk := &setup.Setup{Store: other, Env: func(name string) (string, bool) { v, ok := env[name]; return v, ok }}
	told := make(chan *object.Settings, 4)
	s.directory.Watch(func(set *object.Settings) { told <- set })
	<-told // what there is
	trunk := object.KindNamed("trunk").Named("line").(*object.Trunk)
	trunk.Server, trunk.User, trunk.Secret = []string{"sip.example.net"}, "49301", "env:LINE"
	box := object.KindNamed("mailbox").Named("alice").(*object.Mailbox)
	box.PIN = "new"
	change, err := desk.Edit(t.Context(), "example.org", func(set *object.Settings) error { set.Put(trunk); set.Put(box); return nil })
	if err != nil || len(change.PINs) != 1 || change.PINs[0].Name != "alice" {
		t.Fatalf("%+v %v", change, err)
	}
	set := <-told // within a second, by itself
	if set != s.directory.Settings("example.org") || set.Mailboxes["alice"] == nil || !conference.PIN(set.Mailboxes["alice"].PIN).Matches(change.PINs[0].PIN) {
		t.Errorf("%+v", set)
	}
	if secret, err := s.directory.Reveal(set.Trunks["line"].Secret); secret != "sesame" || err != nil {
		t.Errorf("%q %v", secret, err)
	}
	kept := *set.Trunks["line"]
	again := kept
	again.Secret = object.Keep
	if _, err := desk.Edit(t.Context(), "example.org", func(set *object.Settings) error { set.Put(&again); return nil }); err != nil || again.Secret != kept.Secret {
		t.Errorf("a secret that is kept: %v", err)
	}
	text, err := desk.Export(t.Context(), "example.org")
	if err != nil || strings.Contains(string(text), string(kept.Secret)) || strings.Contains(string(text), "sesame") || !strings.Contains(string(text), "secret: keep\n") {
		t.Errorf("%s %v", text, err)
	}
}
