// What the stack adds to messages, and which way they take.

package stack_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/siptest"
	"github.com/sipwerk/sipwerk/sip/stack"
)

// invite is a request that has only what the stack does not add.
func invite(s *stack.Stack, uri string) *sip.Request {
	r := request(sip.MethodInvite, uri)
	r.Set(sip.HeaderFrom, "<sip:alice@alice.test>;tag=a")
	r.Set(sip.HeaderTo, "<"+uri+">")
	r.Set(sip.HeaderCallID, s.NewID(9))
	r.Set(sip.HeaderCSeq, "1 INVITE")
	return r
}

func TestCompleteRequest(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		alice, bob := serve(b, "alice", nil, func(s *stack.Stack) { s.UserAgent = "Sipwerk" }), b.Peer("bob")
		to := b.Addr("bob").String()
		plain := invite(alice, "sip:bob@"+to)
		routed := invite(alice, "sip:bob@"+to)
		routed.Set(sip.HeaderRecordRoute, "<sip:"+sip.AnyHost+";lr>, <sip:other.test;lr>")
		routed.Set(sip.HeaderContact, "<sip:carol@carol.test>")
		routed.Set(sip.HeaderMaxForwards, "12")
		routed.Set(sip.HeaderVia, "SIP/2.0/UDP carol.test;branch=z9hG4bKc")
		was := plain.String()
		for _, r := range []*sip.Request{plain, routed} {
			alice.Do(9, func() {
				if _, err := alice.Start(9, r, sip.Destination{}, nil); err != nil {
					t.Error(err)
				}
			})
		}
		if plain.String() != was {
			t.Errorf("the caller's request became\n%s", plain)
		}
		for _, want := range [][]string{
			{"Max-Forwards: 70\r\n", "User-Agent: Sipwerk\r\n", "Contact: <sip:192.0.2.1:5060>\r\n", ";rport\r\n", "Content-Length: 0\r\n"},
			{"Max-Forwards: 12\r\n", "Record-Route: <sip:192.0.2.1:5060;lr>\r\nRecord-Route: <sip:other.test;lr>\r\n", "Contact: <sip:carol@carol.test>\r\n",
				";rport\r\nVia: SIP/2.0/UDP carol.test"},
		} {
			got := bob.Expect("INVITE")
			for _, line := range want {
				if !strings.Contains(got.Text, line) {
					t.Errorf("no %q in\n%s", line, got.Text)
				}
			}
			if got.Request.Has(sip.HeaderUserAgent) != (want[0] == "Max-Forwards: 70\r\n") {
				t.Errorf("User-Agent in\n%s", got.Text)
			}
			defer bob.Expect("ACK")
			defer bob.Reply(got, sip.StatusDecline, "b")
		}
	})
}

func TestCompleteResponse(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		serve(b, "bob", on{sip.EventRequest: reply(sip.StatusOK)}, func(s *stack.Stack) { s.UserAgent = "Sipwerk" })
		alice := b.Peer("alice")
		alice.Send("bob", from("INVITE", "1"))
		invited := alice.Expect("SIP/2.0 200")
		alice.Send("bob", from("OPTIONS", "2"))
		asked := alice.Expect("SIP/2.0 200")
		alice.Send("bob", from("OPTIONS", "3", ";tag=mine"))
		inside := alice.Expect("SIP/2.0 200")
		for _, c := range []struct{ got, want string }{
			{invited.Response.Get(sip.HeaderContact), "<sip:192.0.2.1:5060>"},
			{invited.Response.Get(sip.HeaderServer), "Sipwerk"},
			{asked.Response.Get(sip.HeaderContact), ""},
			{inside.Response.ToTag(), "mine"},
		} {
			if c.got != c.want {
				t.Errorf("got %q, want %q", c.got, c.want)
			}
		}
	})
}

// Over TCP the Contact names the transport.
func TestContactTransport(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		alice := serve(b, "alice", nil)
		serve(b, "bob", on{sip.EventRequest: func(ev *sip.Event) {
			if got := ev.Request.Get(sip.HeaderContact); got != "<sip:192.0.2.1:5060;transport=tcp>" {
				t.Errorf("Contact is %s", got)
			}
			reply(sip.StatusBusyHere)(ev)
		}})
		got, err := send(b.T.Context(), alice, request(sip.MethodInvite, "sip:bob.test;transport=tcp"))
		expect(t, got, err, sip.StatusBusyHere)
	})
}

// An order for a flow that is gone fails at once and starts nothing.
func TestFlowGone(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		alice := serve(b, "alice", nil)
		gone := sip.Destination{Flow: sip.Flow{ID: 4711, Transport: sip.TCP}}
		alice.Do(9, func() {
			req := invite(alice, "sip:bob@192.0.2.99")
			if tx, err := alice.Start(9, req, gone, on{}); !errors.Is(err, sip.ErrFlowLost) || tx != 0 {
				t.Errorf("Start gave %d, %v", tx, err)
			}
			if err := alice.Ack(9, req, gone); !errors.Is(err, sip.ErrFlowLost) {
				t.Errorf("Ack gave %v", err)
			}
		})
		b.Wait(time.Second)
	})
}

// A response whose connection is gone goes over a new one to the port of sent-by.
func TestResponseReconnects(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		alice := serve(b, "alice", nil)
		var flow sip.Flow
		bob := serve(b, "bob", on{sip.EventRequest: func(ev *sip.Event) {
			flow = ev.Flow
			reply(sip.StatusRinging)(ev)
			tx, res, engine := ev.Tx, ev.Request.Reply(sip.StatusBusyHere), ev.Engine
			engine.After(ev.Stripe, 10*time.Second, func() {
				if err := engine.Respond(tx, res); err != nil {
					t.Error(err)
				}
			})
		}})
		done := start(b.T.Context(), alice, request(sip.MethodInvite, "sip:bob.test;transport=tcp"))
		b.Wait(time.Second)
		bob.Transport().CloseFlow(flow)
		r := <-done
		expect(t, r.statuses, r.err, sip.StatusRinging, sip.StatusBusyHere)
	})
}

// The comfortable door on a whole stack: what a handler returns is the answer, and a CANCEL ends its context.
func TestHandler(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		alice := serve(b, "alice", nil)
		serve(b, "bob", sip.Go(sip.HandlerFunc(func(ctx context.Context, w sip.ResponseWriter, r *sip.Request) error {
			switch r.Method {
			case sip.MethodInvite:
				if err := w.Respond(r.Reply(sip.StatusRinging)); err != nil {
					return err
				}
				<-ctx.Done()
				return context.Cause(ctx)
			case sip.MethodOptions:
				return w.Respond(r.Reply(sip.StatusOK))
			}
			return sip.StatusNotFound
		})))
		got, err := send(b.T.Context(), alice, request(sip.MethodOptions, "sip:bob.test;transport=udp"))
		expect(t, got, err, sip.StatusOK)
		got, err = send(b.T.Context(), alice, request(sip.MethodMessage, "sip:bob.test;transport=udp"))
		expect(t, got, err, sip.StatusNotFound)
		ctx, cancel := context.WithTimeout(b.T.Context(), time.Second)
		defer cancel()
		if got, err = send(ctx, alice, request(sip.MethodInvite, "sip:bob.test;transport=udp")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, %v", got, err)
		}
		b.Wait(time.Second)
		b.Golden("handler", "OPTIONS, MESSAGE and a cancelled INVITE at a handler that may block.")
	})
}
