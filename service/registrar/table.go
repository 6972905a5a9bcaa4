// The table of addresses-of-record: shards of compact records found by a hash.

package registrar

import (
	"hash/maphash"
	"iter"
	"sync"
)

const tableShards = 64

// table maps an address-of-record to its record. The zero table must be set up by start.
type table struct {
	seed   maphash.Seed
	shards [tableShards]shard
}

// shard is a part of the table; mu guards the rest.
type shard struct {
	mu       sync.Mutex
	index    map[uint64]slabRef
	collided map[string]slabRef // names whose hash another name holds: all but never any
	records  slab
	bindings int
	scratch  []byte // for a record in the making
}

func (t *table) start() {
	t.seed = maphash.MakeSeed()
	for i := range t.shards {
		t.shards[i].index = make(map[uint64]slabRef)
		t.shards[i].collided = make(map[string]slabRef)
	}
}

// slot is where one name lives in its shard, which is locked.
type slot struct {
	*shard
	aor  string
	hash uint64
}

// lock locks the shard of aor. The caller unlocks slot.mu.
func (t *table) lock(aor string) slot {
	hash := maphash.String(t.seed, aor)
	s := &t.shards[hash%tableShards]
	s.mu.Lock()
	return slot{shard: s, aor: aor, hash: hash}
}

// refLocked returns the record's place, 0 if there is none, and whether the name is or would be kept among the collided.
func (s slot) refLocked() (ref slabRef, collided bool) {
	ref = s.index[s.hash]
	if ref != 0 && string(recordName(s.records.get(ref))) == s.aor {
		return ref, false
	}
	other, found := s.collided[s.aor]
	return other, found || ref != 0
}

// getLocked returns the record, nil if there is none; it is valid until the shard is unlocked.
func (s slot) getLocked() []byte {
	ref, _ := s.refLocked()
	if ref == 0 {
		return nil
	}
	return s.records.get(ref)
}

// putLocked stores the record of the name in place of an older one, or removes it if rec is nil. delta is how many bindings
// there are more than before.
func (s slot) putLocked(rec []byte, delta int) {
	s.bindings += delta
	ref, collided := s.refLocked()
	switch {
	case rec == nil && ref != 0:
		s.records.drop(ref)
		ref = 0
	case rec != nil && ref != 0:
		ref = s.records.replace(ref, rec)
	case rec != nil:
		ref = s.records.put(rec)
	}
	s.setLocked(ref, collided)
}

func (s slot) setLocked(ref slabRef, collided bool) {
	switch {
	case collided && ref == 0:
		delete(s.collided, s.aor)
	case collided:
		s.collided[s.aor] = ref
	case ref == 0:
		delete(s.index, s.hash)
	default:
		s.index[s.hash] = ref
	}
}

// snapshots yields, shard by shard, copies of all records, one behind the other with their lengths between (see journal.go). No lock is held while the caller has one.
func (t *table) snapshots() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		var b []byte
		for i := range t.shards {
			if b = t.shards[i].appendAll(b[:0]); len(b) > 0 && !yield(b) {
				return
			}
		}
	}
}

func (s *shard) appendAll(b []byte) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ref := range s.index {
		b = appendFrame(b, s.records.get(ref))
	}
	for _, ref := range s.collided {
		b = appendFrame(b, s.records.get(ref))
	}
	return b
}

// counts returns how many names and bindings there are.
func (t *table) counts() (names, bindings int) {
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		names += len(s.index) + len(s.collided)
		bindings += s.bindings
		s.mu.Unlock()
	}
	return names, bindings
}

// names returns the names in the table that have a hash: one, or very rarely more.
func (t *table) names(hash uint64) []string {
	s := &t.shards[hash%tableShards]
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	if ref := s.index[hash]; ref != 0 {
		names = append(names, string(recordName(s.records.get(ref))))
	}
	for name := range s.collided {
		if maphash.String(t.seed, name) == hash {
			names = append(names, name)
		}
	}
	return names
}
