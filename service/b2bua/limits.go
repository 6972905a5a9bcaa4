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

// admit enters a call, unless there are too many or the service stops.
func (b *B2BUA) admit(c *call) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.draining || len(b.calls) >= or(b.MaxCalls, defaultCalls) {
		return false
	}
	if b.calls == nil {
		b.calls = make(map[*call]uint64)
	}
	b.came++
	b.calls[c] = b.came
	return true
}

func (b *B2BUA) forget(c *call) {
	b.stopsRinging(c)
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.calls, c)
	if len(b.calls) == 0 && b.idle != nil {
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
		return nil
	case <-ctx.Done():
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range slices.SortedFunc(maps.Keys(b.calls), func(x, y *call) int { return cmp.Compare(b.calls[x], b.calls[y]) }) {
		c.engine.Do(c.stripe, func() { c.hangUp(stopReason) })
	}
	return ctx.Err()
}

// drain returns what is closed when the last call has ended; nil if there is none.
func (b *B2BUA) drain() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.draining = true
	if len(b.calls) == 0 {
		return nil
	}
	if b.idle == nil {
		b.idle = make(chan struct{})
	}
	return b.idle
}
