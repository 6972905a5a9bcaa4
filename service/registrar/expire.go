// How bindings expire: name by name as the wheel says, a few at a time. RFC 3261 §10.3.

package registrar

import (
	"context"
	"math"
	"time"

	"github.com/sipwerk/sipwerk/internal/slab"
)

const (
	expiredAtOnce = 16 // names handled while their shard stands still
	movedAtOnce   = 256
)

// expireLoop removes bindings as they expire, until ctx ends.
func (r *Registrar) expireLoop(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		timer.Reset(r.expireDue())
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-r.earlier:
		}
	}
}

// expireDue handles every name that is due and returns how long there is nothing to do.
func (r *Registrar) expireDue() time.Duration {
	r.wake.Store(math.MaxInt64) // who comes meanwhile with an earlier time wakes the loop again
	w := r.work()
	defer r.works.Put(w)
	first := int64(math.MaxInt64)
	for i := range r.table.shards {
		for {
			next, done := r.expireSome(w, &r.table.shards[i])
			if done {
				first = min(first, next)
				break
			}
		}
	}
	if first == math.MaxInt64 {
		return time.Hour
	}
	for old := r.wake.Load(); first < old && !r.wake.CompareAndSwap(old, first); old = r.wake.Load() {
	}
	return time.Until(time.Unix(first, 0))
}

// expireSome handles a few names of a shard; done says that no more are due, and next when one will be, math.MaxInt64 for never.
func (r *Registrar) expireSome(w *work, s *shard) (next int64, done bool) {
	s.mu.Lock()
	now := time.Now()
	w.state.changes = w.state.changes[:0]
	for range expiredAtOnce {
		ref, all := s.wheel.due(&s.names, seconds(now), movedAtOnce)
		if ref == 0 {
			done = all
			break
		}
		if !r.expireLocked(w, s, ref, now) {
			break
		}
	}
	next = math.MaxInt64
	if at, ok := s.wheel.next(); ok {
		next = int64(at)
	}
	s.mu.Unlock()
	r.tell(w)
	return next, done
}

// expireLocked removes the expired bindings of a name that is due and enters it again for the next one. Those who are told of changes hear of one name at a time: false says that
// there is something to tell.
func (r *Registrar) expireLocked(w *work, s *shard, ref slab.Ref, now time.Time) (quiet bool) {
	w.name = append(w.name[:0], s.names.Key(ref)...)
	at := slot{shard: s, name: w.name, hash: r.table.hash(w.name), ref: ref}
	w.update = update{now: now, wishes: w.update.wishes[:0]}
	r.cleanLocked(w, &at)
	if at.ref != 0 {
		s.wheel.move(&s.names, at.ref, seconds(earliest(w.state.bindings)))
	}
	return len(w.state.changes) == 0
}

// cleanLocked removes the bindings of a name that have expired or, by what the update says, cannot be reached. The journal is not told: after a restart they are as
// expired, and their flows as lost, as before.
func (r *Registrar) cleanLocked(w *work, at *slot) {
	old := w.loadLocked(at)
	if w.state.apply(&w.update, old); len(w.state.changes) == 0 {
		return
	}
	w.record = appendBindings(w.record[:0], w.state.bindings)
	r.storeLocked(w, at, old)
}

// wakeFor wakes the loop if a binding expires before it would look.
func (r *Registrar) wakeFor(first int64) {
	if first >= r.wake.Load() {
		return
	}
	r.wake.Store(first)
	select {
	case r.earlier <- struct{}{}:
	default:
	}
}

func earliest(bindings []Binding) time.Time {
	first := bindings[0].Expires
	for i := range bindings {
		if bindings[i].Expires.Before(first) {
			first = bindings[i].Expires
		}
	}
	return first
}
