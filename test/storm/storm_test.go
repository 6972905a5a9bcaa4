// The seeds and how they are played: how many, which, and in how many processes.

package storm

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
)

var (
	oneSeed   = flag.Uint64("seed", 0, "play this seed only, and write its ladder")
	firstSeed = flag.Uint64("first", 1, "the first of the seeds")
	howMany   = flag.Int("seeds", 0, "how many seeds; 0: as many as belong to the gate")
	alone     = flag.Bool("alone", false, "play them in this process")
)

// weather is a kind of storm and how many belong to the gate: short, with the race detector, and without.
type weather struct {
	parties           int // 0: as many as the seed says, at most 8
	short, race, full int
	chunk             int // seeds that one process plays
}

// TestStorm plays small storms.
func TestStorm(t *testing.T) { weather{short: 30, race: 200, full: 10_000, chunk: 250}.play(t) }

// TestLargeStorm plays storms of hundreds of phones.
func TestLargeStorm(t *testing.T) {
	weather{parties: 300, short: 1, race: 2, full: 20, chunk: 1}.play(t)
}

// count is how many seeds are asked for.
func (w weather) count() int {
	switch {
	case *oneSeed > 0:
		return 1
	case *howMany > 0:
		return *howMany
	case testing.Short():
		return w.short
	case raceDetector:
		return w.race
	}
	return w.full
}

func (w weather) play(t *testing.T) {
	first, n := *firstSeed, w.count()
	if *oneSeed > 0 {
		first = *oneSeed
	}
	if n <= w.chunk || *alone || *oneSeed > 0 {
		w.here(t, first, n)
		return
	}
	var crews sync.WaitGroup
	chunks := make(chan uint64)
	for range runtime.NumCPU() {
		crews.Go(func() {
			for at := range chunks {
				w.there(t, at, min(w.chunk, n-int(at-first)))
			}
		})
	}
	for at := first; at < first+uint64(n); at += uint64(w.chunk) {
		chunks <- at
	}
	close(chunks)
	crews.Wait()
}

// there plays seeds in a process of their own.
func (w weather) there(t *testing.T, first uint64, n int) {
	args := []string{"-test.run=^" + t.Name() + "$", "-alone", fmt.Sprintf("-first=%d", first), fmt.Sprintf("-seeds=%d", n)}
	out, err := exec.CommandContext(context.WithoutCancel(t.Context()), os.Args[0], args...).CombinedOutput()
	if err != nil {
		t.Errorf("seeds from %d: %v\n%s", first, err, out)
	}
}

// here plays seeds one after the other on one processor: nothing else decides what comes before what.
func (w weather) here(t *testing.T, first uint64, n int) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for seed := first; seed < first+uint64(n); seed++ {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			s := play(t, seed, w.parties, *oneSeed > 0)
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
	seeds := uint64(30)
	if testing.Short() || raceDetector {
		seeds = 5
	}
	for seed := *firstSeed; seed < *firstSeed+seeds; seed++ {
		same(t, seed, 0)
	}
	if !testing.Short() && !raceDetector {
		same(t, *firstSeed, 100)
	}
}

func same(t *testing.T, seed uint64, parties int) {
	one, two := play(t, seed, parties, true), play(t, seed, parties, true)
	if one.ladder != two.ladder {
		t.Errorf("seed %d with %d parties: two ladders: %s", seed, parties, firstDifference(one.ladder, two.ladder))
	}
}

func firstDifference(one, two string) string {
	a, b := strings.Split(one, "\n"), strings.Split(two, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d differs:\n%s\n%s", i+1, a[i], b[i])
		}
	}
	return fmt.Sprintf("%d and %d lines", len(a), len(b))
}
