// What the stack does as a client: cancelling, forks, further targets, lost flows.

package stack_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/siptest"
	"github.com/sipwerk/sipwerk/sip/stack"
)

// result is what a loop in a goroutine of its own gave.
type result struct {
	statuses []sip.Status
	err      error
}

// start runs send beside the test.
func start(ctx context.Context, s *stack.Stack, req *sip.Request) <-chan result {
	done := make(chan result, 1)
	go func() {
		got, err := send(ctx, s, req)
		done <- result{got, err}
	}()
	return done
}

// The CANCEL waits for the first provisional response.
func TestCancelWaits(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		alice, bob := serve(b, "alice", nil), b.Peer("bob")
		ctx, cancel := context.WithCancel(b.T.Context())
		done := start(ctx, alice, request(sip.MethodInvite, "sip:bob.test;transport=udp"))
		invite := bob.Expect("INVITE")
		cancel()
		bob.Silence(600 * time.Millisecond)
		bob.Reply(invite, sip.StatusRinging, "b")
		got := bob.Expect("CANCEL")
		if a, b := branch(t, got.Request), branch(t, invite.Request); a != b {
			t.Errorf("branch of the CANCEL %s, of the INVITE %s", a, b)
		}
		bob.Reply(got, sip.StatusOK, "b")
		bob.Reply(invite, sip.StatusRequestTerminated, "b")
		bob.Expect("ACK")
		bob.Reply(invite, sip.StatusRequestTerminated, "b")
		bob.Silence(time.Second) // but for the ACK again
		if r := <-done; !errors.Is(r.err, context.Canceled) {
			t.Errorf("the loop gave %v", r.err)
		}
		b.Golden("cancel_waits", "A CANCEL that waits for the first provisional response. RFC 3261 §9.1.")
	})
}

func branch(t *testing.T, r *sip.Request) string {
	via, err := r.Via()
	if err != nil {
		t.Fatal(err)
	}
	return via.Branch()
}

// CANCEL and 200 cross: the call is ended by ACK and BYE, and copies of the 200 get their ACK.
func TestCancelCrosses200(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		alice, bob := serve(b, "alice", nil), b.Peer("bob")
		ctx, cancel := context.WithCancel(b.T.Context())
		done := start(ctx, alice, request(sip.MethodInvite, "sip:bob.test;transport=udp"))
		invite := bob.Expect("INVITE")
		bob.Reply(invite, sip.StatusRinging, "b")
		b.Wait(time.Second)
		cancel()
		bob.Reply(invite, sip.StatusOK, "b", "Contact: <sip:bob@{bob}>")
		bob.Reply(bob.Expect("CANCEL"), sip.StatusOK, "b")
		bob.Expect("ACK")
		bob.Reply(bob.Expect("BYE"), sip.StatusOK, "b")
		bob.Reply(invite, sip.StatusOK, "b", "Contact: <sip:bob@{bob}>")
		bob.Expect("ACK")
		bob.Silence(time.Second)
		<-done
		if n := alice.Stats().Late; n != 1 {
			t.Errorf("%d late calls", n)
		}
		b.Golden("cancel_crosses_200", "A CANCEL and a 200 that cross. RFC 3261 §9.1, §13.2.2.4.")
	})
}

// No final response after the CANCEL: the transaction is given up 64*T1 later.
func TestCancelUnanswered(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		alice, bob := serve(b, "alice", nil), b.Peer("bob")
		ctx, cancel := context.WithCancel(b.T.Context())
		start(ctx, alice, request(sip.MethodInvite, "sip:bob.test;transport=udp"))
		bob.Reply(bob.Expect("INVITE"), sip.StatusRinging, "b")
		b.Wait(time.Second)
		cancel()
		bob.Expect("CANCEL")
		b.Wait(33 * time.Second)
		if open := alice.Audit().Open; open != 0 {
			t.Errorf("%d transactions open", open)
		}
	})
}

// The second 2xx of a fork: hung up by the stack, or given to Forked.
func TestForked(t *testing.T) {
	for _, taken := range []bool{false, true} {
		t.Run(fmt.Sprint("taken ", taken), func(t *testing.T) {
			siptest.Run(t, func(b *siptest.Bench) {
				forks := 0
				alice := serve(b, "alice", nil, func(s *stack.Stack) {
					if taken {
						s.Forked = on{sip.EventResponse: func(ev *sip.Event) { forks++ }}
					}
				})
				bob := b.Peer("bob")
				done := start(b.T.Context(), alice, request(sip.MethodInvite, "sip:bob.test;transport=udp"))
				invite := bob.Expect("INVITE")
				bob.Reply(invite, sip.StatusOK, "b1", "Contact: <sip:bob@{bob}>")
				bob.Expect("ACK")
				bob.Reply(invite, sip.StatusOK, "b2", "Contact: <sip:bob@{bob}>")
				if !taken {
					bob.Expect("ACK")
					bob.Reply(bob.Expect("BYE"), sip.StatusOK, "b2")
				}
				bob.Silence(time.Second)
				r := <-done
				expect(t, r.statuses, r.err, sip.StatusOK)
				if want := map[bool]int{true: 1}[taken]; forks != want {
					t.Errorf("%d forks were given away, want %d", forks, want)
				}
			})
		})
	}
}

// A loop that is left at a provisional response cancels.
func TestLeaveLoop(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		alice, bob := serve(b, "alice", nil), b.Peer("bob")
		done := make(chan bool)
		go func() {
			defer close(done)
			for range alice.Send(b.T.Context(), request(sip.MethodInvite, "sip:bob.test;transport=udp")) {
				break
			}
		}()
		invite := bob.Expect("INVITE")
		bob.Reply(invite, sip.StatusRinging, "b")
		bob.Reply(bob.Expect("CANCEL"), sip.StatusOK, "b")
		bob.Reply(invite, sip.StatusRequestTerminated, "b")
		bob.Expect("ACK")
		<-done
	})
}

// zone puts the hosts called names behind one SRV record, in that order.
func zone(b *siptest.Bench, names ...string) {
	for i, name := range names {
		b.Net.Names.AddSRV("_sip._udp.example.test", network.SRV{Priority: uint16(i), Port: 5060, Target: name + ".test"})
	}
}

// A target that answers 503, then one that says nothing, then one that answers.
func TestNextTarget(t *testing.T) {
	for _, m := range []sip.Method{sip.MethodOptions, sip.MethodInvite} {
		t.Run(string(m), func(t *testing.T) {
			siptest.Run(t, func(b *siptest.Bench) {
				alice := serve(b, "alice", nil)
				busy, mute := b.Peer("busy"), b.Peer("mute")
				serve(b, "bob", on{sip.EventRequest: reply(sip.StatusDecline)})
				zone(b, "busy", "mute", "bob")
				done := start(b.T.Context(), alice, request(m, "sip:example.test;transport=udp"))
				first := busy.Expect(string(m))
				busy.Reply(first, sip.StatusServiceUnavailable, "x")
				if m == sip.MethodInvite {
					busy.Expect("ACK")
					second := mute.Expect("INVITE")
					if branch(t, first.Request) == branch(t, second.Request) {
						t.Error("both targets have the same branch")
					}
					busy.Reply(first, sip.StatusServiceUnavailable, "x") // the ACK was lost
					b.Wait(time.Second)
				}
				r := <-done
				expect(t, r.statuses, r.err, sip.StatusDecline)
				b.Golden("next_target_"+string(m), "503, silence, and a target that answers. RFC 3263 §4.3.")
			})
		})
	}
}

// All targets fail: the outcome is that of the last.
func TestNoTarget(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		alice, busy := serve(b, "alice", nil), b.Peer("busy")
		b.Peer("mute")
		zone(b, "busy", "mute")
		done := start(b.T.Context(), alice, request(sip.MethodOptions, "sip:example.test;transport=udp"))
		busy.Reply(busy.Expect("OPTIONS"), sip.StatusServiceUnavailable, "x")
		if r := <-done; !errors.Is(r.err, sip.ErrTimeout) {
			t.Errorf("got %v, %v", r.statuses, r.err)
		}
		for _, uri := range []string{"sip:nobody.test", "tel:+4930123", "sip:192.0.2.99:5060;transport=tcp"} {
			if got, err := send(b.T.Context(), alice, request(sip.MethodOptions, uri)); err == nil {
				t.Errorf("%s gave %v", uri, got)
			}
		}
	})
}

// What does not fit a datagram goes by TCP, and by UDP if the peer does not listen there.
func TestTooLongForDatagram(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		alice := serve(b, "alice", nil)
		var came sip.Transport
		serve(b, "bob", on{sip.EventRequest: func(ev *sip.Event) {
			came = ev.Flow.Transport
			reply(sip.StatusOK)(ev)
		}})
		long := request(sip.MethodMessage, "sip:bob.test;transport=udp")
		long.SetBody("text/plain", bytes.Repeat([]byte("long "), 300))
		got, err := send(b.T.Context(), alice, long)
		expect(t, got, err, sip.StatusOK)
		if came != sip.TCP {
			t.Errorf("it came by %v", came)
		}
		carol := b.Peer("carol")
		long.URI.Host = "carol.test"
		done := start(b.T.Context(), alice, long)
		req := carol.Expect("MESSAGE")
		if via, _ := req.Request.Via(); via.Transport != "UDP" {
			t.Errorf("the Via says %s", via)
		}
		carol.Reply(req, sip.StatusOK, "c")
		r := <-done
		expect(t, r.statuses, r.err, sip.StatusOK)
	})
}

// A connection that breaks while an answer is awaited: known at once, not after 32 seconds.
func TestFlowLost(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		lost := 0
		alice := serve(b, "alice", nil, func(s *stack.Stack) {
			s.FlowLost = on{sip.EventFlowLost: func(*sip.Event) { lost++ }}
		})
		var flow sip.Flow
		bob := serve(b, "bob", on{sip.EventRequest: func(ev *sip.Event) { flow = ev.Flow }})
		done := start(b.T.Context(), alice, request(sip.MethodOptions, "sip:bob.test;transport=tcp"))
		b.Wait(time.Second)
		bob.Transport().CloseFlow(flow)
		b.Wait(time.Second)
		select {
		case r := <-done:
			if !errors.Is(r.err, sip.ErrFlowLost) {
				t.Errorf("got %v, %v", r.statuses, r.err)
			}
		default:
			t.Error("the loop still waits")
			<-done
		}
		if lost != 1 {
			t.Errorf("%d flows lost", lost)
		}
	})
}

// Orders to what is over fail and change nothing.
func TestStaleOrders(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		alice := serve(b, "alice", nil)
		serve(b, "bob", on{sip.EventRequest: reply(sip.StatusOK)})
		var tx sip.TransactionID
		req := request(sip.MethodOptions, "sip:bob@"+b.Addr("bob").String())
		req.Set(sip.HeaderFrom, "<sip:alice@alice.test>;tag=a")
		req.Set(sip.HeaderTo, "<sip:bob@bob.test>")
		req.Set(sip.HeaderCallID, alice.NewID(5))
		req.Set(sip.HeaderCSeq, "1 OPTIONS")
		var events []sip.EventKind
		alice.Do(5, func() {
			var err error
			if tx, err = alice.Start(5, req, sip.Destination{}, sip.EventHandlerFunc(func(ev *sip.Event) { events = append(events, ev.Kind) })); err != nil {
				t.Error(err)
			}
		})
		b.Wait(time.Minute)
		alice.Do(5, func() {
			for name, err := range map[string]error{
				"Cancel":      alice.Cancel(tx, ""),
				"Respond":     alice.Respond(tx, req.Reply(sip.StatusOK)),
				"RespondOnce": alice.RespondOnce(tx, req.Reply(sip.StatusOK)),
				"Own":         alice.Own(tx, nil),
				"none":        alice.Cancel(0, ""),
			} {
				if !errors.Is(err, sip.ErrNoTransaction) {
					t.Errorf("%s gave %v", name, err)
				}
			}
			// The slot is taken again: the old name still means nothing.
			again, err := alice.Start(5, req, sip.Destination{}, nil)
			if err != nil || again == tx {
				t.Errorf("a new transaction is called %d, %v", again, err)
			}
		})
		b.Wait(time.Second)
		if len(events) != 1 || events[0] != sip.EventResponse {
			t.Errorf("events %v", events)
		}
	})
}

// Functions ordered for later run in time and in order; a stopped one does not.
func TestAfter(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		s := serve(b, "alice", nil)
		var got []int
		s.Do(3, func() {
			note := func(n int) func() { return func() { got = append(got, n) } }
			s.After(3, 2*time.Second, note(3))
			s.After(3, time.Second, note(1))
			s.After(3, time.Second, note(2))
			stopped := s.After(3, time.Second, note(9))
			if !stopped.Stop() || stopped.Stop() {
				t.Error("Stop does not tell")
			}
			s.Do(3, note(0))
		})
		b.Wait(3 * time.Second)
		if fmt.Sprint(got) != "[0 1 2 3]" {
			t.Errorf("ran %v", got)
		}
	})
}

// A stack that stops lets open calls end, refuses new ones, and tells the owners of those that do not.
func TestShutdown(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		var told error
		bob := serve(b, "bob", on{
			sip.EventRequest: func(ev *sip.Event) {},
			sip.EventTimeout: func(ev *sip.Event) { told = ev.Err },
		})
		alice := b.Peer("alice")
		alice.Send("bob", from("INVITE", "1"))
		alice.Expect("SIP/2.0 100")
		ctx, cancel := context.WithTimeout(b.T.Context(), 3*time.Second)
		defer cancel()
		done := make(chan error)
		go func() { done <- bob.Shutdown(ctx) }()
		synctest.Wait()
		alice.Send("bob", from("OPTIONS", "2"))
		alice.Expect("SIP/2.0 503")
		if err := <-done; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Shutdown gave %v", err)
		}
		if !errors.Is(told, sip.ErrClosed) {
			t.Errorf("the owner was told %v", told)
		}
	})
}
