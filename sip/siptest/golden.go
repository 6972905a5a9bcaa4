// Golden ladders: a flow as test, documentation and review aid in one file.

package siptest

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing/synctest"
)

// Golden compares the ladder so far, under a heading that says what it shows, with testdata/name.ladder. Transactions that act at one instant may do so in
// any order, for goroutines that wake together do. With the flag -update, which the test package declares, it writes the file.
func (b *Bench) Golden(name, heading string) {
	b.T.Helper()
	synctest.Wait() // what is being sent at this instant belongs to it
	file := filepath.Join("testdata", name+".ladder")
	old, err := os.ReadFile(file)
	want, got := string(old), "# "+heading+"\n"+b.Ladder().String()
	if f := flag.Lookup("update"); f != nil && f.Value.String() == "true" {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			b.T.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			b.T.Fatal(err)
		}
		return
	}
	if err != nil {
		b.T.Fatalf("%v; -update writes it", err)
	}
	if inOrder(got) != inOrder(want) {
		b.T.Errorf("%s: %s\ngolden:\n%s\nflow:\n%s", file, firstDifference(inOrder(want), inOrder(got)), want, got)
	}
}

// inOrder returns a ladder with the messages of each instant ordered by method, each method in its own order.
func inOrder(ladder string) string {
	lines := strings.SplitAfter(ladder, "\n")
	for begin := 0; begin < len(lines); {
		end := begin + 1
		for end < len(lines) && instant(lines[end]) == instant(lines[begin]) {
			end++
		}
		if instant(lines[begin]) != "" {
			slices.SortStableFunc(lines[begin:end], func(x, y string) int { return cmp.Compare(method(x), method(y)) })
		}
		begin = end
	}
	return strings.Join(lines, "")
}

// instant returns the time at which a line of a ladder begins; empty if it has none.
func instant(line string) string {
	at, _, ok := strings.Cut(line, " s  ")
	if !ok {
		return ""
	}
	return at
}

// method returns the method of the request on a line of a ladder, or of that which is answered; empty for a note.
func method(line string) string { return strings.Trim(methodPattern.FindString(line), "()") }

var methodPattern = regexp.MustCompile(`\([A-Z]+\)|[A-Z]{3,}`)

// firstDifference names the first line in which two texts differ.
func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(w), len(g)) {
		if w[i] != g[i] {
			return fmt.Sprintf("line %d differs:\n-%s\n+%s", i+1, w[i], g[i])
		}
	}
	return fmt.Sprintf("%d lines instead of %d", len(g), len(w))
}
