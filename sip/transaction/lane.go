// The lane of a stripe: jobs run one at a time, on whichever goroutine brings one while it is free. Nothing waits for it.

package transaction

import (
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/transport"
)

// job is what a lane runs: a packet, a function, or the timers.
type job struct {
	packet *transport.Packet
	refuse sip.Status        // of a packet whose request is no good: the answer
	late   *transport.Packet // one that is not read yet
	tx     sip.TransactionID // of a packet with a response: the transaction that its branch names
	nonce  uint64            // and the rest of the branch
	queued time.Duration     // when a packet was left in the queue; 0: it was not
	run    func()
	tick   bool // look after the timers
	close  bool // end all transactions
}

// The states of a lane.
const (
	laneFree    int32 = iota
	laneBusy          // somebody runs it
	laneWaiting       // and there may be something in its queue
)

// enter runs j now if the lane is free, otherwise leaves it to whoever runs there. What is sent goes to out, if the caller has one.
func (s *stripe) enter(j job, out *transport.Outbox) {
	if s.lane.CompareAndSwap(laneFree, laneBusy) || s.claim(j) {
		s.drive(j, out)
	}
}

// claim puts j into the queue of a busy lane, or makes the caller its runner.
func (s *stripe) claim(j job) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.claimLocked(j)
}

func (s *stripe) claimLocked(j job) bool {
	for !s.lane.CompareAndSwap(laneBusy, laneWaiting) && s.lane.Load() != laneWaiting {
		if s.lane.CompareAndSwap(laneFree, laneBusy) {
			return true
		}
	}
	switch {
	case j.tick:
		s.tick = true
		return false
	case j.packet != nil && !s.hasRoomLocked(&j):
		s.counts.dropped.Add(1)
		j.packet.Release()
		return false
	case j.packet != nil:
		j.packet = j.packet.Keep() // it runs on another reader
		j.queued = max(s.table.clock(), 1)
		s.packets++
	}
	s.queue = append(s.queue, j)
	s.counts.queued.Store(int64(len(s.queue)))
	return false
}

// hasRoomLocked reports whether the queue takes a packet. A request that comes by a connection does not come a second time: where the queue is full, a further quarter
// takes those, to be refused with 503. What comes as a datagram is sent again, and may be the copy of a request that is being answered.
func (s *stripe) hasRoomLocked(j *job) bool {
	limit, p := s.table.Limits.Queue, j.packet
	switch {
	case s.packets < limit:
		return true
	case p.Request == nil || p.Request.Method == sip.MethodAck || !p.Flow.Transport.Reliable() || s.packets >= limit+limit/4:
		return false
	}
	if j.refuse == 0 {
		j.refuse = sip.StatusServiceUnavailable
		s.counts.overload.Add(1)
	}
	return true
}

// spawn is enter for callers who may be inside a stripe or hold a lock: j never runs before it returns, and not at all once the table is closed.
func (s *stripe) spawn(j job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed && s.claimLocked(j) {
		s.table.elsewhere(func() { s.drive(j, nil) })
	}
}

// drive runs j and what is queued meanwhile, and flushes behind it.
func (s *stripe) drive(j job, out *transport.Outbox) {
	own := out == nil
	if own {
		out = s.table.getOutbox()
	}
	s.job, s.out, s.room = j, out, roomOf(out)
	out.Lane = uint8(s.number)
	for step := (*stripe).runAll; !s.guarded(step); {
		step = (*stripe).recoverAll
	}
	if own {
		s.table.putOutbox(out)
	}
}

// guarded reports whether step came to its end; a panic ends it early.
func (s *stripe) guarded(step func(*stripe)) (done bool) {
	defer func() {
		if cause := recover(); cause != nil {
			s.panicked(cause)
		}
	}()
	step(s)
	return true
}

// runAll runs the job and those that are queued meanwhile.
func (s *stripe) runAll() {
	for more := true; more; more = s.nextJob() {
		s.now = s.time()
		s.run()
	}
}

// time is now, never earlier than for the job before; for a packet, as the reader saw it when its batch came: that saves asking. What was queued, and the timers, need it
// as it is.
func (s *stripe) time() time.Duration {
	if at := s.out.Time(); (s.job.packet != nil || s.job.late != nil) && s.job.queued == 0 && !at.IsZero() {
		return max(s.now, at.Sub(s.table.start))
	}
	return max(s.now, s.table.clock())
}

// recoverAll does the same behind a panic.
func (s *stripe) recoverAll() {
	s.recovered()
	if s.nextJob() {
		s.runAll()
	}
}

// nextJob takes the next job, or gives the lane up.
func (s *stripe) nextJob() bool {
	s.alarm()
	if s.lane.CompareAndSwap(laneBusy, laneFree) {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tick {
		s.tick = false
		s.job = job{tick: true}
		return true
	}
	if len(s.queue) == 0 {
		s.lane.Store(laneFree)
		return false
	}
	s.job = s.queue[0]
	s.queue[0] = job{}
	if s.queue = s.queue[1:]; len(s.queue) == 0 {
		s.queue = nil
	}
	if s.job.packet != nil {
		s.packets--
	}
	s.counts.queued.Store(int64(len(s.queue)))
	return true
}
