package pbx

import (
	"testing"

	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/sip"
)

// TestFullLot: a transfer to a lot without a free slot is refused, so that the call stays with whoever wanted to park it.
func TestFullLot(t *testing.T) {
	p := &Park{Slots: 2}
	features := &PBX{Players: map[Feature]Player{Parking: p}}
	ask := func(user string) sip.Status {
		q := &b2bua.Question{Request: sip.NewRequest(sip.MethodInvite, sip.MustParseURI("sip:"+user+"@example.org")), How: b2bua.Transferred}
		r, ok := p.Route(q, features)
		if !ok {
			t.Fatalf("%s is no slot", user)
		}
		return r.Refuse
	}
	p.parked = map[string]*parked{"sip:*501@example.org": {waiting: true}}
	if got := ask("*500"); got != 0 {
		t.Errorf("with a free slot: %d", got)
	}
	p.parked["sip:*502@example.org"] = &parked{waiting: true}
	for _, user := range []string{"*500", "*502"} {
		if got := ask(user); got != sip.StatusBusyHere {
			t.Errorf("%s, with none: %d", user, got)
		}
	}
}
