// One transaction as the engine keeps it: a row without pointers, its name, and what only some rows need beside it.

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

func (k kind) step(s state, e event) (state, actions) {
	switch k {
	case kindInviteClient:
		return stepInviteClient(s, e)
	case kindInviteServer:
		return stepInviteServer(s, e)
	case kindClient:
		return stepClient(s, e)
	}
	return stepServer(s, e)
}

func (k kind) invite() bool { return k == kindInviteClient || k == kindInviteServer }
func (k kind) client() bool { return k == kindInviteClient || k == kindClient }

// flags of a row.
type flags uint8

const (
	informed flags = 1 << iota // client: the owner has had its final response; server: its EventCancel
	settled                    // client: no further target is tried, because the TU cancelled
	bound                      // client: to the flow that the TU named
	answered                   // server: something went out

	roundShift = iota // above them: how often the timer that sends again was started anew
	maxRounds  = 1<<(8-roundShift) - 1
)

func (f flags) has(g flags) bool { return f&g != 0 }

func (f flags) rounds() int { return int(f >> roundShift) }

func (f flags) withRounds(n int) flags {
	return f&(1<<roundShift-1) | flags(min(n, maxRounds))<<roundShift
}

// row is a transaction. Only its stripe touches it. It fits two lines of the processor's cache and holds nothing that the collector must look at, because the
// many that only wait for late copies lie here for 32 seconds.
type row struct {
	generation uint32 // changes each time the number is taken, so that old names are found out
	kind       kind
	state      state
	flags      flags
	method     methodCode
	links              // its timers and its number
	kept       copyRef // what is sent again, or what ACK and CANCEL are made of
	extra      uint32  // 1 + the number of its extra; 0: none
	path       path    // where it sends
	nonce      uint64  // the random part of the branch: of our own (client), or of a request that came from ourselves (server)

	key, merged fingerprint // server: under which the index knows the row; zero is none
}

// extra is what a row needs while somebody waits for it.
type extra struct {
	owner    sip.EventHandler  // of a server: nil is the table's handler
	route    *route            // client: what the next target needs; nil if there is none
	cancel   sip.TransactionID // INVITE client: the CANCEL's row
	mark     uint32            // client: what our Via says to ourselves
	reason   string            // INVITE client: value of Reason in the CANCEL to come
	nextFlow uint32            // client over a stream: 1 + the numbers of its neighbours on the same flow
	prevFlow uint32
}

// methodCode stands for a method in a row: each known one has its own.
type methodCode uint8

// codeOf returns the code of m. Unknown methods share a few: they only keep a response from another transaction's method apart.
func codeOf(m sip.Method) methodCode {
	for i, known := range [...]sip.Method{sip.MethodInvite, sip.MethodBye, sip.MethodCancel, sip.MethodRegister, sip.MethodOptions, sip.MethodMessage,
		sip.MethodAck, sip.MethodPrack, sip.MethodUpdate, sip.MethodInfo, sip.MethodRefer, sip.MethodSubscribe, sip.MethodNotify, sip.MethodPublish} {
		if m == known {
			return methodCode(i + 1)
		}
	}
	code := methodCode(0)
	for i := range len(m) {
		code = code*31 + methodCode(m[i])
	}
	return code | 1<<7
}

// The bits of a TransactionID: generation, stripe, number of the row.
const (
	slotBits   = 26
	stripeBits = 6
	maxSlots   = 1 << slotBits
)

func makeID(s sip.Stripe, slot, generation uint32) sip.TransactionID {
	return sip.TransactionID(uint64(generation)<<32 | uint64(s)<<slotBits | uint64(slot))
}

func (r *row) id(s sip.Stripe) sip.TransactionID { return makeID(s, r.slot, r.generation) }

func splitID(tx sip.TransactionID) (s sip.Stripe, slot, generation uint32) {
	return sip.Stripe(tx>>slotBits) & (1<<stripeBits - 1), uint32(tx) & (maxSlots - 1), uint32(tx >> 32)
}

// rows are the transactions of a stripe.
type rows struct {
	slab[row]
	extras     slab[extra]
	copies     store
	index      index             // server rows, by match and by merge
	flows      map[uint64]uint32 // client rows on a stream, by its number: 1 + the first
	live       int
	merges     int // rows with a merged fingerprint
	generation uint32
	since      time.Duration // when the first of those that live now began
}

// restAfter is how long rows must have lived before the last of them takes all pages along. Where they come and go one by one, as over connections, pages would be made for each.
const restAfter = 5 * time.Second

// name returns the next generation: of the row or request that is about to be named.
func (s *rows) name() uint32 {
	if s.generation++; s.generation == 0 {
		s.generation = 1
	}
	return s.generation
}

// begin makes a number that was taken a transaction.
func (s *stripe) begin(slot uint32, generation uint32, k kind) *row {
	r := s.at(slot)
	r.slot, r.generation, r.kind = slot, generation, k
	if s.live == 0 {
		s.since = s.now
	}
	s.live++
	s.counts.rows.Add(1)
	s.counts.open.Add(1)
	return r
}

// find returns the row called tx, or nil if it has ended.
func (s *stripe) find(tx sip.TransactionID) *row {
	_, slot, generation := splitID(tx)
	r := s.slab.find(slot)
	if r == nil || r.kind == kindFree || r.generation != generation {
		return nil
	}
	return r
}

// beside returns the extra of r, and makes it.
func (s *stripe) beside(r *row) *extra {
	if r.extra == 0 {
		r.extra = s.extras.take() + 1
	}
	return s.extras.at(r.extra - 1)
}

// release ends a row: its name means nothing from now on.
func (s *stripe) release(r *row) {
	s.timers.stop(&r.links, again)
	s.timers.stop(&r.links, ending)
	s.unkeep(r)
	if r.key != 0 {
		s.index.remove(r.key, r.slot)
	}
	s.unmerge(r)
	if r.extra != 0 {
		if c := s.find(s.beside(r).cancel); c != nil {
			s.forget(c)
		}
		s.unburden(r)
	}
	s.live--
	s.counts.rows.Add(-1)
	s.slab.put(r.slot)
	if s.live == 0 && s.now-s.since >= restAfter {
		s.slab.rest()
		s.extras.rest()
		s.copies.rest()
	}
}

// unmerge lets a copy of the request of r that comes by a second way begin anew.
func (s *stripe) unmerge(r *row) {
	if r.merged != 0 {
		s.index.remove(r.merged, r.slot)
		s.merges--
		r.merged = 0
	}
}

// unburden drops the extra of r.
func (s *stripe) unburden(r *row) {
	s.leaveFlow(r)
	s.extras.put(r.extra - 1)
	r.extra = 0
}

// joinFlow and leaveFlow keep the list of client rows that wait on a stream connection.
func (s *stripe) joinFlow(r *row) {
	if r.path.id == 0 {
		return
	}
	head := s.flows[r.path.id]
	s.beside(r).nextFlow = head
	if head != 0 {
		s.beside(s.at(head - 1)).prevFlow = r.slot + 1
	}
	s.flows[r.path.id] = r.slot + 1
	s.counts.flows.Store(int64(len(s.flows)))
}

func (s *stripe) leaveFlow(r *row) {
	if r.path.id == 0 || !r.kind.client() || r.extra == 0 {
		return
	}
	x := s.beside(r)
	switch {
	case x.prevFlow != 0:
		s.beside(s.at(x.prevFlow - 1)).nextFlow = x.nextFlow
	case s.flows[r.path.id] == r.slot+1 && x.nextFlow != 0:
		s.flows[r.path.id] = x.nextFlow
	case s.flows[r.path.id] == r.slot+1:
		delete(s.flows, r.path.id)
		s.counts.flows.Store(int64(len(s.flows)))
	}
	if x.nextFlow != 0 {
		s.beside(s.at(x.nextFlow - 1)).prevFlow = x.prevFlow
	}
	x.nextFlow, x.prevFlow = 0, 0
}
