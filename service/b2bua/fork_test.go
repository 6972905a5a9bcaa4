package b2bua

import (
	"strings"
	"testing"

	"github.com/sipwerk/sipwerk/media/sdp"
	"github.com/sipwerk/sipwerk/sip"
)

func TestCall(t *testing.T) {
	play(t, func(w *world) {
		w.phone("bob", 2)
		tx := w.invite("bob", offer("192.0.2.1", 4000))
		s := w.one(sip.MethodInvite)
		if got := s.URI.String(); got != "sip:bob@192.0.2.2" {
			t.Errorf("Request-URI %s", got)
		}
		if sip.StripeOf(s.CallID()) != stripe || s.CallID() == w.incoming[tx].CallID() {
			t.Errorf("Call-ID %s of the callee's leg", s.CallID())
		}
		w.reply(s, sip.StatusTrying, "")
		w.reply(s, sip.StatusRinging, "")
		w.reply(s, sip.StatusRinging, "")
		w.reply(s, sip.StatusOK, offer("192.0.2.2", 6000))
		if got := w.statuses(tx); got != "180 200" {
			t.Errorf("alice got %s", got)
		}
		w.ack(tx, "")
		toBob, toAlice := mediaPort(t, s.Body()), mediaPort(t, w.answerTo(tx).Body())
		if !w.talks("192.0.2.1:4000", "192.0.2.2:6000", toAlice) {
			t.Error("bob does not hear alice")
		}
		if toBob == toAlice {
			t.Error("both sides were given the same port")
		}
		w.hangUp(tx, 2)
		d := w.end()
		if d.Status != sip.StatusOK || d.By != ByCaller || d.Answer.IsZero() || d.Ring.IsZero() || d.Branches != 1 || d.CallerMedia[0].PacketsIn != 1 {
			t.Errorf("detail %+v", d)
		}
		if len(w.details) != 4 {
			t.Errorf("%d phases observed", len(w.details))
		}
	})
}

func mediaPort(t *testing.T, body []byte) uint16 {
	t.Helper()
	d, err := sdp.Parse(body)
	if err != nil || len(d.Media) == 0 {
		t.Fatalf("%v in %q", err, body)
	}
	if got := d.Address(&d.Media[0]).Host; got != serverAddress.String() {
		t.Errorf("media is to go to %s", got)
	}
	return d.Media[0].Port
}

// TestFirstAnswerWins: RFC 3261 §13.2.2.4, RFC 3326 §3.1.
func TestFirstAnswerWins(t *testing.T) {
	play(t, func(w *world) {
		w.phone("bob", 2)
		w.phone("bob", 3)
		w.phone("bob", 4)
		tx := w.invite("bob", offer("192.0.2.1", 4000))
		s := w.take(sip.MethodInvite)
		if len(s) != 3 || mediaPort(t, s[0].Body()) == mediaPort(t, s[1].Body()) {
			t.Fatalf("%d devices were called", len(s))
		}
		w.reply(s[0], sip.StatusSessionProgress, offer("192.0.2.2", 6000))
		w.reply(s[1], sip.StatusRinging, "")
		w.reply(s[2], sip.StatusRinging, "")
		if got := w.statuses(tx); got != "183 180" || len(w.answerTo(tx).Body()) > 0 || len(w.responses[tx][0].Body()) > 0 {
			t.Errorf("alice got %s", got)
		}
		tag := w.answerTo(tx).ToTag()
		w.reply(s[1], sip.StatusOK, offer("192.0.2.3", 6000))
		if w.answerTo(tx).Status != sip.StatusOK || w.answerTo(tx).ToTag() != tag {
			t.Errorf("alice got another dialog: %s", w.answerTo(tx))
		}
		w.ack(tx, "")
		for _, loser := range []*sent{s[0], s[2]} {
			if got := w.cancelled[loser.tx]; got != elsewhere {
				t.Errorf("CANCEL with Reason %q", got)
			}
		}
		w.reply(s[0], sip.StatusRequestTerminated, "")

		// The answer of the other one was faster than its CANCEL: ACK and BYE.
		acks := len(w.acks)
		w.reply(s[2], sip.StatusOK, offer("192.0.2.4", 6000))
		if len(w.acks) != acks+1 || w.acks[acks].URI.Host != "192.0.2.4" {
			t.Errorf("%d ACKs", len(w.acks)-acks)
		}
		bye := w.one(sip.MethodBye)
		if bye.URI.Host != "192.0.2.4" || bye.Get(sip.HeaderReason) != elsewhere {
			t.Errorf("BYE to the second answer: %s", bye)
		}
		w.reply(bye, sip.StatusOK, "")
		w.hangUp(tx, 2)
	})
}

func TestEarlyMedia(t *testing.T) {
	play(t, func(w *world) {
		w.phone("bob", 2)
		tx := w.invite("bob", offer("192.0.2.1", 4000))
		s := w.one(sip.MethodInvite)
		w.reply(s, sip.StatusSessionProgress, offer("192.0.2.2", 6000))
		early := w.answerTo(tx)
		if early.Status != sip.StatusSessionProgress {
			t.Fatalf("alice got %d", early.Status)
		}
		if !w.talks("192.0.2.2:6000", "192.0.2.1:4000", mediaPort(t, s.Body())) {
			t.Error("alice does not hear the announcement")
		}
		w.reply(s, sip.StatusRinging, "")
		w.reply(s, sip.StatusOK, "")
		if got := w.answerTo(tx); got.Status != sip.StatusOK || string(got.Body()) != string(early.Body()) {
			t.Errorf("the answer is not the one of the 183:\n%s", got)
		}
		w.ack(tx, "")
		w.hangUp(tx, 2)
	})
}

// TestOfferInTheAnswer: RFC 3261 §13.2.1.
func TestOfferInTheAnswer(t *testing.T) {
	play(t, func(w *world) {
		w.phone("bob", 2)
		tx := w.invite("bob", "")
		s := w.one(sip.MethodInvite)
		if len(s.Body()) > 0 {
			t.Fatalf("an offer was made up:\n%s", s)
		}
		w.reply(s, sip.StatusOK, offer("192.0.2.2", 6000))
		toAlice := mediaPort(t, w.answerTo(tx).Body())
		if len(w.acks) != 0 {
			t.Error("ACK before there is an answer")
		}
		w.ack(tx, offer("192.0.2.1", 4000))
		if len(w.acks) != 1 {
			t.Fatalf("%d ACKs", len(w.acks))
		}
		mediaPort(t, w.acks[0].Body())
		if !w.talks("192.0.2.1:4000", "192.0.2.2:6000", toAlice) {
			t.Error("bob does not hear alice")
		}
		w.hangUp(tx, 2)
	})
}

// TestPrivacy: who is calling stays inside when the caller asks for that, beside whatever else it asks. RFC 3325 §7, RFC 3323 §4.2.
func TestPrivacy(t *testing.T) {
	for privacy, told := range map[string]bool{"id": false, "user;id": false, "header; ID;critical": false, "none": true, "user": true} {
		play(t, func(w *world) {
			w.caller = Caller{Trusted: true}
			w.phone("bob", 2)
			tx := w.invite("bob", offer("192.0.2.1", 4000), "P-Asserted-Identity: <sip:boss@example.org>", "Privacy: "+privacy)
			s := w.one(sip.MethodInvite)
			if got := s.Has(sip.HeaderPAssertedIdentity); got != told {
				t.Errorf("Privacy %q: the identity is told: %v", privacy, got)
			}
			w.reply(s, sip.StatusBusyHere, "")
			if got := w.answerTo(tx).Status; got != sip.StatusBusyHere {
				t.Errorf("alice got %d", got)
			}
		})
	}
}

// TestBorder: RFC 3325 §5, RFC 7989 §6, RFC 7092 §3.1.
func TestBorder(t *testing.T) {
	lines := []string{"Subject: tea", "X-Secret: 1", "P-Asserted-Identity: <sip:boss@example.org>", "Call-Info: <sip:x>;answer-after=0", "Route: <sip:evil@192.0.2.66;lr>",
		"Record-Route: <sip:192.0.2.66;lr>", "Authorization: Digest username=\"a\", realm=\"r\", nonce=\"n\", uri=\"sip:x\", response=\"0\"", "Supported: norefersub, timer",
		"Session-ID: 0123456789abcdef0123456789abcdef;remote=00000000000000000000000000000000"}
	known := sip.MustParseURI("sip:carol@example.org")
	for _, tt := range []struct {
		name    string
		caller  Caller
		from    string
		present []string
		absent  []string
	}{
		{"phone", Caller{Address: sip.Address{URI: known}}, "Alice <sip:carol@example.org>", []string{"Subject: tea"},
			[]string{"X-Secret", "P-Asserted", "Call-Info", "Route", "Authorization", "norefersub", "evil"}},
		{"trusted peer", Caller{Trusted: true}, "Alice <sip:alice@example.org>", []string{"Subject: tea", "P-Asserted-Identity: <sip:boss@example.org>", "Call-Info"},
			[]string{"X-Secret", "Route", "Authorization"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			play(t, func(w *world) {
				w.caller = tt.caller
				w.phone("bob", 2)
				tx := w.invite("bob", offer("192.0.2.1", 4000), lines...)
				s := w.one(sip.MethodInvite)
				text := s.String()
				for _, p := range tt.present {
					if !strings.Contains(text, p) {
						t.Errorf("%q is missing in\n%s", p, text)
					}
				}
				for _, a := range tt.absent {
					if strings.Contains(text, a) {
						t.Errorf("%q is in\n%s", a, text)
					}
				}
				if got := s.Get(sip.HeaderFrom); !strings.HasPrefix(got, tt.from) || strings.Contains(got, "tag=a1") {
					t.Errorf("From %s, want %s", got, tt.from)
				}
				if n, _ := s.Uint(sip.HeaderMaxForwards); n != 69 {
					t.Errorf("Max-Forwards %d", n)
				}
				if got := s.Get(sip.HeaderSessionID); got != "0123456789abcdef0123456789abcdef;remote=00000000000000000000000000000000" {
					t.Errorf("Session-ID %s", got)
				}
				w.reply(s, sip.StatusOK, offer("192.0.2.2", 6000), "Session-ID: ffffffffffffffffffffffffffffffff;remote=0123456789abcdef0123456789abcdef")
				if got := w.answerTo(tx).Get(sip.HeaderSessionID); got != "ffffffffffffffffffffffffffffffff;remote=0123456789abcdef0123456789abcdef" {
					t.Errorf("Session-ID of the answer %s", got)
				}
				w.ack(tx, "")
				w.hangUp(tx, 2)
				if got := w.end().ID; got != "0123456789abcdef0123456789abcdef" {
					t.Errorf("call id %s", got)
				}
			})
		})
	}
}
