// The stack on the simulated network, in virtual time.

package stack_test

import (
	"context"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/stack"
	"github.com/sipwerk/sipwerk/sip/transaction"
)

// world is a simulated network with two stacks; its end is audited.
type world struct {
	*testing.T
	sim  *network.Sim
	a, b *stack.Stack
}

const (
	addrA = "192.0.2.1"
	addrB = "192.0.2.2"
)

// run plays f in a bubble: a calls, b answers with h.
func run(t *testing.T, c network.Conditions, h sip.EventHandler, f func(w *world)) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{T: t, sim: &network.Sim{Seed: 1}}
		w.sim.SetConditions(c)
		w.a, w.b = w.stack(addrA, nil), w.stack(addrB, h)
		f(w)
		w.rest()
		w.end(w.a, w.b)
	})
}

// stack makes a stack on a host of its own that listens on UDP and TCP.
func (w *world) stack(addr string, h sip.EventHandler) *stack.Stack {
	host := w.sim.Host(netip.MustParseAddr(addr))
	s := &stack.Stack{Handler: h, Network: host, Resolver: &w.sim.Names}
	if err := s.Listen(context.Background(), "udp://"+addr+":5060", "tcp://"+addr+":5060"); err != nil {
		w.Fatal(err)
	}
	return s
}

// rest lets every transaction end by itself.
func (w *world) rest() {
	time.Sleep(3 * time.Minute)
	synctest.Wait()
}

// end closes the stacks, which must hold nothing any more.
func (w *world) end(stacks ...*stack.Stack) {
	for _, s := range stacks {
		if got := s.Audit(); got != (transaction.Audit{}) {
			w.Errorf("left behind: %+v", got)
		}
		if n := s.Stats().Panics; n > 0 {
			w.Errorf("%d panics", n)
		}
		if err := s.Close(); err != nil {
			w.Error(err)
		}
	}
	w.sim.Close()
}

// answer is a handler that answers each request with one status at once.
func answer(status sip.Status) sip.EventHandler {
	return sip.EventHandlerFunc(func(ev *sip.Event) {
		if ev.Kind == sip.EventRequest {
			ev.Engine.Respond(ev.Tx, ev.Request.Reply(status))
		}
	})
}

func request(m sip.Method, uri string) *sip.Request {
	return sip.NewRequest(m, sip.MustParseURI(uri))
}

// send runs the loop to its end and returns the statuses and the error.
func (w *world) send(ctx context.Context, req *sip.Request) (got []sip.Status, err error) {
	for res, e := range w.a.Send(ctx, req) {
		if e != nil {
			return got, e
		}
		got = append(got, res.Status)
	}
	return got, nil
}

func TestOptions(t *testing.T) {
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			run(t, network.Conditions{Delay: 10 * time.Millisecond}, answer(sip.StatusOK), func(w *world) {
				got, err := w.send(w.Context(), request(sip.MethodOptions, "sip:bob@"+addrB+";transport="+transport))
				if err != nil || len(got) != 1 || got[0] != sip.StatusOK {
					w.Errorf("got %v, %v", got, err)
				}
			})
		})
	}
}
