package transport

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestLag: what was there when a read filled its buffer has waited since then, and what came later has not.
func TestLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g lag
		behind, asked := 0, 0
		unread := func() int { asked++; return behind }
		read := func(n int, want time.Duration) {
			t.Helper()
			if got := g.read(n, 100, unread); got != want {
				t.Errorf("waited %v, want %v", got, want)
			}
		}
		read(99, 0)
		if asked > 0 {
			t.Error("a reader that keeps up asks the system")
		}
		behind = 250
		read(100, 0)
		time.Sleep(50 * time.Millisecond)
		read(100, 50*time.Millisecond)
		time.Sleep(50 * time.Millisecond)
		behind = 10
		read(100, 100*time.Millisecond)
		read(60, 100*time.Millisecond) // with it the last of the 250
		read(60, 0)
		behind = 30
		read(100, 0)
		time.Sleep(time.Second)
		read(100, time.Second)
		read(20, 0)
		if asked != 3 {
			t.Errorf("the system was asked %d times", asked)
		}
	})
}
