// Figures for metrics, and for the audit at the end of a test.

package stack

import (
	"sync/atomic"

	"github.com/sipwerk/sipwerk/sip/transaction"
)

// counts are the stack's own.
type counts struct {
	malformed, late atomic.Uint64
	sent            atomic.Uint64 // requests to which Send gave a Call-ID: they go through the stripes in turn
}

// Stats are counters that only grow. Those of the transports are in [transport.Layer].Stats.
type Stats struct {
	transaction.Stats
	Malformed uint64 // messages that parsed and failed the checks; those that did not parse are counted in [transport.Stats]
	Late      uint64 // 2xx to an INVITE of Send that came late and were hung up
	Refused   uint64 // new requests refused with 503 because they had waited too long
	Held      uint64 // requests not sent because a neighbour had asked to be spared
}

// Stats returns the figures of now. Any goroutine may call it.
func (s *Stack) Stats() Stats {
	// What went wrong at the start is told by Listen.
	_ = s.begin()
	return Stats{
		Stats: s.table.Stats(), Malformed: s.counts.malformed.Load(), Late: s.counts.late.Load(),
		Refused: s.load.Refused(), Held: s.load.Held(),
	}
}

// Audit counts what is alive in the transaction layer; a stack at rest has none of it.
func (s *Stack) Audit() transaction.Audit { return s.table.Audit() }
