// Golden ladders: a flow as test, documentation and review aid in one file.

package siptest

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing/synctest"
)

// Golden compares the ladder so far, under a heading that says what it shows, with testdata/name.ladder. With the flag -update, which the test package
// declares, it writes the file.
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
	if got != want {
		b.T.Errorf("%s: %s\ngolden:\n%s\nflow:\n%s", file, firstDifference(want, got), want, got)
	}
}

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
