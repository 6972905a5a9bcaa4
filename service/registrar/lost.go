// Bindings whose connection is gone: nobody is reached over them any more, so they are dropped at once. RFC 5626 §5.3.1.

package registrar

import (
	"encoding/binary"
	"hash/maphash"
	"slices"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/internal/slab"
	"github.com/sipwerk/sipwerk/sip"
)

// flowIndex knows which names have a binding over which open connection; mu guards it. It holds no more than there are bindings. Each pair of a flow and a name is an
// entry, and so is each flow, with 0 for the name: the head of the list of its pairs. A record holds the next and the one before in that list.
type flowIndex struct {
	mu    sync.Mutex
	pairs slab.Map
}

// pair is a flow and the hash of a name.
type pair struct{ flow, name uint64 }

func (p pair) key() (hash uint32, key [16]byte) {
	binary.LittleEndian.PutUint64(key[:], p.flow)
	binary.LittleEndian.PutUint64(key[8:], p.name)
	return uint32((p.flow*0x9e3779b97f4a7c15 ^ p.name) >> 32), key
}

// links are where a pair stands in the list of its flow.
type links struct{ next, before slab.Ref }

func (x *flowIndex) links(ref slab.Ref) links {
	rec := x.pairs.Record(ref)
	return links{slab.Ref(binary.LittleEndian.Uint32(rec)), slab.Ref(binary.LittleEndian.Uint32(rec[4:]))}
}

func (x *flowIndex) setLinks(ref slab.Ref, l links) {
	rec := x.pairs.Record(ref)
	binary.LittleEndian.PutUint32(rec, uint32(l.next))
	binary.LittleEndian.PutUint32(rec[4:], uint32(l.before))
}

// hangsOn returns the connection without which b is worth nothing, 0 if there is none.
func (b *Binding) hangsOn() uint64 {
	if !b.Bound || len(b.Path) > 0 {
		return 0
	}
	return b.Flow.ID
}

func hang(bindings []Binding, flow uint64) bool {
	for i := range bindings {
		if bindings[i].hangsOn() == flow {
			return true
		}
	}
	return false
}

// move enters the connections of the new bindings of a name, and takes out those of the old ones.
func (x *flowIndex) move(name uint64, old, bindings []Binding) {
	for i := range old {
		if flow := old[i].hangsOn(); flow != 0 && !hang(bindings, flow) {
			x.remove(pair{flow, name})
		}
	}
	for i := range bindings {
		if flow := bindings[i].hangsOn(); flow != 0 && !hang(old, flow) {
			x.add(pair{flow, name})
		}
	}
}

// refLocked returns the entry of a pair, made if it is missing.
func (x *flowIndex) refLocked(p pair) (ref slab.Ref, made bool) {
	hash, key := p.key()
	if ref = x.pairs.Get(hash, key[:]); ref != 0 {
		return ref, false
	}
	var none [8]byte
	return x.pairs.Add(hash, key[:], none[:]), true
}

func (x *flowIndex) add(p pair) {
	x.mu.Lock()
	defer x.mu.Unlock()
	ref, made := x.refLocked(p)
	if !made {
		return
	}
	head, _ := x.refLocked(pair{flow: p.flow})
	first := x.links(head).next
	x.setLinks(ref, links{next: first, before: head})
	x.setLinks(head, links{next: ref})
	if first != 0 {
		x.setLinks(first, links{next: x.links(first).next, before: ref})
	}
}

func (x *flowIndex) remove(p pair) {
	x.mu.Lock()
	defer x.mu.Unlock()
	hash, key := p.key()
	ref := x.pairs.Get(hash, key[:])
	if ref == 0 {
		return
	}
	l := x.links(ref)
	before := x.links(l.before)
	x.setLinks(l.before, links{next: l.next, before: before.before})
	if l.next != 0 {
		x.setLinks(l.next, links{next: x.links(l.next).next, before: l.before})
	}
	x.pairs.Delete(ref)
	if l.next == 0 && before.before == 0 {
		x.pairs.Delete(l.before) // the head of a list that is empty now
	}
}

// clear forgets everything.
func (x *flowIndex) clear() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.pairs = slab.Map{}
}

// of returns the names that hang on a connection.
func (x *flowIndex) of(flow uint64) (names []uint64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	hash, key := pair{flow: flow}.key()
	ref := x.pairs.Get(hash, key[:])
	if ref == 0 {
		return nil
	}
	for ref = x.links(ref).next; ref != 0; ref = x.links(ref).next {
		names = append(names, binary.LittleEndian.Uint64(x.pairs.Key(ref)[8:]))
	}
	return names
}

// FlowLost drops the bindings that were reached over f, a connection that has ended. It is for the FlowLost of a stack. The journal is not
// told: after a restart the flow is as lost as before.
func (r *Registrar) FlowLost(f sip.Flow) {
	r.start()
	if f.ID == 0 {
		return
	}
	names := r.flows.of(f.ID)
	slices.Sort(names)
	for _, hash := range slices.Compact(names) {
		for _, name := range r.table.named(hash) {
			r.clean(name, update{now: time.Now(), lost: f.ID})
		}
	}
}

// FlowFailed drops the binding of aor that has this [Registrar.Key], because a request over its flow did not arrive: the flow was gone, or the edge of the network answered
// 430 (RFC 5626 §11.6). A binding that was renewed meanwhile has another key and stays.
func (r *Registrar) FlowFailed(aor sip.URI, key uint64) {
	r.start()
	u := update{now: time.Now(), seed: r.table.seed, failed: key}
	r.clean(appendName(nil, aor), u)
	if own, ok := line(aor, calledBy(&aor).number); ok {
		r.clean(appendName(nil, own), u)
	}
}

// Key returns a number, never 0, for a contact as this REGISTER has bound it: what [Registrar.FlowFailed] takes. It means nothing in another process.
func (r *Registrar) Key(b *Binding) uint64 { return b.key(r.table.seed) }

func (b *Binding) key(seed maphash.Seed) uint64 {
	h := maphash.String(seed, b.Contact)
	h = h*31 + maphash.String(seed, b.CallID)
	return (h*31 + uint64(b.CSeq)) | 1
}

// clean removes the bindings of a name that have expired or, by what u says, cannot be reached.
func (r *Registrar) clean(name []byte, u update) {
	w := r.work()
	defer r.works.Put(w)
	w.name = append(w.name[:0], name...)
	u.wishes = w.update.wishes[:0]
	w.update = u
	s := r.table.lock(w.name)
	r.cleanLocked(w, &s)
	s.mu.Unlock()
	r.tell(w)
}
