// Calls that others take, in the whole product: by the code of a pickup group, and not after they are answered.

package flows

import (
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/sip/siptest"
)

// sales is a company in which alice and bob pick up each other's calls.
const sales = `
dialplan: {country: DE, area-code: "30", time-zone: Europe/Berlin}
accounts:
  alice: {devices: [alice], secrets: {alice: "env:ALICE"}, pickup-group: sales}
  bob: {devices: [bob], secrets: {bob: "env:BOB"}, pickup-group: sales}
  carol: {devices: [carol], secrets: {carol: "env:CAROL"}}
`

// TestGroupPickup: the code takes what rings in one's own group, for nobody else, and nothing that is answered. RFC 5359 §2.16; RFC 3891 §8.
func TestGroupPickup(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		f := newFirmOf(b, sales, nil)
		carol := device(b, "carol", "carol", "tcp")
		f.bob.Dial(aor("*8")).Await("Rejected 404")
		call := carol.Dial(aor("alice"))
		in := f.alice.Incoming()
		in.Ring()
		b.Wait(time.Second)
		carol.Dial(aor("*8")).Await("Rejected 403") // is in no group
		taken := f.bob.Dial(aor("*8"))
		taken.Await("Answered")
		call.Await("Answered")
		in.Await("Cancelled")
		b.Wait(5 * time.Second)
		f.alice.Dial(aor("*8")).Await("Rejected 404")
		b.Wait(time.Second)
		f.alice.DialReplacing(aor("bob"), taken.Replaces()).Await("Rejected 403")
		b.Wait(time.Second)
		call.HangUp(taken)
	})
}
