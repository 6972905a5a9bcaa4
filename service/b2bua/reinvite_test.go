package b2bua

import (
	"strings"
	"testing"

	"github.com/sipwerk/sipwerk/sip"
)

// TestHold: RFC 3264 §8.4.
func TestHold(t *testing.T) {
	play(t, func(w *world) {
		tx, s := w.connect()
		hold := w.inside(tx, sip.MethodInvite, 2, offer("192.0.2.1", 4000, "a=sendonly"))
		if len(w.responses[hold]) != 0 {
			t.Fatalf("the hold was answered before the other side did: %s", w.statuses(hold))
		}
		re := w.one(sip.MethodInvite)
		if !strings.Contains(string(re.Body()), "a=sendonly") || !strings.Contains(string(re.Body()), " 2 IN IP4") {
			t.Errorf("offer to bob:\n%s", re.Body())
		}
		if mediaPort(t, re.Body()) != mediaPort(t, s.Body()) {
			t.Error("the port has changed")
		}
		w.reply(re, sip.StatusOK, offer("192.0.2.2", 6000, "a=recvonly"))
		if res := w.answerTo(hold); res.Status != sip.StatusOK || !strings.Contains(string(res.Body()), "a=recvonly") {
			t.Errorf("alice got\n%s", res)
		}
		w.ack(hold, "")
		if len(w.acks) != 2 {
			t.Errorf("%d ACKs to bob, want 2", len(w.acks))
		}
		w.hangUp(tx, 3)
	})
}

func TestCalleeMoves(t *testing.T) {
	play(t, func(w *world) {
		tx, s := w.connect()
		re := w.back(s, sip.MethodInvite, 1, offer("192.0.2.77", 7000))
		toAlice := w.one(sip.MethodInvite)
		if toAlice.URI.String() != "sip:alice@192.0.2.1" {
			t.Errorf("Request-URI %s", toAlice.URI)
		}
		w.reply(toAlice, sip.StatusOK, offer("192.0.2.1", 4000))
		if got := w.answerTo(re).Status; got != sip.StatusOK {
			t.Fatalf("bob got %d", got)
		}
		if !w.talks("192.0.2.1:4000", "192.0.2.77:7000", mediaPort(t, toAlice.Body())) {
			t.Error("bob does not hear alice at his new place")
		}
		w.in(func() {
			ack := w.incoming[re].Clone()
			ack.Method = sip.MethodAck
			ack.Set(sip.HeaderCSeq, "1 ACK")
			w.table.HandleEvent(&sip.Event{Kind: sip.EventAck, Stripe: stripe, Request: ack, Engine: w})
		})
		w.hangUp(tx, 2)
	})
}

// TestCallerRoams: the caller has another address behind another NAT; its description names a private one.
func TestCallerRoams(t *testing.T) {
	play(t, func(w *world) {
		tx, _ := w.connect()
		w.via = "SIP/2.0/UDP 10.0.0.7;received=192.0.2.88;branch=z9hG4bKy;rport=5060"
		change := w.inside(tx, sip.MethodInvite, 2, offer("10.0.0.7", 4000))
		re := w.one(sip.MethodInvite)
		w.reply(re, sip.StatusOK, offer("192.0.2.2", 6000))
		w.ack(change, "")
		if !w.talks("192.0.2.88:5555", "192.0.2.2:6000", mediaPort(t, w.answerTo(change).Body())) {
			t.Error("bob does not hear alice from her new address")
		}
		w.hangUp(tx, 3)
	})
}

// TestChangeRefused: RFC 3264 §8, RFC 6141 §3.1.
func TestChangeRefused(t *testing.T) {
	for answer, want := range map[sip.Status]sip.Status{488: 488, 491: 491, 401: 488, 603: 603} {
		play(t, func(w *world) {
			tx, s := w.connect()
			change := w.inside(tx, sip.MethodInvite, 2, offer("192.0.2.99", 4000, "m=video 4002 RTP/AVP 31"))
			w.reply(w.one(sip.MethodInvite), answer, "")
			if got := w.answerTo(change).Status; got != want {
				t.Errorf("%d: alice got %d, want %d", answer, got, want)
			}
			if !w.talks("192.0.2.2:6000", "192.0.2.1:4000", mediaPort(t, s.Body())) {
				t.Errorf("%d: the refused change has changed the session", answer)
			}
			w.hangUp(tx, 3)
		})
	}
}

// TestGlare: RFC 3261 §14.2.
func TestGlare(t *testing.T) {
	play(t, func(w *world) {
		tx, s := w.connect()
		first := w.inside(tx, sip.MethodInvite, 2, offer("192.0.2.1", 4000, "a=sendonly"))
		second := w.back(s, sip.MethodInvite, 1, offer("192.0.2.2", 6000, "a=inactive"))
		if got := w.statuses(second); got != "491" {
			t.Errorf("bob got %s, want 491", got)
		}
		w.reply(w.one(sip.MethodInvite), sip.StatusOK, offer("192.0.2.2", 6000, "a=recvonly"))
		if got := w.answerTo(first).Status; got != sip.StatusOK {
			t.Errorf("alice got %d", got)
		}
		w.ack(first, "")
		w.hangUp(tx, 3)
	})
}

// TestReinviteWithoutOffer: RFC 3261 §14.2, RFC 6337 §5.2.
func TestReinviteWithoutOffer(t *testing.T) {
	play(t, func(w *world) {
		tx, _ := w.connect()
		ask := w.inside(tx, sip.MethodInvite, 2, "")
		re := w.one(sip.MethodInvite)
		if len(re.Body()) != 0 {
			t.Errorf("an offer was made up:\n%s", re)
		}
		w.reply(re, sip.StatusOK, offer("192.0.2.2", 6002))
		if res := w.answerTo(ask); res.Status != sip.StatusOK || len(res.Body()) == 0 {
			t.Fatalf("alice got\n%s", res)
		}
		if len(w.acks) != 1 {
			t.Error("ACK before there is an answer")
		}
		w.ack(ask, offer("192.0.2.1", 4002))
		if len(w.acks) != 2 || len(w.acks[1].Body()) == 0 {
			t.Fatalf("%d ACKs", len(w.acks))
		}
		if !w.talks("192.0.2.1:4002", "192.0.2.2:6002", mediaPort(t, w.answerTo(ask).Body())) {
			t.Error("bob does not hear alice at the new ports")
		}
		w.hangUp(tx, 3)
	})
}

// TestChangeWithdrawn: a re-INVITE is cancelled while the other side accepts it, so the other side is led back.
func TestChangeWithdrawn(t *testing.T) {
	for name, body := range map[string]string{"offer": offer("192.0.2.1", 4444), "no offer": ""} {
		t.Run(name, func(t *testing.T) {
			play(t, func(w *world) {
				tx, s := w.connect()
				change := w.inside(tx, sip.MethodInvite, 2, body)
				re := w.one(sip.MethodInvite)
				w.in(func() {
					w.handlers[change].HandleEvent(&sip.Event{Kind: sip.EventCancel, Stripe: stripe, Tx: change, Request: w.incoming[change], Engine: w})
				})
				if got := w.statuses(change); got != "487" {
					t.Errorf("alice got %s, want 487", got)
				}
				w.reply(re, sip.StatusOK, offer("192.0.2.2", 6002))
				if body != "" {
					undo := w.one(sip.MethodInvite)
					w.reply(undo, sip.StatusOK, offer("192.0.2.2", 6002))
				}
				if !w.talks("192.0.2.2:6002", "192.0.2.1:4000", mediaPort(t, s.Body())) {
					t.Error("alice does not hear bob any more")
				}
				again := w.inside(tx, sip.MethodInvite, 3, offer("192.0.2.1", 4000))
				w.reply(w.one(sip.MethodInvite), sip.StatusOK, offer("192.0.2.2", 6002))
				if got := w.answerTo(again).Status; got != sip.StatusOK {
					t.Errorf("the next change got %d", got)
				}
				w.ack(again, "")
				w.hangUp(tx, 4)
			})
		})
	}
}
