package b2bua

import (
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/event"
)

// TestAnonymous: who does not want to be shown is shown to the trust domain alone, and its calls are counted all the same. RFC 3323 §4.2; RFC 3325 §7.
func TestAnonymous(t *testing.T) {
	for privacy, hidden := range map[string]bool{"id": true, "user;critical": true, "none": false, "header": false} {
		play(t, func(w *world) {
			alice := sip.MustParseURI("sip:alice@example.org")
			w.caller = Caller{Account: alice, Address: sip.Address{URI: alice}}
			w.phone("bob", 2)
			w.routes["bob"] = Route{Ring: []Party{{Account: sip.MustParseURI("sip:bob@example.org")}, {Bindings: w.phones["bob"], Trusted: true}}}
			w.invite("bob", offer("192.0.2.1", 4000), "Privacy: "+privacy)
			s := w.take(sip.MethodInvite)
			if got := strings.Contains(s[0].Get(sip.HeaderFrom), anonymous); got != hidden || s[0].Get(sip.HeaderPrivacy) != privacy {
				t.Errorf("Privacy %s: bob sees %s", privacy, s[0].Get(sip.HeaderFrom))
			}
			if got := s[1].Get(sip.HeaderFrom); !strings.Contains(got, "alice@example.org") {
				t.Errorf("Privacy %s: a trusted peer sees %s", privacy, got)
			}
			if d := w.details[len(w.details)-1]; d.From != alice.String() || d.Caller != alice || w.b.CallsOf(alice) != 1 {
				t.Errorf("detail %+v", d)
			}
			w.reply(s[0], sip.StatusBusyHere, "")
			w.reply(s[1], sip.StatusBusyHere, "")
		})
	}
}

// TestConnectedIdentity: a caller learns who has answered in the place of whom it dialled, if it is one of ours and who answers allows it. RFC 3325 §5, §9.3.
func TestConnectedIdentity(t *testing.T) {
	for _, tt := range []struct {
		account, privacy string
		told             bool
	}{{"alice", "none", true}, {"", "none", false}, {"alice", "id", false}} {
		play(t, func(w *world) {
			if tt.account != "" {
				w.caller = Caller{Account: sip.MustParseURI("sip:alice@example.org")}
			}
			w.phone("carol", 3)
			w.routes["bob"] = account("carol")
			tx := w.invite("bob", offer("192.0.2.1", 4000))
			s := w.one(sip.MethodInvite)
			w.reply(s, sip.StatusOK, offer("192.0.2.3", 6000), "Privacy: "+tt.privacy, "P-Asserted-Identity: <sip:somebody@example.net>")
			if got := w.answerTo(tx).Get(sip.HeaderPAssertedIdentity); (got == "<sip:carol@example.org>") != tt.told || !tt.told && got != "" {
				t.Errorf("%+v: alice is told %q", tt, got)
			}
			w.ack(tx, "")
			w.hangUp(tx, 2)
		})
	}
}

// TestIdentityAfterTransfer: who is transferred learns to whom, in From if its telephone knows that, and who it was again when it comes to nothing. RFC 4916 §4.
func TestIdentityAfterTransfer(t *testing.T) {
	for _, supported := range []string{"from-change", "timer"} {
		play(t, func(w *world) {
			w.caller = Caller{Account: sip.MustParseURI("sip:alice@example.org")}
			w.b.Events = &event.Notifier{}
			w.phone("bob", 2)
			w.phone("dora", 4)
			tx := w.invite("bob", offer("192.0.2.1", 4000), "Supported: "+supported)
			s := w.one(sip.MethodInvite)
			w.reply(s, sip.StatusOK, offer("192.0.2.2", 6000))
			w.ack(tx, "")
			w.referTo(s, 1, "<sip:dora@example.org>")
			w.reply(w.one(sip.MethodInvite), sip.StatusOK, offer("192.0.2.4", 7000))
			again := w.one(sip.MethodInvite)
			from, err := again.From()
			if err != nil || (from.URI.User == "dora") != (supported == "from-change") || from.Tag() != w.answerTo(tx).ToTag() {
				t.Errorf("%s: alice sees %s", supported, again.Get(sip.HeaderFrom))
			}
			if got := again.Get(sip.HeaderPAssertedIdentity); got != "<sip:dora@example.org>" {
				t.Errorf("%s: alice is told %q", supported, got)
			}
			w.reply(again, sip.StatusOK, offer("192.0.2.1", 4000))
			w.pass(farewell)
			w.reply(w.one(sip.MethodBye), sip.StatusOK, "") // bob's side
			w.hangUp(tx, 2)
		})
	}
}

// TestPatience: a way that says nothing at all is given up, and the next is tried; one that says 100 may take its time. RFC 3263 §4.3 for those who know better than DNS.
func TestPatience(t *testing.T) {
	play(t, func(w *world) {
		w.phone("trunk", 2)
		w.phone("trunk", 3)
		w.phones["trunk"][1].Spare = true
		w.routes["49"] = Route{Ring: []Party{{Bindings: w.phones["trunk"], Patience: 4 * time.Second}}}
		tx := w.invite("49", offer("192.0.2.1", 4000))
		w.one(sip.MethodInvite)
		w.pass(4 * time.Second)
		s := w.one(sip.MethodInvite)
		if s.URI.Host != "192.0.2.3" {
			t.Errorf("tried %s", s.URI)
		}
		w.reply(s, sip.StatusTrying, "")
		w.pass(10 * time.Second)
		w.take(sip.MethodInvite)
		w.reply(s, sip.StatusNotFound, "")
		if got := w.statuses(tx); got != "404" {
			t.Errorf("alice got %s", got)
		}
		for lost := range w.cancelled {
			w.fails(lost, sip.EventTimeout, sip.ErrTimeout)
		}
	})
}

// TestEmergency: a call for help is let in where there are too many.
func TestEmergency(t *testing.T) {
	play(t, func(w *world) {
		w.b.MaxCalls = 1
		w.phone("bob", 2)
		w.phone("police", 3)
		r := account("police")
		r.Emergency = true
		w.routes["110"] = r
		first := w.invite("bob", offer("192.0.2.1", 4000))
		bob := w.one(sip.MethodInvite)
		if tx := w.invite("bob", offer("192.0.2.1", 4000)); w.statuses(tx) != "503" {
			t.Errorf("alice got %s", w.statuses(tx))
		}
		w.invite("110", offer("192.0.2.1", 4000))
		w.reply(w.one(sip.MethodInvite), sip.StatusBusyHere, "")
		w.reply(bob, sip.StatusBusyHere, "")
		if got := w.statuses(first); got != "486" {
			t.Errorf("alice got %s", got)
		}
	})
}
