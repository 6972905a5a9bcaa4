// Registration, kept alive. RFC 3261 §10.2, §22.2; RFC 5626 §4.5 for the pauses after failures.

package phone

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// Pauses and limits of registration.
const (
	defaultExpires = 10 * time.Minute
	shortestPause  = 2 * time.Second
	longestPause   = 5 * time.Minute
	patience       = 32 * time.Second // for one REGISTER, challenges included
	maxTries       = 4                // of one REGISTER: challenges, a stale nonce, 423
)

// registration keeps the binding of a phone alive.
type registration struct {
	phone *Phone
	woken chan struct{} // holds a token when it should register at once

	mu      sync.Mutex         // guards what follows
	cancel  context.CancelFunc // of the loop; nil: none runs
	stopped chan struct{}      // closed when the loop has ended
	bound   bool               // the registrar knows us

	callID  string        // owned by whoever registers, one at a time
	seq     uint32        // the same
	expires time.Duration // the same; what is asked for
	flow    sip.Flow      // the same; by which the registrar answered last
}

func newRegistration(p *Phone) *registration {
	r := &registration{phone: p, woken: make(chan struct{}, 1), expires: p.Expires}
	if r.expires <= 0 {
		r.expires = defaultExpires
	}
	return r
}

// Registered reports whether the registrar knows the phone.
func (p *Phone) Registered() bool {
	if p.open(context.Background()) != nil {
		return false
	}
	r := p.line.registration
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.bound
}

// Register registers the phone at the host of its URI, by way of Outbound if that is set, and keeps the registration alive until the phone is closed: it is
// refreshed in time, and at once if the connection it depends on is lost; failures are tried again after growing pauses. Register returns when the
// registrar has accepted the phone, or has refused it for good with the [sip.Status] that the error wraps (then nothing is tried again), or when ctx ends.
func (p *Phone) Register(ctx context.Context) error {
	if err := p.open(ctx); err != nil {
		return err
	}
	r := p.line.registration
	r.mu.Lock()
	if r.cancel != nil {
		r.mu.Unlock()
		return nil
	}
	loop, cancel := context.WithCancel(context.Background())
	r.cancel, r.stopped = cancel, make(chan struct{})
	r.mu.Unlock()
	first := make(chan error, 1)
	go r.run(loop, first)
	select {
	case err := <-first:
		if err != nil {
			r.mu.Lock()
			r.cancel = nil // it may be tried again with another password
			r.mu.Unlock()
			cancel()
		}
		return err
	case <-ctx.Done():
		cancel()
		return ctx.Err()
	}
}

// run registers again and again. The outcome of the first attempt that is final goes to first.
func (r *registration) run(ctx context.Context, first chan<- error) {
	defer close(r.stopped)
	failures := 0
	for {
		granted, err := r.register(ctx, r.expires)
		r.setBound(err == nil)
		pause := granted * 3 / 4
		switch {
		case err == nil:
			failures = 0
			told(first, nil)
		case ctx.Err() != nil:
			told(first, ctx.Err())
			return
		case final(err):
			r.phone.Log.Error("phone: registration refused", "uri", r.phone.URI, "err", err)
			told(first, err)
			return
		default:
			failures++
			pause = backOff(failures, err)
			r.phone.Log.Warn("phone: registration failed", "uri", r.phone.URI, "err", err, "again", pause)
		}
		if !r.sleep(ctx, pause) {
			told(first, ctx.Err())
			return
		}
	}
}

// told gives the first outcome and drops the others.
func told(first chan<- error, err error) {
	select {
	case first <- err:
	default:
	}
}

func (r *registration) setBound(bound bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bound = bound
}

// wake registers at once: the connection by which the phone was reached may be gone.
func (r *registration) wake() {
	r.mu.Lock()
	bound := r.bound
	r.mu.Unlock()
	if !bound {
		return // a failure has its own pause
	}
	select {
	case r.woken <- struct{}{}:
	default:
	}
}

// final reports whether it is no use to try again.
func final(err error) bool {
	status, ok := errors.AsType[sip.Status](err)
	switch status {
	case sip.StatusUnauthorized, sip.StatusProxyAuthRequired, sip.StatusForbidden, sip.StatusNotFound, sip.StatusMethodNotAllowed,
		sip.StatusBadRequest, sip.StatusUnsupportedURIScheme, sip.StatusNotImplemented, sip.StatusGone:
		return ok
	}
	return false
}

// retryLater is a failure whose sender says when to try again.
type retryLater struct {
	sip.Status
	wait time.Duration
}

// Unwrap makes it the status it is.
func (e retryLater) Unwrap() error { return e.Status }

// backOff is the pause after so many failures: it doubles, and part of it is random, so that a server that comes back is not overrun.
func backOff(failures int, err error) time.Duration {
	if e, ok := errors.AsType[retryLater](err); ok && e.wait > 0 {
		return min(e.wait, longestPause)
	}
	pause := min(shortestPause<<min(failures-1, 16), longestPause)
	return pause/2 + rand.N(pause/2)
}

// close ends the loop and takes the binding back.
func (r *registration) close(ctx context.Context) {
	r.mu.Lock()
	cancel, bound := r.cancel, r.bound
	r.mu.Unlock()
	if cancel == nil {
		return
	}
	cancel()
	<-r.stopped
	if bound {
		// A binding that cannot be taken back expires.
		_, _ = r.register(ctx, 0)
		r.setBound(false)
	}
}

// register sends one REGISTER, with whatever credentials it takes, and returns how long the binding lasts.
func (r *registration) register(ctx context.Context, expires time.Duration) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	auth := r.phone.line.auth
	req := r.request()
	if auth != nil {
		auth.Sign(req)
	}
	for tries := 1; ; tries++ {
		r.number(req, expires)
		res, err := r.exchange(ctx, req)
		switch {
		case err != nil:
			return 0, fmt.Errorf("phone: register: %w", err)
		case res.Status.Success():
			return r.granted(res, expires), nil
		case tries == maxTries:
		case res.Status == sip.StatusUnauthorized || res.Status == sip.StatusProxyAuthRequired:
			if auth != nil {
				if again, ok := auth.Authorize(req, res); ok {
					req = again
					continue
				}
			}
		case res.Status == sip.StatusIntervalTooBrief:
			if least := seconds(res.Get(sip.HeaderMinExpires)); least > expires && expires > 0 {
				expires, r.expires = least, least // RFC 3261 §10.2.8
				continue
			}
		}
		return 0, fmt.Errorf("phone: register %s: %w", r.phone.URI, refused(res))
	}
}

// refused is the error of a response.
func refused(res *sip.Response) error {
	later, err := sip.ParseRetryAfter(res.Get(sip.HeaderRetryAfter))
	if err != nil {
		return res.Status
	}
	return retryLater{res.Status, later.Wait}
}

// request is the REGISTER without what changes from one to the next. RFC 3261 §10.2.
func (r *registration) request() *sip.Request {
	p := r.phone
	if r.callID == "" {
		r.callID = p.line.stack.NewID(0)
	}
	req := p.request(sip.MethodRegister, p.line.identity.domain)
	record := sip.Address{URI: p.line.identity.record}
	req.Set(sip.HeaderTo, record.String())
	record.Display = sip.Quote(p.Name)
	req.Set(sip.HeaderFrom, record.WithTag(p.line.stack.NewID(0)).String())
	req.Set(sip.HeaderCallID, r.callID)
	contact := p.contact()
	contact.Params = contact.Params.With("+sip.instance", `"`+p.line.identity.instance+`"`)
	req.Set(sip.HeaderContact, contact.String())
	return req
}

// number makes req the next one of the registration. RFC 3261 §10.2: one Call-ID, the sequence goes up.
func (r *registration) number(req *sip.Request, expires time.Duration) {
	r.seq++
	req.Set(sip.HeaderCSeq, sip.CSeq{Number: r.seq, Method: sip.MethodRegister}.String())
	req.Set(sip.HeaderExpires, strconv.Itoa(int(expires/time.Second)))
}

// granted is how long the binding lasts: the response lists those of all devices, and ours is known by its instance. RFC 3261 §10.2.4.
func (r *registration) granted(res *sip.Response, asked time.Duration) time.Duration {
	granted := asked
	if s := seconds(res.Get(sip.HeaderExpires)); s > 0 {
		granted = s
	}
	ours := strings.Trim(r.phone.line.identity.instance, "<>")
	for a, err := range res.Addresses(sip.HeaderContact) {
		if err != nil || a.Instance() != ours {
			continue
		}
		if d, ok := a.Expires(); ok {
			granted = d
		}
	}
	return max(granted, time.Second)
}

// seconds reads a number of seconds; 0 for what is none.
func seconds(s string) time.Duration {
	n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 32)
	if err != nil {
		return 0
	}
	return time.Duration(n) * time.Second
}
