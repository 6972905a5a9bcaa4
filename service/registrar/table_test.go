package registrar

import (
	"bytes"
	"fmt"
	"testing"
)

func TestNamed(t *testing.T) {
	var tab table
	tab.start()
	name := []byte("sip:alice@example.org")
	s := tab.lock(name)
	s.putLocked(appendBindings(nil, sample()), 2, 1)
	s.mu.Unlock()
	if got := fmt.Sprintf("%s", tab.named(tab.hash(name))); got != "[sip:alice@example.org]" {
		t.Error(got)
	}
	if got := tab.named(1); got != nil {
		t.Error(got)
	}
}

// TestSnapshots: whoever copies the table while it grows and changes gets every name that was there all the time.
func TestSnapshots(t *testing.T) {
	var tab table
	tab.start()
	put := func(name string) {
		s := tab.lock([]byte(name))
		s.putLocked(appendBindings(nil, sample()[:1+len(name)%2]), 1, uint32(len(name)))
		s.mu.Unlock()
	}
	for i := range 20_000 {
		put(fmt.Sprint("sip:old", i))
	}
	seen, n := make(map[string]bool), 0
	file := appendHeader(nil)
	for b := range tab.snapshots() {
		file = append(file, b...)
		n++
		put(fmt.Sprint("sip:new", n))
		put(fmt.Sprint("sip:old", n))
	}
	if _, err := readFrames(bytes.NewReader(file), func(rec []byte) error {
		name, _, err := splitRecord(rec)
		seen[string(name)] = true
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for i := range 20_000 {
		if name := fmt.Sprint("sip:old", i); !seen[name] {
			t.Errorf("%s was missed", name)
		}
	}
	if n < 20_000/2/copiedAtOnce {
		t.Errorf("%d pieces: shards stand still for too long", n)
	}
}
