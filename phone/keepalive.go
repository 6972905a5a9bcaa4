// The way to the registrar kept open: a NAT forgets a binding over which nothing goes. RFC 5626 §4.4, §3.5.1.

package phone

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// beat is how long a flow may be silent: what the registrar says (Flow-Timer), less up to a fifth, or else by RFC 5626 §4.4.1, §4.4.2: 95 to 120 s for
// streams, 24 to 29 s for datagrams, at random.
func beat(f sip.Flow, wanted time.Duration) time.Duration {
	if wanted >= time.Second && (f.Transport.Reliable() || wanted < 29*time.Second) {
		return wanted - rand.N(wanted/5)
	}
	if f.Transport.Reliable() {
		return 95*time.Second + rand.N(25*time.Second)
	}
	return 24*time.Second + rand.N(5*time.Second)
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
