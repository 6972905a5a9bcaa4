// Who guesses passwords, by source and by user: fixed-size tables of failures that age out by themselves. RFC 7616 §5.9.

package digest

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

const (
	throttleSets  = 2048
	throttleWays  = 4
	throttleLocks = 64
)

// throttle counts failures of guessers: by source address (IPv6: /64), or by user. Each has a stock of failures that refills with time; who has
// used it up is not verified until some has come back. The full table forgets whoever failed least.
type throttle struct {
	stock  int
	refill time.Duration // for one failure
	seed   maphash.Seed
	sets   [throttleSets][throttleWays]failures
	locks  [throttleLocks]sync.Mutex
	until  atomic.Int64 // Unix nanoseconds by which every source has all its stock again
}

// failures is guarded by the lock of its set. It is free when its time has passed.
type failures struct {
	guesser uint64
	paid    int64 // Unix nanoseconds by which all failures have been refilled
}

func newThrottle(stock int, refill time.Duration) *throttle {
	return &throttle{stock: stock, refill: refill, seed: maphash.MakeSeed()}
}

// wait returns how long a guesser is not to be verified; 0 if it may try.
func (t *throttle) wait(guesser uint64, now time.Time) time.Duration {
	if t.until.Load() <= now.UnixNano() {
		return 0
	}
	mu := &t.locks[guesser%throttleLocks]
	mu.Lock()
	defer mu.Unlock()
	f := t.findLocked(guesser)
	if f == nil {
		return 0
	}
	over := time.Unix(0, f.paid).Sub(now) - time.Duration(t.stock-1)*t.refill
	return max(0, over)
}

// fail counts a failure of a guesser.
func (t *throttle) fail(guesser uint64) {
	mu := &t.locks[guesser%throttleLocks]
	mu.Lock()
	defer mu.Unlock()
	f := t.findLocked(guesser)
	now := time.Now().UnixNano()
	if f == nil {
		f = t.victimLocked(guesser)
		*f = failures{guesser: guesser}
	}
	f.paid = max(f.paid, now) + int64(t.refill)
	for until := t.until.Load(); until < f.paid && !t.until.CompareAndSwap(until, f.paid); until = t.until.Load() {
	}
}

// source is the guesser that an address stands for.
func (t *throttle) source(a netip.Addr) uint64 { return maphash.Comparable(t.seed, scope(a)) }

// user is the guesser that all who try one user name stand for, whether there is such a user or not.
func (t *throttle) user(name string) uint64 { return maphash.String(t.seed, name) }

// findLocked returns the entry of a guesser, nil if it has none.
func (t *throttle) findLocked(guesser uint64) *failures {
	set := &t.sets[guesser%throttleSets]
	for i := range set {
		if set[i].guesser == guesser && set[i].paid != 0 {
			return &set[i]
		}
	}
	return nil
}

func (t *throttle) victimLocked(guesser uint64) *failures {
	set := &t.sets[guesser%throttleSets]
	least := &set[0]
	for i := range set {
		if set[i].paid < least.paid {
			least = &set[i]
		}
	}
	return least
}

// familiar remembers from where users have proved who they are, so that nobody else's guesses lock them out. A fixed-size table: a newer proof takes the place of an older one, at worst
// one that is then treated like a stranger.
type familiar []atomic.Uint64

// note remembers a proof of a user from a source.
func (f familiar) note(user, source uint64) {
	pair := user ^ source
	if place := &f[pair%uint64(len(f))]; place.Load() != pair {
		place.Store(pair)
	}
}

// knows reports whether a user has proved itself from a source.
func (f familiar) knows(user, source uint64) bool {
	pair := user ^ source
	return f[pair%uint64(len(f))].Load() == pair
}
