// Two offers at once: who waits how long. RFC 3261 §14.1, §14.2.

package dialog

import "time"

// glareWait is how long a re-INVITE that met 491 waits before it is tried again: 2.1 to 4 s for the side that made the Call-ID, 0 to 2 s for the
// other, in steps of 10 ms, so that the two cannot meet again. r is uniformly random.
func glareWait(madeCallID bool, r uint64) time.Duration {
	const unit = 10 * time.Millisecond
	if madeCallID {
		return 2100*time.Millisecond + time.Duration(r%191)*unit
	}
	return time.Duration(r%201) * unit
}

// retryAfter is the Retry-After, in seconds, of the 500 to an INVITE that overlaps an earlier one of the same peer: 0 to 10.
func retryAfter(r uint64) uint32 { return uint32(r % 11) }

// glarePatience is how long a re-INVITE is tried again, waiting times summed up, before its owner is told of the 491: the peer's own INVITE
// transaction cannot last longer.
func glarePatience(t1 time.Duration) time.Duration { return 64 * t1 }
