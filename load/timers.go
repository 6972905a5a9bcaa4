// Timers of operations and calls: one queue for each length of time, in which they are due in the order in which they were set. RFC 3261 §17.1.1.2, §17.1.2.2, §13.3.1.4.

package load

import "time"

// The timers of the standard. RFC 3261 §17.1.1.1.
const (
	t1       = 500 * time.Millisecond
	t2       = 4 * time.Second
	lifetime = 64 * t1 // timers B and F, and how long a 2xx waits for its ACK
)

// classes is how many lengths there are from T1 to 32*T1.
const classes = 6

// holdClass is the queue of calls that are held for a while.
const holdClass = classes

// alarm is one timer that was set.
type alarm struct {
	at     time.Duration
	slot   uint32
	serial uint32 // of what is in the slot; another one means that the timer was stopped
	called bool   // the slot is a leg's, otherwise an operation's
}

// queue holds the timers of one length.
type queue struct {
	length time.Duration
	set    []alarm
	head   int
}

func (q *queue) push(a alarm) { q.set = append(q.set, a) }

// pop takes the first timer if it is due.
func (q *queue) pop(now time.Duration) (alarm, bool) {
	if q.head == len(q.set) {
		q.set, q.head = q.set[:0], 0
		return alarm{}, false
	}
	if q.head > 1024 && q.head > len(q.set)/2 {
		q.set, q.head = q.set[:copy(q.set, q.set[q.head:])], 0
	}
	a := q.set[q.head]
	if a.at > now {
		return alarm{}, false
	}
	q.head++
	return a, true
}

// next returns when the first timer is due.
func (q *queue) next() (time.Duration, bool) {
	if q.head == len(q.set) {
		return 0, false
	}
	return q.set[q.head].at, true
}

// timers is a queue for each length.
type timers [classes + 1]queue

func (t *timers) prepare(hold time.Duration) {
	for i := range classes {
		t[i].length = t1 << i
	}
	t[holdClass].length = hold
}

// start sets a timer of a class; a.at is when it begins.
func (t *timers) start(class int, a alarm) {
	a.at += t[class].length
	t[class].push(a)
}

// next returns when the first timer of all is due.
func (t *timers) next() (first time.Duration, ok bool) {
	for i := range t {
		if at, some := t[i].next(); some && (!ok || at < first) {
			first, ok = at, true
		}
	}
	return first, ok
}

// classAfter returns the class of the next wait of something that is sent again and again: each wait doubles the one before, up to a longest, and the last one ends when the lifetime
// is over; over is true then.
func classAfter(class int, elapsed, longest time.Duration) (next int, over bool) {
	left := lifetime - elapsed
	if left < t1/2 {
		return 0, true
	}
	next = min(class+1, classes-1)
	for next > 0 && (t1<<next > longest || t1<<next > left) {
		next--
	}
	return next, false
}
