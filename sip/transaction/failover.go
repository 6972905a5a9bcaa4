// The next target when one does not answer, answers 503 or cannot be reached; and TCP for what is too long for a datagram.
// RFC 3263 §4.3; RFC 3261 §18.1.1.

package transaction

import (
	"slices"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/transport"
)

// hop is one target to try.
type hop struct {
	target transport.Target
	asIs   bool // over UDP however long the request is: TCP was tried
}

// route is what a client transaction keeps while there is another target to try.
type route struct {
	request *sip.Request // as the TU gave it
	hops    []hop
	next    int      // of hops
	spent   []uint64 // the nonces of the branches before this one
}

// asIs reports whether the target in use takes datagrams of any length.
func (t *route) asIs() bool { return t != nil && t.next > 0 && t.hops[t.next-1].asIs }

// settle forgets what is needed no more once one target has answered: the others, unless their late answers need the request for an ACK, and the owner, unless 2xx of
// other forks may come.
func (s *stripe) settle(r *row) {
	if r.extra == 0 {
		return
	}
	x := s.beside(r)
	if x.route != nil && len(x.route.spent) == 0 {
		x.route = nil
	}
	if x.route == nil && x.cancel == 0 && r.state != accepted {
		s.unburden(r)
	}
}

// giveUp is the timer that ends the wait for a first answer.
func (r *row) giveUp() timer {
	if r.kind == kindInviteClient {
		return timerB
	}
	return timerF
}

// tryNext launches r, which is idle, toward its next target; without one it ends with err, and r is gone.
func (s *stripe) tryNext(r *row, err error) error {
	for route := s.routeOf(r); route.next < len(route.hops); {
		target := route.hops[route.next].target
		route.next++
		if flow, ok := s.table.Wire.Flow(target); ok {
			return s.launch(r, route.request, &flow)
		}
		if target.Transport != sip.UDP {
			s.startTimer(r, r.giveUp(), 64*s.table.Timers.T1)
			s.connect(r, target)
			return nil
		}
	}
	_ = s.advance(r, broken, &message{err: err})
	return err
}

// connect opens a connection on a goroutine of its own and launches r on it, or tries the next target.
func (s *stripe) connect(r *row, target transport.Target) {
	tx, nonce := r.id(s.number), r.nonce
	s.table.elsewhere(func() {
		ctx, cancel := s.table.connectContext()
		defer cancel()
		flow, err := s.table.Wire.Connect(ctx, target)
		s.spawn(job{run: func() {
			r := s.find(tx)
			if r == nil || r.state != idle || r.nonce != nonce {
				return
			}
			// The owner is told by an event.
			if err != nil {
				_ = s.tryNext(r, err)
				return
			}
			_ = s.launch(r, s.routeOf(r).request, &flow)
		}})
	})
}

// viaTCP puts TCP before the UDP target in use. RFC 3261 §18.1.1.
func (s *stripe) viaTCP(r *row, req *sip.Request, flow *sip.Flow) error {
	udp := hop{target: transport.Target{Transport: sip.UDP, Addr: flow.Remote}}
	x := s.beside(r)
	if x.route == nil {
		x.route = &route{request: req.Clone()}
	} else {
		udp = x.route.hops[x.route.next-1]
	}
	udp.asIs = true
	tcp := udp
	tcp.target.Transport = sip.TCP
	x.route.hops = slices.Insert(x.route.hops, x.route.next, tcp, udp)
	return s.tryNext(r, sip.ErrNoRoute)
}

// blame notes that the target in use gave no good answer. RFC 3263 §4.3.
func (s *stripe) blame(r *row, a actions, m *message) {
	route := s.routeOf(r)
	if s.table.Failed == nil || route == nil || route.next == 0 || r.flags.has(settled|informed) {
		return
	}
	if a.do&(timeout|fail) != 0 || m.response != nil && m.response.Status == sip.StatusServiceUnavailable {
		s.table.Failed(route.hops[route.next-1].target)
	}
}

// failOver sends r to its next target if there is one and what happened to it asks for that: no answer, no way to send, or 503.
func (s *stripe) failOver(r *row, a actions, m *message) bool {
	s.blame(r, a, m)
	route := s.routeOf(r)
	if route == nil || r.flags.has(settled) || route.next >= len(route.hops) || a.has(pass) && m.response.Status != sip.StatusServiceUnavailable {
		return false
	}
	s.leaveFlow(r)
	s.timers.stop(&r.links, again)
	s.timers.stop(&r.links, ending)
	s.unkeep(r)
	route.spent = append(route.spent, r.nonce)
	r.path, r.nonce, r.flags = path{}, s.random.Uint64(), r.flags.withRounds(0) // RFC 3263 §4.3: a new transaction, with a branch of its own
	s.move(r, idle)
	err := m.err
	if err == nil {
		err = sip.ErrTimeout
	}
	// The owner is told by an event.
	_ = s.tryNext(r, err)
	return true
}
