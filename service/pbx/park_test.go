package pbx

import (
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/siptest"
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

// TestKeptSlot: nobody gets the slot that is kept for the call of another by naming the consultation of that one: whoever dials the lot names what they like.
func TestKeptSlot(t *testing.T) {
	run(t, func(h *house) {
		p := new(Park)
		h.Players, h.Numbers = map[Feature]Player{Parking: p}, DefaultNumbers()
		consultation := h.dial("*500")
		consultation.Await("Answered")
		h.Wait(time.Second)
		which := consultation.Replaces()
		other := h.phone.DialWith(sip.URI{Scheme: "sip", User: "*500", Host: h.Addr("pbx").String()},
			"Target-Dialog: "+sip.TargetDialog{CallID: which.CallID, LocalTag: which.FromTag, RemoteTag: which.ToTag}.String())
		other.Await("Answered")
		h.Wait(time.Second)
		p.mu.Lock()
		taken := len(p.parked)
		p.mu.Unlock()
		if taken != 2 {
			t.Errorf("%d slots are taken, want one for each", taken)
		}
		for _, c := range []*siptest.Call{consultation, other} {
			c.Bye()
			c.Await("Ended BYE sent")
		}
	})
}
