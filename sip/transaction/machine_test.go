// Scripts for the machines, and the proof that the set is complete. RFC 3261 §17, RFC 6026 §7, RFC 4320 §4.

package transaction

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what the machines do into the scripts")

// machineNames are the machines by the names that scripts and table use.
func machines() map[string]step {
	return map[string]step{
		"invite client": stepInviteClient, "invite server": stepInviteServer,
		"client": stepClient, "server": stepServer,
	}
}

func stateNames() []string {
	return []string{"idle", "calling", "calling+cancel", "trying", "proceeding", "proceeding+cancel", "completed", "accepted", "confirmed", "terminated"}
}

func timerNames() []string {
	return []string{"A", "B", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M", "Trying", "Cancel", "Late", "Stale"}
}

// eventNames are in the order of the constants. "1xx" is received by a client and given by the TU of a server.
func eventNames() []string {
	names := []string{"request", "1xx", "2xx", "3xx-6xx", "ACK", "cancel", "broken"}
	for _, t := range timerNames() {
		names = append(names, "timer "+t)
	}
	return names
}

func indexOf[T ~uint8](t *testing.T, names []string, name string) T {
	t.Helper()
	i := slices.Index(names, name)
	if i < 0 {
		t.Fatalf("unknown name %q", name)
	}
	return T(i)
}

// describe writes actions the way the table does: verbs, then timers.
func describe(a actions) string {
	var parts []string
	verbs := []string{"pass", "send", "resend", "ack", "cancel", "100", "timeout", "fail", "drop", "408"}
	for i, name := range verbs {
		if a.do&(1<<i) != 0 {
			parts = append(parts, name)
		}
	}
	add := func(word string, set timers) {
		for t, name := range timerNames() {
			if set.has(timer(t)) {
				parts = append(parts, word+" "+name)
			}
		}
	}
	add("stop", a.stop)
	add("start", a.start)
	if a.slow {
		add("slow", a.again)
	} else {
		add("again", a.again)
	}
	if parts == nil {
		return "-"
	}
	return strings.Join(parts, ", ")
}

// step is a machine.
type step func(state, event) (state, actions)

// player runs one script: it knows the intervals, as the shell does.
type player struct {
	machine  step
	invite   bool
	reliable bool
	state    state
	rounds   [timerCount]int
}

func (p *player) play(e event) string {
	s, a := p.machine(p.state, e)
	p.state = s
	times := ""
	tm := Timers{}.withDefaults()
	for t, name := range timerNames() {
		switch t := timer(t); {
		case a.start.has(t):
			d, ok := tm.first(t, p.invite, p.reliable)
			if p.rounds[t] = 0; ok {
				times += fmt.Sprintf(" %s=%v", name, d)
			}
		case a.again.has(t):
			p.rounds[t]++
			times += fmt.Sprintf(" %s=%v", name, tm.next(timer(t), p.rounds[t], a.slow))
		}
	}
	line := stateNames()[s] + ": " + describe(a)
	if times != "" {
		line += " |" + times
	}
	return line
}

// transition is one cell of the table, or one line of a script.
type transition struct {
	machine string
	from    state
	event   event
}

// playFile plays testdata/NAME.script and returns the file as it should be, with the transitions it went through.
func playFile(t *testing.T, file string) (text, played string, seen []transition) {
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	var p player
	name := strings.ReplaceAll(strings.TrimSuffix(filepath.Base(file), ".script"), "_", " ")
	for line := range strings.Lines(string(raw)) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "## "):
			p = player{machine: machines()[name], invite: strings.HasPrefix(name, "invite"), reliable: strings.Contains(line, "(reliable)")}
			fmt.Fprintln(&out, line)
		case line == "" || strings.HasPrefix(line, "#"):
			fmt.Fprintln(&out, line)
		default:
			what, _, _ := strings.Cut(line, "->")
			what = strings.TrimSpace(what)
			e := indexOf[event](t, eventNames(), what)
			seen = append(seen, transition{name, p.state, e})
			fmt.Fprintf(&out, "%-12s -> %s\n", what, p.play(e))
		}
	}
	return string(raw), out.String(), seen
}

func scripts(t *testing.T) []string {
	files, err := filepath.Glob("testdata/*.script")
	if err != nil || len(files) != len(machines()) {
		t.Fatalf("scripts: %v %v", files, err)
	}
	return files
}

func TestScripts(t *testing.T) {
	for _, file := range scripts(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			want, got, _ := playFile(t, file)
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			wants, gots := strings.Split(want, "\n"), strings.Split(got, "\n")
			for i := range wants {
				if wants[i] != gots[i] {
					t.Errorf("line %d:\n want %s\n got  %s", i+1, wants[i], gots[i])
				}
			}
		})
	}
}

// cell is a line of testdata/table.txt.
type cell struct {
	to   state
	does string
	line int
}

// readTable reads the state-event table that was written by hand from the RFCs. Every event that a machine knows at all must
// be in every one of its states: as a transition, or behind "ignores".
func readTable(t *testing.T) map[transition]cell {
	f, err := os.Open("testdata/table.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	table := map[transition]cell{}
	machine, n := "", 0
	add := func(from state, name string, c cell) {
		key := transition{machine, from, indexOf[event](t, eventNames(), name)}
		if old, ok := table[key]; ok {
			t.Errorf("table.txt:%d: %q is already in line %d", n, name, old.line)
		}
		table[key] = c
	}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		n++
		line, _, _ := strings.Cut(lines.Text(), "#")
		if name, ok := strings.CutPrefix(line, "machine "); ok {
			machine = strings.TrimSpace(name)
			continue
		}
		if strings.TrimSpace(line) == "" {
			continue
		}
		col := strings.Split(line, "|")
		for i := range col {
			col[i] = strings.TrimSpace(col[i])
		}
		from := indexOf[state](t, stateNames(), col[0])
		if col[1] == "ignores" {
			for _, name := range strings.Split(col[2], ",") {
				add(from, strings.TrimSpace(name), cell{from, "-", n})
			}
			continue
		}
		add(from, col[1], cell{indexOf[state](t, stateNames(), col[2]), col[3], n})
	}
	return table
}

func TestTable(t *testing.T) {
	table := readTable(t)
	for key, c := range table {
		s, a := machines()[key.machine](key.from, key.event)
		if s != c.to || describe(a) != c.does {
			t.Errorf("table.txt:%d: want %s: %s; code has %s: %s", c.line, stateNames()[c.to], c.does, stateNames()[s], describe(a))
		}
	}
	complete(t, table)
	scripted(t, table)
}

// complete fails where a machine has a state without one of its events, or does something in a state that the table does not have.
func complete(t *testing.T, table map[transition]cell) {
	states, events := map[string]map[state]bool{}, map[string]map[event]bool{}
	for key := range table {
		if states[key.machine] == nil {
			states[key.machine], events[key.machine] = map[state]bool{}, map[event]bool{}
		}
		states[key.machine][key.from], events[key.machine][key.event] = true, true
	}
	for name, machine := range machines() {
		for s := idle; s <= terminated; s++ {
			for e := range event(len(eventNames())) {
				_, listed := table[transition{name, s, e}]
				to, a := machine(s, e)
				switch {
				case states[name][s] && events[name][e] && !listed:
					t.Errorf("table: %s: %s has no line for %s", name, stateNames()[s], eventNames()[e])
				case !listed && (to != s || a != actions{}):
					t.Errorf("table: %s: %s does something at %s that the table does not know", name, stateNames()[s], eventNames()[e])
				}
			}
		}
	}
}

// scripted fails where a transition of the table is in no script.
func scripted(t *testing.T, table map[transition]cell) {
	played := map[transition]bool{}
	for _, file := range scripts(t) {
		_, _, seen := playFile(t, file)
		for _, tr := range seen {
			played[tr] = true
		}
	}
	for key, c := range table {
		if !played[key] && (c.does != "-" || c.to != key.from) {
			t.Errorf("table.txt:%d: no script plays it", c.line)
		}
	}
}
