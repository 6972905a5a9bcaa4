// Flows: what is played on a good network against its golden ladder, and then on bad ones.

package siptest

import (
	"testing"
	"time"
)

// Flow is one call flow. It must wait for what comes in the end, not for what a bad network may lose.
type Flow struct {
	Name  string // of the golden file
	About string // its heading: what it shows, and the section of the RFC
	Play  func(b *Bench)
}

// RunFlows plays each flow on a good network and compares it with its golden ladder.
func RunFlows(t *testing.T, flows []Flow) {
	t.Helper()
	for _, f := range flows {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			Run(t, func(b *Bench) {
				f.Play(b)
				b.Golden(f.Name, f.About)
			})
		})
	}
}

// RunFlowsBadly plays each flow with loss, duplication and reordering, by ten seeds, by three in a short test: every call ends in the same state.
func RunFlowsBadly(t *testing.T, flows []Flow) {
	t.Helper()
	seeds := uint64(10)
	if testing.Short() {
		seeds = 3
	}
	for _, f := range flows {
		for seed := range seeds {
			faults := Faults{Seed: seed, Loss: 0.2, Duplicate: 0.2, Reorder: 0.2, Jitter: 5 * time.Millisecond}
			t.Run(f.Name+"/"+faults.String(), func(t *testing.T) {
				t.Parallel()
				Run(t, f.Play, faults)
			})
		}
	}
}
