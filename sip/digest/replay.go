// Which nonce counts were used: a fixed-size array, whatever comes from the network. RFC 7616 §5.5.

package digest

import (
	"sync"
	"time"
)

const (
	replayStripes = 64
	replayWindow  = 64 // how far behind the highest a count may arrive: UDP reorders
)

// replay remembers the counts of the nonces in use. A nonce lives in the slot that its stamp names; of two nonces that share one the
// later takes it, and the earlier is from then on answered with stale=true. So no count is accepted twice, and a
// flood of challenges displaces nobody: a slot is taken with a verified password only.
type replay struct {
	start   stamp // earlier nonces were perhaps used before this process began: never accepted
	slots   []replaySlot
	stripes [replayStripes]sync.Mutex
}

// replaySlot is guarded by the mutex of its stripe.
type replaySlot struct {
	stamp stamp
	seen  uint64 // bit i: count top-i was used
	top   uint32
}

func newReplay(slots int) *replay {
	return &replay{start: stamp(time.Now().UnixMilli()) << randomBits, slots: make([]replaySlot, slots)}
}

// use marks count of the nonce as used; false if it was, or if that is no longer known.
func (r *replay) use(s stamp, count uint32) bool {
	if s < r.start {
		return false
	}
	// Multiplying spreads the low random and the high time bits.
	i := (uint64(s) * 0x9e3779b97f4a7c15 >> 32) % uint64(len(r.slots))
	mu := &r.stripes[i%replayStripes]
	mu.Lock()
	defer mu.Unlock()
	slot := &r.slots[i]
	if s < slot.stamp {
		return false
	}
	if s > slot.stamp {
		*slot = replaySlot{stamp: s}
	}
	return slot.useLocked(count)
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
