package lockout

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// TestLockout: the last guess locks out, for a while; who is right begins anew, and nobody locks out another.
func TestLockout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l Lockout
		mallory, alice := Suspect{"box", "mallory"}, Suspect{"box", "alice"}
		for i := 1; i <= Guesses; i++ {
			if l.Locked(mallory) || l.Wrong(mallory) != (i == Guesses) {
				t.Fatalf("guess %d", i)
			}
		}
		if !l.Locked(mallory) || l.Locked(alice) {
			t.Error("who is locked out")
		}
		time.Sleep(Window)
		if l.Locked(mallory) || l.Wrong(mallory) {
			t.Error("locked out for ever")
		}
		l.Right(mallory)
		for i := 1; i < Guesses; i++ {
			l.Wrong(mallory)
		}
		if l.Locked(mallory) {
			t.Error("what was wrong before a right one counts")
		}
	})
}

// TestCap: whoever comes under ever new names takes no memory.
func TestCap(t *testing.T) {
	var l Lockout
	for i := range maxSuspects + 100 {
		l.Wrong(Suspect{"box", fmt.Sprint(i)})
	}
	if n := len(l.suspects); n > maxSuspects {
		t.Errorf("%d suspects", n)
	}
}
