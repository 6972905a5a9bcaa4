// Orders to begin a client transaction, and to send without one. RFC 3261 §8.1.2, §17.1, §18.1.1.

package transaction

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/transport"
)

// longestDatagram is the length from which a request goes over TCP, the path MTU being unknown. RFC 3261 §18.1.1.
const longestDatagram = 1300

// Start implements [sip.Sender].
func (t *Table) Start(n sip.Stripe, req *sip.Request, to sip.Destination, h sip.EventHandler) (sip.TransactionID, error) {
	if t.closed.Load() {
		return 0, sip.ErrClosed
	}
	s := &t.stripes[n%sip.Stripes]
	k := kindClient
	if req.Method == sip.MethodInvite {
		k = kindInviteClient
	}
	if s.live >= t.Limits.Rows+t.Limits.Rows/2 {
		s.counts.overload.Add(1)
		return 0, sip.ErrOverload
	}
	r := s.begin(s.take(), s.name(), k)
	r.method, r.nonce = codeOf(req.Method), s.random.Uint64()
	if to.Mark != 0 {
		s.beside(r).mark = to.Mark
	}
	tx := r.id(s.number)
	var err error
	if to.Flow.IsZero() {
		err = s.seek(r, req, nextHop(req, to))
	} else {
		r.flags |= bound
		err = s.launch(r, req, &to.Flow)
	}
	if r = s.find(tx); r == nil {
		return 0, err
	}
	// Until here nothing is told: what fails at once is the error of this order.
	if h != nil {
		s.beside(r).owner = h
	}
	return tx, nil
}

// nextHop is the URI to resolve. RFC 3261 §8.1.2.
func nextHop(req *sip.Request, to sip.Destination) sip.URI {
	if to.URI != (sip.URI{}) {
		return to.URI
	}
	for a, err := range req.Addresses(sip.HeaderRoute) {
		if err == nil {
			return a.URI
		}
		break
	}
	return req.URI
}

// immediate reports whether resolving u needs no look-up.
func immediate(u sip.URI) bool {
	if !u.IsSIP() {
		return true
	}
	host := u.Host
	if maddr := u.Params.Get("maddr"); maddr != "" {
		host = maddr
	}
	if strings.IndexByte(host, ':') < 0 && (host == "" || host[len(host)-1] < '0' || host[len(host)-1] > '9') {
		return false
	}
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil
}

// seek finds the targets of uri and launches r toward the first. A look-up goes on elsewhere and comes back through the stripe. On an error r is
// gone.
func (s *stripe) seek(r *row, req *sip.Request, uri sip.URI) error {
	if !immediate(uri) {
		s.beside(r).route = &route{request: req.Clone()}
		s.startTimer(r, r.giveUp(), 64*s.table.Timers.T1)
		s.lookUp(r, uri.Clone())
		return nil
	}
	targets, err := s.table.Wire.Resolve(s.table.ctx, uri)
	if err == nil && len(targets) == 0 {
		err = sip.ErrNoRoute
	}
	if err != nil {
		s.forget(r)
		return err
	}
	if len(targets) == 1 {
		if flow, ok := s.table.Wire.Flow(targets[0]); ok {
			return s.launch(r, req, &flow)
		}
	}
	s.beside(r).route = &route{request: req.Clone(), hops: hops(targets)}
	return s.tryNext(r, sip.ErrNoRoute)
}

// lookUp resolves uri on a goroutine of its own.
func (s *stripe) lookUp(r *row, uri sip.URI) {
	tx := r.id(s.number)
	s.table.elsewhere(func() {
		targets, err := s.table.Wire.Resolve(s.table.ctx, uri)
		s.spawn(job{run: func() {
			r := s.find(tx)
			if r == nil || r.state != idle {
				return
			}
			if err == nil {
				err = sip.ErrNoRoute
			}
			s.routeOf(r).hops = hops(targets)
			// The owner is told by an event.
			_ = s.tryNext(r, err)
		}})
	})
}

// launch sends req for r over flow and starts its machine. On an error r is gone, or on its way to the next target.
func (s *stripe) launch(r *row, req *sip.Request, flow *sip.Flow) error {
	if !s.permits(flow, req) {
		_ = s.advance(r, broken, &message{err: sip.ErrOverload, flow: *flow})
		return sip.ErrOverload
	}
	v := stamp{tx: r.id(s.number), nonce: r.nonce}
	if r.extra != 0 {
		v.mark = s.beside(r).mark
	}
	if s.table.Load != nil {
		v.load = s.table.Load.Mark(flow.Remote.Addr())
	}
	b := s.compose(req, flow, v)
	if flow.Transport == sip.UDP && !r.flags.has(bound) && len(b) > longestDatagram && !s.routeOf(r).asIs() {
		return s.viaTCP(r, req, flow)
	}
	s.table.zones.pack(&r.path, flow)
	s.joinFlow(r)
	return s.advance(r, request, &message{bytes: b, flow: *flow})
}

// Ack implements [sip.Sender]. A destination that needs a look-up or a connection gets the request later, if at all.
func (t *Table) Ack(n sip.Stripe, req *sip.Request, to sip.Destination) error {
	if t.closed.Load() {
		return sip.ErrClosed
	}
	s := &t.stripes[n%sip.Stripes]
	if !to.Flow.IsZero() {
		return s.sendOnce(req, &to.Flow, to.Mark)
	}
	uri := nextHop(req, to)
	if immediate(uri) {
		targets, err := t.Wire.Resolve(t.ctx, uri)
		if err != nil {
			return err
		}
		if len(targets) == 0 {
			return sip.ErrNoRoute
		}
		if flow, ok := t.Wire.Flow(targets[0]); ok {
			return s.sendOnce(req, &flow, to.Mark)
		}
	}
	s.ackLater(req.Clone(), uri.Clone(), to.Mark)
	return nil
}

// ackLater sends an ACK behind a look-up.
func (s *stripe) ackLater(req *sip.Request, uri sip.URI, mark uint32) {
	s.table.elsewhere(func() {
		if flow, err := s.table.reach(uri); err == nil {
			// Nobody waits: an ACK that is lost is asked for again.
			s.spawn(job{run: func() { _ = s.sendOnce(req, &flow, mark) }})
		}
	})
}

// sendOnce sends req with a branch that names no transaction.
func (s *stripe) sendOnce(req *sip.Request, flow *sip.Flow, mark uint32) error {
	return s.send(*flow, s.compose(req, flow, stamp{tx: makeID(s.number, 0, 0), nonce: s.random.Uint64(), mark: mark}))
}

// reach returns a flow to the first target of uri that can be had. It blocks.
func (t *Table) reach(uri sip.URI) (sip.Flow, error) {
	targets, err := t.Wire.Resolve(t.ctx, uri)
	for _, target := range targets {
		flow, ok := t.Wire.Flow(target)
		if ok {
			return flow, nil
		}
		ctx, cancel := t.connectContext()
		flow, err = t.Wire.Connect(ctx, target)
		cancel()
		if err == nil {
			return flow, nil
		}
	}
	if err == nil {
		err = sip.ErrNoRoute
	}
	return sip.Flow{}, err
}

// connectContext bounds the opening of a connection, so that the next target gets its turn.
func (t *Table) connectContext() (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.ctx, max(16*t.Timers.T1, time.Millisecond))
}

func hops(targets []transport.Target) []hop {
	all := make([]hop, len(targets))
	for i, t := range targets {
		all[i].target = t
	}
	return all
}
