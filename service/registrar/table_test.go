package registrar

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"testing"
)

// TestSlab keeps a model beside the slab.
func TestSlab(t *testing.T) {
	var s slab
	random := rand.New(rand.NewPCG(1, 2))
	model := make(map[slabRef][]byte)
	record := func() []byte {
		n := random.IntN(400)
		if random.IntN(10) == 0 {
			n = random.IntN(maxRecord + 1)
		}
		return bytes.Repeat([]byte{byte(random.IntN(256))}, n)
	}
	for range 20000 {
		rec := record()
		ref := slabRef(0)
		for ref = range model { // any
			break
		}
		switch {
		case ref == 0 || len(model) < 50 || random.IntN(3) == 0:
			ref = s.put(rec)
			if _, taken := model[ref]; taken || ref == 0 {
				t.Fatalf("put gave %d", ref)
			}
			model[ref] = rec
		case random.IntN(2) == 0:
			delete(model, ref)
			s.drop(ref)
		default:
			delete(model, ref)
			model[s.replace(ref, rec)] = rec
		}
	}
	for ref, rec := range model {
		if !bytes.Equal(s.get(ref), rec) {
			t.Fatalf("record %d is damaged", ref)
		}
	}
	s.put(make([]byte, maxRecord))
}

func TestSlabReusesRoom(t *testing.T) {
	var s slab
	for range 10 {
		var refs []slabRef
		for range 1000 {
			refs = append(refs, s.put(make([]byte, 200)))
		}
		for _, ref := range refs {
			s.drop(ref)
		}
	}
	if n := len(s.chunks); n > 5 {
		t.Errorf("%d chunks", n)
	}
}

// TestCollision gives two names the same hash.
func TestCollision(t *testing.T) {
	var tab table
	tab.start()
	rec := func(name string) []byte { return appendRecord(nil, name, sample()) }
	at := func(name string) slot {
		s := tab.lock("x")
		s.aor = name
		return s
	}
	put := func(name string, rec []byte) {
		s := at(name)
		defer s.mu.Unlock()
		s.putLocked(rec, 0)
	}
	has := func(name string) bool {
		s := at(name)
		defer s.mu.Unlock()
		got := s.getLocked()
		return got != nil && string(recordName(got)) == name
	}
	for i, step := range []struct {
		put, drop string
		want      string
	}{
		{put: "a", want: "a"}, {put: "b", want: "ab"}, {put: "c", want: "abc"}, {put: "b", want: "abc"},
		{drop: "a", want: "bc"}, {put: "d", want: "bcd"}, {drop: "b", want: "cd"}, {put: "a", want: "acd"}, {drop: "d", want: "ac"}, {drop: "c", want: "a"}, {drop: "a"},
	} {
		if step.put != "" {
			put(step.put, rec(step.put))
		} else {
			put(step.drop, nil)
		}
		got := ""
		for _, name := range []string{"a", "b", "c", "d"} {
			if has(name) {
				got += name
			}
		}
		if names, _ := tab.counts(); got != step.want || names != len(got) {
			t.Errorf("step %d: %q, %d names, want %q", i, got, names, step.want)
		}
	}
}

func TestNames(t *testing.T) {
	var tab table
	tab.start()
	s := tab.lock("sip:alice@example.org")
	s.putLocked(appendRecord(nil, s.aor, sample()), 2)
	s.mu.Unlock()
	if got := fmt.Sprint(tab.names(maphash.String(tab.seed, "sip:alice@example.org"))); got != "[sip:alice@example.org]" {
		t.Error(got)
	}
	if got := tab.names(1); got != nil {
		t.Error(got)
	}
}
