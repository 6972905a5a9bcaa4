// The table of addresses-of-record: shards of compact records found by a hash.

package registrar

import (
	"hash/maphash"
	"iter"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/internal/slab"
)

const (
	tableShards  = 64
	copiedAtOnce = 64 // names that are copied for a snapshot while their shard stands still
)

// table maps an address-of-record to its record. The zero table must be set up by start.
type table struct {
	seed   maphash.Seed
	shards [tableShards]shard
}

// shard is a part of the table; mu guards the rest. The record of a name is where it stands in the wheel (expire.go), followed by its bindings as
// record.go writes them.
type shard struct {
	mu       sync.Mutex
	names    slab.Map
	wheel    wheel
	bindings int
	scratch  []byte // for a record in the making
}

func (t *table) start() {
	t.seed = maphash.MakeSeed()
	now := seconds(time.Now())
	for i := range t.shards {
		t.shards[i].wheel.now = now
	}
}

// use has the records lie in memory that the garbage collector does not count. Call it before the first one is stored.
func (t *table) use(pages *slab.Pages) {
	for i := range t.shards {
		t.shards[i].names.Pages = pages
	}
}

// clear forgets everything.
func (t *table) clear() {
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		s.names, s.wheel, s.bindings = slab.Map{}, wheel{now: s.wheel.now}, 0
		s.mu.Unlock()
	}
}

// slot is where one name lives in its shard, which is locked.
type slot struct {
	*shard
	name []byte
	hash uint64
	ref  slab.Ref // 0: the name has no record
}

func (t *table) hash(name []byte) uint64 { return maphash.Bytes(t.seed, name) }

func (t *table) shard(hash uint64) *shard { return &t.shards[hash%tableShards] }

// lock locks the shard of a name and finds its record. The caller unlocks slot.mu.
func (t *table) lock(name []byte) slot {
	hash := t.hash(name)
	s := t.shard(hash)
	s.mu.Lock()
	return slot{shard: s, name: name, hash: hash, ref: s.names.Get(uint32(hash>>32), name)}
}

// getLocked returns the bindings as record.go writes them, nil if there are none; they are valid until the shard is unlocked.
func (s *slot) getLocked() []byte {
	if s.ref == 0 {
		return nil
	}
	return s.names.Record(s.ref)[wheelSize:]
}

// putLocked stores bindings in place of older ones, or removes the name if there are none. delta is how many there are more than before, first when the first of
// them expires.
func (s *slot) putLocked(bindings []byte, delta int, first uint32) {
	s.bindings += delta
	switch {
	case len(bindings) == 0 && s.ref != 0:
		s.wheel.remove(&s.names, s.ref)
		s.names.Delete(s.ref)
		s.ref = 0
	case len(bindings) == 0:
	case s.ref != 0:
		s.replaceLocked(bindings, first)
	default:
		s.scratch = append(append(s.scratch[:0], make([]byte, wheelSize)...), bindings...)
		s.ref = s.names.Add(uint32(s.hash>>32), s.name, s.scratch)
		s.wheel.add(&s.names, s.ref, first)
	}
}

// replaceLocked stores other bindings. A name that is due later than before stays where it is in the wheel: it is looked at once more than needed.
func (s *slot) replaceLocked(bindings []byte, first uint32) {
	place := s.names.Record(s.ref)[:wheelSize]
	s.scratch = append(append(s.scratch[:0], place...), bindings...)
	old, due := s.ref, placeOf(place).at
	if first < due {
		s.wheel.remove(&s.names, old)
		s.ref = s.names.Set(old, s.scratch)
		s.wheel.add(&s.names, s.ref, first)
		return
	}
	if s.ref = s.names.Set(old, s.scratch); s.ref != old {
		s.wheel.moved(&s.names, old, s.ref)
	}
}

// snapshots yields copies of all records, a few at a time, one behind the other as they lie in a file (frame.go). No lock is held while the caller has one. What changes
// meanwhile comes as it was or as it is.
func (t *table) snapshots() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		var b []byte
		for i := range t.shards {
			for bucket := 0; bucket >= 0; {
				b, bucket = t.shards[i].copyFrom(b[:0], bucket)
				if len(b) > 0 && !yield(b) {
					return
				}
			}
		}
	}
}

// copyFrom appends the records from a bucket on and returns the bucket to go on from, -1 behind the last.
func (s *shard) copyFrom(b []byte, bucket int) ([]byte, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, at := 0, bucket
	for next, ref := range s.names.All(bucket) {
		if next != at && n >= copiedAtOnce {
			return b, at
		}
		b = appendFrame(b, s.names.Key(ref), s.names.Record(ref)[wheelSize:])
		n, at = n+1, next
	}
	return b, -1
}

// counts returns how many names and bindings there are.
func (t *table) counts() (names, bindings int) {
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		names += s.names.Len()
		bindings += s.bindings
		s.mu.Unlock()
	}
	return names, bindings
}

// named returns the names in the table that have a hash: one, or very rarely more.
func (t *table) named(hash uint64) (names [][]byte) {
	s := t.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	for ref := s.names.Next(uint32(hash>>32), 0); ref != 0; ref = s.names.Next(uint32(hash>>32), ref) {
		if key := s.names.Key(ref); t.hash(key) == hash {
			names = append(names, append([]byte(nil), key...))
		}
	}
	return names
}
