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

// replay remembers the counts of the nonces in use. A nonce lives in the set that its stamp names; in a full set the latest stay. A nonce
// that is earlier than one that had to leave its set is answered with stale=true: it may have been used. So no count is accepted twice, and a flood of
// challenges displaces nobody: a place is taken with a verified password only.
type replay struct {
	start   stamp // earlier nonces were perhaps used before this process began: never accepted
	sets    []replaySet
	stripes [replayStripes]sync.Mutex
}

// replaySet is guarded by the mutex of its stripe.
type replaySet struct {
	left  stamp // the latest that had to leave
	slots [replayWays]replaySlot
}

// replaySlot is one nonce in use, or free if its stamp is 0.
type replaySlot struct {
	stamp stamp
	seen  uint64 // bit i: count top-i was used
	top   uint32
}

func newReplay(slots int) *replay {
	return &replay{
		start: stamp(time.Now().UnixMilli()) << randomBits,
		sets:  make([]replaySet, (slots+replayWays-1)/replayWays),
	}
}

// use marks count of the nonce as used; false if it was, or if that is not known any more.
func (r *replay) use(s stamp, count uint32) bool {
	if s < r.start {
		return false
	}
	// Multiplying spreads the low random and the high time bits.
	i := (uint64(s) * 0x9e3779b97f4a7c15 >> 32) % uint64(len(r.sets))
	mu := &r.stripes[i%replayStripes]
	mu.Lock()
	defer mu.Unlock()
	slot := r.sets[i].findLocked(s)
	return slot != nil && slot.useLocked(count)
}

// findLocked returns the slot of a nonce, its own or that of the earliest; nil if it may have been there before.
func (set *replaySet) findLocked(s stamp) *replaySlot {
	earliest := &set.slots[0]
	for i := range set.slots {
		slot := &set.slots[i]
		if slot.stamp == s {
			return slot
		}
		if slot.stamp < earliest.stamp {
			earliest = slot
		}
	}
	if s <= set.left || s < earliest.stamp {
		return nil
	}
	set.left = earliest.stamp
	*earliest = replaySlot{stamp: s}
	return earliest
}

func (s *replaySlot) useLocked(count uint32) bool {
	switch {
	case count == 0:
		return false
	case count > s.top:
		if d := count - s.top; d < replayWindow {
			s.seen = s.seen<<d | 1
		} else {
			s.seen = 1
		}
		s.top = count
		return true
	case s.top-count >= replayWindow:
		return false
	}
	bit := uint64(1) << (s.top - count)
	fresh := s.seen&bit == 0
	s.seen |= bit
	return fresh
}
