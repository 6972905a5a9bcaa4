// What the engine counts: for metrics, and for the audit at the end of a test.

package transaction

import "sync/atomic"

// counts are those of one stripe, so that stripes do not fight for a cache line.
type counts struct {
	rows, open, timers, queued, flows                       atomic.Int64
	requests, responses, copies, resent, timeouts, failures atomic.Uint64
	unmatched, merged, overload, dropped, panics, absorbed  atomic.Uint64
	withheld                                                atomic.Uint64
	_                                                       [7]uint64
}

// Stats are the sums over all stripes since Open.
type Stats struct {
	Requests  uint64 // new requests received
	Responses uint64 // responses that found their transaction
	Copies    uint64 // retransmitted requests absorbed
	Resent    uint64 // messages sent again
	Timeouts  uint64 // transactions that ended without what they waited for
	Failures  uint64 // client transactions that could not be sent anywhere
	Unmatched uint64 // responses without a transaction, dropped
	Absorbed  uint64 // ACKs to refusals that were sent without a transaction
	Withheld  uint64 // answers to strangers not sent, because they are so much longer than the request
	Merged    uint64 // requests that came by a second way: 482
	Overload  uint64 // requests refused because a stripe was full: 503
	Dropped   uint64 // packets dropped because a stripe's queue was full
	Panics    uint64 // panics of handlers
}

// Stats sums up. Any goroutine may call it.
func (t *Table) Stats() Stats {
	var sum Stats
	for i := range t.stripes {
		c := &t.stripes[i].counts
		sum.Requests += c.requests.Load()
		sum.Responses += c.responses.Load()
		sum.Copies += c.copies.Load()
		sum.Resent += c.resent.Load()
		sum.Timeouts += c.timeouts.Load()
		sum.Failures += c.failures.Load()
		sum.Unmatched += c.unmatched.Load()
		sum.Absorbed += c.absorbed.Load()
		sum.Withheld += c.withheld.Load()
		sum.Merged += c.merged.Load()
		sum.Overload += c.overload.Load()
		sum.Dropped += c.dropped.Load()
		sum.Panics += c.panics.Load()
	}
	return sum
}

// Audit is what is alive right now; a stack at rest has none of it.
type Audit struct {
	Rows   int // transactions, those that only wait for late copies included
	Open   int // transactions without a final response
	Timers int // functions ordered with After
	Queued int // jobs that wait for a stripe
}

// Audit counts. Any goroutine may call it.
func (t *Table) Audit() Audit {
	var sum Audit
	for i := range t.stripes {
		c := &t.stripes[i].counts
		sum.Rows += int(c.rows.Load())
		sum.Open += int(c.open.Load())
		sum.Timers += int(c.timers.Load())
		sum.Queued += int(c.queued.Load())
	}
	return sum
}
