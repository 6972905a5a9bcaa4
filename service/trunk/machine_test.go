// The machines against tables written by hand from the RFCs. RFC 3261 §10.2, §11.1; RFC 5626 §4.5.

package trunk

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/internal/machine"
)

func TestMachines(t *testing.T) {
	machine.Test(t, map[string]machine.Machine{
		"registration": {
			States:  []string{"idle", "trying", "waiting", "bound", "refreshing", "retrying", "leaving", "removing", "gone"},
			Inputs:  []string{"start", "accepted", "again", "refused", "failed", "due", "expired", "flow lost", "stop"},
			Actions: []string{"send", "resend", "remove", "refresh", "retry", "long", "other", "tell up", "tell down", "forgotten"},
			Step:    machine.Step(regState.step),
		},
		"health": {
			States:  []string{"unknown", "up", "shaky", "down"},
			Inputs:  []string{"due", "alive", "dead", "suspect"},
			Actions: []string{"ask", "soon", "later", "tell up", "tell down"},
			Step:    machine.Step(healthState.step),
		},
	})
}

// Pauses double up to five minutes, a half of each is chance, and what the provider asks for is heeded.
func TestPause(t *testing.T) {
	none := func(time.Duration) time.Duration { return 0 }
	all := func(d time.Duration) time.Duration { return d }
	for _, c := range []struct {
		failures    int
		later       time.Duration
		least, most time.Duration
	}{
		{1, 0, time.Second, 2 * time.Second},
		{2, 0, 2 * time.Second, 4 * time.Second},
		{5, 0, 16 * time.Second, 32 * time.Second},
		{100, 0, 150 * time.Second, 300 * time.Second},
		{1, 90 * time.Second, 90 * time.Second, 99 * time.Second},
		{1, 100 * time.Hour, time.Hour, 66 * time.Minute},
	} {
		if least, most := pause(c.failures, c.later, none), pause(c.failures, c.later, all); least != c.least || most != c.most {
			t.Errorf("after %d failures, later %v: %v to %v, want %v to %v", c.failures, c.later, least, most, c.least, c.most)
		}
	}
	for granted, want := range map[time.Duration]time.Duration{time.Hour: 39 * time.Minute, time.Minute: 39 * time.Second, time.Second: time.Second} {
		if got := refreshIn(granted, all); got != want || got > granted {
			t.Errorf("a binding of %v is refreshed in %v, want %v", granted, got, want)
		}
	}
}

// The lowest priority first; among equals, weights decide how often one is the first.
func TestArrange(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	first := map[string]int{}
	for range 10_000 {
		all := []candidate{}
		for _, s := range []Settings{{Name: "spare", Priority: 2}, {Name: "heavy", Weight: 30}, {Name: "light", Weight: 10}, {Name: "none"}} {
			all = append(all, candidate{&line{set: &s}, s.Priority, s.Weight})
		}
		arrange(all, random.IntN)
		first[all[0].line.set.Name]++
		if all[3].line.set.Name != "spare" {
			t.Fatal("a trunk of a higher priority is not the last")
		}
	}
	for name, want := range map[string]int{"heavy": 7317, "light": 2439, "none": 244} {
		if got := first[name]; got < want*8/10 || got > want*12/10 {
			t.Errorf("%s is the first %d times of 10,000, want about %d", name, got, want)
		}
	}
}
