// From an event to what follows: a step of the machine, and its actions carried out. RFC 3261 §17.

package transaction

import (
	"bytes"
	"math/bits"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// message is what comes with an event: the message received, the bytes to send, or why sending failed.
type message struct {
	request  *sip.Request
	response *sip.Response
	flow     sip.Flow // by which it came, or where it is to go
	bytes    []byte
	err      error
}

// open reports whether the row still lacks its final response.
func (r *row) open() bool { return r.kind != kindFree && r.state <= proceedingCancelled }

func (r *row) reliable() bool { return r.path.transport().Reliable() }

// advance moves r and does what the machine asks for. r may be gone afterwards. The error is that of a transport that could not send.
func (s *stripe) advance(r *row, e event, m *message) error {
	next, a := r.kind.step(r.state, e)
	s.move(r, next)
	at := timerCount
	if a.stop|a.start|a.again != 0 {
		at = s.setTimers(r, a)
	}
	if a.do&^(pass|timeout|fail|drop) != 0 {
		if err := s.put(r, a, m); err != nil {
			m.err = err
			return s.broke(r, m)
		}
	}
	if a.has(drop) {
		s.unkeep(r)
	}
	if at != timerCount {
		next, _ = r.kind.step(r.state, fires(at))
		s.move(r, next)
	}
	s.inform(r, a, m)
	return nil
}

// move sets the state of r and keeps the count of open rows.
func (s *stripe) move(r *row, to state) {
	was := r.open()
	r.state = to
	switch is := r.open(); {
	case was && !is:
		s.counts.open.Add(-1)
	case is && !was:
		s.counts.open.Add(1)
	}
}

// broke follows a failure to send. The TU of a server learns of it as the error of its order, that of a client by an event.
func (s *stripe) broke(r *row, m *message) error {
	// What is told here is told once.
	_ = s.advance(r, broken, &message{flow: s.flowOf(r), err: m.err})
	return m.err
}

func (s *stripe) flowOf(r *row) sip.Flow { return s.table.zones.flow(&r.path) }

// setTimers stops and starts timers; it returns the one that fires at once, or timerCount.
func (s *stripe) setTimers(r *row, a actions) timer {
	for h := range perRow {
		if r.queue[h] != 0 && a.stop.has(r.timer[h]) {
			s.timers.stop(&r.links, h)
		}
	}
	at := timerCount
	for set := uint32(a.start | a.again); set != 0; set &= set - 1 {
		t := timer(bits.TrailingZeros32(set))
		var d time.Duration
		ok := true
		if a.again.has(t) {
			r.flags = r.flags.withRounds(r.flags.rounds() + 1)
			d = s.table.Timers.next(t, r.flags.rounds(), a.slow)
		} else {
			d, ok = s.table.Timers.first(t, r.kind.invite(), r.reliable())
		}
		switch {
		case !ok:
		case d == 0:
			s.timers.stop(&r.links, ending)
			at = t
		default:
			s.startTimer(r, t, d)
		}
	}
	return at
}

func (s *stripe) startTimer(r *row, t timer, d time.Duration) {
	h := ending
	if t == timerA || t == timerE || t == timerG || t == timerTrying {
		h = again
	}
	s.timers.start(&r.links, h, t, s.now, d)
}

// put sends what the actions ask for.
func (s *stripe) put(r *row, a actions, m *message) error {
	switch {
	case a.has(send):
		return s.putNew(r, a, m)
	case a.has(resend):
		if r.kept == 0 || !r.kind.client() && !r.flags.has(answered) {
			return nil
		}
		s.counts.resent.Add(1)
		return s.send(s.flowOf(r), s.copies.bytes(r.kept))
	case a.has(sayTry):
		if r.kept == 0 {
			return nil
		}
		r.flags |= answered
		return s.send(s.flowOf(r), s.copies.bytes(r.kept))
	case a.has(sayLate):
		return s.putLate(r)
	case a.has(ack):
		s.putAck(r, m.response)
	case a.has(cancel):
		s.putCancel(r)
	}
	return nil
}

// putLate sends a 408, made of the response that was kept last.
func (s *stripe) putLate(r *row) error {
	if r.kept == 0 {
		return nil
	}
	last, err := sip.ParseResponse(bytes.Clone(s.copies.bytes(r.kept)))
	if err != nil {
		return nil
	}
	res := &sip.Response{Status: sip.StatusRequestTimeout}
	for _, h := range [...]sip.Header{sip.HeaderVia, sip.HeaderFrom, sip.HeaderTo, sip.HeaderCallID, sip.HeaderCSeq} {
		for v := range last.Values(h) {
			res.Add(h, v)
		}
	}
	flow := s.flowOf(r)
	s.completeResponse(res, r.key, &flow)
	b := res.AppendTo(s.out.Tail())
	s.keep(r, b)
	r.flags |= answered
	return s.send(flow, b)
}

// putNew sends the request of a client or the response of a server's TU, and keeps what may be needed again: for copies over a
// transport that loses, an INVITE for its ACK and CANCEL, and a provisional response for a 408.
func (s *stripe) putNew(r *row, a actions, m *message) error {
	r.flags |= answered
	s.unkeep(r)
	if !a.has(drop) && (!r.reliable() || r.kind == kindInviteClient || r.kind == kindInviteServer && r.open()) {
		s.keep(r, m.bytes)
	}
	err := s.send(m.flow, m.bytes)
	if err != nil && m.response != nil && s.reopen(r, m, err) {
		return nil
	}
	return err
}

func (s *stripe) send(f sip.Flow, b []byte) error { return s.table.Wire.Send(s.out, f, b) }

// inform frees r if it is over, and tells the TU. It comes last: what the TU does may change r.
func (s *stripe) inform(r *row, a actions, m *message) {
	tells := a.do&(pass|timeout|fail) != 0
	if tells && r.kind.client() && s.failOver(r, a, m) {
		return
	}
	kind, owner, tx, err := sip.EventKind(0), s.ownerOf(r), r.id(s.number), m.err
	if tells {
		if kind = s.eventKind(r, a, m); kind == sip.EventAck {
			owner = s.table.Handler
		}
		if kind == sip.EventTimeout {
			err = sip.ErrTimeout
		}
	}
	if r.state == terminated {
		s.release(r)
	}
	if kind == 0 || owner == nil {
		return
	}
	ev := s.event(owner)
	ev.Kind, ev.Tx, ev.Request, ev.Response, ev.Flow, ev.Err = kind, tx, m.request, m.response, m.flow, err
	s.deliver(owner)
}

// eventKind returns what the TU is told, 0 for nothing, and notes in r that it was.
func (s *stripe) eventKind(r *row, a actions, m *message) sip.EventKind {
	isClient := r.kind.client()
	switch {
	case isClient && r.flags.has(informed) && !a.has(pass): // it has its outcome
	case a.has(timeout):
		s.counts.timeouts.Add(1)
		return sip.EventTimeout
	case a.has(fail) && isClient:
		s.counts.failures.Add(1)
		return sip.EventFailure
	case !a.has(pass):
	case isClient:
		if m.response.Status.Final() {
			r.flags |= informed
			s.settle(r)
		}
		return sip.EventResponse
	case m.request.Method == sip.MethodCancel && !r.flags.has(informed):
		r.flags |= informed
		return sip.EventCancel
	case m.request.Method == sip.MethodAck:
		return sip.EventAck
	}
	return 0
}
