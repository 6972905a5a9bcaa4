// Lamps of a whole server. RFC 4235 §3.6.

package server

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

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

// TestWatchersReviewed: a subscription ends at once when what it shows is gone, or the account that watches; the latter is told nothing. RFC 6665 §4.1.3.
func TestWatchersReviewed(t *testing.T) {
	s := start(t, nil)
	edit(t, s, func(set *object.Settings) {
		set.Put(object.KindNamed("group").Named("600").(*object.Group))
		set.Put(object.KindNamed("mailbox").Named("alice").(*object.Mailbox))
	})
	h := newHandset(t, s)
	subscribe := func(pack, uri, user string) string {
		t.Helper()
		req := h.request("SUBSCRIBE", uri, "sip:"+user+"@example.org", "Event: "+pack, "Expires: 600", "Contact: <sip:"+user+"@"+h.conn.LocalAddr().String()+">")
		if res := h.prove(req, user, "secret of "+user); res.Status != sip.StatusOK {
			t.Fatalf("%s of %s: %s", pack, uri, res)
		}
		_ = h.conn.SetReadDeadline(time.Now().Add(30 * time.Second))
		return h.notify().CallID()
	}
	ended := func(reason string, want ...string) {
		t.Helper()
		_ = h.conn.SetReadDeadline(time.Now().Add(30 * time.Second))
		for range len(want) {
			req := h.notify()
			if got := req.Get(sip.HeaderSubscriptionState); got != "terminated;reason="+reason || !slices.Contains(want, req.CallID()) {
				t.Errorf("%s: %s, want the end of %q for %s", req.CallID(), got, want, reason)
			}
			if reason == "rejected" && len(req.Body()) > 0 {
				t.Errorf("whoever may not watch is told %s", req.Body())
			}
		}
	}
	group, box := subscribe("dialog", "sip:600@example.org", "alice"), subscribe("message-summary", "sip:alice@example.org", "alice")
	edit(t, s, func(set *object.Settings) { delete(set.Groups, "600") })
	ended("noresource", group)
	edit(t, s, func(set *object.Settings) { delete(set.Mailboxes, "alice") })
	ended("noresource", box)
	lamp, seen := subscribe("dialog", "sip:bob@example.org", "alice"), subscribe("presence", "sip:bob@example.org", "alice")
	if err := errors.Join(s.Store.RemoveAccount(t.Context(), "example.org", "bob"), s.Refresh(t.Context())); err != nil {
		t.Fatal(err)
	}
	ended("noresource", lamp, seen)
	own := subscribe("dialog", "sip:alice@example.org", "alice")
	parked := subscribe("dialog", "sip:*501@example.org", "alice")
	if err := errors.Join(s.Store.RemoveAccount(t.Context(), "example.org", "alice"), s.Refresh(t.Context())); err != nil {
		t.Fatal(err)
	}
	ended("rejected", own, parked)
}
