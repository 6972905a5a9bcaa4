// How bindings expire: a heap of due times, so that nothing is scanned. RFC 3261 §10.3.

package registrar

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"
)

// slackEntries is how many stale entries the heap may hold beside two for each name.
const slackEntries = 4096

// due is a name, by its hash, of which a binding may have expired at a time in Unix seconds. Every name in the table has an entry
// that is not later than its first expiry; entries that have become stale are harmless.
type due struct {
	at   int64
	hash uint64
}

// expiry is the heap of due times; mu guards the rest.
type expiry struct {
	mu   sync.Mutex
	heap []due
	wake chan struct{}
}

func (e *expiry) start() { e.wake = make(chan struct{}, 1) }

// push adds an entry and wakes the loop if it is the first to come due.
func (e *expiry) push(d due) {
	e.mu.Lock()
	e.heap = append(e.heap, d)
	e.upLocked(len(e.heap) - 1)
	first := e.heap[0] == d
	e.mu.Unlock()
	if !first {
		return
	}
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// pop takes an entry that is due; otherwise it returns when the first will be, the zero time if there is none.
func (e *expiry) pop(now time.Time) (d due, next time.Time, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.heap) == 0 {
		return due{}, time.Time{}, false
	}
	if d = e.heap[0]; d.at > now.Unix() {
		return due{}, time.Unix(d.at, 0), false
	}
	last := len(e.heap) - 1
	e.heap[0] = e.heap[last]
	e.heap = e.heap[:last]
	e.downLocked(0)
	return d, time.Time{}, true
}

func (e *expiry) upLocked(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if e.heap[parent].at <= e.heap[i].at {
			return
		}
		e.heap[parent], e.heap[i] = e.heap[i], e.heap[parent]
		i = parent
	}
}

func (e *expiry) downLocked(i int) {
	for {
		child := 2*i + 1
		if child >= len(e.heap) {
			return
		}
		if child+1 < len(e.heap) && e.heap[child+1].at < e.heap[child].at {
			child++
		}
		if e.heap[i].at <= e.heap[child].at {
			return
		}
		e.heap[i], e.heap[child] = e.heap[child], e.heap[i]
		i = child
	}
}

// trim drops stale entries when there are far more than names: somebody registers and unregisters all the time.
func (e *expiry) trim(t *table) {
	names, _ := t.counts()
	e.mu.Lock()
	all := e.heap
	if len(all) <= 2*names+slackEntries {
		e.mu.Unlock()
		return
	}
	e.heap = nil
	e.mu.Unlock()

	slices.SortFunc(all, byTime)
	seen := make(map[uint64]bool, names)
	all = slices.DeleteFunc(all, func(d due) bool {
		stale := seen[d.hash] || len(t.names(d.hash)) == 0
		seen[d.hash] = true
		return stale
	})
	e.mu.Lock()
	defer e.mu.Unlock()
	e.heap = append(e.heap, all...)
	slices.SortFunc(e.heap, byTime) // a sorted slice is a heap
}

func byTime(a, b due) int { return cmp.Compare(a.at, b.at) }

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
		case <-r.expiry.wake:
		}
	}
}

// expireDue handles every entry that is due and returns how long there is nothing to do.
func (r *Registrar) expireDue() time.Duration {
	r.expiry.trim(&r.table)
	for {
		now := time.Now()
		d, next, ok := r.expiry.pop(now)
		switch {
		case ok:
			r.clean(d.hash, update{now: now})
		case next.IsZero():
			return time.Hour
		default:
			return next.Sub(now)
		}
	}
}

// clean removes the bindings of the names with a hash that have expired or, by what u says, hang on a lost flow, and enters the names again for the next to
// expire.
func (r *Registrar) clean(hash uint64, u update) {
	for _, name := range r.table.names(hash) {
		s := r.table.lock(name)
		old := s.oldLocked()
		left, changes, _ := u.apply(old)
		if len(changes) > 0 {
			s.storeLocked(len(old), left)
			r.flows.move(hash, old, left)
		}
		if len(left) > 0 {
			r.expiry.push(due{at: earliest(left).Unix(), hash: hash})
		}
		s.mu.Unlock()
		r.tell(name, changes)
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
