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
func (t *Table) server(tx sip.TransactionID) (*stripe, *row) {
	n, _, _ := splitID(tx)
	s := &t.stripes[n]
	r := s.find(tx)
	if r == nil || r.kind.client() || !r.open() && r.state != accepted {
		return s, nil
	}
	return s, r
}

// Respond implements [sip.Sender]. What it adds and the Via that it takes off stay so in res.
func (t *Table) Respond(tx sip.TransactionID, res *sip.Response) error {
	s, r := t.server(tx)
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
	if !s.takeBack(r, res) && res.Status != sip.StatusTrying {
		s.completeResponse(res, r.flow)
	}
	s.room.bytes = res.AppendTo(s.room.bytes[:0])
	e := failure
	switch {
	case res.Status.Provisional():
		e = provisional
	case res.Status.Success():
		e = success
	}
	if invites(res.Status) && r.merged != (fingerprint{}) {
		delete(s.index, r.merged)
		r.merged = fingerprint{}
	}
	return s.advance(r, e, message{response: res, bytes: s.room.bytes})
}

// takeBack takes our Via off a response that a proxy forwards: one that came for a branch of ours. The Via of the request of r is ours too if that came from
// ourselves, and stays. RFC 3261 §16.7 step 3.
func (s *stripe) takeBack(r *row, res *sip.Response) bool {
	via, err := res.Via()
	if err != nil {
		return false
	}
	_, nonce, ok := parseBranch(via.Branch(), s.table.Node)
	if !ok || nonce == r.nonce {
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
func (s *stripe) reopen(r *row, m message, lost error) bool {
	via, err := m.response.Via()
	if err != nil || !errors.Is(lost, sip.ErrFlowLost) || r.flow.Transport != sip.TCP && r.flow.Transport != sip.TLS {
		return false
	}
	target, b, tx := transport.ResponseTarget(r.flow, via), bytes.Clone(m.bytes), makeID(s.number, r)
	target.Host = strings.Clone(target.Host)
	s.table.running.Go(func() {
		ctx, cancel := s.table.connectContext()
		defer cancel()
		flow, err := s.table.Wire.Connect(ctx, target)
		if err != nil {
			return
		}
		s.spawn(job{run: func() {
			if r := s.find(tx); r != nil {
				r.flow = flow
			}
			// It was lost once and is lost again: the client's timers are there for that.
			_ = s.send(flow, b)
		}})
	})
	return true
}

// RespondOnce implements [sip.Sender].
func (t *Table) RespondOnce(tx sip.TransactionID, res *sip.Response) error {
	s, r := t.server(tx)
	if r == nil || !r.open() {
		return sip.ErrNoTransaction
	}
	flow, size := r.flow, int(r.size)
	if !s.takeBack(r, res) {
		s.completeResponse(res, flow)
	}
	s.forget(r)
	s.room.bytes = res.AppendTo(s.room.bytes[:0])
	return s.sendBounded(flow, size)
}

// forget frees an open row without a word.
func (s *stripe) forget(r *row) {
	s.move(r, terminated)
	s.release(r)
}

// Own implements [sip.Sender].
func (t *Table) Own(tx sip.TransactionID, h sip.EventHandler) error {
	n, _, _ := splitID(tx)
	r := t.stripes[n].find(tx)
	if r == nil || !r.kind.client() && !r.open() && r.state != accepted {
		return sip.ErrNoTransaction
	}
	r.owner = h
	return nil
}
