// A response that came for a branch goes back as it is, less our Via. RFC 3261 §16.7.

package stack_test

import (
	"strings"
	"testing"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/siptest"
	"github.com/sipwerk/sipwerk/sip/stack"
)

// relay sends the request of ev to an address, for another user there, and its responses back.
func relay(ev *sip.Event, user, addr string) {
	tx := ev.Tx
	var req sip.Request
	req.Borrow(ev.Request)
	req.URI.User = user
	_, _ = ev.Engine.Start(ev.Stripe, &req, sip.Destination{URI: sip.MustParseURI("sip:" + addr)}, sip.EventHandlerFunc(func(back *sip.Event) {
		if back.Kind == sip.EventResponse && back.Response.Status != sip.StatusTrying {
			_ = back.Engine.Respond(tx, back.Response)
		}
	}))
}

func TestForwardResponse(t *testing.T) {
	for _, status := range []sip.Status{sip.StatusOK, sip.StatusBusyHere} {
		siptest.Run(t, func(b *siptest.Bench) {
			serve(b, "bob", on{
				sip.EventRequest: func(ev *sip.Event) { relay(ev, "carol", b.Addr("carol").String()) },
				sip.EventAck:     func(*sip.Event) {},
			}, func(s *stack.Stack) { s.UserAgent = "Sipwerk" })
			alice, carol := b.Peer("alice"), b.Peer("carol")
			alice.Send("bob", from("INVITE", "1"))
			got := carol.Expect("INVITE")
			// A response without To tag or Contact is no business of those on its way.
			carol.Reply(got, sip.StatusRinging, "")
			if res := alice.Expect("SIP/2.0 180").Response; res.ToTag() != "" || res.Has(sip.HeaderContact) || res.Has(sip.HeaderServer) {
				t.Errorf("got\n%s", res)
			}
			carol.Reply(got, status, "c", "Via: SIP/2.0/UDP 192.0.2.77;branch=z9hG4bKlast")
			res := alice.Expect("SIP/2.0").Response
			vias := 0
			for range res.Values(sip.HeaderVia) {
				vias++
			}
			if via, _ := res.Via(); res.Status != status || via.Branch() != sip.MagicCookie+"1" || vias != 2 || res.Has(sip.HeaderServer) || res.ToTag() != "c" {
				t.Errorf("got\n%s", res)
			}
			if !status.Success() {
				carol.Expect("ACK")
				alice.Send("bob", from("ACK", "1", ";tag=c"))
			}
		})
	}
}

// A request that goes round and comes back to us has a Via of ours: an answer of our own keeps it for the way home.
func TestForwardToOurselves(t *testing.T) {
	for _, answer := range []func(sip.Engine, sip.TransactionID, *sip.Response) error{sip.Engine.Respond, sip.Engine.RespondOnce} {
		siptest.Run(t, func(b *siptest.Bench) {
			serve(b, "bob", on{sip.EventRequest: func(ev *sip.Event) {
				if ev.Request.URI.User == "bob" {
					relay(ev, "round", b.Addr("bob").String())
				} else if err := answer(ev.Engine, ev.Tx, ev.Request.Reply(sip.StatusOK)); err != nil {
					t.Error(err)
				}
			}})
			alice := b.Peer("alice")
			alice.Send("bob", from("OPTIONS", "1"))
			res := alice.Expect("SIP/2.0 200").Response
			if via, _ := res.Via(); via.Branch() != sip.MagicCookie+"1" || res.ToTag() == "" {
				t.Errorf("got\n%s", res)
			}
		})
	}
}

// What a proxy writes into a request it forwards: a double Record-Route becomes a single one where both sides are the same, and the mark stands in the Via.
func TestForwardRequest(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		alice, bob := serve(b, "alice", nil), b.Peer("bob")
		for _, c := range []struct{ below, want string }{
			{"<sip:192.0.2.1:5060;lr>", "Record-Route: <sip:192.0.2.1:5060;lr>\r\nRecord-Route: <sip:before.test;lr>\r\n"},
			{"<sip:192.0.2.1:5060;lr;transport=tcp>", "Record-Route: <sip:192.0.2.1:5060;lr>\r\nRecord-Route: <sip:192.0.2.1:5060;lr;transport=tcp>\r\nRecord-Route: <sip:before.test;lr>\r\n"},
		} {
			req := invite(alice, "sip:bob@"+b.Addr("bob").String())
			req.Set(sip.HeaderVia, "SIP/2.0/UDP carol.test;branch=z9hG4bKc")
			req.Set(sip.HeaderContact, "<sip:carol@carol.test>")
			req.Set(sip.HeaderRecordRoute, "<sip:before.test;lr>")
			req.Prepend(sip.HeaderRecordRoute, c.below)
			req.Prepend(sip.HeaderRecordRoute, "<sip:"+sip.AnyHost+";lr>")
			alice.Do(9, func() {
				if _, err := alice.Start(9, req, sip.Destination{Mark: 0xbeef}, nil); err != nil {
					t.Error(err)
				}
			})
			got := bob.Expect("INVITE")
			via, err := got.Request.Via()
			if err != nil || via.Params.Get("loop") != "beef" || !strings.Contains(got.Text, c.want) {
				t.Errorf("no %q in\n%s", c.want, got.Text)
			}
			bob.Reply(got, sip.StatusDecline, "b")
			bob.Expect("ACK")
		}
	})
}

// The later events of a client transaction go to its new owner.
func TestOwnClient(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		alice, bob := serve(b, "alice", nil), b.Peer("bob")
		heard := make(map[string]sip.Status)
		hear := func(name string) sip.EventHandler {
			return sip.EventHandlerFunc(func(ev *sip.Event) { heard[name] = ev.Response.Status })
		}
		req := request(sip.MethodOptions, "sip:bob@"+b.Addr("bob").String())
		req.Set(sip.HeaderFrom, "<sip:alice@alice.test>;tag=a")
		req.Set(sip.HeaderTo, "<sip:bob@bob.test>")
		req.Set(sip.HeaderCallID, alice.NewID(9))
		req.Set(sip.HeaderCSeq, "1 OPTIONS")
		alice.Do(9, func() {
			tx, err := alice.Start(9, req, sip.Destination{}, hear("old"))
			if err != nil || alice.Own(tx, hear("new")) != nil || alice.Own(tx+1, hear("none")) == nil {
				t.Error("Own fails")
			}
		})
		bob.Reply(bob.Expect("OPTIONS"), sip.StatusOK, "b")
		b.Wait(siptest.Delay)
		if len(heard) != 1 || heard["new"] != sip.StatusOK {
			t.Errorf("heard %v", heard)
		}
	})
}
