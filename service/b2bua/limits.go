package b2bua

// How many calls there may be, and how the service stops. RFC 3261 §21.5.4.

import (
	"cmp"
	"context"
	"maps"
	"slices"
)

// retryAfter is what a refused caller is told to wait, in seconds.
const retryAfter = "10"

// stopReason is the Reason of calls that are ended by a stop. RFC 3326 §2.
const stopReason = `SIP;cause=503;text="Server stops"`

// Calls returns how many calls there are.
func (b *B2BUA) Calls() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.calls)
}

// admit enters a call, unless there are too many or the service stops: what is urgent is let in all the same.
func (b *B2BUA) admit(c *call, urgent bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fullLocked() && !urgent {
		return false
	}
	if b.calls == nil {
		b.calls = make(map[*call]uint64)
	}
	b.came++
	b.calls[c] = b.came
	return true
}

func (b *B2BUA) fullLocked() bool {
	return b.draining || len(b.calls)+len(b.waiting) >= or(b.MaxCalls, defaultCalls)
}

func (b *B2BUA) forget(c *call) {
	c.delist()
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.calls, c)
	b.restLocked()
}

// expect enters a request whose way is decided on later, unless there are too many calls or the service stops.
func (b *B2BUA) expect(a *arrival) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fullLocked() {
		return false
	}
	if b.waiting == nil {
		b.waiting = make(map[*arrival]struct{})
	}
	b.waiting[a] = struct{}{}
	return true
}

// expected undoes expect.
func (b *B2BUA) expected(a *arrival) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.waiting, a)
	b.restLocked()
}

func (b *B2BUA) restLocked() {
	if len(b.calls)+len(b.waiting) == 0 && b.idle != nil {
		close(b.idle)
		b.idle = nil
	}
}

// Drain refuses new calls with 503 and waits until the running ones have ended. When ctx ends first it ends them, and returns
// the error of ctx without waiting for the peers to agree.
func (b *B2BUA) Drain(ctx context.Context) error {
	idle := b.drain()
	if idle == nil {
		return nil
	}
	select {
	case <-idle:
		b.work.Wait()
		return nil
	case <-ctx.Done():
	}
	b.mu.Lock()
	left := slices.SortedFunc(maps.Keys(b.calls), func(x, y *call) int { return cmp.Compare(b.calls[x], b.calls[y]) })
	b.mu.Unlock()
	for _, c := range left {
		c.engine.Do(c.stripe, func() { c.hangUp(stopReason) })
	}
	return ctx.Err()
}

// drain returns what is closed when the last call has ended; nil if there is none.
func (b *B2BUA) drain() <-chan struct{} {
	b.mu.Lock()
	b.draining = true
	waiting := slices.Collect(maps.Keys(b.waiting))
	b.mu.Unlock()
	for _, a := range waiting {
		a.ev.Engine.Do(a.ev.Stripe, a.giveUp)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.calls)+len(b.waiting) == 0 {
		return nil
	}
	if b.idle == nil {
		b.idle = make(chan struct{})
	}
	return b.idle
}
