// The kit used on itself: two phones, and that the audit finds what is left.

package siptest

import (
	"testing"
	"time"
)

func TestTwoPhones(t *testing.T) {
	Run(t, func(b *Bench) {
		alice, bob := b.Phone("alice"), b.Phone("bob")
		call := alice.Dial(bob.URI())
		in := bob.Incoming()
		in.Ring()
		call.Await("Progress 180")
		b.Wait(2 * time.Second)
		in.Answer()
		call.Await("Answered")
		in.Await("AckReceived")
		if left := alice.left(); len(left) != 2 {
			t.Errorf("in the middle of a call the audit finds %q", left)
		}
		if left := portsLeft("alice", alice.Host); len(left) != 1 {
			t.Errorf("a running phone has no port open: %q", left)
		}
		call.Bye()
		in.Await("Ended BYE received")
		b.Golden("call", "A call that is answered.")
	})
}
