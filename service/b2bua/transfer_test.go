package b2bua

import (
	"testing"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/event"
)

// referTo is a REFER of bob inside the dialog that s made, without reports. RFC 4488 §4.
func (w *world) referTo(s *sent, seq int, to string) sip.TransactionID {
	req := w.backRequest(s, sip.MethodRefer, seq, "")
	req.Set(sip.HeaderReferTo, to)
	req.Set(sip.HeaderReferSub, "false")
	return w.request(req)
}

// TestTransferSound: dora hears alice, and dora's telephone is told who calls, whom, and on whose word. RFC 3892 §2.2; RFC 5589 §8.
func TestTransferSound(t *testing.T) {
	play(t, func(w *world) {
		w.b.Events = &event.Notifier{}
		w.phone("dora", 3)
		tx, s := w.connect()
		if got := w.answerTo(w.referTo(s, 1, "<sip:dora@example.org>")).Status; got != sip.StatusAccepted {
			t.Fatalf("REFER got %d", got)
		}
		ring := w.one(sip.MethodInvite)
		from, _ := ring.From()
		to, _ := ring.To()
		by, _ := ring.ReferredBy()
		if from.URI.String() != "sip:alice@example.org" || to.URI.String() != "sip:dora@example.org" || by.URI.String() != "sip:bob@example.org" {
			t.Errorf("dora is told\n%s", ring)
		}
		w.reply(ring, sip.StatusOK, offer("192.0.2.3", 7000))
		again := w.one(sip.MethodInvite)
		toAlice := mediaPort(t, again.Body())
		w.reply(again, sip.StatusOK, offer("192.0.2.1", 4000))
		if !w.talks("192.0.2.1:4000", "192.0.2.3:7000", toAlice) {
			t.Error("dora does not hear alice")
		}
		w.pass(farewell)
		w.reply(w.one(sip.MethodBye), sip.StatusOK, "") // bob's side
		w.hangUp(tx, 2)
	})
}

// TestTransferRefused: who is kept does not want the target's session; the target hears of it, and the call stays as it was. RFC 5589 §6.3.
func TestTransferRefused(t *testing.T) {
	for _, status := range []sip.Status{sip.StatusNotAcceptableHere, sip.StatusRequestPending} {
		play(t, func(w *world) {
			w.b.Events = &event.Notifier{}
			w.phone("dora", 3)
			tx, s := w.connect()
			w.referTo(s, 1, "<sip:dora@example.org>")
			w.reply(w.one(sip.MethodInvite), sip.StatusOK, offer("192.0.2.3", 7000))
			for again := w.one(sip.MethodInvite); again.Method == sip.MethodInvite; {
				w.reply(again, status, "")
				w.pass(joinPause)
				started := w.started
				w.started = nil
				if len(started) != 1 {
					t.Fatalf("%d requests were started", len(started))
				}
				again = started[0]
				if again.Method == sip.MethodBye {
					if again.URI.Host != "192.0.2.3" {
						t.Errorf("BYE to %v", again.URI)
					}
					w.reply(again, sip.StatusOK, "")
				}
			}
			w.hangUp(tx, 2)
		})
	}
}

// TestReferHandedOn: a REFER that names a call is for the other telephone, which tells its sender what becomes of it. RFC 5589 §7.3.
func TestReferHandedOn(t *testing.T) {
	play(t, func(w *world) {
		w.b.Events = &event.Notifier{}
		tx, s := w.connect()
		refer := w.referTo(s, 1, "<sip:dora@elsewhere.example?Replaces=x%3Bto-tag%3Da%3Bfrom-tag%3Db>")
		on := w.one(sip.MethodRefer)
		if to, err := on.ReferTo(); err != nil || to.URI.Headers == "" {
			t.Errorf("alice gets\n%s", on)
		}
		w.reply(on, sip.StatusAccepted, "")
		if got := w.answerTo(refer).Status; got != sip.StatusAccepted {
			t.Errorf("bob got %d", got)
		}
		w.bodyType = "message/sipfrag"
		req := sip.NewRequest(sip.MethodNotify, sip.MustParseURI("sip:"+serverAddress.String()))
		in, res := w.incoming[tx], w.answerTo(tx)
		for _, h := range []sip.Header{sip.HeaderFrom, sip.HeaderCallID, sip.HeaderContact} {
			req.Set(h, in.Get(h))
		}
		req.Set(sip.HeaderTo, res.Get(sip.HeaderTo))
		req.Set(sip.HeaderCSeq, "2 NOTIFY")
		req.Set(sip.HeaderMaxForwards, "70")
		req.Set(sip.HeaderEvent, "refer;id=7")
		req.Set(sip.HeaderSubscriptionState, "terminated;reason=noresource")
		req.SetBody("message/sipfrag", []byte("SIP/2.0 200 OK\r\n"))
		notify := w.request(req)
		told := w.one(sip.MethodNotify)
		if told.Get(sip.HeaderEvent) != "refer" || told.Get(sip.HeaderSubscriptionState) != "terminated;reason=noresource" || len(told.Body()) == 0 {
			t.Errorf("bob is told\n%s", told)
		}
		w.reply(told, sip.StatusOK, "")
		if got := w.answerTo(notify).Status; got != sip.StatusOK {
			t.Errorf("alice got %d", got)
		}
		w.hangUp(tx, 3)
	})
}

// TestReferUnwanted: without anybody who could report, REFER is not taken.
func TestReferUnwanted(t *testing.T) {
	play(t, func(w *world) {
		tx, s := w.connect()
		if got := w.answerTo(w.referTo(s, 1, "<sip:dora@example.org>")).Status; got != sip.StatusMethodNotAllowed {
			t.Errorf("bob got %d", got)
		}
		w.hangUp(tx, 2)
	})
}

// TestTransferAgainAndAgain: a call does not grow with the transfers that come to nothing.
func TestTransferAgainAndAgain(t *testing.T) {
	play(t, func(w *world) {
		w.b.Events = &event.Notifier{}
		w.phone("dora", 3)
		tx, s := w.connect()
		for i := range 40 {
			w.referTo(s, i+1, "<sip:dora@example.org>")
			w.reply(w.one(sip.MethodInvite), sip.StatusBusyHere, "")
		}
		for c := range w.b.calls {
			if n := len(c.branches); n > 3 {
				t.Errorf("the call holds %d branches", n)
			}
		}
		w.hangUp(tx, 2)
	})
}
