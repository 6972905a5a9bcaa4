// Sources that guess passwords: a fixed-size table of failures that ages out by itself. RFC 7616 §5.9.

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

// throttle counts failures by source address (IPv6: /64). A source has a stock of failures that refills with time; who has
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
	source uint64
	paid   int64 // Unix nanoseconds by which all failures have been refilled
}

func newThrottle(stock int, refill time.Duration) *throttle {
	return &throttle{stock: stock, refill: refill, seed: maphash.MakeSeed()}
}

// wait returns how long source is not to be verified; 0 if it may try.
func (t *throttle) wait(source netip.Addr, now time.Time) time.Duration {
	if t.until.Load() <= now.UnixNano() {
		return 0
	}
	key := t.key(source)
	mu := &t.locks[key%throttleLocks]
	mu.Lock()
	defer mu.Unlock()
	f := t.findLocked(key)
	if f == nil {
		return 0
	}
	over := time.Unix(0, f.paid).Sub(now) - time.Duration(t.stock-1)*t.refill
	return max(0, over)
}

// fail counts a failure of source.
func (t *throttle) fail(source netip.Addr) {
	key := t.key(source)
	mu := &t.locks[key%throttleLocks]
	mu.Lock()
	defer mu.Unlock()
	f := t.findLocked(key)
	now := time.Now().UnixNano()
	if f == nil {
		f = t.victimLocked(key)
		*f = failures{source: key}
	}
	f.paid = max(f.paid, now) + int64(t.refill)
	for until := t.until.Load(); until < f.paid && !t.until.CompareAndSwap(until, f.paid); until = t.until.Load() {
	}
}

func (t *throttle) key(source netip.Addr) uint64 { return maphash.Comparable(t.seed, scope(source)) }

// findLocked returns the entry of a source, nil if it has none.
func (t *throttle) findLocked(key uint64) *failures {
	set := &t.sets[key%throttleSets]
	for i := range set {
		if set[i].source == key && set[i].paid != 0 {
			return &set[i]
		}
	}
	return nil
}

func (t *throttle) victimLocked(key uint64) *failures {
	set := &t.sets[key%throttleSets]
	least := &set[0]
	for i := range set {
		if set[i].paid < least.paid {
			least = &set[i]
		}
	}
	return least
}
