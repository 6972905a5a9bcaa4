package journal

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

type line struct {
	N int `json:"n"`
}

// read returns the lines of a file.
func read(t *testing.T, name string) (all []int) {
	t.Helper()
	if err := Read(name, func(l line) { all = append(all, l.N) }); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestJournal: what was added is read again, also after an end in the middle of a line, and a new file holds what it was given.
func TestJournal(t *testing.T) {
	name := filepath.Join(t.TempDir(), "j")
	if got := read(t, name); got != nil {
		t.Errorf("a file that is not there: %v", got)
	}
	j, err := Rewrite(name, slices.Values([]line{{1}}))
	if err != nil {
		t.Fatal(err)
	}
	j.Add(slices.Values([]line{{2}, {3}}))
	if got := read(t, name); !slices.Equal(got, []int{1, 2, 3}) {
		t.Errorf("before it is closed: %v", got)
	}
	if _, err := j.file.WriteString(`{"n":`); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
	if got := read(t, name); !slices.Equal(got, []int{1, 2, 3}) {
		t.Errorf("with half a line: %v", got)
	}
	if j, err = Rewrite(name, slices.Values([]line{{4}})); err != nil || j.Size() != int64(len("{\"n\":4}\n")) {
		t.Errorf("%v, %d bytes", err, j.Size())
	}
	if err := j.file.Close(); err != nil {
		t.Fatal(err)
	}
	if j.Add(slices.Values([]line{{5}})); j.Err() == nil || j.Close() == nil {
		t.Error("a line that is not in the file is not told")
	}
	if got := read(t, name); !slices.Equal(got, []int{4}) {
		t.Errorf("rewritten: %v", got)
	}
}

// TestLongLine: a line is read however long it is, up to the limit; one that is longer keeps nobody from those behind it.
func TestLongLine(t *testing.T) {
	name := filepath.Join(t.TempDir(), "j")
	pad := strings.Repeat("x", 200<<10)
	text := `{"n":1,"pad":"` + pad + "\"}\n" + `{"n":2,"pad":"` + strings.Repeat(pad, 6) + "\"}\n" + `{"n":3}` + "\nnone\n" + `{"n":4}` + "\n" + strings.Repeat(pad, 6)
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := read(t, name); !slices.Equal(got, []int{1, 3, 4}) {
		t.Errorf("read: %v", got)
	}
}

// TestUnreadable: a file that cannot be read or made is an error, and a nil journal takes everything.
func TestUnreadable(t *testing.T) {
	dir := t.TempDir()
	if err := Read(dir, func(line) {}); err == nil {
		t.Error("a folder was read")
	}
	if _, err := Rewrite(filepath.Join(dir, "none", "j"), slices.Values([]line{{1}})); err == nil {
		t.Error("a journal in no folder")
	}
	var none *Journal[line]
	none.Add(slices.Values([]line{{1}}))
	if none.Size() != 0 || none.Err() != nil || none.Close() != nil {
		t.Error("a nil journal keeps something")
	}
}
