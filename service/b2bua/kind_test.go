package b2bua

import (
	"strings"
	"testing"

	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/sip"
)

const cryptoLine = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:MTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5QUJjZGVm"

// TestKinds: each device is offered what suits it, and the caller gets an answer of the kind it has offered. RFC 8643 §3.
func TestKinds(t *testing.T) {
	for _, c := range []struct {
		kind   session.Kind
		proto  string
		answer string // bob's further line
	}{
		{session.Plain, "RTP/AVP", ""},
		{session.Opportunistic, "RTP/AVP", ""},
		{session.Opportunistic, "RTP/AVP", strings.Replace(cryptoLine, ":1 ", ":3 ", 1) + "\r\n"},
		{session.SDES, "RTP/SAVP", strings.Replace(cryptoLine, ":1 ", ":3 ", 1) + "\r\n"},
	} {
		play(t, func(w *world) {
			w.phone("bob", 2)
			w.phones["bob"][0].Kind = c.kind
			tx := w.invite("bob", strings.Replace(offer("192.0.2.1", 4000, cryptoLine), "RTP/AVP", "RTP/SAVP", 1))
			s := w.one(sip.MethodInvite)
			if got := string(s.Body()); !strings.Contains(got, c.proto+" 8") || strings.Contains(got, "a=crypto") == (c.kind == session.Plain) || strings.Contains(got, cryptoLine[40:]) {
				t.Errorf("%v: offer to bob:\n%s", c.kind, got)
			}
			w.reply(s, sip.StatusOK, strings.Replace(offer("192.0.2.2", 6000)+c.answer, "RTP/AVP", c.proto, 1))
			res := w.answerTo(tx)
			if got := string(res.Body()); res.Status != sip.StatusOK || !strings.Contains(got, "RTP/SAVP 8") || strings.Count(got, "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:") != 1 {
				t.Errorf("%v: answer to alice:\n%s", c.kind, res)
			}
			w.ack(tx, "")
			w.hangUp(tx, 2)
		})
	}
}

// TestFallback: a device that takes no plain offer is offered keys, then a handshake, then other codecs than the caller's, and one that takes none of them has refused.
func TestFallback(t *testing.T) {
	play(t, func(w *world) {
		w.phone("bob", 2)
		tx := w.invite("bob", offer("192.0.2.1", 4000))
		w.reply(w.one(sip.MethodInvite), sip.StatusNotAcceptableHere, "")
		s := w.one(sip.MethodInvite)
		if !strings.Contains(string(s.Body()), "RTP/SAVP 8") {
			t.Errorf("second offer:\n%s", s.Body())
		}
		if got := w.statuses(tx); strings.Contains(got, "488") {
			t.Errorf("alice got %s", got)
		}
		w.reply(s, sip.StatusNotAcceptableHere, "")
		s = w.one(sip.MethodInvite)
		if !strings.Contains(string(s.Body()), "UDP/TLS/RTP/SAVP 8") || !strings.Contains(string(s.Body()), "a=fingerprint:sha-256 ") {
			t.Errorf("third offer:\n%s", s.Body())
		}
		w.reply(s, sip.StatusNotAcceptableHere, "")
		s = w.one(sip.MethodInvite)
		if !strings.Contains(string(s.Body()), " RTP/AVP 9 ") {
			t.Errorf("fourth offer:\n%s", s.Body())
		}
		w.reply(s, sip.StatusNotAcceptableHere, "")
		if got := w.answerTo(tx).Status; got != sip.StatusNotAcceptableHere {
			t.Errorf("alice got %d", got)
		}
		if d := w.end(); d.Branches != 1 {
			t.Errorf("%d branches", d.Branches)
		}
	})
}

// TestConvert: each side is told of a codec of its own, where they share none. RFC 3264 §6.1.
func TestConvert(t *testing.T) {
	play(t, func(w *world) {
		w.phone("bob", 2)
		tx := w.invite("bob", offer("192.0.2.1", 4000))
		for range 3 {
			w.reply(w.one(sip.MethodInvite), sip.StatusNotAcceptableHere, "")
		}
		s := w.one(sip.MethodInvite)
		w.reply(s, sip.StatusOK, strings.Replace(offer("192.0.2.2", 6000), "RTP/AVP 8 0", "RTP/AVP 9", 1))
		if res := w.answerTo(tx); res.Status != sip.StatusOK || !strings.Contains(string(res.Body()), " RTP/AVP 8\r\n") {
			t.Errorf("answer to alice:\n%s", res)
		}
		w.ack(tx, "")
		w.hangUp(tx, 2)
		if d := w.end(); len(d.Legs) < 2 || d.Legs[0].Codec != "PCMA" || d.Legs[len(d.Legs)-1].Codec != "G722" {
			t.Errorf("legs: %+v", d.Legs)
		}
	})
}

// TestUnusableOffer: nobody rings for an offer that asks for a protection without keys that we know.
func TestUnusableOffer(t *testing.T) {
	play(t, func(w *world) {
		w.phone("bob", 2)
		tx := w.invite("bob", strings.Replace(offer("192.0.2.1", 4000), "RTP/AVP", "RTP/SAVP", 1))
		if got := w.answerTo(tx).Status; got != sip.StatusNotAcceptableHere {
			t.Errorf("alice got %d", got)
		}
		w.take(sip.MethodInvite)
	})
}
