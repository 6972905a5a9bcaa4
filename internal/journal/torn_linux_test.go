package journal

import (
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

// TestTorn: when the disk was full in the middle of a line, the next one is read all the same.
func TestTorn(t *testing.T) {
	name := filepath.Join(t.TempDir(), "j")
	j, err := Rewrite(name, slices.Values([]line{{1}}))
	if err != nil {
		t.Fatal(err)
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	signal.Ignore(syscall.SIGXFSZ)
	full := syscall.Rlimit{Cur: uint64(j.Size()) + 3, Max: limit.Max}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &full); err != nil {
		t.Fatal(err)
	}
	for n := range 2 { // the second time not a byte goes in
		if j.Add(slices.Values([]line{{2}})); j.Err() == nil || j.Size() != int64(full.Cur) {
			t.Errorf("%d: %d bytes, %v", n, j.Size(), j.Err())
		}
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	signal.Reset(syscall.SIGXFSZ)
	j.Add(slices.Values([]line{{3}}))
	j.Add(slices.Values([]line{{4}}))
	if err := j.Close(); err != nil {
		t.Error(err)
	}
	if got := read(t, name); !slices.Equal(got, []int{1, 3, 4}) {
		t.Errorf("read: %v", got)
	}
}
