// The calling side: operations begin, are answered, sent again, and end.

package load

import (
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/transport"
)

// mostProofs is how many challenges one operation answers: one, and one more for each nonce that is called stale.
const mostProofs = 3

// operation is one slot of those in flight.
type operation struct {
	moment
	slot       uint32 // its place
	generation uint32 // which operation of this slot it is
	serial     uint32 // of the timer that runs
	kind       kind   // of the first request
	method     kind   // of the one under way
	class      int    // of the timer that runs
	lasting    bool   // its Call-ID is that of the user: RFC 3261 §10.2 wants one for all registrations of a telephone, with a CSeq that grows
	user       int
	callee     int
	cseq       uint32 // of the request under way
	invite     uint32 // of the INVITE that was accepted
	proofs     int
	routes     int     // Record-Routes that the callee saw, plus one; 0: unknown
	fault      Fault   // that the called side found
	dialog     variant // of the requests within the call
	port       *port
	due, sent  time.Duration
	request    []byte // under way
}

// event is what befell an operation, with what came or nil.
type event struct {
	happening happening
	now       time.Duration
	res       *sip.Response
	out       *transport.Outbox
	fault     Fault
	challenge sip.Challenge
	answer    variant // which header takes the answer to the challenge
}

// start begins operation k of the schedule.
func (w *worker) start(k int64, due, now time.Duration, out *transport.Outbox) {
	w.tally.began(due, now)
	if len(w.free) == 0 {
		w.tally.failed(failure{fault: FaultRoom, kind: w.first}, due, now)
		return
	}
	slot := w.free[len(w.free)-1]
	w.free = w.free[:len(w.free)-1]
	w.busy++
	p, op := w.plan, &w.ops[slot]
	number := k*int64(p.Workers) + int64(w.number)
	*op = operation{slot: slot, generation: op.generation + 1, serial: op.serial + 1, kind: w.first, method: w.first, due: due, cseq: 1, request: w.buffer(),
		moment: moment{phase: phaseAsking, call: w.first == kindInvite, hold: p.Hold != 0}}
	users := int64(p.Users.len())
	op.user = int(number % users)
	switch {
	case w.setup:
		op.user = int(number)
		op.port = w.callees[int(k)%len(w.callees)]
	default:
		op.port = w.callers[int(k)%len(w.callers)]
		op.callee = w.calleeOf(k, op.user)
	}
	if op.lasting = op.kind == kindRegister && !w.setup; op.lasting {
		op.cseq = uint32(number/users)*(mostProofs+1) + 1
	}
	op.request = w.render(op.request[:0], op, op.kind, 0)
	w.launch(op, out, now)
}

// calleeOf returns whom a user calls: the callees of this worker in turn, but not itself.
func (w *worker) calleeOf(k int64, user int) int {
	if !w.plan.Scenario.twoSided() {
		return 0
	}
	workers := w.plan.Workers
	own := (w.plan.Callees - w.number + workers - 1) / workers
	c := int(k % int64(own))
	if c*workers+w.number == user {
		c = (c + 1) % own
	}
	return c*workers + w.number
}

// launch sends the request of an operation for the first time.
func (w *worker) launch(op *operation, out *transport.Outbox, now time.Duration) {
	op.sent, op.class = now, 0
	op.serial++
	w.timers.start(0, alarm{at: now, slot: op.slot, serial: op.serial})
	w.transmit(op, out, now)
}

// transmit sends the request.
func (w *worker) transmit(op *operation, out *transport.Outbox, now time.Duration) {
	if w.send(op.port, out, op.port.flow, op.request) != nil {
		w.apply(op, event{happening: happenWrong, now: now, fault: FaultSend})
	}
}

// fireOperation is the end of a timer.
func (w *worker) fireOperation(a alarm, class int, now time.Duration) {
	op := &w.ops[a.slot]
	if op.serial != a.serial || op.phase == phaseFree {
		return
	}
	if class == holdClass {
		w.apply(op, event{happening: happenRelease, now: now})
		return
	}
	longest := time.Duration(lifetime)
	if op.method != kindInvite {
		longest = t2 // RFC 3261 §17.1.2.2
	}
	next, over := classAfter(op.class, now-op.sent, longest)
	if over {
		w.apply(op, event{happening: happenTimeout, now: now, fault: FaultTimeout})
		return
	}
	op.class = next
	w.timers.start(next, alarm{at: now, slot: op.slot, serial: op.serial})
	if !w.plan.Transport.Reliable() {
		w.apply(op, event{happening: happenTimer, now: now})
	}
}

// takeResponse finds the operation that a response belongs to and tells it.
func (w *worker) takeResponse(m *transport.Packet) {
	now, res := w.now(), m.Response
	w.tally.answer(res.Status)
	op := w.operationOf(res)
	if op == nil {
		w.tally.add(now, stray)
		return
	}
	ev := event{now: now, res: res, out: m.Out}
	if w.judge(op, &ev) {
		w.apply(op, ev)
	}
}

// apply does what the machine of the operation says.
func (w *worker) apply(op *operation, ev event) {
	next, do := op.moment.step(ev.happening)
	if op.phase == phaseHeld && next.phase != phaseHeld {
		w.held--
	}
	op.moment = next
	if do&doMeasure != 0 {
		w.tally.measured(op.due, ev.now)
	}
	if do&doConcede != 0 && ev.res != nil {
		w.concede(op, &ev)
	}
	if do&doAck != 0 {
		w.acknowledge(op, &ev)
	}
	switch {
	case do&doResend != 0:
		w.tally.add(ev.now, retransmitted)
		w.transmit(op, ev.out, ev.now)
	case do&doProve != 0:
		w.tally.add(ev.now, challenged)
		w.prove(op, &ev)
	case do&doHold != 0:
		w.prepareBye(op)
		w.hold(op, ev.now)
	case do&doBye != 0:
		if ev.res != nil {
			w.prepareBye(op)
		}
		op.method = kindBye
		w.launch(op, ev.out, ev.now)
	case do&doComplete != 0 && op.fault != FaultNone:
		w.end(op, failure{fault: op.fault, kind: op.kind}, ev.now)
	case do&doComplete != 0:
		w.end(op, failure{}, ev.now)
	case do&doFail != 0 && op.fault != FaultNone:
		w.end(op, failure{fault: op.fault, kind: op.method}, ev.now)
	case do&doFail != 0:
		f := failure{fault: ev.fault, kind: op.method}
		if ev.fault == FaultStatus || ev.fault == FaultCredentials {
			f.status = ev.res.Status
		}
		w.end(op, f, ev.now)
	}
}

// hold lets a call stand.
func (w *worker) hold(op *operation, now time.Duration) {
	w.held++
	op.serial++
	if w.plan.Hold > 0 {
		w.timers.start(holdClass, alarm{at: now, slot: op.slot, serial: op.serial})
	}
}

// end frees the slot of an operation.
func (w *worker) end(op *operation, why failure, now time.Duration) {
	if why.fault == FaultNone {
		w.tally.completed(now)
	} else {
		w.tally.failed(why, op.due, now)
	}
	op.moment = moment{}
	op.serial++
	w.spare = append(w.spare, op.request)
	op.request = nil
	w.free = append(w.free, op.slot)
	w.busy--
}

// buffer returns one that nobody uses.
func (w *worker) buffer() []byte {
	if n := len(w.spare); n > 0 {
		b := w.spare[n-1]
		w.spare = w.spare[:n-1]
		return b
	}
	return make([]byte, 0, 1400)
}

// abandon fails what is still under way.
func (w *worker) abandon() {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.now()
	for i := range w.ops {
		if op := &w.ops[i]; op.phase != phaseFree {
			if op.phase == phaseHeld {
				w.held--
			}
			w.end(op, failure{fault: FaultUnanswered, kind: op.method}, now)
		}
	}
	for i := range w.legs {
		if l := &w.legs[i]; l.phase == legAnswered || l.phase == legHalfClosed {
			w.blame(l.call, failure{fault: FaultNoAck, kind: kindInvite}, l.began)
		}
	}
}

// lost fails the operations of a connection that is gone.
func (w *worker) lost(o *port) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.now()
	for i := range w.ops {
		if op := &w.ops[i]; op.phase != phaseFree && op.port == o {
			w.apply(op, event{happening: happenWrong, now: now, fault: FaultSend})
		}
	}
}
