// The compliance page and the checks between index and tree.

package rfc

import (
	"fmt"
	"io"
	"strings"
)

// Check returns one sentence for each citation of an RFC that the index lacks, and for each RFC claimed as full or part that no test cites.
func Check(index []Entry, cited []Citation) []string {
	var faults []string
	known := map[int]bool{}
	tested := map[int]bool{}
	for _, e := range index {
		known[e.Number] = true
	}
	for _, c := range cited {
		tested[c.Number] = tested[c.Number] || c.Test
		if !known[c.Number] {
			faults = append(faults, fmt.Sprintf("%s:%d cites RFC %d, which rfc/index.txt does not list", c.File, c.Line, c.Number))
		}
	}
	for _, e := range index {
		if (e.Status == Full || e.Status == Part) && !tested[e.Number] {
			faults = append(faults, fmt.Sprintf("rfc/index.txt claims RFC %d as %s, but no test cites it", e.Number, e.Status))
		}
	}
	return faults
}

// Page writes the compliance page: a table of the index with the number of places in code and tests that cite each RFC.
func Page(w io.Writer, index []Entry, cited []Citation) error {
	code, tests := map[int]int{}, map[int]int{}
	for _, c := range cited {
		if c.Test {
			tests[c.Number]++
		} else {
			code[c.Number]++
		}
	}
	var b strings.Builder
	b.WriteString("# Compliance\n\nMade by `go run ./rfc/xref -page docs/compliance.md` from `rfc/index.txt`; `go run ./rfc/xref` prints each place.\n\n")
	b.WriteString("| RFC | Status | Title | Code | Tests | Missing |\n|---|---|---|---|---|---|\n")
	for _, e := range index {
		fmt.Fprintf(&b, "| %d | %s | %s | %d | %d | %s |\n", e.Number, e.Status, e.Title, code[e.Number], tests[e.Number], e.Missing)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Print writes the cross-reference: under each RFC and section the places that cite it, tests marked.
func Print(w io.Writer, index []Entry, cited []Citation) error {
	titles := map[int]Entry{}
	for _, e := range index {
		titles[e.Number] = e
	}
	var b strings.Builder
	number, section := 0, ""
	for _, c := range cited {
		if c.Number != number {
			number, section = c.Number, "\x00"
			fmt.Fprintf(&b, "\nRFC %d %s (%s)\n", number, titles[number].Title, titles[number].Status)
		}
		if c.Section != section {
			section = c.Section
			fmt.Fprintf(&b, "  §%s\n", section)
		}
		mark := "code"
		if c.Test {
			mark = "test"
		}
		fmt.Fprintf(&b, "    %s %s:%d\n", mark, c.File, c.Line)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
