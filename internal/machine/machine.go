// Package machine checks state machines against tables that were written by hand from a standard. It is for tests.
//
// A table is testdata/NAME.txt beside the test. Each line reads "state + input: next state, action, …"; a combination without a line leaves the state as it is and does nothing. Lines that
// begin with # are comments.
package machine

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Machine is one machine with the words of its table, each at the place of its value.
type Machine struct {
	States, Inputs, Actions []string
	Step                    func(state, input int) (next int, actions []int) // made by [Step]
}

// Step makes the step function of a [Machine] from a typed one.
func Step[S, I, A ~uint8](step func(S, I) (S, []A)) func(int, int) (int, []int) {
	return func(s, in int) (int, []int) {
		next, actions := step(S(s), I(in))
		var out []int
		for _, a := range actions {
			out = append(out, int(a))
		}
		return int(next), out
	}
}

// Test compares each machine with the table of its name: every state with every input.
func Test(t *testing.T, machines map[string]Machine) {
	t.Helper()
	for name, m := range machines {
		table := read(t, name)
		for s, state := range m.States {
			for in, input := range m.Inputs {
				key := state + " + " + input
				want, ok := table[key]
				if !ok {
					want = state
				}
				delete(table, key)
				if got := m.words(s, in); got != want {
					t.Errorf("%s: %s: %s, table says %s", name, key, got, want)
				}
			}
		}
		for key := range table {
			t.Errorf("%s: the table has %q, the machine does not", name, key)
		}
	}
}

// words is a step as the table writes it.
func (m *Machine) words(state, input int) string {
	next, actions := m.Step(state, input)
	words := []string{m.States[next]}
	for _, a := range actions {
		words = append(words, m.Actions[a])
	}
	return strings.Join(words, ", ")
}

// read returns what the table says for each "state + input".
func read(t *testing.T, name string) map[string]string {
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
