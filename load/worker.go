// A worker: ports of its own, a fixed array of operations, and the goroutine that begins them in time.

package load

import (
	"context"
	"fmt"
	"hash/maphash"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/transport"
)

const (
	// shortNap and longNap are the bounds of what a worker sleeps between two looks at the clock.
	shortNap = 100 * time.Microsecond
	longNap  = 5 * time.Millisecond
	// burst is how many operations begin before those that answer get their turn.
	burst = 64
	// pair is how many begin with each message that comes.
	pair = 2
)

// calleeUser is the user part of every callee's Contact.
const calleeUser = "callee"

// worker carries out its share of a plan.
type worker struct {
	plan    *Plan
	number  int
	name    string // in the identifiers of this worker in this run
	forms   *forms
	tally   *tally
	epoch   time.Time
	seed    maphash.Seed
	callers []*port
	callees []*port // over UDP the same as callers

	mu       sync.Mutex // guards all below, and the timers and outboxes of the ports
	first    kind       // what operations begin with
	setup    bool       // the operations register the callees
	schedule schedule
	farewell schedule // of the BYEs of calls that are held to the end
	parting  int      // the next slot whose held call ends
	busy     int      // operations in flight, held calls included
	held     int
	timers   timers
	ops      []operation
	free     []uint32
	spare    [][]byte // buffers without owner
	legs     []leg
	legOf    map[uint64]uint32
	freeLegs []uint32
	dirty    []*port // with something in the outbox of the pacing goroutine
	fields   values
	scratch  []byte
	routes   []string
	message  []byte
	reply    sip.Response
}

// port is one end of a connection to the server, or a UDP socket.
type port struct {
	layer   transport.Layer
	flow    sip.Flow
	local   []byte // host and port as the server sees them
	contact string // of the called side
	out     transport.Outbox
	dirty   bool
}

// newWorker returns a worker with room for operations. open must follow.
func newWorker(p *Plan, number int, name string, epoch time.Time) *worker {
	w := &worker{plan: p, number: number, name: name + strconv.Itoa(number), epoch: epoch, seed: maphash.MakeSeed(), forms: newForms(p.Transport, p.Domain)}
	w.timers.prepare(p.Hold)
	n := p.room()
	w.ops, w.free = make([]operation, n), make([]uint32, n)
	for i := range w.free {
		w.free[i] = uint32(n - 1 - i)
	}
	if p.Scenario == Call {
		w.legs, w.freeLegs, w.legOf = make([]leg, n), make([]uint32, n), make(map[uint64]uint32)
		copy(w.freeLegs, w.free)
	}
	return w
}

// open opens the ports.
func (w *worker) open(ctx context.Context) error {
	for range w.plan.Connections {
		if err := w.connect(ctx, &w.callers); err != nil {
			return err
		}
		if w.plan.Transport == sip.UDP {
			break
		}
	}
	switch {
	case w.plan.Transport == sip.UDP:
		w.callees = w.callers
		return nil
	case !w.plan.Scenario.twoSided():
		return nil
	}
	for range w.plan.Connections {
		if err := w.connect(ctx, &w.callees); err != nil {
			return err
		}
	}
	return nil
}

// connect opens one port and adds it to a list.
func (w *worker) connect(ctx context.Context, to *[]*port) error {
	p := w.plan
	o := new(port)
	o.layer.Network, o.layer.TLS, o.layer.Log = p.Network, p.TLS, p.Log
	o.layer.Handle = func(m *transport.Packet) { w.receive(o, m) }
	o.layer.FlowLost = func(sip.Flow) { w.lost(o) }
	*to = append(*to, o)
	target := transport.Target{Transport: p.Transport, Addr: p.Target, Host: p.Domain}
	if p.Transport == sip.UDP {
		local, err := p.Network.LocalAddr(p.Target.Addr())
		if err != nil {
			return err
		}
		if _, err = o.layer.Listen(ctx, "udp://"+netip.AddrPortFrom(local, 0).String()); err != nil {
			return err
		}
		o.flow, _ = o.layer.Flow(target)
	} else {
		flow, err := o.layer.Connect(ctx, target)
		if err != nil {
			return fmt.Errorf("load: connect to %s over %s: %w", p.Target, p.Transport, err)
		}
		o.flow = flow
	}
	o.local = o.flow.Local.AppendTo(nil)
	o.contact = calleeContact(o.flow)
	return nil
}

// close closes the ports and waits for their readers.
func (w *worker) close() {
	w.mu.Lock()
	w.tally = nil
	w.mu.Unlock()
	for _, o := range w.callers {
		_ = o.layer.Close() // always nil
	}
	if w.plan.Transport != sip.UDP {
		for _, o := range w.callees {
			_ = o.layer.Close()
		}
	}
}

// malformed counts what came and was no SIP.
func (w *worker) malformed() (n int64) {
	for _, list := range [][]*port{w.callers, w.callees} {
		for _, o := range list {
			n += int64(o.layer.Stats.Malformed.Load() + o.layer.Stats.Junk.Load())
		}
		if w.plan.Transport == sip.UDP {
			break
		}
	}
	return n
}

func (w *worker) now() time.Duration { return time.Since(w.epoch) }

// begin gives the worker a schedule of operations that begin with k.
func (w *worker) begin(t *tally, s schedule, k kind, setup bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tally, w.schedule, w.first, w.setup = t, s, k, setup
}

// part ends the calls that are held to the end, at an even beat from now on.
func (w *worker) part() {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.plan
	w.farewell = newSchedule(w.now(), time.Duration(float64(w.held+1)*float64(p.Workers)/p.Rate*float64(time.Second)), p.Rate/float64(p.Workers), 0, 1)
	w.farewell.count = int64(len(w.ops)) // until none is held
	w.parting = 0
}

// stop lets no further operation begin.
func (w *worker) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.schedule.cut()
}

// left returns how many operations are under way, and how many of these are held calls.
func (w *worker) left() (busy, held int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.busy, w.held
}

// waits reports whether an operation has still to begin.
func (w *worker) waits() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, ok := w.schedule.next()
	return ok
}

// pace begins operations in time and lets timers fire until ctx ends.
func (w *worker) pace(ctx context.Context) {
	for ctx.Err() == nil {
		rest := w.turn()
		if rest > 0 {
			w.plan.Sleep(min(max(rest, shortNap), longNap))
		}
	}
}

// turn does what is due now and returns how long nothing is.
func (w *worker) turn() (rest time.Duration) {
	w.mu.Lock()
	now := w.now()
	late := w.startDue(nil, now, burst)
	w.partDue(now)
	w.fire(now)
	rest = w.restLocked(late)
	flush := w.dirty
	w.dirty = nil
	for _, o := range flush {
		o.dirty = false
	}
	w.mu.Unlock()
	for _, o := range flush {
		o.layer.Flush(&o.out)
	}
	return rest
}

// startDue begins the operations that are due, at most some; late reports whether more may be.
func (w *worker) startDue(out *transport.Outbox, now time.Duration, most int) (late bool) {
	for range most {
		k, due, ok := w.schedule.take(now)
		if !ok {
			return false
		}
		w.start(k, due, now, out)
	}
	return true
}

// restLocked is how long nothing is due.
func (w *worker) restLocked(late bool) time.Duration {
	if late {
		return 0
	}
	now, next := w.now(), time.Duration(1<<62)
	if at, ok := w.schedule.next(); ok {
		next = at
	}
	if at, ok := w.timers.next(); ok {
		next = min(next, at)
	}
	if w.held > 0 {
		if at, ok := w.farewell.next(); ok {
			next = min(next, at)
		}
	}
	return max(next-now, shortNap)
}

// partDue ends the held calls whose turn it is.
func (w *worker) partDue(now time.Duration) {
	for n := 0; w.held > 0 && n < burst; n++ {
		if _, _, ok := w.farewell.take(now); !ok {
			return
		}
		for ; w.parting < len(w.ops); w.parting++ {
			if op := &w.ops[w.parting]; op.phase == phaseHeld {
				w.apply(op, event{happening: happenRelease, now: now})
				break
			}
		}
	}
}

// fire lets the timers that are due fire.
func (w *worker) fire(now time.Duration) {
	for class := range w.timers {
		for {
			a, ok := w.timers[class].pop(now)
			if !ok {
				break
			}
			if a.called {
				w.fireLeg(a, now)
			} else {
				w.fireOperation(a, class, now)
			}
		}
	}
}

// send queues a message for a port: into the outbox of the reader that is at work, or without one into that of the pacing goroutine.
func (w *worker) send(o *port, out *transport.Outbox, f sip.Flow, b []byte) error {
	if out != nil {
		return o.layer.Send(out, f, b)
	}
	if !o.dirty {
		o.dirty = true
		w.dirty = append(w.dirty, o)
	}
	return o.layer.Send(&o.out, f, b)
}

// receive takes one message, on the goroutine of its reader.
func (w *worker) receive(o *port, m *transport.Packet) {
	defer m.Release()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.tally == nil {
		return // nothing has begun yet
	}
	if m.Response != nil {
		w.takeResponse(m)
	} else {
		w.takeRequest(o, m)
	}
	// While messages come, their reader begins what is due: what it sends leaves in one batch, and no thread has to be woken for it.
	if len(w.callers) == 1 && o == w.callers[0] {
		w.startDue(m.Out, w.now(), pair)
	}
}
