// Menus of a whole server: what the application is told of the objects.

package server

import (
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/service/pbx"
	"github.com/sipwerk/sipwerk/sip"
)

// TestMenuBook: a menu is what it was set to, extensions are those of the house, and people are found by what the keys spell.
func TestMenuBook(t *testing.T) {
	s := start(t, nil)
	withBox(t, s, "bob")
	_, err := s.Store.Edit(t.Context(), "example.org", func(set *object.Settings) error {
		m := object.KindNamed("menu").Named("500").(*object.Menu)
		m.Greeting, m.Choices, m.DialByName, m.Language = "queue-welcome goodbye", map[string]string{"1": "alice", "#": "hangup"}, "9", "de"
		set.Put(m)
		return nil
	})
	if err == nil {
		_, err = s.directory.Refresh(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	book := s.features.Players[pbx.Menu].(*pbx.Menus).Directory
	uri := sip.URI{Scheme: "sip", User: "500", Host: "example.org"}
	set, ok := book.Menu(uri)
	if !ok || set.Choices['1'] != "alice" || set.Choices['#'] != "hangup" || set.ByName != '9' || len(set.Prompts) != 2 || set.File != "" || set.Timeout != 5*time.Second ||
		set.Retries != 2 || set.Language != "de" {
		t.Errorf("%+v", set)
	}
	if _, ok := book.Menu(sip.URI{Scheme: "sip", User: "501", Host: "example.org"}); ok {
		t.Error("a menu that there is not")
	}
	for number, want := range map[string]bool{"alice": true, "alice-desk": true, "500": false, "999": false} {
		if book.Extension(uri, number) != want {
			t.Errorf("extension %s: %t", number, !want)
		}
	}
	box, _ := s.voicemail.Boxes.Box(sip.URI{Scheme: "sip", User: "bob", Host: "example.org"})
	take, err := s.voicemail.Boxes.RecordGreeting(&box, pbx.GreetName, 8000)
	if err != nil || take.Keep(t.Context(), 0) != nil {
		t.Fatal(err)
	}
	people, err := book.Spelled(t.Context(), uri, "262", 8)
	if err != nil || len(people) != 1 || people[0].Number != "bob" || people[0].File == "" {
		t.Errorf("%+v, %v", people, err)
	}
	if people, _ = book.Spelled(t.Context(), uri, "2", 1); len(people) != 1 || people[0].Number != "alice" {
		t.Errorf("%+v", people)
	}
}
