// Reading ahead: while the reader of a connection is behind, what has come is taken off the system at once. The peer then goes on sending what it has, so that a
// request waits here, where its age is known to the gate of overload control, and not unseen in the buffers of the peer. RFC 7339 §5.3.

package transport

import (
	"sync/atomic"
	"time"

	"github.com/sipwerk/sipwerk/network"
)

const (
	// farthestAhead is how many bytes of one connection are read ahead: more than waits before the gate refuses everything.
	farthestAhead = 4 << 20
	// noWait is what need not be told: a record that came in two reads.
	noWait = time.Millisecond
)

// ahead is what was read of a connection and not yet handled. Its reader owns it. One that keeps up pays nothing.
type ahead struct {
	layer  *Layer
	conn   network.Stream // nil: the system does not allow it
	behind bool           // the last read filled its buffer: there may be more
	parts  []part         // the oldest first
	handed int            // bytes handed over since the system was asked last
	waited time.Duration  // how long what was handed over last has waited, at least
	closed atomic.Bool    // the connection was closed here: nobody is left to be answered
}

// part is what one read has brought.
type part struct {
	buf        *[]byte // of the pool
	start, end int
	at         int64 // in nanoseconds since 1970
}

// Read implements [io.Reader].
func (a *ahead) Read(b []byte) (int, error) {
	if !a.kept() {
		n, err := a.conn.Read(b)
		a.behind, a.waited = n == len(b), 0
		return n, err
	}
	p := &a.parts[0]
	n := copy(b, (*p.buf)[p.start:p.end])
	p.start += n
	a.hand(p, n)
	if p.start == p.end {
		a.layer.pools.buffers.Put(a.cut())
	}
	return n, nil
}

// await is [network.Stream.Await] for what comes next.
func (a *ahead) await() (buf *[]byte, n int, err error) {
	if !a.kept() {
		buf, n, err = a.conn.Await(&a.layer.pools.buffers)
		a.behind, a.waited = err == nil && n == len(*buf), 0
		return buf, n, err
	}
	p := &a.parts[0]
	n = copy(*p.buf, (*p.buf)[p.start:p.end])
	a.hand(p, n)
	return a.cut(), n, nil
}

// kept reports whether something was read that is to be handled first. A reader that is behind asks the system for more, now and then.
func (a *ahead) kept() bool {
	if a.closed.Load() {
		a.drop()
		return false
	}
	if a.behind && (len(a.parts) == 0 || a.handed >= streamBuffer) {
		a.handed = 0
		a.fill()
		a.behind = len(a.parts) > 0
	}
	return a.behind
}

// fill takes what has come off the system, as far as there is room.
func (a *ahead) fill() {
	l := a.layer
	now := time.Now().UnixNano()
	for n := streamBuffer; n == streamBuffer && len(a.parts) < farthestAhead/streamBuffer; {
		if l.ahead.Add(streamBuffer) > int64(l.Limits.Ahead) {
			l.ahead.Add(-streamBuffer)
			return
		}
		buf := l.pools.buffers.Get().(*[]byte)
		if n = a.conn.TryRead(*buf); n == 0 {
			l.ahead.Add(-streamBuffer)
			l.pools.buffers.Put(buf)
			return
		}
		a.parts = append(a.parts, part{buf: buf, end: n, at: now})
	}
}

// hand takes note of n bytes of p that are handed over.
func (a *ahead) hand(p *part, n int) {
	a.handed += n
	if a.waited = time.Duration(time.Now().UnixNano() - p.at); a.waited < noWait {
		a.waited = 0
	}
}

// cut takes the oldest part out and returns its buffer.
func (a *ahead) cut() *[]byte {
	buf := a.parts[0].buf
	if a.parts = a.parts[1:]; len(a.parts) == 0 {
		a.parts = nil
	}
	a.layer.ahead.Add(-streamBuffer)
	return buf
}

// drop forgets what was read: the connection has ended.
func (a *ahead) drop() {
	a.behind = false
	for len(a.parts) > 0 {
		a.layer.pools.buffers.Put(a.cut())
	}
}
