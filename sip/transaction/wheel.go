// The timers of a stripe: one queue for each duration in use, and a heap for [sip.Engine.After]. RFC 3261 §17 Table 4.

package transaction

import (
	"container/heap"
	"time"
)

// pending is a timer of a row, in one of the queues or in none.
type pending struct {
	row        *row
	prev, next *pending
	due        time.Duration // on the clock of the table
	queue      int16         // 1 + index of its queue; 0: not running
	timer      timer
}

// queue holds timers of one duration. What is started later is due later, so starting and stopping cost the same however many run.
type queue struct {
	after      time.Duration
	head, tail *pending
}

// wheel holds every timer of a stripe. It knows no clock.
type wheel struct {
	queues []queue // one for each duration: about a dozen
	orders orders
}

// start runs p for d from now; a running p starts anew.
func (w *wheel) start(p *pending, t timer, now, d time.Duration) {
	w.stop(p)
	i := 0
	for i < len(w.queues) && w.queues[i].after != d {
		i++
	}
	if i == len(w.queues) {
		w.queues = append(w.queues, queue{after: d})
	}
	q := &w.queues[i]
	p.timer, p.due, p.queue = t, now+d, int16(i+1)
	p.prev, p.next = q.tail, nil
	if q.tail == nil {
		q.head = p
	} else {
		q.tail.next = p
	}
	q.tail = p
}

// stop ends p if it runs.
func (w *wheel) stop(p *pending) {
	if p.queue == 0 {
		return
	}
	q := &w.queues[p.queue-1]
	if p.prev == nil {
		q.head = p.next
	} else {
		p.prev.next = p.next
	}
	if p.next == nil {
		q.tail = p.prev
	} else {
		p.next.prev = p.prev
	}
	p.prev, p.next, p.queue = nil, nil, 0
}

// next returns the earliest deadline; ok is false if nothing runs.
func (w *wheel) next() (due time.Duration, ok bool) {
	for i := range w.queues {
		if h := w.queues[i].head; h != nil && (!ok || h.due < due) {
			due, ok = h.due, true
		}
	}
	if len(w.orders) > 0 && (!ok || w.orders[0].due < due) {
		due, ok = w.orders[0].due, true
	}
	return due, ok
}

// expired takes out the timer that has been due longest; both are nil if none is.
func (w *wheel) expired(now time.Duration) (*pending, *order) {
	var first *pending
	for i := range w.queues {
		if h := w.queues[i].head; h != nil && h.due <= now && (first == nil || h.due < first.due) {
			first = h
		}
	}
	if len(w.orders) > 0 && w.orders[0].due <= now && (first == nil || w.orders[0].due < first.due) {
		return nil, heap.Pop(&w.orders).(*order)
	}
	if first != nil {
		w.stop(first)
	}
	return first, nil
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
