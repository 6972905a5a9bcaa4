// The seeds and how they are played: how many, which, and in how many processes.

package storm

import (
	"flag"
	"fmt"
	"runtime"
	"strings"
	"testing"
)

var (
	oneSeed   = flag.Uint64("seed", 0, "play this seed only, and write its ladder")
	firstSeed = flag.Uint64("first", 1, "the first of the seeds")
	howMany   = flag.Int("seeds", 0, "how many seeds; 0: as many as belong to the gate")
)

// crowd is the number of phones of a large storm.
const crowd = 300

// TestStorm plays small storms.
func TestStorm(t *testing.T) { weather(t, 0, 300) }

// TestLargeStorm plays storms of hundreds of phones.
func TestLargeStorm(t *testing.T) { weather(t, crowd, 2) }

// weather plays the seeds asked for, one after the other on one processor: nothing else decides what comes before what.
func weather(t *testing.T, parties, usual int) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	first, n := *firstSeed, usual
	if testing.Short() {
		n = max(1, n/10)
	}
	if *howMany > 0 {
		n = *howMany
	}
	if *oneSeed > 0 {
		first, n = *oneSeed, 1
	}
	for seed := first; seed < first+uint64(n); seed++ {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			s := play(t, seed, parties, *oneSeed > 0)
			name, _, _ := strings.Cut(t.Name(), "/")
			switch {
			case t.Failed():
				t.Logf("to play it again: go test ./test/storm -run '^%s$' -seed %d", name, seed)
			case *oneSeed > 0:
				t.Logf("seed %d:\n%s", seed, s.ladder)
			}
		})
	}
}

// TestReplay plays seeds twice: the ladders are the same byte for byte.
func TestReplay(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for seed := *firstSeed; seed < *firstSeed+20; seed++ {
		one, two := play(t, seed, 0, true), play(t, seed, 0, true)
		if one.ladder != two.ladder {
			t.Errorf("seed %d: two ladders:\n%s\n%s", seed, one.ladder, two.ladder)
		}
	}
}
