package b2bua

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/event"
)

// legsOf prints the legs of a detail: account or call, how long after the start it rang, answered and ended, status and codec.
func legsOf(d *Detail) string {
	var b strings.Builder
	after := func(at time.Time) string {
		if at.IsZero() {
			return "-"
		}
		return at.Sub(d.Start).Truncate(time.Second).String()
	}
	for _, l := range d.Legs {
		fmt.Fprintf(&b, "%s %s %s %s %d %s\n", or(l.Account, "caller"), after(l.Ring), after(l.Answer), after(l.End), l.Status, l.Codec)
	}
	return b.String()
}

// TestLegs: each device that rang is told with its times, and so is who has called.
func TestLegs(t *testing.T) {
	play(t, func(w *world) {
		w.phone("bob", 2)
		w.phone("bob", 3)
		w.phone("bob", 4)
		tx := w.invite("bob", offer("192.0.2.1", 4000))
		ring := w.take(sip.MethodInvite)
		w.reply(ring[0], sip.StatusRinging, "")
		w.pass(time.Second)
		w.reply(ring[1], sip.StatusBusyHere, "")
		w.pass(time.Second)
		w.reply(ring[0], sip.StatusOK, offer("192.0.2.2", 6000))
		w.ack(tx, "")
		w.reply(ring[2], sip.StatusRequestTerminated, "")
		w.pass(time.Minute)
		w.hangUp(tx, 2)
		d := w.end()
		const want = "caller - 2s 1m2s 200 PCMA\nsip:bob@example.org 0s 2s 1m2s 200 PCMA\nsip:bob@example.org - - 1s 486 \nsip:bob@example.org - - 2s 487 \n"
		if got := legsOf(&d); got != want || d.Final != "sip:bob@example.org" {
			t.Errorf("final %s, legs\n%swant\n%s", d.Final, got, want)
		}
		if l := d.Legs[1]; l.Target != "sip:bob@192.0.2.2" || l.CallID != ring[0].CallID() {
			t.Errorf("%+v", l)
		}
	})
}

// TestLegsOfTransfer: who has left the call is told too, and how it went on.
func TestLegsOfTransfer(t *testing.T) {
	play(t, func(w *world) {
		w.b.Events = &event.Notifier{}
		w.phone("dora", 3)
		tx, s := w.connect()
		w.pass(time.Minute)
		w.referTo(s, 1, "<sip:dora@example.org>")
		w.reply(w.one(sip.MethodInvite), sip.StatusOK, offer("192.0.2.3", 7000))
		w.reply(w.one(sip.MethodInvite), sip.StatusOK, offer("192.0.2.1", 4000))
		w.pass(farewell)
		w.reply(w.one(sip.MethodBye), sip.StatusOK, "") // bob's side
		w.pass(time.Minute)
		w.hangUp(tx, 2)
		d := w.end()
		const want = "caller - 0s 2m2s 200 PCMA\nsip:dora@example.org - 1m0s 2m2s 200 PCMA\nsip:bob@example.org - 0s 1m0s 200 PCMA\n"
		if got := legsOf(&d); got != want || d.Final != "sip:dora@example.org" {
			t.Errorf("final %s, legs\n%swant\n%s", d.Final, got, want)
		}
		if len(d.Moves) != 1 || d.Moves[0].Kind != Transfer || d.Moves[0].By != "<sip:bob@example.org>" || !strings.Contains(d.Moves[0].To, "dora") || d.Moves[0].At.Sub(d.Start) < time.Minute {
			t.Errorf("moves %+v", d.Moves)
		}
	})
}
