// Orders to server transactions. RFC 3261 §8.2.6, §8.2.7, §17.2; RFC 4320 §4.

package transaction

import (
	"bytes"
	"errors"
	"strings"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/transport"
)

// server returns the open or accepted server transaction called tx.
func (s *stripe) server(tx sip.TransactionID) *row {
	if s.arriving(tx) {
		return s.admit()
	}
	r := s.find(tx)
	if r == nil || r.kind.client() || !r.open() && r.state != accepted {
		return nil
	}
	return r
}

func (t *Table) stripeOf(tx sip.TransactionID) *stripe {
	n, _, _ := splitID(tx)
	return &t.stripes[n]
}

// Respond implements [sip.Sender]. What it adds and the Via that it takes off stay so in res.
func (t *Table) Respond(tx sip.TransactionID, res *sip.Response) error {
	s := t.stripeOf(tx)
	r := s.server(tx)
	if r == nil || r.state == accepted && !res.Status.Success() {
		return sip.ErrNoTransaction
	}
	return s.respond(r, res)
}

func (s *stripe) respond(r *row, res *sip.Response) error {
	if r.kind == kindServer && (res.Status.Provisional() || res.Status == sip.StatusRequestTimeout) {
		// RFC 4320 §4.1: no provisional but 100, and that when it is due, not when the TU likes. RFC 4320 §4.2: no 408, the client knows.
		if res.Status.Final() {
			s.forget(r)
		}
		return nil
	}
	flow := s.table.zones.flow(&r.path)
	if !s.takeBack(res, r.nonce) && res.Status != sip.StatusTrying {
		s.completeResponse(res, r.key, &flow)
	}
	e := failure
	switch {
	case res.Status.Provisional():
		e = provisional
	case res.Status.Success():
		e = success
	}
	if invites(res.Status) {
		s.unmerge(r)
	}
	return s.advance(r, e, &message{response: res, flow: flow, bytes: res.AppendTo(s.out.Tail())})
}

// takeBack takes our Via off a response that a proxy forwards: one that came for a branch of ours. The Via of the request is ours too if that came from
// ourselves: it has the nonce of the request, and stays. RFC 3261 §16.7 step 3.
func (s *stripe) takeBack(res *sip.Response, requested uint64) bool {
	if !strings.Contains(res.Get(sip.HeaderVia), s.table.branchStart) {
		return false
	}
	via, err := res.Via()
	if err != nil {
		return false
	}
	_, nonce, ok := parseBranch(via.Branch(), s.table.Node)
	if !ok || nonce == requested {
		return false
	}
	res.PopFirst(sip.HeaderVia)
	return true
}

// invites reports whether the client is asked to come again: with credentials, or by another way (RFC 3263 §4.3). Not every client then counts CSeq up.
func invites(status sip.Status) bool {
	return status == sip.StatusUnauthorized || status == sip.StatusProxyAuthRequired || status == sip.StatusServiceUnavailable
}

// reopen sends a response whose connection is gone over a new one. RFC 3261 §18.2.2. It reports whether that is possible.
func (s *stripe) reopen(r *row, m *message, lost error) bool {
	via, err := m.response.Via()
	if err != nil || !errors.Is(lost, sip.ErrFlowLost) || m.flow.Transport != sip.TCP && m.flow.Transport != sip.TLS {
		return false
	}
	target, b, tx := transport.ResponseTarget(m.flow, via), bytes.Clone(m.bytes), r.id(s.number)
	target.Host = strings.Clone(target.Host)
	s.table.elsewhere(func() {
		ctx, cancel := s.table.connectContext()
		defer cancel()
		flow, err := s.table.Wire.Connect(ctx, target)
		if err != nil {
			return
		}
		s.spawn(job{run: func() {
			if r := s.find(tx); r != nil {
				s.table.zones.pack(&r.path, &flow)
			}
			// It was lost once and is lost again: the client's timers are there for that.
			_ = s.send(flow, b)
		}})
	})
	return true
}

// RespondOnce implements [sip.Sender].
func (t *Table) RespondOnce(tx sip.TransactionID, res *sip.Response) error {
	s := t.stripeOf(tx)
	if a := &s.arrival; s.arriving(tx) {
		a.tx = 0
		return s.respondOnce(res, a.key, a.nonce, &a.flow, a.packet.Size())
	}
	r := s.server(tx)
	if r == nil || !r.open() {
		return sip.ErrNoTransaction
	}
	flow, key, nonce, size := s.table.zones.flow(&r.path), r.key, r.nonce, int(r.path.size)
	s.forget(r)
	return s.respondOnce(res, key, nonce, &flow, size)
}

func (s *stripe) respondOnce(res *sip.Response, key fingerprint, nonce uint64, flow *sip.Flow, size int) error {
	if !s.takeBack(res, nonce) {
		s.completeResponse(res, key, flow)
	}
	return s.sendBounded(flow, res, size)
}

// forget frees a row without a word.
func (s *stripe) forget(r *row) {
	s.move(r, terminated)
	s.release(r)
}

// Own implements [sip.Sender].
func (t *Table) Own(tx sip.TransactionID, h sip.EventHandler) error {
	s := t.stripeOf(tx)
	r := s.find(tx)
	if r == nil || !r.kind.client() {
		if r = s.server(tx); r == nil {
			return sip.ErrNoTransaction
		}
	}
	if !r.kind.client() || r.extra != 0 { // a client without it has told everything
		s.beside(r).owner = h
	}
	return nil
}

// ownerOf returns who is told of r; nil is nobody.
func (s *stripe) ownerOf(r *row) sip.EventHandler {
	if r.extra != 0 {
		if owner := s.extras.at(r.extra - 1).owner; owner != nil {
			return owner
		}
	}
	if r.kind.client() {
		return nil
	}
	return s.table.Handler
}

// routeOf returns what the next target of r needs; nil if there is none.
func (s *stripe) routeOf(r *row) *route {
	if r.extra == 0 {
		return nil
	}
	return s.extras.at(r.extra - 1).route
}
