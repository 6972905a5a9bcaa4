// A stripe: a lane in which events run one at a time, on whichever goroutine brings one while it is free. Nothing waits for it.

package transaction

import (
	"container/heap"
	"log/slog"
	mrand "math/rand/v2"
	"runtime/debug"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/transport"
)

// job is what a lane runs: a packet, a function, or the timers.
type job struct {
	packet *transport.Packet
	refuse sip.Status // of a packet whose request is no good: the answer
	run    func()
	tick   bool // look after the timers
}

// told is an event that waits until the TU's code has returned.
type told struct {
	owner sip.EventHandler
	event sip.Event
}

// stripe is a lane and its transactions. Whoever set running owns everything below it until the queue is empty.
type stripe struct {
	table  *Table
	number sip.Stripe
	counts counts

	mu      sync.Mutex // guards the next five
	running bool
	queue   []job
	packets int  // in queue
	tick    bool // the alarm went off
	closed  bool // nothing is spawned any more

	rows
	out    *transport.Outbox
	now    time.Duration // when the running job began
	timers wheel
	alarm  *time.Timer
	armed  time.Duration // what alarm is set to; 0: not set
	orders uint64        // how many functions were ordered
	random *mrand.ChaCha8
	inside bool   // the TU's code is running
	later  []told // what it must be told behind that
	room   room
}

// rows are the transactions of a stripe.
type rows struct {
	pages []*page
	free  []*row
	live  int
	index map[fingerprint]*row // server rows, by match and by merge
	flows map[uint64]*row      // client rows on a stream, by its number
}

// room is memory that a stripe uses again and again.
type room struct {
	event  sip.Event
	work   sip.Request  // a request on its way out
	parsed sip.Request  // a request of ours, read again
	reply  sip.Response // an answer of our own
	text   []byte
	bytes  []byte // a message on its way out
	via    []byte
}

func (s *stripe) open(t *Table, number sip.Stripe, random *mrand.ChaCha8) {
	s.table, s.number, s.random = t, number, random
	s.index, s.flows = make(map[fingerprint]*row), make(map[uint64]*row)
}

// enter runs j now if the lane is free, otherwise leaves it to whoever runs there. What is sent goes to out, if the caller has one.
func (s *stripe) enter(j job, out *transport.Outbox) {
	s.mu.Lock()
	free := s.claimLocked(j)
	s.mu.Unlock()
	if free {
		s.lane(j, out)
	}
}

// spawn is enter for callers who may be inside a stripe or hold a lock: j never runs before it returns, and not at all once the table is closed.
func (s *stripe) spawn(j job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed && s.claimLocked(j) {
		s.table.running.Go(func() { s.lane(j, nil) })
	}
}

// claimLocked makes the caller the runner, or puts j into the queue.
func (s *stripe) claimLocked(j job) bool {
	if !s.running {
		s.running = true
		return true
	}
	switch {
	case j.tick:
		s.tick = true
		return false
	case j.packet != nil && s.packets >= s.table.Limits.Queue:
		s.counts.dropped.Add(1)
		j.packet.Release()
		return false
	case j.packet != nil:
		j.packet.Out = nil // it runs on another reader
		s.packets++
	}
	s.queue = append(s.queue, j)
	s.counts.queued.Store(int64(len(s.queue)))
	return false
}

// lane runs j and what is queued meanwhile, and flushes behind it.
func (s *stripe) lane(j job, out *transport.Outbox) {
	own := out == nil
	if own {
		if out, _ = s.table.outbox.Get().(*transport.Outbox); out == nil {
			out = new(transport.Outbox)
		}
	}
	s.out = out
	for more := true; more; j, more = s.nextJob() {
		s.now = s.table.clock()
		s.run(j)
	}
	if own {
		s.table.Wire.Flush(out)
		s.table.outbox.Put(out)
	}
}

// nextJob takes the next job, or gives the lane up.
func (s *stripe) nextJob() (job, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tick {
		s.tick = false
		return job{tick: true}, true
	}
	if len(s.queue) == 0 {
		s.arm()
		s.out = nil
		s.running = false
		return job{}, false
	}
	j := s.queue[0]
	s.queue[0] = job{}
	if s.queue = s.queue[1:]; len(s.queue) == 0 {
		s.queue = nil
	}
	if j.packet != nil {
		s.packets--
	}
	s.counts.queued.Store(int64(len(s.queue)))
	return j, true
}

// run runs one job and tells what it left to be told. A panic costs the job, not the lane.
func (s *stripe) run(j job) {
	defer s.firewall()
	switch {
	case j.packet != nil:
		defer j.packet.Release()
		if j.refuse == 0 {
			s.receive(j.packet)
		} else {
			s.refuse(j.packet, j.refuse)
		}
	case j.run != nil:
		s.call(j.run)
	default:
		s.armed = 0
		s.expire()
	}
	s.tell()
}

// call runs a function of the TU.
func (s *stripe) call(f func()) {
	defer s.firewall()
	s.inside = true
	f()
}

// firewall ends the TU's code, whichever way it returned, and a panic. It must be deferred itself.
func (s *stripe) firewall() {
	s.inside = false
	if cause := recover(); cause != nil {
		s.panicked(cause)
	}
}

func (s *stripe) panicked(cause any) {
	s.counts.panics.Add(1)
	s.table.Log.Error("transaction: handler panicked", slog.Any("panic", cause), slog.String("stack", string(debug.Stack())))
}

// deliver gives an event to its owner, now or behind the TU's code that runs. It reports whether the owner took it without a panic.
func (s *stripe) deliver(owner sip.EventHandler, ev sip.Event) (ok bool) {
	if owner == nil {
		return true
	}
	ev.Stripe, ev.Engine = s.number, s.table.Engine
	if s.inside {
		s.later = append(s.later, told{owner, ev})
		return true
	}
	defer func() {
		s.inside, s.room.event = false, sip.Event{}
		if cause := recover(); cause != nil {
			s.panicked(cause)
			ok = false
		}
	}()
	s.room.event, s.inside = ev, true
	owner.HandleEvent(&s.room.event)
	return true
}

// tell delivers what was left for later, and what that leaves.
func (s *stripe) tell() {
	for len(s.later) > 0 {
		next := s.later[0]
		s.later = s.later[1:]
		s.deliver(next.owner, next.event)
	}
	s.later = nil
}

// expire runs every timer that is due.
func (s *stripe) expire() {
	for {
		p, o := s.timers.expired(s.now)
		switch {
		case p != nil:
			s.advance(p.row, fires(p.timer), message{})
		case o != nil:
			s.counts.timers.Add(-1)
			s.call(o.run)
		default:
			return
		}
		s.tell()
	}
}

// arm sets the alarm to the next deadline, if it is not set to that or an earlier one; without a deadline it is stopped.
func (s *stripe) arm() {
	due, ok := s.timers.next()
	switch {
	case !ok && s.armed != 0:
		s.alarm.Stop()
		s.armed = 0
	case !ok || s.armed != 0 && s.armed <= due:
	case s.alarm == nil:
		s.alarm = time.AfterFunc(due-s.table.clock(), func() { s.enter(job{tick: true}, nil) })
		s.armed = due
	default:
		s.alarm.Reset(due - s.table.clock())
		s.armed = due
	}
}

// after orders f to run when d has passed.
func (s *stripe) after(d time.Duration, f func()) sip.Timer {
	s.orders++
	o := &order{stripe: s, run: f, due: s.table.clock() + d, number: s.orders}
	heap.Push(&s.timers.orders, o)
	s.counts.timers.Add(1)
	return o
}

// close tells the owners of open rows and frees everything.
func (s *stripe) close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.inside = false // the rows are told one by one
	for _, p := range s.pages {
		for i := range p {
			r := &p[i]
			if r.kind == kindFree {
				continue
			}
			owner, tx, open := r.owner, makeID(s.number, r), r.open()
			s.move(r, terminated)
			s.release(r)
			if open {
				s.deliver(owner, sip.Event{Kind: sip.EventTimeout, Tx: tx, Err: sip.ErrClosed})
			}
		}
	}
	s.timers.orders = nil
	s.counts.timers.Store(0)
}
