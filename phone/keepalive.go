// The way to the registrar kept open: a NAT forgets a binding over which nothing goes. RFC 5626 §4.4, §3.5.1.

package phone

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// beat is how long a flow may be silent. wanted is what the registrar says about it (Flow-Timer).
func beat(f sip.Flow, wanted time.Duration) time.Duration {
	longest, spread := f.Silence(wanted)
	return longest - rand.N(spread)
}

// sleep waits for d, or until it is woken, and pings the registrar meanwhile; false if ctx ended.
func (r *registration) sleep(ctx context.Context, d time.Duration) bool {
	end, ping := time.NewTimer(d), time.NewTimer(beat(r.flow, r.beat))
	defer end.Stop()
	defer ping.Stop()
	if r.flow.IsZero() {
		ping.Stop()
	}
	for {
		select {
		case <-ping.C:
			// A flow that is lost says so by itself.
			_ = r.phone.line.stack.Transport().KeepAlive(r.flow)
			ping.Reset(beat(r.flow, r.beat))
		case <-end.C:
			return true
		case <-r.woken:
			return true
		case <-ctx.Done():
			return false
		}
	}
}

// outcome is what came of a request, and by which flow.
type outcome struct {
	response *sip.Response
	flow     sip.Flow
	err      error
}

// exchange sends req and waits for its final response.
func (r *registration) exchange(ctx context.Context, req *sip.Request) (*sip.Response, error) {
	done := make(chan outcome, 1)
	told := func(o outcome) {
		select {
		case done <- o:
		default: // the first one counts
		}
	}
	heard := sip.EventHandlerFunc(func(ev *sip.Event) {
		switch {
		case ev.Kind != sip.EventResponse:
			told(outcome{err: ev.Err})
		case ev.Response.Status.Final():
			told(outcome{response: ev.Response.Clone(), flow: ev.Flow})
		}
	})
	s, own, stripe := r.phone.line.stack, req.Clone(), sip.StripeOf(r.callID)
	s.Do(stripe, func() {
		if _, err := s.Start(stripe, own, sip.Destination{}, heard); err != nil {
			told(outcome{err: err})
		}
	})
	select {
	case o := <-done:
		r.flow = o.flow
		return o.response, o.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
