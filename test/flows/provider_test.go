package flows

import (
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/sip/siptest"
)

// twoProviders is a company whose first provider has fallen silent.
const twoProviders = `
dialplan: {country: DE, area-code: "30", time-zone: Europe/Berlin}
accounts:
  alice: {devices: [alice], secrets: {alice: "env:ALICE"}}
trunks:
  first: {kind: address, server: ["192.0.2.3:5060"], transport: udp, options-interval: -1s, numbers: ["+4930100"], country: "49", priority: 1}
  second: {kind: address, server: ["192.0.2.4:5060"], transport: udp, options-interval: -1s, numbers: ["+4930200"], country: "49", priority: 2}
`

// TestSilentProvider: a provider that says nothing at all is given up after seconds, not after the 32 of a transaction, if another can take the call; the last
// one may take its time. RFC 3261 §17.1.1.2 (Timer B), §17.2.1.
func TestSilentProvider(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		newHouse(b, twoProviders, nil)
		alice := device(b, "alice", "alice", "udp")
		b.Host("silent")
		second := b.Phone("second", "udp")
		b.Check(b.Addr("silent").String() == "192.0.2.3" && b.Addr("second").String() == "192.0.2.4", "the providers are at %s and %s", b.Addr("silent"), b.Addr("second"))
		began := time.Now()
		call := alice.Dial(aor(honest))
		out := second.Incoming()
		if waited := time.Since(began); waited < 3*time.Second || waited > 5*time.Second {
			t.Errorf("the second provider was tried after %s", waited)
		}
		call.Talk(out)
		call.HangUp(out)
		b.Wait(time.Minute)
		second.Crash()
		began = time.Now()
		alice.Dial(aor(honest)).Await("Rejected")
		if waited := time.Since(began); waited < 30*time.Second {
			t.Errorf("the last provider was given up after %s", waited)
		}
	})
}
