// The 2xx of a handler that may block: repeated until ACK or BYE, given up with BYE.

package stack_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/siptest"
)

// answering is a handler that takes every call, and knows nothing of dialogs.
var answering = sip.HandlerFunc(func(_ context.Context, w sip.ResponseWriter, r *sip.Request) error {
	if r.Method == sip.MethodAck {
		return nil
	}
	return w.Respond(r.Reply(sip.StatusOK))
})

// The ACK to a 2xx is a transaction of its own: Call-ID, To tag and CSeq say what it is for.
func TestHandlerAnswerAcked(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		serve(b, "bob", sip.Go(answering))
		alice := b.Peer("alice")
		alice.Send("bob", from("INVITE", "1"))
		tag := ";tag=" + alice.Expect("SIP/2.0 200").Response.ToTag()
		b.Wait(4 * time.Second) // 200 again after 0.5, 1.5 and 3.5 s
		alice.Send("bob", strings.Replace(from("ACK", "2", tag), "CSeq: 1", "CSeq: 2", 1))
		alice.Send("bob", from("ACK", "3", tag+"x"))
		b.Wait(4 * time.Second) // once more: neither ACK is the right one
		alice.Send("bob", from("ACK", "4", tag))
		alice.Silence(40 * time.Second) // but for copies that came before
		b.Golden("answer_acked", "A handler without dialogs answers a call: the stack repeats its 200 until the ACK. RFC 3261 §13.3.1.4.")
	})
}

func TestHandlerAnswerNotAcked(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		serve(b, "bob", sip.Go(answering))
		alice := b.Peer("alice")
		alice.Send("bob", from("INVITE", "1"))
		tag := alice.Expect("SIP/2.0 200").Response.ToTag()
		b.Wait(20 * time.Second)
		bye := alice.Expect("BYE")
		if from, err := bye.Request.From(); err != nil || from.Tag() != tag || bye.Request.ToTag() != "a" {
			t.Errorf("the BYE is of another dialog:\n%s", bye.Text)
		}
		alice.Reply(bye, sip.StatusOK, "")
		alice.Silence(time.Minute)
	})
}

// A caller that hangs up has seen the answer, whatever became of its ACK.
func TestHandlerAnswerHungUp(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		serve(b, "bob", sip.Go(answering))
		alice := b.Peer("alice")
		alice.Send("bob", from("INVITE", "1"))
		tag := ";tag=" + alice.Expect("SIP/2.0 200").Response.ToTag()
		alice.Send("bob", strings.NewReplacer("CSeq: 1", "CSeq: 2", "Call-ID: BYE", "Call-ID: INVITE").Replace(from("BYE", "2", tag)))
		alice.Expect("SIP/2.0 200")
		alice.Silence(time.Minute)
	})
}
