package music

// The last seconds of a stream, and the clock by which they are played. It is pure: whoever calls says what time it is.

import "time"

// Sizes of a [ring], in samples.
const (
	ringSize = 10 * rate // what is kept
	ringLead = 4 * rate  // what is read ahead of what is due
	ringFill = rate      // what must be there before it is played
	ringSlip = rate / 5  // by how much a listener may be away from what is due before it is brought back
)

// ring holds what has been read of a stream. Positions count samples from its first one.
type ring struct {
	pcm     []int16 // ringSize, once something was put
	written int64   // position behind the last one
	playing bool
	base    int64     // position that was due at since
	since   time.Time // when playing began
	dry     int64     // position at which it ran dry, or began
}

// due is the position whose turn it is.
func (r *ring) due(now time.Time) int64 {
	return r.base + int64(now.Sub(r.since))*rate/int64(time.Second)
}

// settle notes that the ring has run dry.
func (r *ring) settle(now time.Time) {
	if r.playing && r.due(now) > r.written {
		r.playing, r.dry = false, r.written
	}
}

// put adds samples, at most a second, and plays when enough are there.
func (r *ring) put(pcm []int16, now time.Time) {
	r.settle(now)
	if r.pcm == nil {
		r.pcm = make([]int16, ringSize)
	}
	for len(pcm) > 0 {
		n := copy(r.pcm[r.written%ringSize:], pcm)
		pcm = pcm[n:]
		r.written += int64(n)
	}
	if !r.playing && r.written-r.dry >= ringFill {
		r.playing, r.base, r.since = true, r.dry, now
	}
}

// ahead is how long the reader can wait before more is wanted; 0: it is wanted now.
func (r *ring) ahead(now time.Time) time.Duration {
	r.settle(now)
	if !r.playing {
		return 0
	}
	return max(time.Duration(r.written-r.due(now)-ringLead)*time.Second/rate, 0)
}

// read copies samples from a position, which is moved on, and brought back to what is due if it is far from that. It returns how many were there.
func (r *ring) read(at *int64, pcm []int16, now time.Time) int {
	r.settle(now)
	if !r.playing {
		return 0
	}
	if due := r.due(now); *at < due-ringSlip || *at > due+ringSlip {
		*at = due
	}
	*at = max(*at, r.written-ringSize, 0)
	n := 0
	for n < len(pcm) && *at < r.written {
		from := *at % ringSize
		k := copy(pcm[n:], r.pcm[from:min(ringSize, from+r.written-*at)])
		n += k
		*at += int64(k)
	}
	return n
}
