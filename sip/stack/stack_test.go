// The stack on the simulated network, in virtual time: what every flow test starts from.

package stack_test

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/siptest"
	"github.com/sipwerk/sipwerk/sip/stack"
	"github.com/sipwerk/sipwerk/sip/transaction"
)

var _ = flag.Bool("update", false, "write the ladders")

// serve runs a stack on a host called name and puts it under the audit. set may change it before it listens.
func serve(b *siptest.Bench, name string, h sip.EventHandler, set ...func(*stack.Stack)) *stack.Stack {
	b.T.Helper()
	host := b.Host(name)
	s := &stack.Stack{Handler: h, Network: host, Resolver: &b.Net.Names}
	for _, f := range set {
		f(s)
	}
	addr := b.Addr(name).String()
	if err := s.Listen(context.Background(), "udp://"+addr+":5060", "tcp://"+addr+":5060"); err != nil {
		b.T.Fatal(err)
	}
	b.Watch(siptest.Watched{Name: name, Host: host, Left: func() []string { return left(s) }, Close: func() { s.Close() }})
	return s
}

// left says what a stack at rest still holds.
func left(s *stack.Stack) (all []string) {
	if got := s.Audit(); got != (transaction.Audit{}) {
		all = append(all, fmt.Sprintf("%+v", got))
	}
	return all
}

// on makes a handler of a function for one kind of event; other kinds are noted on the bench by their name.
type on map[sip.EventKind]func(ev *sip.Event)

func (o on) HandleEvent(ev *sip.Event) {
	if f := o[ev.Kind]; f != nil {
		f(ev)
	}
}

// reply answers each request with these statuses at once.
func reply(statuses ...sip.Status) func(ev *sip.Event) {
	return func(ev *sip.Event) {
		for _, s := range statuses {
			ev.Engine.Respond(ev.Tx, ev.Request.Reply(s))
		}
	}
}

func request(m sip.Method, uri string) *sip.Request {
	return sip.NewRequest(m, sip.MustParseURI(uri))
}

// send runs the loop to its end and returns the statuses and the error.
func send(ctx context.Context, s *stack.Stack, req *sip.Request) (got []sip.Status, err error) {
	for res, e := range s.Send(ctx, req) {
		if e != nil {
			return got, e
		}
		got = append(got, res.Status)
	}
	return got, nil
}

// expect fails unless the loop gave exactly that.
func expect(t *testing.T, got []sip.Status, err error, want ...sip.Status) {
	t.Helper()
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
}

func TestOptions(t *testing.T) {
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			siptest.Run(t, func(b *siptest.Bench) {
				alice := serve(b, "alice", nil)
				serve(b, "bob", on{sip.EventRequest: reply(sip.StatusOK)})
				got, err := send(b.T.Context(), alice, request(sip.MethodOptions, "sip:bob.test;transport="+transport))
				expect(t, got, err, sip.StatusOK)
			})
		})
	}
}

// Each request gets its final answer whatever the network does to the datagrams.
func TestLoss(t *testing.T) {
	for seed := range uint64(20) {
		faults := siptest.Faults{Seed: seed, Loss: 0.3, Duplicate: 0.2, Reorder: 0.2}
		t.Run(faults.String(), func(t *testing.T) {
			siptest.Run(t, func(b *siptest.Bench) {
				alice := serve(b, "alice", nil)
				seen := 0
				serve(b, "bob", on{sip.EventRequest: func(ev *sip.Event) {
					seen++
					reply(sip.StatusBusyHere)(ev)
				}})
				for _, m := range []sip.Method{sip.MethodOptions, sip.MethodInvite, sip.MethodMessage} {
					got, err := send(b.T.Context(), alice, request(m, "sip:bob.test;transport=udp"))
					expect(t, got, err, sip.StatusBusyHere)
				}
				if seen != 3 {
					t.Errorf("the handler saw %d requests, want 3", seen)
				}
			}, faults)
		})
	}
}

// Two stacks on loopback sockets and many callers at once: the real thing, for the race detector. Every third call is cancelled.
func TestLoopback(t *testing.T) {
	var callee, caller stack.Stack
	callee.Handler = sip.Go(sip.HandlerFunc(func(ctx context.Context, w sip.ResponseWriter, r *sip.Request) error {
		if r.Method != sip.MethodInvite || r.URI.User == "busy" {
			return sip.StatusBusyHere
		}
		if err := w.Respond(r.Reply(sip.StatusRinging)); err != nil {
			return err
		}
		<-ctx.Done()
		return context.Cause(ctx)
	}))
	for _, s := range []*stack.Stack{&callee, &caller} {
		s.Timers = transaction.Timers{T1: 50 * time.Millisecond, T2: 100 * time.Millisecond, T4: 100 * time.Millisecond}
		if err := s.Listen(t.Context(), "udp://127.0.0.1:0", "tcp://127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
	}
	var callers sync.WaitGroup
	for i := range 60 {
		to := fmt.Sprintf("%s;transport=%s", callee.Addrs()[i%2], []string{"udp", "tcp"}[i%2])
		callers.Go(func() {
			if i%3 > 0 {
				method := []sip.Method{sip.MethodInvite, sip.MethodMessage}[i%3-1]
				got, err := send(t.Context(), &caller, request(method, "sip:busy@"+to))
				// A machine that has much to do says 100 in between.
				got = slices.DeleteFunc(got, func(s sip.Status) bool { return s == sip.StatusTrying })
				expect(t, got, err, sip.StatusBusyHere)
				return
			}
			for res, err := range caller.Send(t.Context(), request(sip.MethodInvite, "sip:slow@"+to)) {
				if err != nil {
					t.Error(err)
				} else if res.Status == sip.StatusRinging {
					break
				}
			}
		})
	}
	callers.Wait()
	for _, s := range []*stack.Stack{&caller, &callee} {
		if err := s.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if got := s.Stats(); got.Panics > 0 || got.Late > 0 {
			t.Errorf("%+v", got)
		}
		for _, l := range left(s) {
			t.Error(l)
		}
	}
}

func TestNoHandler(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		alice := serve(b, "alice", nil)
		serve(b, "bob", nil)
		got, err := send(b.T.Context(), alice, request(sip.MethodOptions, "sip:bob.test;transport=udp"))
		expect(t, got, err, sip.StatusNotImplemented)
	})
}

// quiet keeps what a test provokes out of its output.
func quiet(s *stack.Stack) { s.Log = slog.New(slog.DiscardHandler) }
