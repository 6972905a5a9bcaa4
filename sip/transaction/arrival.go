// A new request on its way to the TU: it costs nothing but its name until the TU wants a transaction. RFC 3261 §8.2.7, §17.2.

package transaction

import (
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/transport"
)

// arrival is the request that the TU is being given. It has a name, and becomes a row of that name when the TU answers it with Respond, takes it with Own, or
// leaves it open.
type arrival struct {
	tx     sip.TransactionID // 0: there is none, or it was answered without a row
	slot   uint32            // 1 + the number that waits for the next row; 0: none
	row    bool              // it has become a row
	packet *transport.Packet
	flow   sip.Flow // on which it is answered
	key    fingerprint
	nonce  uint64 // of a request that came from ourselves
}

// receiveNew gives a new request to the TU.
func (s *stripe) receiveNew(key fingerprint, p *transport.Packet, via *sip.Via) {
	if !s.admits(p) {
		s.answer(p, key, via, sip.StatusServiceUnavailable)
		return
	}
	if s.merges > 0 && p.Request.ToTag() == "" && s.index.find(s.mergedKey(p.Request), &s.slab) != nil {
		s.counts.merged.Add(1)
		s.answer(p, key, via, sip.StatusLoopDetected)
		return
	}
	if s.live >= s.table.Limits.Rows || s.table.closed.Load() {
		s.counts.overload.Add(1)
		s.answer(p, key, via, sip.StatusServiceUnavailable)
		return
	}
	s.counts.requests.Add(1)
	a := &s.arrival
	if a.slot == 0 {
		a.slot = s.take() + 1
	}
	a.tx, a.row, a.packet, a.key, a.nonce = makeID(s.number, a.slot-1, s.name()), false, p, key, 0
	a.flow = transport.ResponseFlow(p.Flow, *via)
	if _, nonce, ok := parseBranch(via.Branch(), s.table.Node); ok {
		a.nonce = nonce
	}
	if h := s.table.Handler; h != nil {
		ev := s.event(h)
		ev.Kind, ev.Tx, ev.Request, ev.Flow = sip.EventRequest, a.tx, p.Request, p.Flow
		s.deliver(h)
	}
	if a.tx != 0 {
		s.leaveOpen(sip.StatusTrying)
	}
}

// admit makes the request that is arriving a row.
func (s *stripe) admit() *row {
	a, k, req := &s.arrival, kindServer, s.arrival.packet.Request
	if req.Method == sip.MethodInvite {
		k = kindInviteServer
	}
	_, slot, generation := splitID(a.tx)
	r := s.begin(slot, generation, k)
	a.slot, a.row = 0, true
	r.method, r.key, r.nonce = codeOf(req.Method), a.key, a.nonce
	s.table.zones.pack(&r.path, &a.flow)
	r.path.size = uint16(min(a.packet.Size(), 1<<16-1))
	s.index.add(r.key, slot)
	if req.ToTag() == "" {
		r.merged = s.mergedKey(req)
		s.index.add(r.merged, slot)
		s.merges++
	}
	next, actions := k.step(r.state, request)
	s.move(r, next)
	s.setTimers(r, actions)
	return r
}

// leaveOpen prepares the 100 of a request that the TU left unanswered, because the request is gone when that is due; any other status goes out.
func (s *stripe) leaveOpen(status sip.Status) {
	a, p := &s.arrival, s.arrival.packet
	tx := a.tx
	if !a.row {
		s.admit()
	}
	a.tx, a.packet = 0, nil
	r := s.find(tx)
	if r == nil || !r.open() || r.flags.has(answered) {
		return
	}
	res := &s.room.reply
	res.ReplyTo(p.Request, status)
	if status.Final() {
		// The transaction is there: it was just found.
		_ = s.respond(r, res)
		return
	}
	s.room.bytes = res.AppendTo(s.room.bytes[:0])
	s.keep(r, s.room.bytes)
}

// arriving reports whether tx is the request that the TU is being given, which has no row yet.
func (s *stripe) arriving(tx sip.TransactionID) bool {
	return tx != 0 && s.arrival.tx == tx && !s.arrival.row
}
