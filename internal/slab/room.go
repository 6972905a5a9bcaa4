// Rooms for entries: cut out of chunks in units of 16 bytes, and used again when they are free.

package slab

import (
	"encoding/binary"
	"math/bits"
)

const (
	unit       = 16
	chunkBytes = 64 << 10
	chunkUnits = chunkBytes / unit
	maxUnits   = (MaxSize + headSize) / unit
	firstChunk = 4 << 10 // the first chunk of a map that lives on the heap; most such maps stay small
)

// room is the memory of one map. Free rooms are listed by their size; each holds the next.
type room struct {
	chunks [][]byte
	next   uint32                  // units used of the newest chunk
	free   []Ref                   // by size, as far as there was one
	some   [maxUnits/64 + 1]uint64 // a bit for each size of which there is a free room
}

// unitsOf is how many units n bytes take: exact up to 1 KiB, then in steps of a thirtieth.
func unitsOf(n int) int {
	units := (n + unit - 1) / unit
	step := 1
	for units > 64*step {
		step *= 2
	}
	return min((units+step-1)/step*step, maxUnits)
}

func (r *room) at(ref Ref) []byte {
	return r.chunks[ref/chunkUnits][ref%chunkUnits*unit:]
}

// take returns a room of so many units: one of this size that is free, a part of a larger one, or new memory.
func (r *room) take(pages *Pages, units int) Ref {
	if size := r.fit(units); size != 0 {
		ref := r.pop(size)
		r.give(ref+Ref(units), size-units)
		return ref
	}
	if n := len(r.chunks); n == 0 || int(r.next)+units > len(r.chunks[n-1])/unit {
		r.extend(pages, units)
	}
	ref := Ref(len(r.chunks)-1)*chunkUnits + Ref(r.next)
	r.next += uint32(units)
	return ref
}

// extend begins a chunk. What is left of the one before is free room.
func (r *room) extend(pages *Pages, units int) {
	n := len(r.chunks)
	if n > 0 {
		left := len(r.chunks[n-1])/unit - int(r.next)
		for at := Ref(n-1)*chunkUnits + Ref(r.next); left > 0; left -= maxUnits {
			r.give(at, min(left, maxUnits))
			at += maxUnits
		}
	}
	size := chunkBytes
	if n == 0 && pages == nil && units < firstChunk/unit {
		size = firstChunk
	}
	r.chunks, r.next = append(r.chunks, pages.take(size)), 0
	if n == 0 {
		r.next = 1 // no room has the zero Ref
	}
}

// give lists a room as free.
func (r *room) give(ref Ref, units int) {
	if units == 0 {
		return
	}
	for len(r.free) <= units {
		r.free = append(r.free, 0)
	}
	binary.LittleEndian.PutUint32(r.at(ref), uint32(r.free[units]))
	r.free[units] = ref
	r.some[units/64] |= 1 << (units % 64)
}

// pop takes the first free room of a size.
func (r *room) pop(units int) Ref {
	ref := r.free[units]
	r.free[units] = Ref(binary.LittleEndian.Uint32(r.at(ref)))
	if r.free[units] == 0 {
		r.some[units/64] &^= 1 << (units % 64)
	}
	return ref
}

// fit returns the smallest size of which there is a free room for so many units, 0 if there is none.
func (r *room) fit(units int) int {
	word := r.some[units/64] &^ (1<<(units%64) - 1)
	for i := units / 64; ; word = r.some[i] {
		if word != 0 {
			return 64*i + bits.TrailingZeros64(word)
		}
		if i++; i == len(r.some) {
			return 0
		}
	}
}
