package rfc_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/sipwerk/sipwerk/rfc"
)

func TestReadRefuses(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"3261 | full | SIP", "3 cells"},
		{"x | full | SIP |", "number"},
		{"3261 | nearly | SIP |", "status"},
		{"3261 | part | SIP |", "what is missing"},
		{"3262 | full | A |\n3261 | full | B |", "out of order"},
	} {
		_, err := rfc.Read(strings.NewReader(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want an error with %q", c.text, err, c.want)
		}
	}
}

func TestScanAndCheck(t *testing.T) {
	mark := "RFC" // kept apart so that this file does not cite what it makes up
	tree := fstest.MapFS{
		"a/a.go":      {Data: []byte("// See " + mark + " 9001 §17.2, §9.1 and " + mark + " 9002.\n")},
		"a/a_test.go": {Data: []byte("// " + mark + " 9001 §2\n")},
		"a/a.md":      {Data: []byte(mark + " 9009\n")},
	}
	cited, err := rfc.Scan(tree)
	if err != nil {
		t.Fatal(err)
	}
	want := []rfc.Citation{
		{Number: 9001, Section: "2", File: "a/a_test.go", Line: 1, Test: true},
		{Number: 9001, Section: "9.1", File: "a/a.go", Line: 1},
		{Number: 9001, Section: "17.2", File: "a/a.go", Line: 1},
		{Number: 9002, File: "a/a.go", Line: 1},
	}
	if d := cmp.Diff(want, cited); d != "" {
		t.Error(d)
	}
	index, err := rfc.Read(strings.NewReader("# list\n9001 | full | One |\n9003 | part | Three | half\n"))
	if err != nil {
		t.Fatal(err)
	}
	faults := strings.Join(rfc.Check(index, cited), "\n")
	for _, want := range []string{"a/a.go:1 cites " + mark + " 9002", "claims " + mark + " 9003 as part, but no test cites it"} {
		if !strings.Contains(faults, want) {
			t.Errorf("faults lack %q:\n%s", want, faults)
		}
	}
}
