// A stripe: its transactions, and what the lane does with each job. The lane itself is in lane.go.

package transaction

import (
	"log/slog"
	mrand "math/rand/v2"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/transport"
)

// notice is an event that waits until the TU's code has returned.
type notice struct {
	owner sip.EventHandler
	event sip.Event
}

// stripe is a lane and its transactions. Whoever runs the lane owns everything below the queue.
type stripe struct {
	table  *Table
	number sip.Stripe
	counts counts

	lane    atomic.Int32 // a laneState
	mu      sync.Mutex   // guards the next four, and changes of lane to and from waiting
	queue   []job
	packets int  // in queue
	tick    bool // the alarm went off
	closed  bool // nothing is spawned any more

	rows
	job     job // the one that runs
	out     *transport.Outbox
	now     time.Duration // when the running job began
	timers  wheel
	alarmed time.Duration // the deadline that the alarm knows
	orders  uint64        // how many functions were ordered
	random  *mrand.ChaCha8
	inside  bool     // the TU's code is running
	later   []notice // what it must be told behind that
	arrival arrival
	room    *room // of whoever runs the lane
}

// room is memory that is used again and again, by one job behind the other. Each outbox has one, because a reader runs now this stripe, now that.
type room struct {
	event   sip.Event
	work    sip.Request  // a request on its way out
	parsed  sip.Request  // a request of ours, read again
	reply   sip.Response // an answer of our own
	text    []byte
	bytes   []byte // an answer that may be needed
	via     []byte
	outline *sip.Outline // of a packet that was not read yet
	spared  bool         // it is done with
}

// roomOf returns the room that goes with an outbox.
func roomOf(out *transport.Outbox) *room {
	r, ok := out.Room.(*room)
	if !ok {
		r = new(room)
		out.Room = r
	}
	return r
}

func (s *stripe) open(t *Table, number sip.Stripe, random *mrand.ChaCha8) {
	s.table, s.number, s.random = t, number, random
	s.flows = make(map[uint64]uint32)
	s.timers.rows, s.alarmed = &s.slab, never
	s.timers.settle()
}

// run runs the job and tells what it left to be told.
func (s *stripe) run() {
	switch {
	case s.job.packet != nil && s.job.refuse == 0:
		s.receive(s.job.packet)
	case s.job.packet != nil:
		s.refuse(s.job.packet, s.job.refuse)
	case s.job.late != nil:
		s.room.spared = s.spare(s.job.late)
	case s.job.run != nil:
		s.inside = true
		s.job.run()
		s.inside = false
	case s.job.close:
		s.endAll()
	}
	s.finish()
}

// finish ends the job, whichever way it went, and looks after the timers.
func (s *stripe) finish() {
	if len(s.later) > 0 {
		s.tell()
	}
	if p := s.job.packet; p != nil {
		s.job.packet = nil
		p.Release()
	}
	for s.now >= s.timers.due {
		s.expire()
	}
	if s.job.close {
		s.job.close = false
		s.table.ending.Done()
	}
}

// panicked counts and logs a panic of the TU's code.
func (s *stripe) panicked(cause any) {
	s.inside = false
	s.counts.panics.Add(1)
	s.table.Log.Error("transaction: handler panicked", slog.Any("panic", cause), slog.String("stack", string(debug.Stack())))
}

// recovered goes on behind a panic: it cost the event, not the lane.
func (s *stripe) recovered() {
	s.room.event = sip.Event{}
	if s.arrival.tx != 0 {
		s.leaveOpen(sip.StatusServerInternalError)
	}
	if s.job.close {
		s.endAll()
	}
	s.finish()
}

// event returns where to write an event: in the stripe's room, or behind the code that runs.
func (s *stripe) event(owner sip.EventHandler) *sip.Event {
	ev := &s.room.event
	if s.inside {
		s.later = append(s.later, notice{owner: owner})
		ev = &s.later[len(s.later)-1].event
	}
	ev.Stripe, ev.Engine = s.number, s.table.Engine
	return ev
}

// deliver gives what event returned to its owner, now or when the code that runs has returned.
func (s *stripe) deliver(owner sip.EventHandler) {
	if s.inside {
		return
	}
	s.inside = true
	owner.HandleEvent(&s.room.event)
	s.inside = false
	s.room.event = sip.Event{}
}

// tell delivers what was left for later, and what that leaves.
func (s *stripe) tell() {
	for len(s.later) > 0 {
		next := s.later[0]
		s.later[0] = notice{}
		s.later = s.later[1:]
		s.room.event = next.event
		s.deliver(next.owner)
	}
	s.later = nil
}

// expire runs every timer that is due.
func (s *stripe) expire() {
	for {
		r, t, o := s.timers.expired(s.now)
		switch {
		case r != nil:
			// What could not be sent is told by an event.
			_ = s.advance(r, fires(t), &message{})
		case o != nil:
			s.counts.timers.Add(-1)
			s.inside = true
			o.run()
			s.inside = false
		default:
			s.timers.settle()
			return
		}
		if len(s.later) > 0 {
			s.tell()
		}
	}
}

// after orders f to run when d has passed.
func (s *stripe) after(d time.Duration, f func()) sip.Timer {
	s.orders++
	o := &order{stripe: s, run: f, due: s.table.clock() + d, number: s.orders}
	s.timers.order(o)
	s.counts.timers.Add(1)
	return o
}

// endAll tells the owners of open rows and frees everything.
func (s *stripe) endAll() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.all(func(n uint32) {
		r := s.slab.find(n)
		if r == nil || r.kind == kindFree { // another took it along, or nobody has it
			return
		}
		owner, tx, open := s.ownerOf(r), r.id(s.number), r.open()
		s.forget(r)
		if open && owner != nil {
			ev := s.event(owner)
			ev.Kind, ev.Tx, ev.Err = sip.EventTimeout, tx, sip.ErrClosed
			s.deliver(owner)
		}
	})
	s.timers.orders = nil
	s.counts.timers.Store(0)
}
