// Registration, kept alive, by one flow or several. RFC 3261 §10.2, §22.2; RFC 5626 §4.2 to §4.5; RFC 5627 §4.

package phone

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/digest"
)

// Pauses and limits of registration.
const (
	defaultExpires = 10 * time.Minute
	shortestPause  = 2 * time.Second
	longestPause   = 5 * time.Minute
	patience       = 32 * time.Second // for one REGISTER, challenges included
	maxWays        = 4                // servers of Outbound
	maxServices    = 8                // servers of a Service-Route
	maxTries       = 4                // of one REGISTER: challenges, a stale nonce, 423
)

// registration keeps one binding of a phone alive: one flow to the registrar, of possibly several. RFC 5626 §4.2.
type registration struct {
	phone  *Phone
	id     int            // its reg-id, from 1
	server sip.URI        // by which it goes; zero: the registrar is asked directly
	auth   *digest.Client // nil: there is no password
	woken  chan struct{}  // holds a token when it should register at once

	mu       sync.Mutex         // guards what follows
	cancel   context.CancelFunc // of the loop; nil: none runs
	stopped  chan struct{}      // closed when the loop has ended
	bound    bool               // the registrar knows us
	outbound bool               // as a flow
	known    uint64             // the connection by which it was bound; 0: none
	gruu     sip.URI            // by which the registrar lets us be reached; zero: none
	services []sip.URI          // by way of which it wants our requests; nil: any (RFC 3608)

	callID  string        // owned by whoever registers, one at a time
	seq     uint32        // the same
	expires time.Duration // the same; what is asked for
	flow    sip.Flow      // the same; by which the registrar answered last
	beat    time.Duration // the same; how often it wants to hear from us (RFC 5626 §4.4); 0: not said
	plain   bool          // the same; a server on the way knows no flows (RFC 5626 §6, 439)
}

// newRegistrations makes one for each way to the registrar.
func newRegistrations(p *Phone) []*registration {
	servers := p.line.identity.outbound
	if len(servers) == 0 {
		servers = []sip.URI{{}}
	}
	var ways []*registration
	for i, s := range servers {
		r := &registration{phone: p, id: i + 1, server: s, auth: p.credentials(s), woken: make(chan struct{}, 1), expires: p.Expires}
		if r.expires <= 0 {
			r.expires = defaultExpires
		}
		ways = append(ways, r)
	}
	return ways
}

// way is the one by which requests go: the first that stands, or the first.
func (p *Phone) way() *registration {
	for _, w := range p.line.ways {
		if w.isBound() {
			return w
		}
	}
	return p.line.ways[0]
}

func (r *registration) isBound() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.bound
}

// Registered reports whether the registrar knows the phone.
func (p *Phone) Registered() bool {
	if p.open(context.Background()) != nil {
		return false
	}
	return p.way().isBound()
}

// Register registers the phone at the host of its URI, by way of Outbound if that is set, and keeps the registration alive until the phone is closed: it is
// refreshed in time, and at once if the connection it depends on is lost; failures are tried again after growing pauses. Register returns when the
// registrar has accepted the phone by any way, or has refused it for good by all with the [sip.Status] that the error wraps (then nothing is tried again), or
// when ctx ends.
func (p *Phone) Register(ctx context.Context) error {
	if err := p.open(ctx); err != nil {
		return err
	}
	outcome := make(chan error, len(p.line.ways))
	for _, w := range p.line.ways {
		w.begin(outcome)
	}
	var err error
	for range p.line.ways {
		select {
		case err = <-outcome:
		case <-ctx.Done():
			for _, w := range p.line.ways {
				w.halt()
			}
			return ctx.Err()
		}
		if err == nil {
			return nil // the others go on
		}
	}
	for _, w := range p.line.ways {
		w.again()
	}
	return err
}

// begin starts to keep the binding and sends the first outcome.
func (r *registration) begin(outcome chan<- error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cancel != nil {
		outcome <- nil
		return
	}
	loop, cancel := context.WithCancel(context.Background())
	r.cancel, r.stopped = cancel, make(chan struct{})
	first := make(chan error, 1)
	go r.run(loop, first)
	go func() { outcome <- <-first }()
}

// halt ends the loop.
func (r *registration) halt() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cancel != nil {
		r.cancel()
	}
}

// again lets a loop that has ended be begun anew, with another password perhaps.
func (r *registration) again() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cancel()
	r.cancel = nil
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
	r.bound, r.known = bound, r.flow.ID
}

// lost registers at once: the connection by which the phone was reached may be gone. RFC 5626 §4.5.
func (r *registration) lost(flow sip.Flow) {
	r.mu.Lock()
	mine := r.bound && (r.known == 0 || r.known == flow.ID)
	r.mu.Unlock()
	if !mine {
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
	auth := r.auth
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
			r.learn(res)
			return r.granted(res, expires), nil
		case tries == maxTries:
		case res.Status == sip.StatusUnauthorized || res.Status == sip.StatusProxyAuthRequired:
			if auth != nil {
				if again, ok := auth.Authorize(req, res); ok {
					req = again
					continue
				}
			}
		case res.Status == sip.StatusFirstHopLacksOutbound && !r.plain:
			r.plain = true
			req = r.request()
			continue
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

// learn takes what a registrar says about the flow, the names of the phone and the way of its requests. RFC 5626 §4.4; RFC 5627 §4.2; RFC 3608 §5.
func (r *registration) learn(res *sip.Response) {
	r.beat = seconds(res.Get(sip.HeaderFlowTimer))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.outbound, r.gruu = res.HasToken(sip.HeaderRequire, "outbound"), sip.URI{}
	for a := range r.ours(res) {
		if uri, ok := a.PublicGRUU(); ok {
			r.gruu = uri.Clone()
		}
	}
	r.services = nil
	for a, err := range res.Addresses(sip.HeaderServiceRoute) {
		if err == nil && len(r.services) < maxServices {
			r.services = append(r.services, a.URI.Clone())
		}
	}
}

// route sends a request other than REGISTER by way of the server of this registration, and then by way of those that the registrar has named. A registrar that
// names the server once more does not send the request there twice. RFC 3608 §6.1.
func (r *registration) route(req *sip.Request) {
	route(req, r.server)
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, service := range r.services {
		if i > 0 || service.Host != r.server.Host || service.Port != r.server.Port {
			req.Add(sip.HeaderRoute, "<"+service.String()+">")
		}
	}
}

// ours yields the contacts of a response that are this device's, by this flow if it is registered as one.
func (r *registration) ours(res *sip.Response) iter.Seq[sip.Address] {
	name := strings.Trim(r.phone.line.identity.instance, "<>")
	return func(yield func(sip.Address) bool) {
		for a, err := range res.Addresses(sip.HeaderContact) {
			if err != nil || a.Instance() != name {
				continue
			}
			if id, ok := a.RegID(); ok && int(id) != r.id {
				continue
			}
			if !yield(a) {
				return
			}
		}
	}
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
	route(req, r.server)
	contact := p.bare()
	contact.Params = contact.Params.With("+sip.instance", p.line.identity.instance)
	supported := "path, gruu"
	if !r.plain {
		contact.Params = contact.Params.With("reg-id", strconv.Itoa(r.id))
		supported += ", outbound"
	}
	req.Set(sip.HeaderContact, contact.String())
	req.Set(sip.HeaderSupported, supported)
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
	for a := range r.ours(res) {
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
