// What is kept to be sent again: copies in pages of places of one size, named by number, given back as soon as the state has no use for them.

package transaction

import "encoding/binary"

// copyRef names a copy in a store; 0 is none.
type copyRef uint32

// The sizes of places: steps of 64 up to 1 KiB, some beyond, and last the copies that have a page of their own size each.
const (
	sizeStep   = 64
	evenSizes  = 16
	largeSizes = 2
	sizes      = evenSizes + largeSizes + 1
	sizeShift  = 27
	keptPage   = 4096
	lengthSize = 4 // in front of each copy
)

// store holds the copies of one stripe.
type store [sizes]shelf

// shelf holds the copies of one size.
type shelf struct {
	pages [][]byte
	places
}

// sizeOf returns the index of the size for n bytes, and how many a place has; 0 for a page of its own.
func sizeOf(n int) (class, size int) {
	n += lengthSize
	if class = max(n-1, 0) / sizeStep; class < evenSizes {
		return class, (class + 1) * sizeStep
	}
	for class, size = evenSizes, 2*evenSizes*sizeStep*3/4; class < sizes-1; class, size = class+1, size/3*4 {
		if n <= size {
			return class, size
		}
	}
	return class, 0
}

// add keeps a copy of b.
func (t *store) add(b []byte) copyRef {
	class, size := sizeOf(len(b))
	s := &t[class]
	if size == 0 {
		s.per, size = 1, lengthSize+len(b)
	} else {
		s.per = min(pageSize, keptPage/size)
	}
	page, place := s.take()
	switch {
	case page == len(s.pages):
		s.pages = append(s.pages, make([]byte, s.per*size))
	case s.pages[page] == nil:
		s.pages[page] = make([]byte, s.per*size)
	case s.used[page] == 1<<place:
		s.empty--
	}
	room := s.pages[page][place*size:]
	binary.LittleEndian.PutUint32(room, uint32(len(b)))
	copy(room[lengthSize:], b)
	return copyRef(class<<sizeShift | page*pageSize + place + 1)
}

// split undoes what add makes a copyRef of.
func (c copyRef) split() (class, page, place int) {
	n := int(c)&(1<<sizeShift-1) - 1
	return int(c >> sizeShift), n / pageSize, n % pageSize
}

// bytes returns the copy: valid until it is dropped, and nil of none.
func (t *store) bytes(c copyRef) []byte {
	if c == 0 {
		return nil
	}
	class, page, place := c.split()
	s := &t[class]
	room := s.pages[page][len(s.pages[page])/s.per*place:]
	n := binary.LittleEndian.Uint32(room)
	return room[lengthSize : lengthSize+n : lengthSize+n]
}

// drop forgets the copy.
func (t *store) drop(c copyRef) {
	class, page, place := c.split()
	s := &t[class]
	if !s.put(page, place) {
		return
	}
	surplus := s.surplus()
	if class == sizes-1 { // the next one has another size
		surplus = s.empty
	}
	for page = len(s.pages) - 1; surplus > 0; page-- {
		if s.used[page] == 0 && s.pages[page] != nil {
			s.pages[page] = nil
			s.empty--
			surplus--
		}
	}
}

// rest gives back the pages of the sizes of which nothing is kept.
func (t *store) rest() {
	for i := range t {
		if t[i].busy == 0 {
			t[i] = shelf{}
		}
	}
}

// keep remembers b as what r sends again.
func (s *stripe) keep(r *row, b []byte) {
	s.unkeep(r)
	r.kept = s.copies.add(b)
}

// unkeep forgets it.
func (s *stripe) unkeep(r *row) {
	if r.kept != 0 {
		s.copies.drop(r.kept)
		r.kept = 0
	}
}
