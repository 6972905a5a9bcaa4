// What arrives: requests and responses find their transaction. RFC 3261 §17.1.3, §17.2.3, §8.2.2.2, §9.2.

package transaction

import (
	"slices"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/transport"
)

func (s *stripe) receive(p *transport.Packet) {
	if p.Response != nil {
		s.receiveResponse(p)
		return
	}
	via := &p.Via
	if via.Host == "" {
		return
	}
	key := s.matchKey(p.Request, via)
	r := s.index.find(key, &s.slab)
	switch {
	case p.Request.Method == sip.MethodAck:
		s.receiveAck(r, key, p)
	case p.Request.Method == sip.MethodCancel:
		s.receiveCancel(r, key, p, via)
	case r != nil:
		s.counts.copies.Add(1)
		// What could not be sent is told by an event.
		_ = s.advance(r, request, &message{request: p.Request, flow: p.Flow})
	default:
		s.receiveNew(key, p, via)
	}
}

// receiveAck passes on the ACK to a 2xx and absorbs every other.
func (s *stripe) receiveAck(r *row, key fingerprint, p *transport.Packet) {
	if r != nil {
		_ = s.advance(r, acknowledge, &message{request: p.Request, flow: p.Flow})
		return
	}
	if s.saidOnce(p.Request.ToTag(), key) {
		s.counts.absorbed.Add(1)
		return
	}
	if h := s.table.Handler; h != nil {
		ev := s.event(h)
		ev.Kind, ev.Request, ev.Flow = sip.EventAck, p.Request, p.Flow
		s.deliver(h)
	}
}

// saidOnce reports whether an ACK has the tag of an answer of which nothing was kept: only the ACK to a non-2xx has the branch of its INVITE, and so this tag.
func (s *stripe) saidOnce(tag string, key fingerprint) bool {
	number, ours := s.table.ours(tag)
	return ours && number == s.number && (s.table.made(&s.room.via, tag, forTag, number, key) || s.table.made(&s.room.via, tag, forRefusal, number, key))
}

// made reports whether appendTag made a tag, with room to try it in.
func (t *Table) made(room *[]byte, tag string, purpose byte, n sip.Stripe, key fingerprint) bool {
	*room = t.appendTag((*room)[:0], purpose, n, key)
	return tag == string(*room)
}

// receiveCancel answers a CANCEL, each copy alike and so without a transaction, and tells the owner of the INVITE once. RFC 3261 §9.2.
func (s *stripe) receiveCancel(r *row, key fingerprint, p *transport.Packet, via *sip.Via) {
	status := sip.StatusOK
	if r == nil {
		status = sip.StatusCallDoesNotExist
	}
	s.answer(p, key, via, status)
	if r != nil && !r.flags.has(informed) {
		_ = s.advance(r, cancelled, &message{request: p.Request, flow: p.Flow})
	}
}

// answer sends a response without a transaction.
func (s *stripe) answer(p *transport.Packet, key fingerprint, via *sip.Via, status sip.Status) {
	res := &s.room.reply
	res.ReplyTo(p.Request, status)
	s.sendAnswer(p, key, via, res)
}

// refuse answers a request that may be malformed, if it says where from it came.
func (s *stripe) refuse(p *transport.Packet, status sip.Status) {
	res := &s.room.reply
	res.RefuseTo(p.Request, status)
	if via, err := res.Via(); err == nil {
		s.sendAnswer(p, s.matchKey(p.Request, &via), &via, res)
	}
}

func (s *stripe) sendAnswer(p *transport.Packet, key fingerprint, via *sip.Via, res *sip.Response) {
	if res.Status == sip.StatusServiceUnavailable {
		s.completeTag(res, key, forRefusal)
		res.Set(sip.HeaderRetryAfter, string(rune(retryAfter(key))))
	}
	flow := transport.ResponseFlow(p.Flow, *via)
	s.completeResponse(res, key, &flow)
	// Without a transaction there is nobody to tell that it could not be sent.
	_ = s.sendBounded(&flow, res, p.Size())
}

// amplification is how many times its bytes a stranger may get back over UDP: more would make us a weapon against whoever it says it is.
const amplification = 3

// sendBounded sends a response to somebody who has not proved who it is, and whose request was of size bytes. RFC 3261 §26.1.5.
func (s *stripe) sendBounded(f *sip.Flow, res *sip.Response, size int) error {
	return s.sendBytes(f, res.AppendTo(s.out.Tail()), size)
}

func (s *stripe) sendBytes(f *sip.Flow, b []byte, size int) error {
	if f.Transport == sip.UDP && size > 0 && len(b) > amplification*size {
		s.counts.withheld.Add(1)
		return nil
	}
	return s.send(*f, b)
}

// receiveResponse finds the client transaction that the branch names. RFC 3261 §17.1.3.
func (s *stripe) receiveResponse(p *transport.Packet) {
	res := p.Response
	cseq, err := res.CSeq()
	if err != nil {
		return
	}
	r, code := s.find(s.job.tx), codeOf(cseq.Method)
	if r != nil && cseq.Method == sip.MethodCancel && r.method != code && r.extra != 0 {
		r = s.find(s.beside(r).cancel)
	}
	if r == nil || !r.kind.client() || r.method != code {
		s.counts.unmatched.Add(1)
		return
	}
	e := failure
	switch {
	case res.Status.Provisional():
		e = provisional
	case res.Status.Success():
		e = success
	}
	if r.nonce != s.job.nonce {
		s.receiveSpent(r, e, p)
		return
	}
	s.counts.responses.Add(1)
	s.hear(p)
	_ = s.advance(r, e, &message{response: res, flow: p.Flow})
}

// receiveSpent takes a late response from a target that was given up for the next one: a refusal of an INVITE is ACKed again, a 2xx goes
// to the TU like that of a fork.
func (s *stripe) receiveSpent(r *row, e event, p *transport.Packet) {
	route := s.routeOf(r)
	if route == nil || !slices.Contains(route.spent, s.job.nonce) || r.kind != kindInviteClient {
		s.counts.unmatched.Add(1)
		return
	}
	s.counts.responses.Add(1)
	switch e {
	case failure:
		// The peer sends its refusal again if this is lost.
		_ = s.send(p.Flow, s.ackBytes(route.request, p.Response, p.Via))
	case success:
		if owner := s.ownerOf(r); owner != nil {
			ev := s.event(owner)
			ev.Kind, ev.Tx, ev.Response, ev.Flow = sip.EventResponse, r.id(s.number), p.Response, p.Flow
			s.deliver(owner)
		}
	}
}

// flowLost breaks what waits on a lost flow. An INVITE that has heard a provisional response waits on, because the peer opens a new
// connection for the final one (RFC 3261 §18.2.2), unless its TU named the flow: such a peer cannot.
func (s *stripe) flowLost(f sip.Flow) {
	var waiting []sip.TransactionID
	for n := s.flows[f.ID]; n != 0; {
		r := s.at(n - 1)
		if r.open() && (r.flags.has(bound) || r.kind == kindClient || r.state == calling || r.state == callingCancelled) {
			waiting = append(waiting, r.id(s.number))
		}
		n = s.beside(r).nextFlow
	}
	for _, tx := range waiting {
		if r := s.find(tx); r != nil {
			_ = s.advance(r, broken, &message{flow: f, err: sip.ErrFlowLost})
		}
	}
}
