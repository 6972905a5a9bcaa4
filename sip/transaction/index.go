// The index of server transactions: fingerprints to numbers of rows, open addressing, no pointers. RFC 3261 §17.2.3.

package transaction

// index finds rows by their fingerprints. An entry holds the half of a fingerprint that says where it lies; who asks compares the whole with the row.
type index struct {
	entries []entry // a power of two of them, at most three quarters taken
	live    int
}

// entry is free if slot is 0.
type entry struct {
	tag  uint32 // the lower half of the fingerprint
	slot uint32 // 1 + the number of the row
}

// smallestIndex is how many entries an index has at least.
const smallestIndex = 32

// find returns the row with this fingerprint, or nil.
func (x *index) find(f fingerprint, rows *slab[row]) *row {
	if x.live == 0 {
		return nil
	}
	mask := uint32(len(x.entries) - 1)
	for i := uint32(f) & mask; x.entries[i].slot != 0; i = (i + 1) & mask {
		if e := x.entries[i]; e.tag == uint32(f) {
			if r := rows.at(e.slot - 1); r.key == f || r.merged == f {
				return r
			}
		}
	}
	return nil
}

// add enters a row.
func (x *index) add(f fingerprint, slot uint32) {
	if 4*(x.live+1) > 3*len(x.entries) {
		x.resize(max(smallestIndex, 2*len(x.entries)))
	}
	x.put(entry{uint32(f), slot + 1})
	x.live++
}

func (x *index) put(e entry) {
	mask := uint32(len(x.entries) - 1)
	i := e.tag & mask
	for x.entries[i].slot != 0 {
		i = (i + 1) & mask
	}
	x.entries[i] = e
}

func (x *index) resize(n int) {
	old := x.entries
	x.entries = make([]entry, n)
	for _, e := range old {
		if e.slot != 0 {
			x.put(e)
		}
	}
}

// remove takes a row out, and moves up what had to go past it.
func (x *index) remove(f fingerprint, slot uint32) {
	mask := uint32(len(x.entries) - 1)
	i := uint32(f) & mask
	for x.entries[i] != (entry{uint32(f), slot + 1}) {
		i = (i + 1) & mask
	}
	for j := (i + 1) & mask; x.entries[j].slot != 0; j = (j + 1) & mask {
		// What lies at j may move to i if its own place is not behind i.
		if home := x.entries[j].tag & mask; (j-home)&mask >= (j-i)&mask {
			x.entries[i] = x.entries[j]
			i = j
		}
	}
	x.entries[i] = entry{}
	x.live--
	if len(x.entries) > smallestIndex && 8*x.live < len(x.entries) {
		x.resize(len(x.entries) / 4)
	}
}
