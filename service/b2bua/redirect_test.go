package b2bua

import (
	"strconv"
	"testing"

	"github.com/sipwerk/sipwerk/sip"
)

// TestRedirect: a 3xx is followed to accounts of ours, and nowhere else. RFC 3261 §8.1.3.4.
func TestRedirect(t *testing.T) {
	play(t, func(w *world) {
		w.phone("bob", 2)
		w.phone("carol", 3)
		w.phone("carol", 4)
		tx := w.invite("bob", offer("192.0.2.1", 4000))
		w.replyTo(w.one(sip.MethodInvite), 302, "<sip:carol@elsewhere.example>, <sip:carol@example.org>;q=0.5, <sip:nobody@example.org>")
		devices := w.take(sip.MethodInvite)
		if len(devices) != 2 || devices[0].URI.User != "carol" || len(devices[0].Body()) == 0 {
			t.Fatalf("%d devices were called: %v", len(devices), devices)
		}
		if n, _ := devices[0].Uint(sip.HeaderMaxForwards); n != 68 {
			t.Errorf("Max-Forwards %d after a redirection", n)
		}
		// Back again: bob was asked, so nobody is left.
		w.replyTo(devices[0], 302, "<sip:bob@example.org>")
		w.reply(devices[1], sip.StatusBusyHere, "")
		if got := w.statuses(tx); got != "181 486" {
			t.Errorf("alice got %s", got)
		}
		if d := w.end(); d.Branches != 3 {
			t.Errorf("%d branches", d.Branches)
		}
	})
}

// TestRedirectWithoutEnd: however many accounts point at each other, five are called.
func TestRedirectWithoutEnd(t *testing.T) {
	play(t, func(w *world) {
		for i := range 9 {
			w.phone("a"+strconv.Itoa(i), i+2)
		}
		tx := w.invite("a0", offer("192.0.2.1", 4000))
		for i := range maxRedirects {
			w.replyTo(w.one(sip.MethodInvite), 302, "<sip:a"+strconv.Itoa(i+1)+"@example.org>")
		}
		w.replyTo(w.one(sip.MethodInvite), 302, "<sip:a8@example.org>")
		if got := w.statuses(tx); got != "181 181 181 181 181 480" {
			t.Errorf("alice got %s", got)
		}
	})
}

// TestPassRedirects: what is not followed is handed on where the owner wants that.
func TestPassRedirects(t *testing.T) {
	play(t, func(w *world) {
		w.b.PassRedirects = true
		w.phone("bob", 2)
		tx := w.invite("bob", offer("192.0.2.1", 4000))
		w.replyTo(w.one(sip.MethodInvite), 302, "<sip:bob@elsewhere.example>")
		res := w.answerTo(tx)
		if res.Status != sip.StatusMovedTemporarily || res.Get(sip.HeaderContact) != "<sip:bob@elsewhere.example>" {
			t.Errorf("alice got\n%s", res)
		}
	})
}
