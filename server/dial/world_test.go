package dial

import (
	"testing"

	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/service/dialplan"
)

// TestExpect: whether a trunk takes a call may depend on who calls: what is expected of a step is asked for the same caller as what is said of it.
func TestExpect(t *testing.T) {
	h := &House{World: &World{Trunks: func(_ *dialplan.Out, caller dialplan.Caller) (ways []Exit, not []Passed) {
		if caller.Account == "alice" {
			return []Exit{{Trunk: "provider"}}, nil
		}
		return nil, []Passed{{"provider", "it signs for nobody"}}
	}}}
	d := &dialplan.Decision{Action: dialplan.Ring, Legs: []dialplan.Leg{{Out: new(dialplan.Out)}}}
	for account, want := range map[string]dialplan.Outcome{"alice": dialplan.NoAnswer, "": dialplan.NotPassed} {
		if got := h.expect(d, dialplan.Caller{Account: account}); got != want {
			t.Errorf("%q: %s, want %s", account, got, want)
		}
	}
}

// TestExplainPage: a page that lets only some in is said to refuse others.
func TestExplainPage(t *testing.T) {
	page := &object.Page{Number: "900", Callers: []string{"alice"}}
	h := &House{Set: &object.Settings{Pages: map[string]*object.Page{"900": page}}}
	d := &dialplan.Decision{Action: dialplan.Enter, Place: dialplan.Place{Kind: dialplan.KindPage, Name: "900"}}
	refused := func(who string) bool { return len(h.look(d, dialplan.Caller{Account: who}).Steps) > 0 }
	for who, want := range map[string]bool{"alice": false, "bob": true, "": true} {
		if refused(who) != want {
			t.Errorf("%q: refused %v", who, !want)
		}
	}
	page.Callers = nil
	if refused("bob") || !refused("") {
		t.Error("a page without callers is for all accounts, and for nobody else")
	}
}
