// The codes by which calls of others are taken and joined.

package server

import (
	"testing"

	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/sip"
)

func TestPickUpCode(t *testing.T) {
	r := &router{registrar: start(t, nil).registrar}
	for user, want := range map[string]string{"**bob": "bob", "**nobody": "404", "**": "", "bob": ""} {
		got := ""
		if route, ok := r.pickUp(sip.NewRequest(sip.MethodInvite, sip.URI{Scheme: "sip", User: user, Host: "example.org"})); ok && len(route.PickUp) == 1 {
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
	may := func() bool { return domains.MayJoin(b2bua.Caller{Address: sip.Address{URI: alice}}, bob) }
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
	if !may() || domains.MayJoin(b2bua.Caller{Address: sip.Address{URI: bob}}, alice) || domains.MayJoin(b2bua.Caller{}, bob) {
		t.Error("alice may join bob's calls, and nobody else")
	}
}
