package slab

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestMap keeps a model beside the map. Few hashes make long chains.
func TestMap(t *testing.T) {
	for _, hashes := range []uint32{1, 7, 1 << 30} {
		for _, pages := range []*Pages{nil, new(Pages)} {
			t.Run(fmt.Sprint(hashes, pages != nil), func(t *testing.T) { playMap(t, hashes, pages) })
		}
	}
}

func playMap(t *testing.T, hashes uint32, pages *Pages) {
	m := &Map{Pages: pages}
	if pages != nil {
		defer pages.Free()
	}
	random := rand.New(rand.NewPCG(1, uint64(hashes)))
	seed := maphash.MakeSeed()
	model := make(map[string][]byte)
	for range 20_000 {
		key := fmt.Sprint("key", random.IntN(700))
		hash := uint32(maphash.String(seed, key)) % hashes
		ref := m.Get(hash, []byte(key))
		old, known := model[key]
		if known != (ref != 0) || known && !bytes.Equal(m.Record(ref), old) {
			t.Fatalf("%s: entry %d, %d bytes; the model has %v, %d bytes", key, ref, len(m.Record(ref)), known, len(old))
		}
		if known && random.IntN(3) == 0 {
			delete(model, key)
			m.Delete(ref)
			continue
		}
		size := random.IntN(400)
		if random.IntN(20) == 0 {
			size = random.IntN(MaxSize - len(key) + 1)
		}
		rec := bytes.Repeat([]byte{byte(random.IntN(256))}, size)
		if model[key] = rec; known {
			m.Set(ref, rec)
		} else {
			m.Add(hash, []byte(key), rec)
		}
	}
	var got, want []string
	for _, ref := range m.All(0) {
		if !bytes.Equal(m.Record(ref), model[string(m.Key(ref))]) {
			t.Errorf("%s is damaged", m.Key(ref))
		}
		got = append(got, string(m.Key(ref)))
	}
	for key := range model {
		want = append(want, key)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) || m.Len() != len(want) {
		t.Errorf("%d entries of %d, want %d", len(got), m.Len(), len(want))
	}
}

// TestAllWhileGrowing: whoever walks and stops after each bucket misses none of the entries that were there when the walk began.
func TestAllWhileGrowing(t *testing.T) {
	m := new(Map)
	seed := maphash.MakeSeed()
	add := func(key string) { m.Add(uint32(maphash.String(seed, key)), []byte(key), []byte("record")) }
	for i := range 1000 {
		add(fmt.Sprint("old", i))
	}
	seen := make(map[string]bool)
	for bucket, more := 0, true; more; {
		more = false
		for next, ref := range m.All(bucket) {
			if more && next != bucket {
				break
			}
			seen[string(m.Key(ref))], bucket, more = true, next, true
		}
		if bucket%3 > 0 {
			add(fmt.Sprint("new", bucket))
		}
	}
	for i := range 1000 {
		if !seen[fmt.Sprint("old", i)] {
			t.Errorf("old%d was missed", i)
		}
	}
}

// TestNext: entries of one hash are found one after the other.
func TestNext(t *testing.T) {
	m := new(Map)
	if m.Next(1, 0) != 0 {
		t.Error("an entry in an empty map")
	}
	for _, key := range []string{"a", "b", "c"} {
		m.Add(9, []byte(key), nil)
	}
	m.Add(9+1<<20, []byte("same bucket"), nil)
	n := 0
	for ref := m.Next(9, 0); ref != 0; ref = m.Next(9, ref) {
		n++
	}
	if n != 3 {
		t.Errorf("%d entries", n)
	}
}

// TestRoomIsUsedAgain: a map that is filled and emptied again and again, with records of changing sizes, does not grow.
func TestRoomIsUsedAgain(t *testing.T) {
	m := new(Map)
	for round := range 20 {
		var refs []Ref
		for i := range 1000 {
			refs = append(refs, m.Add(uint32(i), fmt.Append(nil, i), make([]byte, 100+(i*7+round*13)%90)))
		}
		for _, ref := range refs {
			m.Delete(ref)
		}
	}
	if n := len(m.room.chunks); n > 6 {
		t.Errorf("%d chunks of 64 KiB for 1000 records of 160 bytes", n)
	}
}

// TestForgottenBytesStay: what was read stays what it was.
func TestForgottenBytesStay(t *testing.T) {
	m := new(Map)
	ref := m.Add(1, []byte("a"), []byte("record"))
	rec := m.Record(ref)
	m.Forget(ref)
	for i := range 1000 {
		m.Add(uint32(i), fmt.Append(nil, i), []byte("another"))
	}
	if string(rec) != "record" {
		t.Errorf("%q", rec)
	}
}

// TestAllocations: nothing is allocated to read, to replace, or to delete and add again.
func TestAllocations(t *testing.T) {
	m := new(Map)
	rec := make([]byte, 100)
	for i := range 1000 {
		m.Add(uint32(i), fmt.Append(nil, i), rec)
	}
	key := []byte("77")
	if n := testing.AllocsPerRun(1000, func() {
		m.Set(m.Get(77, key), rec[:80])
		m.Delete(m.Get(77, key))
		m.Add(77, key, rec)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkGet reads a million records in no order.
func BenchmarkGet(b *testing.B) {
	for _, pages := range []*Pages{nil, new(Pages)} {
		b.Run(fmt.Sprint("pages=", pages != nil), func(b *testing.B) {
			m := &Map{Pages: pages}
			seed := maphash.MakeSeed()
			rec := make([]byte, 130)
			var key []byte
			for i := range 1_000_000 {
				key = fmt.Appendf(key[:0], "sip:u%d@example.org", i)
				m.Add(uint32(maphash.Bytes(seed, key)), key, rec)
			}
			for i := 0; b.Loop(); i++ {
				key = fmt.Appendf(key[:0], "sip:u%d@example.org", i*7919%1_000_000)
				if m.Get(uint32(maphash.Bytes(seed, key)), key) == 0 {
					b.Fatal("lost")
				}
			}
		})
	}
}
