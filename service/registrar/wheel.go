// The wheel: names by the second in which their first binding expires, so that nothing is scanned. Six rings of 64 lists: a name is in the ring of the highest digit, in
// base 64, in which its second differs from the present one, and comes nearer whenever that digit is reached (Varghese and Lauck, 1987).
//
// The lists run through the records themselves.

package registrar

import (
	"encoding/binary"
	"math/bits"

	"github.com/sipwerk/sipwerk/internal/slab"
)

const (
	wheelRings = 6
	wheelDigit = 64
	wheelNow   = wheelRings * wheelDigit // the list of those whose ring has been reached: they are due or move nearer
	wheelSize  = 14                      // bytes of a place in a record
)

// place is where a name stands: its neighbours, its second, its list.
type place struct {
	next, before slab.Ref
	at           uint32 // Unix seconds
	list         uint16
}

func placeOf(rec []byte) place {
	return place{
		next: slab.Ref(binary.LittleEndian.Uint32(rec)), before: slab.Ref(binary.LittleEndian.Uint32(rec[4:])),
		at: binary.LittleEndian.Uint32(rec[8:]), list: binary.LittleEndian.Uint16(rec[12:]),
	}
}

func (p place) write(rec []byte) {
	binary.LittleEndian.PutUint32(rec, uint32(p.next))
	binary.LittleEndian.PutUint32(rec[4:], uint32(p.before))
	binary.LittleEndian.PutUint32(rec[8:], p.at)
	binary.LittleEndian.PutUint16(rec[12:], p.list)
}

// wheel is the lists of one shard, whose lock guards it.
type wheel struct {
	now   uint32 // everything up to this second has been taken out
	heads [wheelNow + 1]slab.Ref
	some  [wheelRings]uint64 // a bit for each list that is not empty
}

// add enters a name.
func (w *wheel) add(names *slab.Map, ref slab.Ref, at uint32) {
	p := place{at: at, list: wheelNow}
	if at > w.now {
		ring := (bits.Len32(at^w.now) - 1) / 6
		digit := at >> (6 * ring) % wheelDigit
		p.list = uint16(ring*wheelDigit) + uint16(digit)
		w.some[ring] |= 1 << digit
	}
	p.next = w.heads[p.list]
	w.heads[p.list] = ref
	rec := names.Record(ref)
	p.write(rec)
	if p.next != 0 {
		setBefore(names, p.next, ref)
	}
}

// remove takes a name out.
func (w *wheel) remove(names *slab.Map, ref slab.Ref) {
	p := placeOf(names.Record(ref))
	list := w.listOf(ref, p)
	switch {
	case p.before != 0:
		binary.LittleEndian.PutUint32(names.Record(p.before), uint32(p.next))
	case p.next == 0 && list != wheelNow:
		w.some[list/wheelDigit] &^= 1 << (list % wheelDigit)
		fallthrough
	default:
		w.heads[list] = p.next
	}
	if p.next != 0 {
		setBefore(names, p.next, p.before)
	}
}

// moved tells the neighbours of a name that its record has moved.
func (w *wheel) moved(names *slab.Map, old, ref slab.Ref) {
	p := placeOf(names.Record(ref))
	if p.before != 0 {
		binary.LittleEndian.PutUint32(names.Record(p.before), uint32(ref))
	} else {
		w.heads[w.listOf(old, p)] = ref
	}
	if p.next != 0 {
		setBefore(names, p.next, ref)
	}
}

// listOf returns the list of which ref, that stands nowhere but in p, would be the head: a list whose time has come is taken over as a whole.
func (w *wheel) listOf(ref slab.Ref, p place) uint16 {
	if w.heads[wheelNow] == ref {
		return wheelNow
	}
	return p.list
}

func setBefore(names *slab.Map, ref, before slab.Ref) {
	binary.LittleEndian.PutUint32(names.Record(ref)[4:], uint32(before))
}

// next returns the second in which something is to be done; ok is false if nothing is in the wheel.
func (w *wheel) next() (at uint32, ok bool) {
	if w.heads[wheelNow] != 0 {
		return w.now, true
	}
	for ring, some := range w.some {
		if some != 0 {
			digit := uint32(bits.TrailingZeros64(some))
			below := uint32(6 * ring)
			return (w.now>>below&^(wheelDigit-1) | digit) << below, true
		}
	}
	return 0, false
}

// due returns a name that is due and stays where it is until its owner moves it; 0 if there is none. It moves at most limit others nearer and then says that it is
// not done.
func (w *wheel) due(names *slab.Map, now uint32, limit int) (ref slab.Ref, done bool) {
	for ; limit > 0; limit-- {
		if w.heads[wheelNow] == 0 && !w.reach(now) {
			return 0, true
		}
		ref = w.heads[wheelNow]
		at := placeOf(names.Record(ref)).at
		if at <= now {
			return ref, false
		}
		w.move(names, ref, at)
	}
	return 0, false
}

// move enters a name for another second.
func (w *wheel) move(names *slab.Map, ref slab.Ref, at uint32) {
	w.remove(names, ref)
	w.add(names, ref, at)
}

// reach turns to the next list that is not empty; false if that is not yet time.
func (w *wheel) reach(now uint32) bool {
	at, ok := w.next()
	if !ok || at > now {
		w.now = max(w.now, now)
		return false
	}
	ring := (bits.Len32(at^w.now) - 1) / 6
	list := ring*wheelDigit + int(at>>(6*ring)%wheelDigit)
	w.now = at
	w.heads[wheelNow], w.heads[list] = w.heads[list], 0
	w.some[ring] &^= 1 << (list % wheelDigit)
	return true
}
