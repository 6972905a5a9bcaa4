package dial

import (
	"testing"

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
