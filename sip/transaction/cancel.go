// The requests that the INVITE client transaction makes itself: CANCEL, and the ACK to a non-2xx. RFC 3261 §9.1, §17.1.1.3.

package transaction

import (
	"errors"
	"strings"

	"github.com/sipwerk/sipwerk/sip"
)

// errUnsent is the Err of the EventFailure of a transaction that was cancelled while its target was looked up.
var errUnsent = errors.New("transaction: cancelled before it was sent")

// Cancel implements [sip.Sender]. A transaction that has had its final response is not cancelled any more: ErrNoTransaction.
func (t *Table) Cancel(tx sip.TransactionID, reason string) error {
	s := t.stripeOf(tx)
	r := s.find(tx)
	if r == nil || r.kind != kindInviteClient || !r.open() {
		return sip.ErrNoTransaction
	}
	if !r.flags.has(settled) {
		r.flags |= settled
		s.beside(r).reason = strings.Clone(reason)
		// What could not be sent is told by an event.
		_ = s.advance(r, cancelled, &message{err: errUnsent})
	}
	return nil
}

// putCancel starts the transaction of the CANCEL. It shares the branch of its INVITE and the number of its row.
func (s *stripe) putCancel(r *row) {
	invite := &s.room.parsed
	if r.kept == 0 || invite.Parse(s.copies.bytes(r.kept)) != nil {
		return
	}
	via, _ := invite.Via()
	req := within(invite, sip.MethodCancel, via)
	req.Set(sip.HeaderTo, invite.Get(sip.HeaderTo))
	x := s.beside(r)
	if x.reason != "" {
		req.Set(sip.HeaderReason, x.reason)
	}
	b := req.AppendTo(s.out.Tail())
	c := s.begin(s.take(), s.name(), kindClient)
	c.method, c.path, c.nonce, c.flags = codeOf(sip.MethodCancel), r.path, r.nonce, bound
	x.cancel = c.id(s.number)
	s.joinFlow(c)
	// The INVITE's own timer sees to a CANCEL that got lost.
	_ = s.advance(c, request, &message{bytes: b, flow: s.flowOf(r)})
}

// putAck sends the ACK to a non-2xx and keeps it for copies of the response.
func (s *stripe) putAck(r *row, res *sip.Response) {
	invite := &s.room.parsed
	if r.kept == 0 || invite.Parse(s.copies.bytes(r.kept)) != nil {
		return
	}
	via, _ := invite.Via()
	b := s.ackBytes(invite, res, via)
	s.unkeep(r)
	if !r.reliable() {
		s.keep(r, b)
	}
	// A peer that misses it sends its response again.
	_ = s.send(s.flowOf(r), b)
}

// ackBytes prints the ACK to res, a non-2xx to invite.
func (s *stripe) ackBytes(invite *sip.Request, res *sip.Response, via sip.Via) []byte {
	req := within(invite, sip.MethodAck, via)
	req.Set(sip.HeaderTo, res.Get(sip.HeaderTo))
	return req.AppendTo(s.out.Tail())
}

// within makes a request that belongs to the transaction of invite: one Via, and what must be equal. To is left to the caller.
func within(invite *sip.Request, m sip.Method, via sip.Via) *sip.Request {
	req := sip.NewRequest(m, invite.URI)
	req.PrependVia(via)
	req.Set(sip.HeaderMaxForwards, "70")
	for v := range invite.Values(sip.HeaderRoute) {
		req.Add(sip.HeaderRoute, v)
	}
	cseq, _ := invite.CSeq()
	req.Set(sip.HeaderFrom, invite.Get(sip.HeaderFrom))
	req.Set(sip.HeaderCallID, invite.CallID())
	req.Set(sip.HeaderCSeq, sip.CSeq{Number: cseq.Number, Method: m}.String())
	return req
}
