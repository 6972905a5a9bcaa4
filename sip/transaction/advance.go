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
	flow     sip.Flow
	bytes    []byte
	err      error
}

// open reports whether the row still lacks its final response.
func (r *row) open() bool { return r.kind != kindFree && r.state <= proceedingCancelled }

func (r *row) reliable() bool { return r.flow.Transport.Reliable() }

// advance moves r and does what the machine asks for. r may be gone afterwards. The error is that of a transport that could not send.
func (s *stripe) advance(r *row, e event, m message) error {
	next, a := r.kind.step()(r.state, e)
	s.move(r, next)
	at := s.setTimers(r, a)
	if err := s.put(r, a, m); err != nil {
		m.err = err
		return s.broke(r, m)
	}
	if a.has(drop) {
		s.unkeep(r)
	}
	if at != timerCount {
		next, _ = r.kind.step()(r.state, fires(at))
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
func (s *stripe) broke(r *row, m message) error {
	s.advance(r, broken, message{flow: r.flow, err: m.err})
	return m.err
}

// setTimers stops and starts timers; it returns the one that fires at once, or timerCount.
func (s *stripe) setTimers(r *row, a actions) timer {
	for _, p := range [...]*pending{&r.again, &r.end} {
		if p.queue != 0 && a.stop.has(p.timer) {
			s.timers.stop(p)
		}
	}
	at := timerCount
	for set := uint32(a.start | a.again); set != 0; set &= set - 1 {
		t := timer(bits.TrailingZeros32(set))
		d, ok := r.interval, true
		if a.again.has(t) {
			d = s.table.Timers.next(t, d, a.slow)
		} else {
			d, ok = s.table.Timers.first(t, r.kind.invite(), r.reliable())
		}
		switch {
		case !ok:
		case d == 0:
			s.timers.stop(&r.end)
			at = t
		default:
			s.startTimer(r, t, d)
		}
	}
	return at
}

func (s *stripe) startTimer(r *row, t timer, d time.Duration) {
	p := &r.end
	switch t {
	case timerA, timerE, timerG:
		r.interval = d
		p = &r.again
	case timerTrying:
		p = &r.again
	}
	s.timers.start(p, t, s.now, d)
}

// put sends what the actions ask for.
func (s *stripe) put(r *row, a actions, m message) error {
	switch {
	case a.has(send):
		return s.putNew(r, a, m)
	case a.has(resend):
		if r.sent == nil || !r.kind.client() && !r.answered {
			return nil
		}
		s.counts.resent.Add(1)
		return s.send(r.flow, r.sent.b)
	case a.has(sayTry):
		if r.sent == nil {
			return nil
		}
		r.answered = true
		return s.send(r.flow, r.sent.b)
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
	if r.sent == nil {
		return nil
	}
	last, err := sip.ParseResponse(bytes.Clone(r.sent.b))
	if err != nil {
		return nil
	}
	res := &sip.Response{Status: sip.StatusRequestTimeout}
	for _, h := range [...]sip.Header{sip.HeaderVia, sip.HeaderFrom, sip.HeaderTo, sip.HeaderCallID, sip.HeaderCSeq} {
		for v := range last.Values(h) {
			res.Add(h, v)
		}
	}
	s.completeResponse(res, r.flow)
	s.room.bytes = res.AppendTo(s.room.bytes[:0])
	s.keep(r, s.room.bytes)
	r.answered = true
	return s.send(r.flow, s.room.bytes)
}

// putNew sends the request of a client or the response of a server's TU, and keeps what may be needed again: for copies over a
// transport that loses, an INVITE for its ACK and CANCEL, and a provisional response for a 408.
func (s *stripe) putNew(r *row, a actions, m message) error {
	r.answered = true
	s.unkeep(r)
	if !a.has(drop) && (!r.reliable() || r.kind == kindInviteClient || r.kind == kindInviteServer && r.open()) {
		s.keep(r, m.bytes)
	}
	err := s.send(r.flow, m.bytes)
	if err != nil && m.response != nil && s.reopen(r, m, err) {
		return nil
	}
	return err
}

func (s *stripe) send(f sip.Flow, b []byte) error { return s.table.Wire.Send(s.out, f, b) }

// inform frees r if it is over, and tells the TU. It comes last: what the TU does may change r.
func (s *stripe) inform(r *row, a actions, m message) {
	if a.do&(pass|timeout|fail) != 0 && r.kind.client() && s.failOver(r, a, m) {
		return
	}
	owner, tx, isClient, told := r.owner, makeID(s.number, r), r.kind.client(), r.told
	ev := sip.Event{Tx: tx, Request: m.request, Response: m.response, Flow: m.flow, Err: m.err}
	switch {
	case isClient && told && !a.has(pass): // it has its outcome
	case a.has(timeout):
		ev.Kind, ev.Err = sip.EventTimeout, sip.ErrTimeout
		s.counts.timeouts.Add(1)
	case a.has(fail) && isClient:
		ev.Kind = sip.EventFailure
		s.counts.failures.Add(1)
	case !a.has(pass):
	case isClient:
		ev.Kind = sip.EventResponse
		if m.response.Status.Final() {
			r.told = true
			r.settle()
		}
	case m.request.Method == sip.MethodCancel && !r.told:
		r.told = true
		ev.Kind = sip.EventCancel
	case m.request.Method == sip.MethodAck:
		ev.Kind, owner = sip.EventAck, s.table.Handler
	}
	if r.state == terminated {
		s.release(r)
	}
	if ev.Kind != 0 {
		s.deliver(owner, ev)
	}
}
