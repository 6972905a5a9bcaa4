// The codes by which calls of others are taken and joined.

package server

import (
	"testing"

	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/sip"
)

func TestPickUpCode(t *testing.T) {
	s := start(t, nil)
	r := s.calls.Router.(*router)
	_, err := s.Store.Edit(t.Context(), "example.org", func(set *object.Settings) error {
		for _, user := range []string{"alice", "bob"} {
			a, _ := set.Account(user)
			mine := *a
			mine.User, mine.PickupGroup = user, "sales"
			set.Put(&mine)
		}
		return nil
	})
	if err == nil {
		err = s.Refresh(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	alice := b2bua.Caller{Account: sip.MustParseURI("sip:alice@example.org")}
	question := func(user string, who b2bua.Caller) *b2bua.Question {
		return &b2bua.Question{Request: sip.NewRequest(sip.MethodInvite, sip.URI{Scheme: "sip", User: user, Host: "example.org"}), Caller: who}
	}
	if route, ok := r.pickUp(question("**bob", b2bua.Caller{})); !ok || route.Refuse != sip.StatusForbidden || route.PickUp != nil {
		t.Errorf("a stranger is led to %+v", route)
	}
	if route, ok := r.parks(question("*501", b2bua.Caller{})); !ok || route.Refuse != sip.StatusForbidden {
		t.Errorf("a stranger is led to %+v", route)
	}
	neighbour(t, s)
	next := b2bua.Caller{Account: sip.MustParseURI("sip:alice@example.net")}
	if route, ok := r.pickUp(question("**bob", next)); !ok || route.Refuse != sip.StatusForbidden || route.PickUp != nil {
		t.Errorf("somebody of another domain is led to %+v", route)
	}
	if route, ok := r.parks(question("*501", next)); !ok || route.Refuse != sip.StatusForbidden {
		t.Errorf("somebody of another domain is led to %+v", route)
	}
	for user, want := range map[string]string{"**bob": "bob", "*8": "bob", "**nobody": "404", "**": "", "bob": ""} {
		got := ""
		if route, ok := r.pickUp(question(user, alice)); ok && len(route.PickUp) == 1 {
			got = route.PickUp[0].User
		} else if ok {
			got = route.Refuse.Error()[:3]
		}
		if got != want {
			t.Errorf("%s leads to %q, want %q", user, got, want)
		}
	}
}

// TestJoinCode: who may join whose calls is a setting of the account. RFC 3911 §4.
func TestJoinCode(t *testing.T) {
	s := start(t, nil)
	r := &router{registrar: s.registrar}
	for user, want := range map[string]b2bua.Join{"*51bob": {Mode: b2bua.Listen}, "*52bob": {Mode: b2bua.Whisper}, "*53bob": {Mode: b2bua.Barge}, "*54bob": {}, "*51": {}, "*51nobody": {}} {
		route, _ := r.joins(sip.NewRequest(sip.MethodInvite, sip.URI{Scheme: "sip", User: user, Host: "example.org"}))
		if route.Join.Mode != want.Mode || (route.Join.Account.User == "bob") != (user[2:] == "1bob" || user[2:] == "2bob" || user[2:] == "3bob") {
			t.Errorf("%s leads to %+v", user, route.Join)
		}
	}
	domains := s.calls.Supervisors
	alice, bob := sip.MustParseURI("sip:alice@example.org"), sip.MustParseURI("sip:bob@example.org")
	may := func() bool { return domains.MayJoin(b2bua.Caller{Account: alice}, bob) }
	if may() {
		t.Error("alice may join bob's calls unasked")
	}
	_, err := s.Store.Edit(t.Context(), "example.org", func(set *object.Settings) error {
		a, _ := set.Account("alice")
		mine := *a
		mine.User, mine.Supervise = "alice", []string{"bob"}
		set.Put(&mine)
		return nil
	})
	if err == nil {
		err = s.Refresh(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	if !may() || domains.MayJoin(b2bua.Caller{Account: bob}, alice) || domains.MayJoin(b2bua.Caller{}, bob) {
		t.Error("alice may join bob's calls, and nobody else")
	}
}
