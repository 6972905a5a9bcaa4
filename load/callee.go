// The called side: it rings, answers at once, and watches that what the server brings is right. RFC 3261 §8.2, §12.1.1, §12.2.2, §13.3.1.

package load

import (
	"bytes"
	"hash/maphash"
	"strconv"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/transport"
)

// takeRequest answers a request that came to a port.
func (w *worker) takeRequest(o *port, m *transport.Packet) {
	now, req := w.now(), m.Request
	err := m.Err
	if err == nil {
		err = req.Validate()
	}
	if err != nil {
		w.blame(w.callOf(req), failure{fault: FaultInvalid, kind: kindOf(req.Method)}, now)
		w.reply.RefuseTo(req, sip.StatusOf(err))
		w.respond(o, m)
		return
	}
	switch {
	case req.Method == sip.MethodInvite && req.ToTag() == "":
		w.takeInvite(o, m, now)
	case req.Method == sip.MethodAck || req.Method == sip.MethodBye:
		w.takeWithin(o, m, now)
	case req.Method == sip.MethodMessage:
		if string(req.Body()) != text {
			w.blame(w.callOf(req), failure{fault: FaultBody, kind: kindMessage}, now)
		}
		w.answer(o, m, sip.StatusOK)
	case req.Method == sip.MethodOptions || req.Method == sip.MethodCancel:
		w.answer(o, m, sip.StatusOK)
	case req.Method == sip.MethodInvite:
		w.answer(o, m, sip.StatusNotAcceptableHere) // no call is changed here
	default:
		w.answer(o, m, sip.StatusNotImplemented)
	}
}

func kindOf(m sip.Method) kind {
	for k := range kinds {
		if k.method() == m {
			return k
		}
	}
	return kindInvite
}

// callOf returns the operation that a request belongs to, if the server left its Call-ID as it was, as a proxy must; 0 otherwise.
func (w *worker) callOf(req *sip.Request) uint64 {
	op := w.operationNamed(req.CallID())
	if op == nil {
		return 0
	}
	return uint64(op.generation)<<32 | uint64(op.slot)
}

// blame counts a fault that the called side found: with the operation if it is known, for itself otherwise. since is when what is at fault began.
func (w *worker) blame(call uint64, why failure, since time.Duration) {
	if op := w.operationAt(call); call != 0 && op != nil {
		if op.fault == FaultNone {
			op.fault = why.fault
		}
		return
	}
	w.tally.failed(why, since, w.now())
}

// answer sends a response without a body.
func (w *worker) answer(o *port, m *transport.Packet, s sip.Status) {
	w.reply.ReplyTo(m.Request, s)
	if m.Request.ToTag() == "" {
		w.reply.AddTag(sip.HeaderTo, w.name)
	}
	w.respond(o, m)
}

// respond sends w.reply where the request came from.
func (w *worker) respond(o *port, m *transport.Packet) {
	w.message = w.reply.AppendTo(w.message[:0])
	w.respondWith(o, m, w.message)
}

func (w *worker) respondWith(o *port, m *transport.Packet, b []byte) {
	via, err := m.Request.Via()
	if err != nil {
		return
	}
	// A connection that is gone has told so itself.
	_ = w.send(o, m.Out, transport.ResponseFlow(m.Flow, via), b)
}

// calleeContact is where requests within a call come to.
func calleeContact(f sip.Flow) string {
	host := f.Local.Addr().String()
	if f.Local.Addr().Is6() {
		host = "[" + host + "]"
	}
	u := contact(calleeUser, host, f.Transport)
	u.Port = f.Local.Port()
	return sip.Address{URI: u}.String()
}

// keyOf tells calls apart.
func (w *worker) keyOf(req *sip.Request) uint64 { return maphash.String(w.seed, req.CallID()) }

// tagOf is the To tag of a call: it follows from the key, so that copies get the same.
func (w *worker) tagOf(b []byte, key uint64) []byte {
	b = append(b, w.name...)
	b = append(b, '.')
	return strconv.AppendUint(b, key, 36)
}

// takeInvite answers a new call or a copy of its INVITE.
func (w *worker) takeInvite(o *port, m *transport.Packet, now time.Duration) {
	key := w.keyOf(m.Request)
	if i, known := w.legOf[key]; known {
		w.tally.add(now, repeated)
		w.applyLeg(i, legAgain, m.Out, now)
		return
	}
	if len(w.freeLegs) == 0 {
		w.answer(o, m, sip.StatusServiceUnavailable)
		return
	}
	i := w.freeLegs[len(w.freeLegs)-1]
	w.freeLegs = w.freeLegs[:len(w.freeLegs)-1]
	w.legOf[key] = i
	l := &w.legs[i]
	*l = leg{key: key, serial: l.serial, port: o, call: w.callOf(m.Request), answer: w.buffer(), began: now}
	w.inspectInvite(l, m.Request, now)
	via, err := m.Request.Via()
	if err != nil {
		return
	}
	l.flow = transport.ResponseFlow(m.Flow, via)
	w.compose(l, m.Request)
	w.applyLeg(i, legInvite, m.Out, now)
}

// inspectInvite notes what the answer to the caller is compared with, and checks the INVITE.
func (w *worker) inspectInvite(l *leg, req *sip.Request, now time.Duration) {
	routes := 1
	for range req.Values(sip.HeaderRecordRoute) {
		routes++
	}
	if op := w.operationAt(l.call); l.call != 0 && op != nil {
		op.routes = routes
	}
	if cseq, err := req.CSeq(); err == nil {
		l.cseq = cseq.Number
	}
	switch {
	case len(req.Body()) == 0:
		w.blame(l.call, failure{fault: FaultBody, kind: kindInvite}, now)
	case req.Has(sip.HeaderRoute):
		w.blame(l.call, failure{fault: FaultLeftRoute, kind: kindInvite}, now)
	}
}

// compose writes the 180 into w.message and the 200 into the leg.
func (w *worker) compose(l *leg, req *sip.Request) {
	r := &w.reply
	r.ReplyTo(req, sip.StatusRinging)
	w.scratch = w.tagOf(w.scratch[:0], l.key)
	r.AddTag(sip.HeaderTo, string(w.scratch))
	for value := range req.Values(sip.HeaderRecordRoute) {
		r.Add(sip.HeaderRecordRoute, value)
	}
	r.Add(sip.HeaderContact, l.port.contact)
	w.message = r.AppendTo(w.message[:0])
	r.Status = sip.StatusOK
	r.Add(sip.HeaderAllow, allowed)
	r.SetBody("application/sdp", offer)
	l.answer = r.AppendTo(l.answer[:0])
}

// takeWithin takes an ACK or a BYE.
func (w *worker) takeWithin(o *port, m *transport.Packet, now time.Duration) {
	req := m.Request
	bye := req.Method == sip.MethodBye
	key := w.keyOf(req)
	w.scratch = w.tagOf(w.scratch[:0], key)
	i, known := w.legOf[key]
	if req.ToTag() != string(w.scratch) {
		w.blame(w.callOf(req), failure{fault: FaultTag, kind: kindOf(req.Method)}, now)
		if bye {
			w.answer(o, m, sip.StatusCallDoesNotExist)
		}
		return
	}
	if known {
		w.inspectWithin(&w.legs[i], req, now)
		ev := legAck
		if bye {
			ev = legBye
		}
		w.applyLeg(i, ev, m.Out, now)
	} else {
		w.tally.add(now, repeated)
	}
	if bye {
		w.answer(o, m, sip.StatusOK)
	}
}

// inspectWithin checks a request within a call.
func (w *worker) inspectWithin(l *leg, req *sip.Request, now time.Duration) {
	cseq, err := req.CSeq()
	fault, bye := FaultNone, req.Method == sip.MethodBye
	switch {
	case err != nil, bye && cseq.Number <= l.cseq, !bye && cseq.Number != l.cseq: // RFC 3261 §12.2.1.1, §13.2.2.4
		fault = FaultCSeq
	case req.Has(sip.HeaderRoute):
		fault = FaultLeftRoute
	case req.URI.User != calleeUser || !bytes.HasPrefix(l.port.local, []byte(req.URI.Host)) || req.URI.Port != l.port.flow.Local.Port():
		fault = FaultTarget
	}
	if fault != FaultNone {
		w.blame(l.call, failure{fault: fault, kind: kindOf(req.Method)}, now)
	}
}

// applyLeg does what the machine of the leg says.
func (w *worker) applyLeg(i uint32, ev legEvent, out *transport.Outbox, now time.Duration) {
	l := &w.legs[i]
	next, do := l.phase.step(ev)
	l.phase = next
	if do&legRing != 0 {
		_ = w.send(l.port, out, l.flow, w.message)
	}
	if do&(legAnswer|legResend) != 0 {
		_ = w.send(l.port, out, l.flow, l.answer)
	}
	if do&legAnswer != 0 {
		l.serial++
		w.timers.start(0, alarm{at: now, slot: i, serial: l.serial, called: true})
	}
	if do&legMiss != 0 {
		w.blame(l.call, failure{fault: FaultNoAck, kind: kindInvite}, l.began)
	}
	if next == legFree {
		l.serial++
		delete(w.legOf, l.key)
		w.spare = append(w.spare, l.answer)
		l.answer = nil
		w.freeLegs = append(w.freeLegs, i)
	}
}

// fireLeg is the time to send the 200 again, or to give up.
func (w *worker) fireLeg(a alarm, now time.Duration) {
	l := &w.legs[a.slot]
	if l.serial != a.serial || l.phase == legTalking || l.phase == legFree {
		return
	}
	next, over := classAfter(l.class, now-l.began, t2)
	if over {
		w.applyLeg(a.slot, legTimeout, nil, now)
		return
	}
	l.class = next
	w.timers.start(next, alarm{at: now, slot: a.slot, serial: l.serial, called: true})
	if l.phase == legAnswered {
		w.tally.add(now, retransmitted)
	}
	w.applyLeg(a.slot, legTimer, nil, now)
}
