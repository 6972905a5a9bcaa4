// How much a source may send that is no use to anyone, before it is no longer listened to: keep-alives, malformed messages. It holds for datagrams only, for a
// stream that does not speak SIP is closed.

package transport

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

const (
	// noiseSlots is how many sources are remembered; each has noiseWays places where it may stand.
	noiseSlots = 4096
	noiseWays  = 4
	// noiseBurst is for how long a source may be noisy at once, at the rate it may keep up.
	noiseBurst = 2 * time.Second
)

// noiseTable is a token bucket for each source, as the time at which it is full again.
type noiseTable struct {
	mu      sync.Mutex // guards all below
	seed    maphash.Seed
	started time.Time
	slots   []noiseSlot // made at the first noise
}

type noiseSlot struct {
	source netip.Prefix
	full   time.Duration // since started
}

// allow takes a token of a source, of which there are rate a second. When every place of a source is taken by others that are in debt, it shares with the one
// that is least so.
func (t *noiseTable) allow(source netip.Prefix, rate int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.slots == nil {
		t.slots, t.seed, t.started = make([]noiseSlot, noiseSlots), maphash.MakeSeed(), time.Now()
	}
	now := time.Since(t.started)
	first := int(maphash.Comparable(t.seed, source) % (noiseSlots / noiseWays) * noiseWays)
	slot := &t.slots[first]
	for i := range noiseWays {
		other := &t.slots[first+i]
		if other.source == source {
			slot = other
			break
		}
		if other.full < slot.full {
			slot = other
		}
	}
	if slot.full <= now {
		slot.source, slot.full = source, now
	}
	if slot.full-now > noiseBurst {
		return false
	}
	slot.full += time.Second / time.Duration(rate)
	return true
}

// quiet reports whether a datagram of no use is to be dropped, because its source has sent too many.
func (l *Layer) quiet(source netip.Addr) bool {
	if l.noise.allow(sourceOf(source), l.Limits.Noise) {
		return false
	}
	l.Stats.Ignored.Add(1)
	return true
}
