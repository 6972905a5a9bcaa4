package mmsg

// How long the scheduler lets a thread run at a stretch. sched_setattr(2).

import (
	"time"

	"golang.org/x/sys/unix"
)

// slice is the shortest that the system grants.
const slice = 100 * time.Microsecond

// ShortenSlice makes the calling thread one that runs often and briefly: since its slice is shorter than that of others, it gets the processor from them as soon as it wakes, and not when
// their slice of a millisecond or more is over. Its share of the processor stays what it was. The caller has locked its goroutine to the thread and never unlocks it. Systems before Linux 6.12 take no notice.
func ShortenSlice() {
	attr, err := unix.SchedGetAttr(0, 0)
	if err != nil || attr.Policy != unix.SCHED_NORMAL {
		return // somebody has seen to it
	}
	attr.Runtime = uint64(slice)
	_ = unix.SchedSetAttr(0, attr, 0) // who is refused runs as before
}
