// The flow that never leaves the process: what is sent over it arrives here, in order, and nothing else does. It is the way to the parts of a server that are
// user agents themselves.

package transport

import (
	"net/netip"
	"sync"

	"github.com/sipwerk/sipwerk/sip"
)

// insideHost is what stands in Via and Contact of what goes by it: nobody can send there. RFC 2606 §2.
const insideHost = "inside.invalid"

// Inside returns the flow that never leaves the process. A message has it only if this layer has sent it: no listener and no URI leads to it.
func Inside() sip.Flow {
	here := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 0)
	return sip.Flow{Transport: sip.Inside, Local: here, Remote: here}
}

// inside holds what was sent and has not arrived. Its reader is a goroutine that exists only while there is something to read.
type inside struct {
	mu      sync.Mutex // guards all below
	bytes   []byte     // the messages, one behind the other
	ends    []int      // where each ends
	reading bool
	spare   []byte // of the batch before
	places  []int  // the same
}

// collectInside takes a message for the flow inside. No more than Limits.Queue may wait: whoever sends more has an answer coming that it does not take.
func (l *Layer) collectInside(out *Outbox, f sip.Flow, b []byte) error {
	if f != Inside() || l.ctx.Err() != nil {
		return sip.ErrFlowLost
	}
	q := &l.inside
	q.mu.Lock()
	full := len(q.bytes)+len(b) > l.Limits.Queue
	q.mu.Unlock()
	if full {
		l.Stats.Overflow.Add(1)
		return sip.ErrOverload
	}
	out.strays = append(out.strays, stray{flow: f, inside: true, bytes: out.hold(b)})
	return nil
}

// flushInside lets a message arrive.
func (l *Layer) flushInside(b []byte) {
	l.Stats.Sent[sip.Inside].Add(1)
	q := &l.inside
	q.mu.Lock()
	defer q.mu.Unlock()
	q.bytes = append(q.bytes, b...)
	q.ends = append(q.ends, len(q.bytes))
	if !q.reading {
		q.reading = true
		l.inTurn(l.readInside)
	}
}

// readInside delivers until nothing waits.
func (l *Layer) readInside() {
	out := l.outbox(nil, nil)
	p := l.packet(nil, out)
	defer func() {
		l.giveBack(p)
		l.pools.outboxes.Put(out)
	}()
	for {
		batch, ends := l.inside.next()
		if len(ends) == 0 {
			return
		}
		start := 0
		for _, end := range ends {
			p.Out = out
			l.take(p, Inside(), batch[start:end:end], nil)
			start = end
		}
		l.Flush(out)
		l.inside.done(batch, ends)
	}
}

// next takes what waits; nothing ends the reader.
func (q *inside) next() ([]byte, []int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	batch, ends := q.bytes, q.ends
	q.bytes, q.ends, q.spare, q.places = q.spare, q.places, nil, nil
	q.reading = len(ends) > 0
	if !q.reading {
		q.spare, q.places = batch, ends
	}
	return batch, ends
}

// done gives the room of a batch back.
func (q *inside) done(batch []byte, ends []int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if cap(batch) <= keptOutbox {
		q.spare, q.places = batch[:0], ends[:0]
	}
}
