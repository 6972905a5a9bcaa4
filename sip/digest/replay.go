// Which nonce counts were used: a fixed-size array, whatever comes from the network. RFC 7616 §5.5.

package digest

import (
	"sync"
	"time"
)

const (
	replayWays    = 8
	replayStripes = 64
	replayWindow  = 64 // how far behind the highest a count may arrive: UDP reorders
)

// copyWindow is how long a copy of a request may come: a client sends it again for 64·T1 (RFC 3261 §17.1.2.1), and the last one is on its way for up to
// T4 (RFC 3261 §17.1.1.1) while the first was not.
const copyWindow = (32 + 5) * time.Second

// use says what became of a nonce count.
type use uint8

const (
	used   use = iota // by another request, or perhaps
	fresh             // not used before
	copied            // by the very same request, which came again
)

// replay remembers the counts of the nonces in use. Nonces made one after the other share a set, so that memory is walked through in order. In a full set the
// latest stay. A nonce that is earlier than one that had to leave its set is answered with stale=true: it may have been used. So no count is accepted twice,
// and a flood of challenges displaces nobody: a place is taken with a verified password only.
//
// The request that used the highest count of a nonce may come once more: whoever answers without a transaction gets the copies that UDP makes. It is
// told by a fingerprint, a keyed hash of 44 bits over the whole request and its source whose key nobody knows, so that another request is taken for it once in 2^44 tries.
type replay struct {
	start   stamp // earlier nonces were perhaps used before this process began: never accepted
	sets    []replaySet
	stripes [replayStripes]sync.Mutex
}

// replaySet is guarded by the mutex of its stripe. A place whose stamp is 0 is free.
type replaySet struct {
	left   stamp // the latest that had to leave
	stamps [replayWays]stamp
	counts [replayWays]counts
}

// counts are those that were used of one nonce.
type counts struct {
	seen uint64 // bit i: count top-i was used
	by   print  // what used top
	top  uint32
}

// print is the fingerprint of a request, and below it the second in which it came.
type print uint64

// clockBits hold 12 days.
const clockBits = 20

func newPrint(hash uint64, now time.Time) print {
	return print(hash<<clockBits | uint64(now.Unix())&(1<<clockBits-1))
}

// same reports whether p is a copy of what before stands for.
func (p print) same(before print) bool {
	age := (p - before) & (1<<clockBits - 1)
	return p>>clockBits == before>>clockBits && age < print(copyWindow/time.Second)
}

func newReplay(slots int) *replay {
	return &replay{
		start: stamp(time.Now().UnixMilli()) << countBits,
		sets:  make([]replaySet, (slots+replayWays-1)/replayWays),
	}
}

// use marks count of the nonce as used by the request whose fingerprint is by.
func (r *replay) use(s stamp, count uint32, by print) use {
	if s < r.start || count == 0 {
		return used
	}
	i := s.count() / replayWays % uint64(len(r.sets))
	mu := &r.stripes[i%replayStripes]
	mu.Lock()
	defer mu.Unlock()
	c := r.sets[i].findLocked(s)
	if c == nil {
		return used
	}
	return c.useLocked(count, by)
}

// findLocked returns the counts of a nonce, in its own place or that of the earliest; nil if it may have been there before.
func (set *replaySet) findLocked(s stamp) *counts {
	earliest := 0
	for i, there := range &set.stamps {
		if there == s {
			return &set.counts[i]
		}
		if there < set.stamps[earliest] {
			earliest = i
		}
	}
	if s <= set.left || s < set.stamps[earliest] {
		return nil
	}
	set.left = set.stamps[earliest]
	set.stamps[earliest], set.counts[earliest] = s, counts{}
	return &set.counts[earliest]
}

func (c *counts) useLocked(count uint32, by print) use {
	switch {
	case count > c.top:
		if d := count - c.top; d < replayWindow {
			c.seen = c.seen<<d | 1
		} else {
			c.seen = 1
		}
		c.top, c.by = count, by
		return fresh
	case count == c.top && by.same(c.by):
		return copied
	case c.top-count >= replayWindow:
		return used
	}
	bit := uint64(1) << (c.top - count)
	if c.seen&bit != 0 {
		return used
	}
	c.seen |= bit
	return fresh
}
