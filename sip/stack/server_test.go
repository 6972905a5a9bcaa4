// What a peer sees of the stack as a server: flows with raw peers.

package stack_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/siptest"
	"github.com/sipwerk/sipwerk/sip/stack"
	"github.com/sipwerk/sipwerk/sip/transaction"
)

// from is a request of a raw peer called alice to bob.
func from(method, branch string, more ...string) string {
	m := method
	if m == "CANCEL" || m == "ACK" {
		m = "INVITE"
	}
	return method + ` sip:bob@{bob} SIP/2.0
		Via: SIP/2.0/UDP {alice};branch=` + sip.MagicCookie + branch + `
		Max-Forwards: 70
		From: <sip:alice@{alice}>;tag=a
		To: <sip:bob@{bob}>` + strings.Join(more, "") + `
		Call-ID: ` + m + `
		CSeq: 1 ` + method + `
		Contact: <sip:alice@{alice}>
`
}

// A slow TU: the stack says 100 by itself, 200 ms after an INVITE and when timer E has reached T2 after another request.
func TestTrying(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		serve(b, "bob", on{sip.EventRequest: func(ev *sip.Event) {
			tx, res, engine := ev.Tx, ev.Request.Reply(sip.StatusBusyHere), ev.Engine
			engine.After(ev.Stripe, 5*time.Second, func() { engine.Respond(tx, res) })
		}})
		alice := b.Peer("alice")
		alice.Send("bob", from("INVITE", "1"))
		alice.Expect("SIP/2.0 100")
		alice.Send("bob", from("INVITE", "1"))
		res := alice.Expect("SIP/2.0 486")
		alice.Send("bob", from("ACK", "1", ";tag="+res.Response.ToTag()))
		alice.Send("bob", from("OPTIONS", "2"))
		alice.Expect("SIP/2.0 100")
		alice.Expect("SIP/2.0 486")
		alice.Send("bob", from("OPTIONS", "2"))
		alice.Silence(time.Second)
		b.Golden("trying", "A slow handler: the stack says 100 by itself. RFC 3261 §17.2.1, RFC 4320 §4.1.")
	})
}

// A quick TU: nothing but its answer. A 1xx to anything but INVITE, and a 408, stay inside (RFC 4320).
func TestNoTrying(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		serve(b, "bob", on{sip.EventRequest: func(ev *sip.Event) {
			if ev.Request.Method == sip.MethodMessage {
				reply(sip.StatusRequestTimeout)(ev)
				return
			}
			reply(sip.StatusRinging, sip.StatusOK)(ev)
		}})
		alice := b.Peer("alice")
		alice.Send("bob", from("OPTIONS", "1"))
		alice.Expect("SIP/2.0 200")
		alice.Send("bob", from("MESSAGE", "2"))
		alice.Silence(time.Minute)
	})
}

// A TU that answers after the client has given up: nothing is sent, and the order fails.
func TestLateAnswer(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		var late error
		told := 0
		serve(b, "bob", on{
			sip.EventRequest: func(ev *sip.Event) {
				tx, res, engine := ev.Tx, ev.Request.Reply(sip.StatusOK), ev.Engine
				engine.After(ev.Stripe, 33*time.Second, func() { late = engine.Respond(tx, res) })
			},
			sip.EventTimeout: func(*sip.Event) { told++ },
		})
		alice := b.Peer("alice")
		alice.Send("bob", from("OPTIONS", "1"))
		alice.Expect("SIP/2.0 100")
		alice.Silence(time.Minute)
		if !errors.Is(late, sip.ErrNoTransaction) || told != 1 {
			t.Errorf("the late answer gave %v after %d time-outs", late, told)
		}
	})
}

func TestCancelled(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		var invite *sip.Request
		acks := 0
		serve(b, "bob", on{
			sip.EventRequest: func(ev *sip.Event) {
				invite = ev.Request.Clone()
				reply(sip.StatusRinging)(ev)
			},
			sip.EventCancel: func(ev *sip.Event) { ev.Engine.Respond(ev.Tx, invite.Reply(sip.StatusRequestTerminated)) },
			sip.EventAck:    func(*sip.Event) { acks++ },
		})
		alice := b.Peer("alice")
		alice.Send("bob", from("CANCEL", "1"))
		alice.Expect("SIP/2.0 481")
		alice.Send("bob", from("INVITE", "1"))
		ringing := alice.Expect("SIP/2.0 180")
		alice.Send("bob", from("CANCEL", "1"))
		ok := alice.Expect("SIP/2.0 200")
		over := alice.Expect("SIP/2.0 487")
		for _, r := range []siptest.Received{ringing, ok, over} {
			if tag := r.Response.ToTag(); tag == "" || tag != over.Response.ToTag() {
				t.Errorf("To tag %q in\n%s", tag, r.Text)
			}
		}
		alice.Send("bob", from("CANCEL", "1"))
		alice.Send("bob", from("ACK", "1", ";tag="+over.Response.ToTag()))
		alice.Silence(time.Second)
		if acks > 0 {
			t.Error("the ACK to the 487 came up")
		}
		b.Golden("cancelled", "A CANCEL without an INVITE, then one for a ringing INVITE. RFC 3261 §9.2.")
	})
}

// The same request by two ways: the second is refused, and a request through a rewriting proxy is not.
func TestMerged(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		requests := 0
		bob := serve(b, "bob", on{sip.EventRequest: func(ev *sip.Event) {
			requests++
			reply(sip.StatusRinging, sip.StatusBusyHere)(ev)
		}})
		alice := b.Peer("alice")
		alice.Send("bob", from("INVITE", "1"))
		alice.Expect("SIP/2.0 180")
		first := alice.Expect("SIP/2.0 486")
		alice.Send("bob", from("INVITE", "2"))
		second := alice.Expect("SIP/2.0 482")
		alice.Send("bob", strings.Replace(from("INVITE", "3"), "sip:bob@", "sip:robert@", 1))
		alice.Expect("SIP/2.0 180")
		third := alice.Expect("SIP/2.0 486")
		for branch, r := range map[string]siptest.Received{"1": first, "2": second, "3": third} {
			alice.Send("bob", from("ACK", branch, ";tag="+r.Response.ToTag()))
		}
		b.Wait(time.Second)
		if got := bob.Stats(); requests != 2 || got.Merged != 1 || got.Absorbed != 1 {
			t.Errorf("%d requests, %+v", requests, got)
		}
	})
}

// A request that comes again by another way after a 503 is not merged: it was asked to.
func TestComesAgain(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		statuses := []sip.Status{sip.StatusServiceUnavailable, sip.StatusOK}
		serve(b, "bob", on{sip.EventRequest: func(ev *sip.Event) {
			reply(statuses[0])(ev)
			statuses = statuses[1:]
		}})
		alice := b.Peer("alice")
		alice.Send("bob", from("OPTIONS", "1"))
		alice.Expect("SIP/2.0 503")
		alice.Send("bob", from("OPTIONS", "2"))
		alice.Expect("SIP/2.0 200")
		alice.Send("bob", from("OPTIONS", "3"))
		alice.Expect("SIP/2.0 482")
	})
}

// Answers without a transaction: copies get the same tag, nothing is sent twice by itself, and the ACK is absorbed.
func TestReject(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		acks := 0
		serve(b, "bob", on{
			sip.EventRequest: func(ev *sip.Event) {
				if err := ev.Engine.RespondOnce(ev.Tx, ev.Request.Reply(sip.StatusUnauthorized)); err != nil {
					t.Error(err)
				}
				if err := ev.Engine.Respond(ev.Tx, ev.Request.Reply(sip.StatusOK)); !errors.Is(err, sip.ErrNoTransaction) {
					t.Errorf("an answer after RespondOnce gave %v", err)
				}
			},
			sip.EventAck: func(*sip.Event) { acks++ },
		})
		alice := b.Peer("alice")
		alice.Send("bob", from("INVITE", "1"))
		res := alice.Expect("SIP/2.0 401")
		alice.Send("bob", from("INVITE", "1"))
		alice.Silence(10 * time.Second) // but for the same bytes once more
		alice.Send("bob", from("ACK", "1", ";tag="+res.Response.ToTag()))
		b.Wait(time.Second)
		if acks != 0 {
			t.Error("the ACK to the 401 came up")
		}
		alice.Send("bob", from("ACK", "other", ";tag="+res.Response.ToTag()))
		b.Wait(time.Second)
		if acks != 1 {
			t.Error("an ACK of no transaction did not come up")
		}
		b.Golden("reject", "A refusal without a transaction. RFC 3261 §8.2.7.")
	})
}

// A peer from before RFC 3261 writes no cookie: its copies, CANCEL and ACK are known by what they share.
func TestWithoutCookie(t *testing.T) {
	old := func(method string, more ...string) string {
		s := from(method, "1", more...)
		return strings.Replace(s, ";branch="+sip.MagicCookie+"1", "", 1)
	}
	siptest.Run(t, func(b *siptest.Bench) {
		var invite *sip.Request
		requests, acks := 0, 0
		serve(b, "bob", on{
			sip.EventRequest: func(ev *sip.Event) {
				requests++
				invite = ev.Request.Clone()
				reply(sip.StatusRinging)(ev)
			},
			sip.EventCancel: func(ev *sip.Event) { ev.Engine.Respond(ev.Tx, invite.Reply(sip.StatusRequestTerminated)) },
			sip.EventAck:    func(*sip.Event) { acks++ },
		})
		alice := b.Peer("alice")
		alice.Send("bob", old("INVITE"))
		alice.Expect("SIP/2.0 180")
		alice.Send("bob", old("INVITE"))
		alice.Send("bob", old("CANCEL"))
		alice.Expect("SIP/2.0 200")
		over := alice.Expect("SIP/2.0 487")
		alice.Send("bob", old("ACK", ";tag="+over.Response.ToTag()))
		alice.Silence(time.Second)
		if requests != 1 || acks != 0 {
			t.Errorf("%d requests, %d ACKs", requests, acks)
		}
	})
}

// Malformed requests cost one answer at most, malformed ACKs and responses none.
func TestMalformed(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		bob := serve(b, "bob", on{sip.EventRequest: reply(sip.StatusOK), sip.EventAck: func(*sip.Event) { t.Error("a malformed ACK came up") }})
		alice := b.Peer("alice")
		for _, c := range []struct{ old, new, want string }{
			{"CSeq: 1 OPTIONS", "CSeq: 1 INVITE", "SIP/2.0 400"},
			{"Max-Forwards: 70", "Max-Forwards: many", "SIP/2.0 400"},
			{"sip:bob@{bob} SIP/2.0", "nobody:knows SIP/2.0", "SIP/2.0 416"},
			{"sip:bob@{bob} SIP/2.0", "sip:bob@{bob} SIP/7.0", "SIP/2.0 505"},
		} {
			alice.Send("bob", strings.Replace(from("OPTIONS", "1"), c.old, c.new, 1))
			if got := alice.Expect(c.want); got.Response.ToTag() == "" || len(got.Text) > 600 {
				t.Errorf("the refusal is\n%s", got.Text)
			}
			alice.Send("bob", strings.NewReplacer(c.old, c.new, "OPTIONS", "ACK").Replace(from("OPTIONS", "1")))
			alice.Silence(time.Second)
		}
		alice.Send("bob", "SIP/2.0 200 OK\n\t\tVia: SIP/2.0/UDP {bob};branch=x\n")
		alice.Send("bob", strings.Replace(from("OPTIONS", "1"), "\t\tVia", "\t\tVai", 1))
		alice.Silence(time.Second)
		if got := bob.Stats().Malformed + bob.Transport().Stats.Malformed.Load(); got != 10 {
			t.Errorf("%d counted", got)
		}
	})
}

// A TU that never answers: 4 minutes after its last word the caller gets a 408, the TU is told, and nothing stays. RFC 3261 §13.3.1.1, §16.6 step 11.
func TestSilentHandler(t *testing.T) {
	for name, words := range map[string][]sip.Status{"not a word": nil, "ringing": {sip.StatusRinging}} {
		t.Run(name, func(t *testing.T) {
			siptest.Run(t, func(b *siptest.Bench) {
				told := 0
				bob := serve(b, "bob", on{
					sip.EventRequest: func(ev *sip.Event) { reply(words...)(ev) },
					sip.EventTimeout: func(ev *sip.Event) {
						if !errors.Is(ev.Err, sip.ErrTimeout) {
							t.Error(ev.Err)
						}
						told++
					},
				})
				alice := b.Peer("alice")
				alice.Send("bob", from("INVITE", "1"))
				first := alice.Expect("SIP/2.0 1")
				alice.Silence(3*time.Minute + 59*time.Second)
				res := alice.Expect("SIP/2.0 408")
				if tag := first.Response.ToTag(); tag != "" && tag != res.Response.ToTag() || res.Response.ToTag() == "" {
					t.Errorf("the 408 is of another dialog:\n%s", res.Text)
				}
				alice.Send("bob", from("ACK", "1", ";tag="+res.Response.ToTag()))
				alice.Silence(10 * time.Second)
				if got := bob.Audit(); told != 1 || got != (transaction.Audit{}) {
					t.Errorf("told %d times, left: %+v", told, got)
				}
			})
		})
	}
}

// A full stripe refuses what is new, early and without keeping anything.
func TestOverload(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		bob := serve(b, "bob", on{sip.EventRequest: reply(sip.StatusOK)}, func(s *stack.Stack) {
			s.Limits.Transaction = transaction.Limits{Rows: 1}
		})
		alice := b.Peer("alice")
		alice.Send("bob", from("OPTIONS", "1"))
		alice.Expect("SIP/2.0 200")
		alice.Send("bob", strings.Replace(from("OPTIONS", "2"), "CSeq: 1", "CSeq: 2", 1))
		if res := alice.Expect("SIP/2.0 503"); !res.Response.Has(sip.HeaderRetryAfter) {
			t.Errorf("no Retry-After in\n%s", res.Text)
		}
		if got := bob.Stats().Overload; got != 1 {
			t.Errorf("%d counted", got)
		}
	})
}

// A panic of a handler is a 500 and costs nothing else.
func TestPanic(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		first := true
		bob := serve(b, "bob", on{sip.EventRequest: func(ev *sip.Event) {
			if first {
				first = false
				panic("handler fell over")
			}
			reply(sip.StatusOK)(ev)
		}}, quiet)
		alice := b.Peer("alice")
		alice.Send("bob", from("OPTIONS", "1"))
		alice.Expect("SIP/2.0 500")
		alice.Send("bob", strings.Replace(from("OPTIONS", "2"), "CSeq: 1", "CSeq: 2", 1))
		alice.Expect("SIP/2.0 200")
		if got := bob.Stats().Panics; got != 1 {
			t.Errorf("%d panics counted", got)
		}
	})
}
