package b2bua

import (
	"context"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

func TestCalleeHangsUp(t *testing.T) {
	play(t, func(w *world) {
		_, s := w.connect()
		w.back(s, sip.MethodBye, 1, "")
		bye := w.one(sip.MethodBye)
		if bye.URI.String() != "sip:alice@192.0.2.1" {
			t.Errorf("BYE to %s", bye.URI)
		}
		if n := w.b.Media.Relay.Streams(); n != 0 {
			t.Errorf("%d streams are open after the BYE", n)
		}
		w.fails(bye.tx, sip.EventTimeout, sip.ErrTimeout)
		if d := w.end(); d.By != ByCallee || d.Duration() < 0 {
			t.Errorf("detail %+v", d)
		}
	})
}

func TestSilence(t *testing.T) {
	play(t, func(w *world) {
		w.b.Silence = time.Minute
		_, s := w.connect()
		w.pass(40 * time.Second)
		if !w.talks("192.0.2.2:6000", "192.0.2.1:4000", mediaPort(t, s.Body())) {
			t.Error("alice does not hear bob")
		}
		w.pass(50 * time.Second)
		if len(w.started) != 0 {
			t.Fatal("the call was ended though bob spoke 50 s ago")
		}
		w.pass(30 * time.Second)
		byes := w.take(sip.MethodBye)
		if len(byes) != 2 || byes[0].Get(sip.HeaderReason) != noMedia {
			t.Fatalf("%d BYEs", len(byes))
		}
		for _, bye := range byes {
			w.reply(bye, sip.StatusOK, "")
		}
		if d := w.end(); d.By != BySystem || d.Reason != noMedia {
			t.Errorf("detail %+v", d)
		}
	})
}

func TestSilenceOnHold(t *testing.T) {
	play(t, func(w *world) {
		w.b.Silence = time.Minute
		tx, _ := w.connect()
		hold := w.inside(tx, sip.MethodInvite, 2, offer("192.0.2.1", 4000, "a=sendonly"))
		w.reply(w.one(sip.MethodInvite), sip.StatusOK, offer("192.0.2.2", 6000, "a=recvonly"))
		w.ack(hold, "")
		w.pass(time.Hour)
		w.hangUp(tx, 3)
	})
}

// TestNoAck: RFC 3261 §13.3.1.4.
func TestNoAck(t *testing.T) {
	play(t, func(w *world) {
		w.phone("bob", 2)
		w.invite("bob", offer("192.0.2.1", 4000))
		w.reply(w.one(sip.MethodInvite), sip.StatusOK, offer("192.0.2.2", 6000))
		w.pass(33 * time.Second)
		byes := w.take(sip.MethodBye)
		if len(byes) == 0 {
			t.Fatal("no BYE though the ACK never came")
		}
		for _, bye := range byes {
			w.reply(bye, sip.StatusOK, "")
		}
		for _, bye := range w.take(sip.MethodBye) {
			w.reply(bye, sip.StatusOK, "")
		}
	})
}

func TestBadAnswer(t *testing.T) {
	for _, body := range []string{"", "v=1\r\n"} {
		play(t, func(w *world) {
			w.phone("bob", 2)
			tx := w.invite("bob", offer("192.0.2.1", 4000))
			w.reply(w.one(sip.MethodInvite), sip.StatusOK, body)
			if got := w.answerTo(tx).Status; got != sip.StatusBadGateway {
				t.Errorf("alice got %d", got)
			}
			w.reply(w.one(sip.MethodBye), sip.StatusOK, "")
		})
	}
}

func TestDrain(t *testing.T) {
	play(t, func(w *world) {
		if err := w.b.Drain(w.t.Context()); err != nil {
			t.Errorf("without a call: %v", err)
		}
	})
	play(t, func(w *world) {
		tx, _ := w.connect()
		ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
		defer cancel()
		done := make(chan error, 1)
		go func() { done <- w.b.Drain(ctx) }()
		w.pass(time.Second)
		if got := w.statuses(w.invite("bob", offer("192.0.2.1", 4000))); got != "503" {
			t.Errorf("a new call got %s", got)
		}
		w.hangUp(tx, 2)
		if err := <-done; err != nil {
			t.Errorf("after the last call: %v", err)
		}
	})
	play(t, func(w *world) {
		w.connect()
		ringing := w.invite("bob", offer("192.0.2.1", 4000))
		s := w.one(sip.MethodInvite)
		ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
		defer cancel()
		if err := w.b.Drain(ctx); err == nil {
			t.Error("no error though calls were left")
		}
		w.pass(time.Second)
		byes := w.take(sip.MethodBye)
		if len(byes) != 2 || byes[0].Get(sip.HeaderReason) != stopReason || w.cancelled[s.tx] != stopReason {
			t.Errorf("%d BYEs", len(byes))
		}
		if got := w.answerTo(ringing).Status; got != sip.StatusTemporarilyUnavailable {
			t.Errorf("the caller of the ringing call got %d", got)
		}
		w.reply(s, sip.StatusRequestTerminated, "")
		for _, bye := range byes {
			w.reply(bye, sip.StatusOK, "")
		}
	})
}
