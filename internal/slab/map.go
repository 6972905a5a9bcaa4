// The map: records by key, one chain a bucket. The buckets grow by linear hashing (Litwin, 1980): each insertion beyond one record a bucket splits the next
// bucket in turn.

package slab

import (
	"encoding/binary"
	"iter"
)

// How an entry lies in its room: its neighbour in the chain, its hash, the lengths of record and key, then key and record.
const (
	atNext   = 0
	atHash   = 4
	atSize   = 8
	atKey    = 10
	headSize = 12

	// MaxSize is the most that key and record may have together.
	MaxSize = 16<<10 - headSize
)

const segmentBuckets = 256 // buckets are taken in pieces of this many

// Ref names an entry as long as it is in its map: [Map.Set] may give it another. The zero Ref is none.
type Ref uint32

// Map keeps records by key. The zero Map is ready and takes its memory from the heap. Its owner serialises access.
type Map struct {
	Pages *Pages // nil: the heap

	room     room
	segments [][]byte // the buckets: the first entry of each chain
	low      uint32   // a power of two: the buckets when the present round of splitting began
	split    uint32   // the next one to be split; there are low+split buckets
	count    int
}

// Len returns how many entries there are.
func (m *Map) Len() int { return m.count }

// Get returns the entry of key, 0 if there is none. hash is that of the key: the caller's choice, always the same for one key.
func (m *Map) Get(hash uint32, key []byte) Ref {
	if m.count == 0 {
		return 0
	}
	for ref := m.head(m.bucket(hash)); ref != 0; ref = m.next(ref) {
		e := m.room.at(ref)
		if binary.LittleEndian.Uint32(e[atHash:]) == hash && string(keyOf(e)) == string(key) {
			return ref
		}
	}
	return 0
}

// Next returns the entry with the hash that comes behind ref, the first for 0; 0 if there is none.
func (m *Map) Next(hash uint32, ref Ref) Ref {
	switch {
	case m.count == 0:
		return 0
	case ref == 0:
		ref = m.head(m.bucket(hash))
	default:
		ref = m.next(ref)
	}
	for ref != 0 && m.Hash(ref) != hash {
		ref = m.next(ref)
	}
	return ref
}

// Hash returns the hash of an entry.
func (m *Map) Hash(ref Ref) uint32 { return binary.LittleEndian.Uint32(m.room.at(ref)[atHash:]) }

// Key returns the key of an entry, valid until the entry is set or deleted.
func (m *Map) Key(ref Ref) []byte { return keyOf(m.room.at(ref)) }

// Record returns the record of an entry, valid until the entry is set or deleted. It may be written to.
func (m *Map) Record(ref Ref) []byte {
	e := m.room.at(ref)
	from, to := headSize+int(binary.LittleEndian.Uint16(e[atKey:])), headSize+int(binary.LittleEndian.Uint16(e[atSize:]))
	return e[from:to:to]
}

func keyOf(e []byte) []byte {
	to := headSize + int(binary.LittleEndian.Uint16(e[atKey:]))
	return e[headSize:to:to]
}

// Add makes an entry for a key that has none. Together they have at most MaxSize bytes.
func (m *Map) Add(hash uint32, key, rec []byte) Ref {
	if m.count >= m.buckets() {
		m.grow()
	}
	m.count++
	ref := m.place(hash, key, rec)
	m.link(ref, hash)
	return ref
}

// Set gives an entry another record. Where it has become longer or shorter by enough, it moves and has the Ref that is returned.
func (m *Map) Set(ref Ref, rec []byte) Ref {
	e := m.room.at(ref)
	size, key := int(binary.LittleEndian.Uint16(e[atSize:])), int(binary.LittleEndian.Uint16(e[atKey:]))
	if unitsOf(headSize+size) == unitsOf(headSize+key+len(rec)) {
		copy(e[headSize+key:], rec)
		binary.LittleEndian.PutUint16(e[atSize:], uint16(key+len(rec)))
		return ref
	}
	hash := m.Hash(ref)
	moved := m.place(hash, keyOf(e), rec)
	m.unlink(ref, hash)
	m.room.give(ref, unitsOf(headSize+size))
	m.link(moved, hash)
	return moved
}

// Delete removes an entry.
func (m *Map) Delete(ref Ref) {
	size := int(binary.LittleEndian.Uint16(m.room.at(ref)[atSize:]))
	m.Forget(ref)
	m.room.give(ref, unitsOf(headSize+size))
}

// Forget removes an entry and leaves its bytes as they are for good: for whoever may still read them.
func (m *Map) Forget(ref Ref) {
	m.unlink(ref, m.Hash(ref))
	m.count--
}

// place puts key and record into a room of their own.
func (m *Map) place(hash uint32, key, rec []byte) Ref {
	ref := m.room.take(m.Pages, unitsOf(headSize+len(key)+len(rec)))
	e := m.room.at(ref)
	binary.LittleEndian.PutUint32(e[atHash:], hash)
	binary.LittleEndian.PutUint16(e[atSize:], uint16(len(key)+len(rec)))
	binary.LittleEndian.PutUint16(e[atKey:], uint16(len(key)))
	copy(e[headSize+copy(e[headSize:], key):], rec)
	return ref
}

// All yields the entries bucket by bucket from the bucket given on, with the bucket that comes next. Whoever goes on later from that bucket misses none that was there
// all the time: growing moves entries only to buckets with a higher number.
func (m *Map) All(bucket int) iter.Seq2[int, Ref] {
	return func(yield func(int, Ref) bool) {
		for ; bucket < m.buckets(); bucket++ {
			for ref := m.head(uint32(bucket)); ref != 0; ref = m.next(ref) {
				if !yield(bucket+1, ref) {
					return
				}
			}
		}
	}
}

func (m *Map) buckets() int { return int(m.low + m.split) }

// bucket returns the chain in which a hash is.
func (m *Map) bucket(hash uint32) uint32 {
	b := hash & (2*m.low - 1)
	if b >= m.low+m.split {
		b &= m.low - 1
	}
	return b
}

func (m *Map) slot(bucket uint32) []byte {
	return m.segments[bucket/segmentBuckets][bucket%segmentBuckets*4:]
}

func (m *Map) head(bucket uint32) Ref {
	return Ref(binary.LittleEndian.Uint32(m.slot(bucket)))
}

func (m *Map) setHead(bucket uint32, ref Ref) {
	binary.LittleEndian.PutUint32(m.slot(bucket), uint32(ref))
}

func (m *Map) next(ref Ref) Ref {
	return Ref(binary.LittleEndian.Uint32(m.room.at(ref)[atNext:]))
}

func (m *Map) setNext(ref, next Ref) {
	binary.LittleEndian.PutUint32(m.room.at(ref)[atNext:], uint32(next))
}

func (m *Map) link(ref Ref, hash uint32) {
	b := m.bucket(hash)
	m.setNext(ref, m.head(b))
	m.setHead(b, ref)
}

func (m *Map) unlink(ref Ref, hash uint32) {
	b := m.bucket(hash)
	if m.head(b) == ref {
		m.setHead(b, m.next(ref))
		return
	}
	before := m.head(b)
	for m.next(before) != ref {
		before = m.next(before)
	}
	m.setNext(before, m.next(ref))
}

// grow adds a bucket and moves there what belongs there of the one that is split.
func (m *Map) grow() {
	if n := uint32(m.buckets()); n%segmentBuckets == 0 {
		m.segments = append(m.segments, m.Pages.take(segmentBuckets*4))
	}
	if m.low == 0 {
		m.low = 1
		return
	}
	old, made := m.split, m.low+m.split
	if m.split++; m.split == m.low {
		m.low, m.split = 2*m.low, 0
	}
	ref := m.head(old)
	m.setHead(old, 0)
	m.setHead(made, 0)
	for ref != 0 {
		next := m.next(ref)
		m.link(ref, m.Hash(ref))
		ref = next
	}
}
