// When operations are due: fixed before the first one starts.

package load

import "time"

// schedule is the share of one worker in an even beat. Times count from the start of the run.
type schedule struct {
	start    time.Duration // when the first of this worker is due
	interval float64       // nanoseconds from one to the next
	count    int64         // how many there are
	begun    int64         // how many have begun
}

// newSchedule gives worker number (of workers) its share of a rate over a length of time that begins at start.
func newSchedule(start, length time.Duration, rate float64, number, workers int) schedule {
	beat := float64(time.Second) / rate
	s := schedule{start: start + time.Duration(beat*float64(number)), interval: beat * float64(workers)}
	if left := float64(length) - beat*float64(number); left > 0 {
		s.count = int64(left/s.interval + 1 - 1e-9)
	}
	return s
}

// at is when operation k is due.
func (s *schedule) at(k int64) time.Duration { return s.start + time.Duration(float64(k)*s.interval) }

// next returns when the next operation is due; ok is false if none is left.
func (s *schedule) next() (due time.Duration, ok bool) { return s.at(s.begun), s.begun < s.count }

// take begins the next operation if it is due, and returns its number and when it was due.
func (s *schedule) take(now time.Duration) (k int64, due time.Duration, ok bool) {
	due, ok = s.next()
	if !ok || due > now {
		return 0, 0, false
	}
	s.begun++
	return s.begun - 1, due, true
}

// cut drops what has not begun.
func (s *schedule) cut() { s.count = s.begun }
