// Busy streams: their reads block a thread, as those of datagrams do.

package transport

import (
	"runtime"
	"time"

	"github.com/sipwerk/sipwerk/network"
)

const (
	// paceReads in paceTime make a stream busy.
	paceReads = 64
	paceTime  = time.Second
	// mostBlocking is how many streams may block a thread at a time, for each processor.
	mostBlocking = 8
)

// pace is how fast a stream is read.
type pace struct {
	reads int
	since int64 // when the first of reads was, in nanoseconds since 1970: a stream that is idle holds as little as can be
	rest  int64 // of a stream that has been busy: when its reader last went through the scheduler
}

// busy counts a read that is about to be made, and lets the stream block its thread if there are many. It reports whether that has just begun.
func (p *pace) busy(s *stream) bool {
	if p.rest != 0 {
		if now := time.Now().UnixNano(); now-p.rest > int64(restEvery) {
			runtime.Gosched()
			p.rest = now
		}
	}
	if p.reads++; p.reads < paceReads {
		return false
	}
	now := time.Now().UnixNano()
	fast := now-p.since < int64(paceTime)
	p.reads, p.since = 0, now
	conn, ok := s.conn.(network.Stream)
	if !fast || !ok {
		return false
	}
	l := s.layer
	if l.blocking.Add(1) > int32(mostBlocking*runtime.NumCPU()) || !conn.Block(func() { l.blocking.Add(-1) }) {
		l.blocking.Add(-1)
		return false
	}
	p.rest = now
	return true
}
