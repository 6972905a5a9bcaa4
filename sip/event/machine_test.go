// The machines against tables written by hand from the RFC. RFC 6665 §4.1.2, §4.2.1, §4.2.2.

package event

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// machine is one machine with the words of its table.
type machine struct {
	states, inputs, actions []string
	step                    func(state, input int) (next int, actions []int)
}

// wrap makes a step function of small integers from a typed one.
func wrap[S, I, A ~uint8](step func(S, I) (S, []A)) func(int, int) (int, []int) {
	return func(s, in int) (int, []int) {
		next, actions := step(S(s), I(in))
		var out []int
		for _, a := range actions {
			out = append(out, int(a))
		}
		return int(next), out
	}
}

func machines() map[string]machine {
	return map[string]machine{
		"notifier": {
			states:  []string{"quiet", "sending", "stale", "owing", "paused", "held", "closing", "ending", "over"},
			inputs:  []string{"subscribe", "leave", "change", "due", "answered", "gone", "expire", "end"},
			actions: []string{"tell", "tell all", "tell end", "pause", "stop pause", "forget"},
			step:    wrap(noticeState.step),
		},
		"subscriber": {
			states:  []string{"asking", "up", "renewing", "leaving", "over"},
			inputs:  []string{"notify", "terminated", "granted", "refused", "timer N", "due", "expired", "leave"},
			actions: []string{"tell", "refresh", "goodbye", "arm", "stop N", "later", "tell over"},
			step:    wrap(watchState.step),
		},
	}
}

// readTable returns what the table says for each "state + input".
func readTable(t *testing.T, name string) map[string]string {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	table := make(map[string]string)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := lines.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		left, right, ok := strings.Cut(line, ":")
		state, input, ok2 := strings.Cut(left, "+")
		key := strings.TrimSpace(state) + " + " + strings.TrimSpace(input)
		if !ok || !ok2 || table[key] != "" {
			t.Fatalf("%s: bad or double line %q", name, line)
		}
		table[key] = strings.TrimSpace(right)
	}
	return table
}

func TestMachines(t *testing.T) {
	for name, m := range machines() {
		table := readTable(t, name)
		for s, state := range m.states {
			for in, input := range m.inputs {
				key := state + " + " + input
				want, ok := table[key]
				if !ok {
					want = state
				}
				delete(table, key)
				next, actions := m.step(s, in)
				words := []string{m.states[next]}
				for _, a := range actions {
					words = append(words, m.actions[a])
				}
				if got := strings.Join(words, ", "); got != want {
					t.Errorf("%s: %s: %s, table says %s", name, key, got, want)
				}
			}
		}
		for key := range table {
			t.Errorf("%s: the table has %q, the machine does not", name, key)
		}
	}
}
