// Package flows plays the call flows of RFC 3665 in virtual time, between two user agents and through the server, on a good network and on a bad one.
package flows

import (
	"flag"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/sip/siptest"
)

var _ = flag.Bool("update", false, "write the golden ladders")

// flow is one call flow. It must wait for what comes in the end, not for what a bad network may lose.
type flow struct {
	name  string // of the golden file
	about string // its heading: what it shows, and the section of RFC 3665
	play  func(b *siptest.Bench)
}

// allFlows are those of this package.
func allFlows() []flow {
	return append(append(userAgentFlows(), extensionFlows()...), serverFlows()...)
}

// TestFlows compares each flow on a good network with its golden ladder.
func TestFlows(t *testing.T) {
	for _, f := range allFlows() {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			siptest.Run(t, func(b *siptest.Bench) {
				f.play(b)
				b.Golden(f.name, f.about)
			})
		})
	}
}

// TestFlowsOverBadNetwork plays each flow with loss, duplication and reordering: every call ends in the same state.
func TestFlowsOverBadNetwork(t *testing.T) {
	seeds := uint64(10)
	if testing.Short() {
		seeds = 3
	}
	for _, f := range allFlows() {
		for seed := range seeds {
			faults := siptest.Faults{Seed: seed, Loss: 0.2, Duplicate: 0.2, Reorder: 0.2, Jitter: 5 * time.Millisecond}
			t.Run(f.name+"/"+faults.String(), func(t *testing.T) {
				t.Parallel()
				siptest.Run(t, f.play, faults)
			})
		}
	}
}
