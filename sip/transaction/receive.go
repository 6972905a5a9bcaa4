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
	via, err := p.Request.Via()
	if err != nil {
		return
	}
	key := s.matchKey(p.Request, via)
	r := s.index[key]
	switch {
	case p.Request.Method == sip.MethodAck:
		s.receiveAck(r, p)
	case p.Request.Method == sip.MethodCancel:
		s.receiveCancel(r, p, via)
	case r != nil:
		s.counts.copies.Add(1)
		s.advance(r, request, message{request: p.Request, flow: p.Flow})
	default:
		s.receiveNew(key, p, via)
	}
}

// receiveAck passes on the ACK to a 2xx and absorbs every other.
func (s *stripe) receiveAck(r *row, p *transport.Packet) {
	if r != nil {
		s.advance(r, acknowledge, message{request: p.Request, flow: p.Flow})
		return
	}
	// Only the ACK to a non-2xx has the branch of its INVITE, and so the tag that the INVITE was refused with.
	if p.Request.ToTag() == s.table.tag(&p.Request.Message) {
		s.counts.absorbed.Add(1)
		return
	}
	s.deliver(s.table.Handler, sip.Event{Kind: sip.EventAck, Request: p.Request, Flow: p.Flow})
}

// receiveCancel answers a CANCEL, each copy alike and so without a transaction, and tells the owner of the INVITE once. RFC 3261 §9.2.
func (s *stripe) receiveCancel(r *row, p *transport.Packet, via sip.Via) {
	status := sip.StatusOK
	if r == nil {
		status = sip.StatusCallDoesNotExist
	}
	s.answer(p, via, status)
	if r != nil && !r.told {
		s.advance(r, cancelled, message{request: p.Request, flow: p.Flow})
	}
}

// answer sends a response without a transaction.
func (s *stripe) answer(p *transport.Packet, via sip.Via, status sip.Status) {
	res := &s.room.reply
	res.ReplyTo(p.Request, status)
	s.sendAnswer(p, via, res)
}

// refuse answers a request that may be malformed, if it says where from it came.
func (s *stripe) refuse(p *transport.Packet, status sip.Status) {
	res := &s.room.reply
	res.RefuseTo(p.Request, status)
	if via, err := res.Via(); err == nil {
		s.sendAnswer(p, via, res)
	}
}

func (s *stripe) sendAnswer(p *transport.Packet, via sip.Via, res *sip.Response) {
	if res.Status == sip.StatusServiceUnavailable {
		res.Set(sip.HeaderRetryAfter, "5")
	}
	s.completeResponse(res, p.Flow)
	s.room.bytes = res.AppendTo(s.room.bytes[:0])
	// Without a transaction there is nobody to tell that it could not be sent.
	_ = s.sendBounded(transport.ResponseFlow(p.Flow, via), p.Size())
}

// amplification is how many times its bytes a stranger may get back over UDP: more would make us a weapon against whoever it says it is.
const amplification = 3

// sendBounded sends the response in the stripe's room to somebody who has not proved who it is, and whose request was of size bytes. RFC 3261 §26.1.5.
func (s *stripe) sendBounded(f sip.Flow, size int) error {
	if f.Transport == sip.UDP && size > 0 && len(s.room.bytes) > amplification*size {
		s.counts.withheld.Add(1)
		return nil
	}
	return s.send(f, s.room.bytes)
}

// receiveNew makes a server transaction.
func (s *stripe) receiveNew(key fingerprint, p *transport.Packet, via sip.Via) {
	req := p.Request
	k := kindServer
	if req.Method == sip.MethodInvite {
		k = kindInviteServer
	}
	merged := fingerprint{}
	if req.ToTag() == "" {
		merged = s.mergedKey(req)
		if s.index[merged] != nil {
			s.counts.merged.Add(1)
			s.answer(p, via, sip.StatusLoopDetected)
			return
		}
	}
	var r *row
	if !s.table.closed.Load() {
		r = s.take(k, s.table.Limits.Rows)
	}
	if r == nil {
		s.counts.overload.Add(1)
		s.answer(p, via, sip.StatusServiceUnavailable)
		return
	}
	s.counts.requests.Add(1)
	r.method, r.owner, r.flow = keptMethod(req.Method), s.table.Handler, transport.ResponseFlow(p.Flow, via)
	r.key, r.merged, r.size = key, merged, uint32(p.Size())
	if _, nonce, ok := parseBranch(via.Branch(), s.table.Node); ok {
		r.nonce = nonce
	}
	s.index[key] = r
	if merged != (fingerprint{}) {
		s.index[merged] = r
	}
	s.begin(r, p)
}

// begin gives a new request to the TU. What the TU leaves unanswered gets its 100 prepared, because the request is gone when that is due.
func (s *stripe) begin(r *row, p *transport.Packet) {
	tx := makeID(s.number, r)
	next, a := r.kind.step()(r.state, request)
	s.move(r, next)
	s.setTimers(r, a)
	ok := s.deliver(s.table.Handler, sip.Event{Kind: sip.EventRequest, Tx: tx, Request: p.Request, Flow: p.Flow})
	if r = s.find(tx); r == nil || !r.open() || r.answered {
		return
	}
	res := &s.room.reply
	if !ok {
		res.ReplyTo(p.Request, sip.StatusServerInternalError)
		// The transaction is there: it was just found.
		_ = s.respond(r, res)
		return
	}
	res.ReplyTo(p.Request, sip.StatusTrying)
	s.room.bytes = res.AppendTo(s.room.bytes[:0])
	s.keep(r, s.room.bytes)
}

// receiveResponse finds the client transaction that the branch names. RFC 3261 §17.1.3.
func (s *stripe) receiveResponse(p *transport.Packet) {
	res := p.Response
	via, err := res.Via()
	cseq, err2 := res.CSeq()
	if err != nil || err2 != nil {
		return
	}
	tx, nonce, _ := parseBranch(via.Branch(), s.table.Node)
	r := s.find(tx)
	if r != nil && cseq.Method == sip.MethodCancel && r.method != sip.MethodCancel {
		r = s.find(r.cancel)
	}
	if r == nil || !r.kind.client() || r.method != cseq.Method {
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
	if r.nonce != nonce {
		s.receiveSpent(r, nonce, e, p)
		return
	}
	s.counts.responses.Add(1)
	s.advance(r, e, message{response: res, flow: p.Flow})
}

// receiveSpent takes a late response from a target that was given up for the next one: a refusal of an INVITE is ACKed again, a 2xx goes
// to the TU like that of a fork.
func (s *stripe) receiveSpent(r *row, nonce uint64, e event, p *transport.Packet) {
	if r.route == nil || !slices.Contains(r.route.spent, nonce) || r.kind != kindInviteClient {
		s.counts.unmatched.Add(1)
		return
	}
	s.counts.responses.Add(1)
	switch e {
	case failure:
		via, _ := p.Response.Via()
		s.room.bytes = s.ackBytes(r.route.request, p.Response, via)
		// The peer sends its refusal again if this is lost.
		_ = s.send(p.Flow, s.room.bytes)
	case success:
		s.deliver(r.owner, sip.Event{Kind: sip.EventResponse, Tx: makeID(s.number, r), Response: p.Response, Flow: p.Flow})
	}
}

// flowLost breaks what waits on a lost flow. An INVITE that has heard a provisional response waits on, because the peer opens a new
// connection for the final one (RFC 3261 §18.2.2), unless its TU named the flow: such a peer cannot.
func (s *stripe) flowLost(f sip.Flow) {
	var waiting []sip.TransactionID
	for r := s.flows[f.ID]; r != nil; r = r.nextFlow {
		if r.open() && (r.bound || r.kind == kindClient || r.state == calling || r.state == callingCancelled) {
			waiting = append(waiting, makeID(s.number, r))
		}
	}
	for _, tx := range waiting {
		if r := s.find(tx); r != nil {
			s.advance(r, broken, message{flow: f, err: sip.ErrFlowLost})
		}
	}
}
