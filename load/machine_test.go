package load

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

var (
	happenings = []string{"provisional", "success", "repeated", "challenge", "refusal", "timer", "timeout", "release", "wrong"}
	deeds      = []string{"resend", "prove", "ack", "concede", "measure", "hold", "bye", "complete", "fail"}
	phases     = []string{"free", "asking", "held", "ending"}
	legEvents  = []string{"invite", "again", "ack", "bye", "timer", "timeout"}
	legDeeds   = []string{"ring", "answer", "resend", "okay", "miss"}
	legPhases  = []string{"free", "answered", "talking", "half-closed"}
)

// set names the members of a bit set.
func set(bits int, names []string) string {
	var all []string
	for i, name := range names {
		if bits&(1<<i) != 0 {
			all = append(all, name)
		}
	}
	if len(all) == 0 {
		return "-"
	}
	return strings.Join(all, " ")
}

// TestMachines compares every transition of both machines with testdata/machines.txt, which was written by hand from RFC 3261 §13.2.2, §13.3.1.4, §15.1 and §17.1.
func TestMachines(t *testing.T) {
	want, err := os.ReadFile("testdata/machines.txt")
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, start := range []struct {
		name string
		m    moment
	}{
		{"asking", moment{phase: phaseAsking}},
		{"asking proceeding", moment{phase: phaseAsking, proceeding: true}},
		{"calling", moment{phase: phaseAsking, call: true}},
		{"calling proceeding", moment{phase: phaseAsking, call: true, proceeding: true}},
		{"calling to hold", moment{phase: phaseAsking, call: true, hold: true}},
		{"held", moment{phase: phaseHeld, call: true}},
		{"ending", moment{phase: phaseEnding, call: true}},
		{"free", moment{}},
	} {
		for h, name := range happenings {
			next, do := start.m.step(happening(h))
			state := phases[next.phase]
			if next.proceeding {
				state += " proceeding"
			}
			fmt.Fprintf(&got, "%s: %s -> %s: %s\n", start.name, name, state, set(int(do), deeds))
		}
	}
	for p, name := range legPhases {
		for e, event := range legEvents {
			next, do := legPhase(p).step(legEvent(e))
			fmt.Fprintf(&got, "leg %s: %s -> %s: %s\n", name, event, legPhases[next], set(int(do), legDeeds))
		}
	}
	var expected []string
	for line := range strings.Lines(string(want)) {
		if !strings.HasPrefix(line, "#") && strings.TrimSpace(line) != "" {
			expected = append(expected, line)
		}
	}
	if g, w := got.String(), strings.Join(expected, ""); g != w {
		t.Errorf("got\n%s\nwant\n%s", g, w)
	}
}
