// The table behind the directory: a million users without a million pointers, so that the garbage collector has nothing to look at. Rows hold numbers and
// hashes; texts lie one behind the other in one string that only grows.

package store

import (
	"hash/maphash"
	"strings"
)

// table maps domain and user to User. It is not safe for concurrent use; strings taken from it stay valid for good.
type table struct {
	seed    maphash.Seed
	first   map[uint64]uint32 // hash of domain and user → 1 + the first row of its chain
	rows    []row
	free    uint32 // 1 + the first row not in use, chained by next
	used    int
	texts   strings.Builder
	garbage int // bytes of texts that no row refers to
}

// row is one user. Its texts lie behind each other at text: domain, user, account, name.
type row struct {
	next    uint32 // 1 + the next row with the same hash
	text    uint32
	lengths [4]uint8
	device  bool
	ha1     HA1
}

func newTable() *table {
	return &table{seed: maphash.MakeSeed(), first: make(map[uint64]uint32)}
}

func (t *table) len() int { return t.used }

// wasteful reports whether most of the texts are garbage, or no more fit.
func (t *table) wasteful() bool {
	return t.garbage > 64<<10 && t.garbage > t.texts.Len()/2 || t.texts.Len() > 3<<30
}

func (t *table) hash(domain, user string) uint64 {
	var h maphash.Hash
	h.SetSeed(t.seed)
	h.WriteString(domain)
	h.WriteByte('@')
	h.WriteString(user)
	return h.Sum64()
}

// part returns the i-th text of r.
func (t *table) part(r *row, i int) string {
	start := int(r.text)
	for _, n := range r.lengths[:i] {
		start += int(n)
	}
	return t.texts.String()[start : start+int(r.lengths[i])]
}

// find returns the row of a user, nil if there is none.
func (t *table) find(hash uint64, domain, user string) *row {
	for i := t.first[hash]; i != 0; i = t.rows[i-1].next {
		if r := &t.rows[i-1]; t.part(r, 1) == user && t.part(r, 0) == domain {
			return r
		}
	}
	return nil
}

func (t *table) get(domain, user string) (User, bool) {
	r := t.find(t.hash(domain, user), domain, user)
	if r == nil {
		return User{}, false
	}
	return User{Account: t.part(r, 2), Name: t.part(r, 3), Device: r.device, HA1: r.ha1}, true
}

// put adds a user or replaces it. Its texts are at most 255 bytes each; the rest of a longer one is cut.
func (t *table) put(domain, user string, u User) {
	hash := t.hash(domain, user)
	r := t.find(hash, domain, user)
	if r == nil {
		r = t.link(hash)
	} else {
		t.garbage += t.size(r)
	}
	r.text, r.device, r.ha1 = uint32(t.texts.Len()), u.Device, u.HA1
	for i, s := range [...]string{domain, user, u.Account, u.Name} {
		s = s[:min(len(s), 255)]
		r.lengths[i] = uint8(len(s))
		t.texts.WriteString(s)
	}
}

// link puts a row, new or free, at the head of the chain of hash.
func (t *table) link(hash uint64) *row {
	i := t.free
	if i != 0 {
		t.free = t.rows[i-1].next
	} else {
		t.rows = append(t.rows, row{})
		i = uint32(len(t.rows))
	}
	t.rows[i-1] = row{next: t.first[hash]}
	t.first[hash] = i
	t.used++
	return &t.rows[i-1]
}

// remove takes a user out, if it is there.
func (t *table) remove(domain, user string) {
	hash := t.hash(domain, user)
	r := t.find(hash, domain, user)
	if r == nil {
		return
	}
	t.garbage += t.size(r)
	at := t.first[hash]
	if &t.rows[at-1] == r {
		t.first[hash] = r.next
		if r.next == 0 {
			delete(t.first, hash)
		}
	} else {
		before := at
		for at = t.rows[before-1].next; &t.rows[at-1] != r; at = t.rows[at-1].next {
			before = at
		}
		t.rows[before-1].next = r.next
	}
	*r = row{next: t.free}
	t.free = at
	t.used--
}

// size is how many bytes the texts of r take.
func (t *table) size(r *row) int {
	n := 0
	for _, l := range r.lengths {
		n += int(l)
	}
	return n
}
