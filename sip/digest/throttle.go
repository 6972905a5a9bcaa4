// Sources that guess passwords: a fixed-size table of failures that ages out by itself. RFC 7616 §5.9.

package digest

import (
	"hash/maphash"
	"net/netip"
	"sync"
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
func (t *throttle) wait(source netip.Addr) time.Duration {
	f, unlock := t.find(source)
	defer unlock()
	if f == nil {
		return 0
	}
	over := time.Until(time.Unix(0, f.paid)) - time.Duration(t.stock-1)*t.refill
	return max(0, over)
}

// fail counts a failure of source.
func (t *throttle) fail(source netip.Addr) {
	key := t.key(source)
	f, unlock := t.find(source)
	defer unlock()
	now := time.Now().UnixNano()
	if f == nil {
		f = t.victimLocked(key)
		*f = failures{source: key}
	}
	f.paid = max(f.paid, now) + int64(t.refill)
}

func (t *throttle) key(source netip.Addr) uint64 { return maphash.Comparable(t.seed, scope(source)) }

// find locks the set of source and returns its entry, nil if it has none.
func (t *throttle) find(source netip.Addr) (f *failures, unlock func()) {
	key := t.key(source)
	mu := &t.locks[key%throttleLocks]
	mu.Lock()
	set := &t.sets[key%throttleSets]
	for i := range set {
		if set[i].source == key && set[i].paid != 0 {
			return &set[i], mu.Unlock
		}
	}
	return nil, mu.Unlock
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
