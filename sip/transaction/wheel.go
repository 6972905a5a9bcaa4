// The timers of a stripe: one queue for each duration in use, and a heap for [sip.Engine.After]. RFC 3261 §17 Table 4.

package transaction

import (
	"container/heap"
	"math"
	"time"
)

// never is later than every deadline.
const never = time.Duration(math.MaxInt64)

// half says which of the two timers of a row is meant.
type half uint8

const (
	again  half = iota // sends again, or says 100
	ending             // ends a state
	perRow
)

// links are the two timers of a row, each in one of the queues or in none.
type links struct {
	prev, next [perRow]link
	due        [perRow]time.Duration // on the clock of the table
	queue      [perRow]uint8         // 1 + index of its queue; 0: not running
	timer      [perRow]timer
	slot       uint32 // the number of the row
}

// link names a timer of a row: twice 1 + the number of the row, and which half; 0 is none.
type link uint32

func linkTo(slot uint32, h half) link { return link((slot+1)*uint32(perRow) + uint32(h)) }

func (l link) split() (slot uint32, h half) {
	return uint32(l)/uint32(perRow) - 1, half(l % link(perRow))
}

// queue holds timers of one duration. What is started later is due later, so starting and stopping cost the same however many run.
type queue struct {
	after      time.Duration
	slack      time.Duration // how much later than due they may fire
	due        time.Duration // of the first; never: it is empty
	head, tail link
}

// ready is when whoever passes may have the first fire: halfway to when it must, so that several go at once.
func (q *queue) ready() time.Duration { return q.due + q.slack/2 }

// wheel holds every timer of a stripe. It knows no clock.
type wheel struct {
	rows   *slab[row]
	queues []queue // one for each duration: about a dozen
	orders orders
	due    time.Duration // nothing is to be done before: who passes then sees to it
	wake   time.Duration // when somebody must
	stale  bool          // due and wake may be those of a timer that was stopped
}

// start runs a timer of a row for d from now; a running one starts anew.
func (w *wheel) start(r *links, h half, t timer, now, d time.Duration) {
	w.stop(r, h)
	i := w.queueFor(d, t.slack(d))
	q, l := &w.queues[i], linkTo(r.slot, h)
	r.timer[h], r.due[h], r.queue[h] = t, now+d, uint8(i+1)
	r.prev[h], r.next[h] = q.tail, 0
	if q.tail == 0 {
		q.head, q.due = l, now+d
		w.due, w.wake = min(w.due, q.ready()), min(w.wake, q.due+q.slack)
	} else {
		before, at := q.tail.split()
		w.rows.at(before).next[at] = l
	}
	q.tail = l
}

// queueFor returns the index of the queue for a duration.
func (w *wheel) queueFor(d, slack time.Duration) int {
	for i := range w.queues {
		if q := &w.queues[i]; q.after == d && q.slack == slack {
			return i
		}
	}
	w.queues = append(w.queues, queue{after: d, slack: slack, due: never})
	return len(w.queues) - 1
}

// stop ends a timer of a row if it runs.
func (w *wheel) stop(r *links, h half) {
	if r.queue[h] == 0 {
		return
	}
	q, prev, next := &w.queues[r.queue[h]-1], r.prev[h], r.next[h]
	if prev == 0 {
		q.head = next
	} else {
		before, at := prev.split()
		w.rows.at(before).next[at] = next
	}
	if next == 0 {
		q.tail = prev
	} else {
		behind, at := next.split()
		w.rows.at(behind).prev[at] = prev
	}
	if prev == 0 {
		w.stale = w.stale || q.ready() <= w.due || q.due+q.slack <= w.wake
		q.due = w.dueOf(next)
	}
	r.prev[h], r.next[h], r.queue[h] = 0, 0, 0
}

func (w *wheel) dueOf(l link) time.Duration {
	if l == 0 {
		return never
	}
	slot, h := l.split()
	return w.rows.at(slot).due[h]
}

// settle brings due and wake up to date.
func (w *wheel) settle() {
	w.due, w.wake, w.stale = never, never, false
	for i := range w.queues {
		if q := &w.queues[i]; q.due != never {
			w.due, w.wake = min(w.due, q.ready()), min(w.wake, q.due+q.slack)
		}
	}
	if len(w.orders) > 0 {
		w.due, w.wake = min(w.due, w.orders[0].due), min(w.wake, w.orders[0].due)
	}
}

// order runs a function at due.
func (w *wheel) order(o *order) {
	heap.Push(&w.orders, o)
	w.due, w.wake = min(w.due, o.due), min(w.wake, o.due)
}

// expired takes out the timer that has been due longest: a row's, or an order. Without one both are nil.
func (w *wheel) expired(now time.Duration) (r *row, t timer, o *order) {
	first, due := -1, now+1
	for i := range w.queues {
		if w.queues[i].due < due {
			first, due = i, w.queues[i].due
		}
	}
	if len(w.orders) > 0 && w.orders[0].due < due {
		return nil, 0, heap.Pop(&w.orders).(*order)
	}
	if first < 0 {
		return nil, 0, nil
	}
	slot, h := w.queues[first].head.split()
	r = w.rows.at(slot)
	w.stop(&r.links, h)
	return r, r.timer[h], nil
}

// order is a function to be run later: a [sip.Timer].
type order struct {
	stripe *stripe
	run    func()
	due    time.Duration
	number uint64 // keeps orders of one instant in the order they were given
	place  int    // in the heap; -1: not there
}

// Stop implements [sip.Timer].
func (o *order) Stop() bool {
	if o.place < 0 {
		return false
	}
	heap.Remove(&o.stripe.timers.orders, o.place)
	o.stripe.timers.stale = true
	o.stripe.counts.timers.Add(-1)
	return true
}

// orders is a heap by deadline.
type orders []*order

// Len implements [heap.Interface].
func (h orders) Len() int { return len(h) }

// Less implements [heap.Interface].
func (h orders) Less(i, j int) bool {
	if h[i].due != h[j].due {
		return h[i].due < h[j].due
	}
	return h[i].number < h[j].number
}

// Swap implements [heap.Interface].
func (h orders) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}

// Push implements [heap.Interface].
func (h *orders) Push(x any) {
	o := x.(*order)
	o.place = len(*h)
	*h = append(*h, o)
}

// Pop implements [heap.Interface].
func (h *orders) Pop() any {
	old := *h
	o := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	o.place = -1
	return o
}
