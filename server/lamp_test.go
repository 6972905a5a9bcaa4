// Lamps of a whole server. RFC 4235 §3.6.

package server

import (
	"strings"
	"testing"

	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/service/pbx"
	"github.com/sipwerk/sipwerk/sip"
)

// TestLampAccess: the lamps of a domain are for its own people, who see of others only that they are in a call.
func TestLampAccess(t *testing.T) {
	s := start(t, nil)
	h := newHandset(t, s)
	subscribe := func(uri, from string) *sip.Request {
		return h.request("SUBSCRIBE", uri, from, "Event: dialog", "Expires: 0", "Contact: <sip:alice@"+h.conn.LocalAddr().String()+">")
	}
	if res := h.ask(subscribe("sip:bob@example.org", "sip:alice@example.org")); res.Status != sip.StatusUnauthorized {
		t.Errorf("a stranger gets %d", res.Status)
	}
	if res := h.prove(subscribe("sip:nobody@example.org", "sip:alice@example.org"), "alice", "secret of alice"); res.Status != sip.StatusNotFound {
		t.Errorf("nobody's lamp: %d", res.Status)
	}
	if res := h.prove(subscribe("sip:bob@example.org", "sip:alice@example.org"), "alice", "secret of alice"); res.Status != sip.StatusOK {
		t.Fatalf("bob's lamp: %s", res)
	}
	if text := h.notified(); !strings.Contains(text, `state="full" entity="sip:bob@example.org"`) {
		t.Fatal(text)
	}
	looks := s.lamps.Onlookers
	sees := func(what string, watcher, lamp string, want pbx.Sight) {
		t.Helper()
		if got := looks.Sees("sip:"+watcher+"@example.org", "sip:"+lamp+"@example.org"); got != want {
			t.Errorf("%s: %s sees %d of %s, want %d", what, watcher, got, lamp, want)
		}
	}
	sees("at first", "alice", "bob", pbx.SeesCall)
	sees("at first", "bob", "bob", pbx.SeesDialog)
	sees("at first", "alice", "*501", pbx.SeesParked)
	change := func(user string, f func(a *object.Account)) {
		if err := s.changeAccount(t.Context(), "example.org", user, func(a *object.Account) error { f(a); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	for _, user := range []string{"alice", "bob"} {
		change(user, func(a *object.Account) { a.PickupGroup = "sales" })
	}
	sees("of one pickup group", "alice", "bob", pbx.SeesPeer)
	change("alice", func(a *object.Account) { a.Supervise = []string{"bob"} })
	sees("one who may join", "alice", "bob", pbx.SeesDialog)
	sees("whose calls are joined", "bob", "alice", pbx.SeesPeer)
	if looks.Online("sip:bob@example.org") {
		t.Error("bob is online without a telephone")
	}
}
