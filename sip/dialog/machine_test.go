// The machines against tables written by hand from the RFC. RFC 3261 §13, §14, §15; RFC 3262 §3; RFC 3311 §5; RFC 4028 §7 to §10.

package dialog

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
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
		"uac": {
			states:  []string{"calling", "proceeding", "cancelling", "answered", "confirmed", "over"},
			inputs:  []string{"1xx", "2xx", "2xx offer", "2xx again", "2xx fork", "challenge", "failure", "cancel", "ack", "bye", "peer bye"},
			actions: []string{"tell progress", "tell answered", "tell rejected", "tell ended", "ack", "bye", "drop fork", "cancel", "restart"},
			step:    wrap(uacState.step),
		},
		"uas": {
			states:  []string{"open", "held", "answered", "leaving", "confirmed", "over"},
			inputs:  []string{"provisional", "answer", "held", "reject", "bye", "cancel", "ack", "peer bye", "resend", "give up", "pracked", "no prack"},
			actions: []string{"respond", "await ack", "repeat", "settle", "487", "tell ack", "tell cancelled", "tell ended", "bye", "bye without ack", "refused", "504"},
			step:    wrap(uasState.step),
		},
		"offer": {
			states: []string{"none", "sent", "unacked", "came", "answered"},
			inputs: []string{"order", "peer", "2xx", "updated", "2xx offer", "491", "gone", "failure", "order ack", "accept", "accept late", "refuse", "withdrawn", "ack",
				"overdue", "ended"},
			actions: []string{"send", "tell", "491", "500", "ack", "tell result", "retry", "hang up", "respond", "cancelled", "busy", "lapse"},
			step:    wrap(offerState.step),
		},
		"reliable": {
			states:  []string{"none", "plain", "full"},
			inputs:  []string{"order", "order full", "answer", "reject", "acked", "resend", "give up"},
			actions: []string{"send", "queue", "repeat", "stop", "next", "hold", "pass", "fail"},
			step:    wrap(reliableState.step),
		},
		"timer": {
			states:  []string{"off", "ours", "theirs", "waiting"},
			inputs:  []string{"ours", "theirs", "due", "refused", "expired", "over"},
			actions: []string{"arm", "await", "refresh", "later", "hang up", "stop"},
			step:    wrap(timerState.step),
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

func TestGlareWait(t *testing.T) {
	tests := []struct {
		made     bool
		min, max time.Duration
	}{{true, 2100 * time.Millisecond, 4 * time.Second}, {false, 0, 2 * time.Second}}
	for _, test := range tests {
		low, high := time.Hour, time.Duration(0)
		for r := range uint64(2000) {
			d := glareWait(test.made, r)
			low, high = min(low, d), max(high, d)
			if d%(10*time.Millisecond) != 0 {
				t.Fatalf("made %t: %v is no multiple of 10 ms", test.made, d)
			}
		}
		if low != test.min || high != test.max {
			t.Errorf("made %t: from %v to %v, want %v to %v", test.made, low, high, test.min, test.max)
		}
	}
	for r := range uint64(100) {
		if s := retryAfter(r); s > 10 {
			t.Errorf("retryAfter(%d) = %d", r, s)
		}
	}
}
