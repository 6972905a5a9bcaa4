// Parking in the whole product: who parks a call blindly is told where it waits.

package flows

import (
	"slices"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/sip/siptest"
)

func parkFlows() []siptest.Flow {
	return []siptest.Flow{
		{Name: "house-park-told", About: "Bob parks Alice's call without asking for a slot first: a message says which it got. RFC 5359 §2.15; RFC 3428 §4.", Play: parkTold},
	}
}

func TestPark(t *testing.T) { siptest.RunFlows(t, parkFlows()) }

func TestParkOverBadNetwork(t *testing.T) { siptest.RunFlowsBadly(t, parkFlows()) }

func parkTold(b *siptest.Bench) {
	f := newFirm(b)
	call, in := talk(b, f.alice, f.bob)
	in.Refer(aor("*500"))
	in.Await("Ended BYE received")
	for end := 0; len(f.bob.Messages()) == 0 && end < 64; end++ {
		b.Wait(500 * time.Millisecond)
	}
	b.Check(slices.Contains(f.bob.Messages(), "Your call is parked at *501."), "bob reads %q", f.bob.Messages())
	taken := f.bob.Dial(aor("*501"))
	taken.Await("Answered")
	b.Wait(5 * time.Second)
	taken.HangUp(call)
}

// TestParkedByNobody: who dials the lot and claims that somebody else has sent the call there parks nothing, and nobody else hears of it. RFC 3892 §6.
func TestParkedByNobody(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		f := newFirm(b)
		call := f.bob.DialWith(aor("*500"), "Referred-By: <sip:alice@"+domain+">")
		call.Await("Answered")
		b.Wait(5 * time.Second)
		b.Check(len(f.alice.Messages()) == 0, "alice reads %q", f.alice.Messages())
		f.alice.Dial(aor("*501")).Await("Rejected 404") // the slot is kept for bob, but nobody waits there
		call.Bye()
		call.Await("Ended BYE sent")
	})
}
