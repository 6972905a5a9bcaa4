// One transaction as the engine keeps it: a pooled row, its name, and the pages that rows live in.

package transaction

import (
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// kind says which machine moves a row.
type kind uint8

const (
	kindFree kind = iota
	kindInviteClient
	kindInviteServer
	kindClient
	kindServer
)

func (k kind) step() step {
	switch k {
	case kindInviteClient:
		return stepInviteClient
	case kindInviteServer:
		return stepInviteServer
	case kindClient:
		return stepClient
	}
	return stepServer
}

func (k kind) invite() bool { return k == kindInviteClient || k == kindInviteServer }
func (k kind) client() bool { return k == kindInviteClient || k == kindClient }

// row is a transaction. Only its stripe touches it.
type row struct {
	slot       uint32
	size       uint32 // server: bytes of the request
	generation uint32 // changes each time the slot is taken, so that old names are found out
	mark       uint32 // client: what our Via says to ourselves
	kind       kind
	state      state
	told       bool // client: the owner has had its final response; server: its EventCancel
	final      bool // client: no further target is tried, because the TU cancelled
	bound      bool // client: to the flow that the TU named
	answered   bool // server: something went out
	method     sip.Method
	owner      sip.EventHandler
	flow       sip.Flow
	sent       *buffer       // what is sent again, or what ACK and CANCEL are made of
	interval   time.Duration // of the timer that sends again
	again, end pending       // the timer that sends again or says 100, and the one that ends a state

	key, merged fingerprint // server: under which the index knows the row; zero is none

	nonce    uint64            // the random part of the branch: of our own (client), or of a request that came from ourselves (server)
	route    *route            // client: what the next target needs; nil if there is none
	cancel   sip.TransactionID // INVITE client: the CANCEL's row
	reason   string            // INVITE client: value of Reason in the CANCEL to come
	nextFlow *row              // client over a stream: neighbours on the same flow
	prevFlow *row
}

// pageRows is how many rows are made at once.
const pageRows = 64

// page is a block of rows; blocks never move, so that timers can point into them.
type page [pageRows]row

// The bits of a TransactionID: generation, stripe, slot.
const (
	slotBits   = 26
	stripeBits = 6
	maxSlots   = 1 << slotBits
)

func makeID(s sip.Stripe, r *row) sip.TransactionID {
	return sip.TransactionID(uint64(r.generation)<<32 | uint64(s)<<slotBits | uint64(r.slot))
}

func splitID(tx sip.TransactionID) (s sip.Stripe, slot, generation uint32) {
	return sip.Stripe(tx>>slotBits) & (1<<stripeBits - 1), uint32(tx) & (maxSlots - 1), uint32(tx >> 32)
}

// take returns a fresh row, or nil when the stripe holds limit rows.
func (s *stripe) take(k kind, limit int) *row {
	if s.live >= limit {
		return nil
	}
	if len(s.free) == 0 {
		s.grow()
	}
	r := s.free[len(s.free)-1]
	s.free = s.free[:len(s.free)-1]
	s.live++
	s.counts.rows.Store(int64(s.live))
	r.kind = k
	r.again.row, r.end.row = r, r
	s.counts.open.Add(1)
	return r
}

func (s *stripe) grow() {
	p := new(page)
	base := uint32(len(s.pages) * pageRows)
	s.pages = append(s.pages, p)
	for i := pageRows - 1; i >= 0; i-- {
		p[i].slot, p[i].generation = base+uint32(i), 1
		s.free = append(s.free, &p[i])
	}
}

// find returns the row called tx, or nil if it has ended.
func (s *stripe) find(tx sip.TransactionID) *row {
	_, slot, generation := splitID(tx)
	if int(slot) >= len(s.pages)*pageRows {
		return nil
	}
	r := &s.pages[slot/pageRows][slot%pageRows]
	if r.kind == kindFree || r.generation != generation {
		return nil
	}
	return r
}

// release ends a row: its name means nothing from now on.
func (s *stripe) release(r *row) {
	s.timers.stop(&r.again)
	s.timers.stop(&r.end)
	s.unkeep(r)
	s.leaveFlow(r)
	if r.key != (fingerprint{}) {
		delete(s.index, r.key)
	}
	if r.merged != (fingerprint{}) {
		delete(s.index, r.merged)
	}
	if r.cancel != 0 {
		if c := s.find(r.cancel); c != nil {
			s.move(c, terminated)
			s.release(c)
		}
	}
	slot, generation := r.slot, r.generation+1
	if generation == 0 {
		generation = 1
	}
	*r = row{slot: slot, generation: generation}
	s.free = append(s.free, r)
	s.live--
	s.counts.rows.Store(int64(s.live))
}

// joinFlow and leaveFlow keep the list of client rows that wait on a stream connection.
func (s *stripe) joinFlow(r *row) {
	if r.flow.ID == 0 {
		return
	}
	head := s.flows[r.flow.ID]
	r.nextFlow = head
	if head != nil {
		head.prevFlow = r
	}
	s.flows[r.flow.ID] = r
	s.counts.flows.Store(int64(len(s.flows)))
}

func (s *stripe) leaveFlow(r *row) {
	if r.flow.ID == 0 || !r.kind.client() {
		return
	}
	switch {
	case r.prevFlow != nil:
		r.prevFlow.nextFlow = r.nextFlow
	case s.flows[r.flow.ID] == r && r.nextFlow != nil:
		s.flows[r.flow.ID] = r.nextFlow
	case s.flows[r.flow.ID] == r:
		delete(s.flows, r.flow.ID)
		s.counts.flows.Store(int64(len(s.flows)))
	}
	if r.nextFlow != nil {
		r.nextFlow.prevFlow = r.prevFlow
	}
	r.nextFlow, r.prevFlow = nil, nil
}
