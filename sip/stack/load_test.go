// Overload, from both sides. RFC 7339.

package stack_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/siptest"
	"github.com/sipwerk/sipwerk/sip/stack"
)

// A neighbour that asks to be spared gets nothing until its time is over; who was not asked is not heeded. RFC 7339 §4, §5.
func TestNeighbour(t *testing.T) {
	for _, known := range []bool{true, false} {
		siptest.Run(t, func(b *siptest.Bench) {
			bob := b.Peer("bob")
			alice := serve(b, "alice", nil, func(s *stack.Stack) {
				s.Neighbours = func(a netip.Addr) bool { return known && a == b.Addr("bob") }
			})
			ask := func() error {
				var err error
				alice.Do(9, func() {
					_, err = alice.Start(9, invite(alice, "sip:bob@"+b.Addr("bob").String()), sip.Destination{}, nil)
				})
				b.Wait(time.Millisecond)
				return err
			}
			if err := ask(); err != nil {
				t.Error(err)
			}
			got := bob.Expect("INVITE")
			via, err := got.Request.Via()
			if err != nil || via.Params.Has("oc") != known {
				t.Errorf("got\n%s", got.Text)
			}
			res := got.Request.Reply(sip.StatusBusyHere)
			res.AddTag(sip.HeaderTo, "b")
			value := strings.Replace(res.Get(sip.HeaderVia), `;oc;oc-algo="loss"`, "", 1)
			res.SetFirst(sip.HeaderVia, value+`;oc=100;oc-algo="loss";oc-validity=5000;oc-seq=1.0`)
			bob.SendBytes("alice", res.AppendTo(nil))
			bob.Expect("ACK")
			if err := ask(); errors.Is(err, sip.ErrOverload) != known || alice.Stats().Held > 0 != known {
				t.Errorf("the second request: %v", err)
			}
			b.Wait(5 * time.Second)
			if !known {
				bob.Reply(bob.Expect("INVITE"), sip.StatusDecline, "b")
				bob.Expect("ACK")
			}
			if err := ask(); err != nil {
				t.Error(err)
			}
			bob.Reply(bob.Expect("INVITE"), sip.StatusDecline, "b")
			bob.Expect("ACK")
		})
	}
}

// Who asks is told how much we bear. RFC 7339 §5.3.
func TestFeedback(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		bob := serve(b, "bob", on{sip.EventRequest: reply(sip.StatusOK)})
		alice := b.Peer("alice")
		alice.Send("bob", strings.Replace(from("OPTIONS", "1"), ";branch", `;oc;oc-algo="loss";branch`, 1))
		if via, err := alice.Expect("SIP/2.0 200").Response.Via(); err != nil || via.Params.Get("oc") != "0" || bob.Stats().Refused > 0 {
			t.Errorf("got %v, %v", via, err)
		}
	})
}
