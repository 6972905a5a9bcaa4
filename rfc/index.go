// Package rfc reads index.txt, the list of the RFCs that Sipwerk knows and how far each is done, and finds the places in the
// tree that cite them. The command rfc/xref prints the cross-reference; the house rules use it to refuse a citation of an unlisted RFC.
package rfc

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Status says how far an RFC is implemented.
type Status string

// The statuses of index.txt.
const (
	Full  Status = "full"  // everything that concerns a program of this kind
	Part  Status = "part"  // the rest is named in Missing
	Parse Status = "parse" // read and printed, not acted on
	No    Status = "no"    // cited, not implemented
)

// Entry is one row of index.txt.
type Entry struct {
	Number  int
	Status  Status
	Title   string
	Missing string
}

// Read parses index.txt: rows "number | status | title | missing" in ascending order, empty lines and lines that start with "#" apart.
func Read(r io.Reader) ([]Entry, error) {
	var entries []Entry
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		e, err := parseRow(line)
		if err != nil {
			return nil, fmt.Errorf("rfc: index line %d: %w", n, err)
		}
		if len(entries) > 0 && entries[len(entries)-1].Number >= e.Number {
			return nil, fmt.Errorf("rfc: index line %d: RFC %d is out of order", n, e.Number)
		}
		entries = append(entries, e)
	}
	return entries, lines.Err()
}

func parseRow(line string) (Entry, error) {
	cells := strings.Split(line, "|")
	if len(cells) != 4 {
		return Entry{}, fmt.Errorf("%d cells, want 4", len(cells))
	}
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	number, err := strconv.Atoi(cells[0])
	if err != nil {
		return Entry{}, fmt.Errorf("number: %w", err)
	}
	e := Entry{Number: number, Status: Status(cells[1]), Title: cells[2], Missing: cells[3]}
	switch e.Status {
	case Full, Part, Parse, No:
	default:
		return Entry{}, fmt.Errorf("status %q is none of full, part, parse, no", cells[1])
	}
	if e.Title == "" || (e.Status == Part && e.Missing == "") {
		return Entry{}, fmt.Errorf("RFC %d wants a title, and with status part a word on what is missing", number)
	}
	return e, nil
}
