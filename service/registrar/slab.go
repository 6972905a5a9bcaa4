// Memory for records: a few large blocks without pointers instead of millions of small ones, so that the garbage collector has nothing to walk.

package registrar

import "encoding/binary"

const (
	slabUnit    = 64                   // records occupy a multiple of this
	slabChunk   = 64 << 10             // memory is taken in pieces of this size
	slabUnits   = slabChunk / slabUnit // in a chunk
	slabPrefix  = 2                    // the length of the record
	slabClasses = maxRecord/slabUnit + 2
)

// slabRef names a record of a slab. The zero slabRef is none.
type slabRef uint32

// slab keeps byte records. Freed room is used again for records of the same size class. Its owner serialises access.
type slab struct {
	chunks [][]byte
	next   int // units used of the last chunk
	free   [slabClasses][]slabRef
}

// put stores a copy of rec.
func (s *slab) put(rec []byte) slabRef {
	units := slabSize(len(rec))
	ref := s.take(units)
	room := s.at(ref)
	binary.LittleEndian.PutUint16(room, uint16(len(rec)))
	copy(room[slabPrefix:], rec)
	return ref
}

// get returns the record; it is valid until the record is dropped.
func (s *slab) get(ref slabRef) []byte {
	room := s.at(ref)
	n := int(binary.LittleEndian.Uint16(room))
	return room[slabPrefix : slabPrefix+n : slabPrefix+n]
}

// drop frees the record.
func (s *slab) drop(ref slabRef) {
	class := slabSize(len(s.get(ref)))
	s.free[class] = append(s.free[class], ref)
}

// replace stores rec in place of the record if it fits exactly, and anew otherwise.
func (s *slab) replace(ref slabRef, rec []byte) slabRef {
	if slabSize(len(s.get(ref))) != slabSize(len(rec)) {
		s.drop(ref)
		return s.put(rec)
	}
	room := s.at(ref)
	binary.LittleEndian.PutUint16(room, uint16(len(rec)))
	copy(room[slabPrefix:], rec)
	return ref
}

// slabSize is how many units a record of n bytes takes: exact up to 1 KiB, then in steps of a quarter, so that there are few classes.
func slabSize(n int) int {
	units := (n + slabPrefix + slabUnit - 1) / slabUnit
	step := 1
	for units > 16*step {
		step *= 2
	}
	return (units + step - 1) / step * step
}

func (s *slab) take(units int) slabRef {
	if free := s.free[units]; len(free) > 0 {
		ref := free[len(free)-1]
		s.free[units] = free[:len(free)-1]
		return ref
	}
	if len(s.chunks) == 0 || s.next+units > slabUnits {
		s.chunks = append(s.chunks, make([]byte, slabChunk))
		s.next = 0
		if len(s.chunks) == 1 {
			s.next = 1 // no record has the zero ref
		}
	}
	ref := slabRef((len(s.chunks)-1)*slabUnits + s.next)
	s.next += units
	return ref
}

func (s *slab) at(ref slabRef) []byte {
	return s.chunks[ref/slabUnits][ref%slabUnits*slabUnit:]
}
