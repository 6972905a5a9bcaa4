// How long what comes by a busy connection has waited, for the gate of overload control. RFC 7339 §5.3.

package transport

import "time"

// lag measures the queue of a connection whose reader is behind: when a read fills its buffer, what waits behind it is counted, and it waits until so much has been
// read. A reader that keeps up pays nothing.
type lag struct {
	since int64 // when it was counted, in nanoseconds since 1970
	left  int   // bytes of it that were not read yet
}

// read takes note of n bytes that came into a buffer of a size, and returns how long they have waited at least; unread counts what is still there.
func (g *lag) read(n, size int, unread func() int) (waited time.Duration) {
	if g.left <= 0 && n < size {
		return 0
	}
	now := time.Now().UnixNano()
	if g.left > 0 {
		waited = time.Duration(now - g.since)
		g.left -= n
	}
	if g.left <= 0 && n == size {
		g.since, g.left = now, unread()
	}
	return waited
}
