// Rows in pages that are numbered, never move, and go back to the system when they are empty.

package transaction

import "math/bits"

// pageSize is how many values a page holds, so that their use fits a word.
const pageSize = 32

// places says which of many numbered places are taken. The lowest free one is given out first, so that the upper pages fall empty after a flood.
type places struct {
	used  []uint32 // a word for each page, a bit for each of its places
	room  []uint64 // a bit for each page that has a free place
	per   int      // places in a page; at most pageSize
	low   int      // words of room before it are 0
	busy  int      // pages with a place taken
	empty int      // pages that are held and have none
}

// take returns a page with room and a place in it.
func (p *places) take() (page, place int) {
	page = p.roomy()
	if page == len(p.used) {
		p.used = append(p.used, 0)
		if page/64 == len(p.room) {
			p.room = append(p.room, 0)
		}
		p.room[page/64] |= 1 << (page % 64)
		p.low = page / 64
	}
	if p.used[page] == 0 {
		p.busy++
	}
	place = bits.TrailingZeros32(^p.used[page])
	p.used[page] |= 1 << place
	if bits.OnesCount32(p.used[page]) == p.per {
		p.room[page/64] &^= 1 << (page % 64)
	}
	return page, place
}

// roomy returns the first page with room; len(p.used) if there is none.
func (p *places) roomy() int {
	for ; p.low < len(p.room); p.low++ {
		if word := p.room[p.low]; word != 0 {
			return p.low*64 + bits.TrailingZeros64(word)
		}
	}
	return len(p.used)
}

// put frees a place and reports whether its page is empty now.
func (p *places) put(page, place int) bool {
	p.used[page] &^= 1 << place
	p.room[page/64] |= 1 << (page % 64)
	p.low = min(p.low, page/64)
	if p.used[page] != 0 {
		return false
	}
	p.busy--
	p.empty++
	return true
}

// surplus returns how many empty pages are to go once there are many of them: a few stay for what comes next.
func (p *places) surplus() int {
	if p.empty <= 2+p.busy/4 {
		return 0
	}
	return p.empty - 1 - p.busy/8
}

// taken reports whether a place is taken.
func (p *places) taken(page, place int) bool {
	return page < len(p.used) && p.used[page]&(1<<place) != 0
}

// slab holds values of one kind by number.
type slab[T any] struct {
	pages []*[pageSize]T
	places
}

// take returns the number of a zero value.
func (s *slab[T]) take() uint32 {
	s.per = pageSize
	page, place := s.places.take()
	switch {
	case page == len(s.pages):
		s.pages = append(s.pages, new([pageSize]T))
	case s.pages[page] == nil:
		s.pages[page] = new([pageSize]T)
	case s.used[page] == 1<<place:
		s.empty--
	}
	return uint32(page*pageSize + place)
}

// at returns the value of a number that was taken.
func (s *slab[T]) at(n uint32) *T { return &s.pages[n/pageSize][n%pageSize] }

// find returns the value of any number, or nil if it is not taken.
func (s *slab[T]) find(n uint32) *T {
	if !s.taken(int(n/pageSize), int(n%pageSize)) {
		return nil
	}
	return s.at(n)
}

// put frees a number.
func (s *slab[T]) put(n uint32) {
	var zero T
	*s.at(n) = zero
	if !s.places.put(int(n/pageSize), int(n%pageSize)) {
		return
	}
	surplus := s.surplus()
	for page := len(s.pages) - 1; surplus > 0; page-- {
		if s.used[page] == 0 && s.pages[page] != nil {
			s.pages[page] = nil
			s.empty--
			surplus--
		}
	}
}

// rest gives back all pages, if no number is taken.
func (s *slab[T]) rest() {
	if s.busy == 0 {
		*s = slab[T]{}
	}
}

// all calls f for each number that is taken; f may free it.
func (s *slab[T]) all(f func(n uint32)) {
	used := s.used // f may free the last, and with it the pages
	for page := range used {
		for word := used[page]; word != 0; word &= word - 1 {
			f(uint32(page*pageSize + bits.TrailingZeros32(word)))
		}
	}
}
