// Sleeping to within a few microseconds.

package load

import (
	"syscall"
	"time"
)

// prSetTimerSlack is PR_SET_TIMERSLACK of prctl(2).
const prSetTimerSlack = 29

// Nap sleeps on the calling thread, to within a few microseconds: the runtime's timers, which time.Sleep uses, are a millisecond late where a program does nothing else. It is
// for the Sleep of a [Plan] on a real network.
func Nap(d time.Duration) {
	if d <= 0 {
		return
	}
	// Without the finer slack, which belongs to the thread, the kernel adds 50 µs. A failure costs accuracy only.
	_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, prSetTimerSlack, 1, 0)
	left := syscall.NsecToTimespec(d.Nanoseconds())
	for syscall.Nanosleep(&left, &left) == syscall.EINTR {
		continue
	}
}
