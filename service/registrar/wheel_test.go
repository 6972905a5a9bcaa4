package registrar

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/sipwerk/sipwerk/internal/slab"
)

// TestWheel keeps a model beside the wheel: every name is due in its second, not before, whatever was added, moved and removed meanwhile.
func TestWheel(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { playWheel(t, rand.New(rand.NewPCG(seed, 1))) })
	}
}

func playWheel(t *testing.T, random *rand.Rand) {
	var names slab.Map
	now := uint32(1_700_000_000) + random.Uint32N(1<<20)
	w := wheel{now: now}
	model := make(map[slab.Ref]uint32)
	var none [wheelSize]byte
	for i := range 3000 {
		switch random.IntN(4) {
		case 0, 1:
			ref := names.Add(uint32(i), fmt.Append(nil, i), none[:])
			model[ref] = now + random.Uint32N(1<<random.IntN(14))
			w.add(&names, ref, model[ref])
		case 2:
			for ref := range model { // any
				w.remove(&names, ref)
				if names.Delete(ref); random.IntN(2) == 0 {
					moved := names.Add(uint32(i), fmt.Append(nil, i), none[:])
					model[moved] = model[ref]
					w.add(&names, moved, model[ref])
				} else {
					delete(model, ref)
				}
				break
			}
		case 3:
			now += random.Uint32N(300)
			expireModel(t, &w, &names, model, now)
		}
	}
	expireModel(t, &w, &names, model, (now+1<<15)/3*3+1)
	if at, ok := w.next(); ok || len(model) > 0 {
		t.Errorf("%d left, next %d", len(model), at)
	}
}

// expireModel takes out what is due, and some of it in two steps.
func expireModel(t *testing.T, w *wheel, names *slab.Map, model map[slab.Ref]uint32, now uint32) {
	t.Helper()
	for {
		ref, done := w.due(names, now, 5)
		if done {
			break
		}
		if ref == 0 {
			continue
		}
		if model[ref] > now {
			t.Fatalf("%d is due at %d, taken at %d", ref, model[ref], now)
		}
		if now%3 == 0 && model[ref]%2 == 0 {
			model[ref] = now + 1 + model[ref]%100
			w.move(names, ref, model[ref])
			continue
		}
		w.remove(names, ref)
		names.Delete(ref)
		delete(model, ref)
	}
	first := ^uint32(0)
	for ref, at := range model {
		if first = min(first, at); at <= now {
			t.Fatalf("%d was due at %d, it is %d", ref, at, now)
		}
	}
	if at, ok := w.next(); ok != (len(model) > 0) || ok && (at > first || at <= now) {
		t.Fatalf("next %d, %t; the first of %d is %d, it is %d", at, ok, len(model), first, now)
	}
}

// TestWheelFollowsRecords: a record that moves because it has grown stays in its list.
func TestWheelFollowsRecords(t *testing.T) {
	var names slab.Map
	w := wheel{now: 1000}
	var none [wheelSize]byte
	var refs []slab.Ref
	for i := range uint32(9) {
		refs = append(refs, names.Add(i, []byte{byte(i)}, none[:]))
		w.add(&names, refs[i], 1010)
	}
	for i, old := range refs {
		refs[i] = names.Set(old, append(append([]byte(nil), names.Record(old)...), make([]byte, 100)...))
		w.moved(&names, old, refs[i])
	}
	for range refs {
		ref, _ := w.due(&names, 1010, 100)
		if ref == 0 {
			t.Fatal("a name is lost")
		}
		w.remove(&names, ref)
	}
	if _, ok := w.next(); ok {
		t.Error("more names than there are")
	}
}
