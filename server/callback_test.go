// Calls that a whole server makes. RFC 5359 §2.18.

package server

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/phone"
	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/sip"
)

// TestDial: the server calls alice and connects her to bob, who hears her.
func TestDial(t *testing.T) {
	s := start(t, nil)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	heard := make(chan struct{})
	serve(t, telephone(t, s, "bob", "udp"), echoes)
	serve(t, telephone(t, s, "alice", "udp"), func(ctx context.Context, call *phone.Call) error {
		if err := call.Answer(ctx); err != nil {
			return err
		}
		if comesBack(ctx, call) {
			close(heard)
		}
		return call.Hangup()
	})
	if err := s.Dial(ctx, DialOrder{From: "alice", To: "bob"}); err != nil {
		t.Fatal(err)
	}
	select {
	case <-heard:
	case <-ctx.Done():
		t.Error("alice and bob do not hear each other")
	}
	for _, o := range []DialOrder{{From: "nobody", To: "bob"}, {From: "al ice@", To: "bob"}} {
		if err := s.Dial(ctx, o); err == nil {
			t.Errorf("%+v was obeyed", o)
		}
	}
	quiet(ctx, s)
}

// TestCallBack: alice calls bob in vain, asks to be called back, and is when bob has ended his call.
func TestCallBack(t *testing.T) {
	s := start(t, nil)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var busy atomic.Bool
	busy.Store(true)
	serve(t, telephone(t, s, "bob", "udp"), func(ctx context.Context, call *phone.Call) error {
		if busy.Load() {
			return call.Reject(sip.StatusBusyHere)
		}
		return echoes(ctx, call)
	})
	back := make(chan struct{})
	alice := telephone(t, s, "alice", "udp")
	serve(t, alice, func(ctx context.Context, call *phone.Call) error {
		if err := call.Answer(ctx); err != nil {
			return err
		}
		if comesBack(ctx, call) {
			close(back)
		}
		return call.Hangup()
	})
	s.lamps.Show("sip:bob@example.org", &b2bua.LegState{ID: "elsewhere", Phase: b2bua.LegConfirmed})
	if _, err := alice.Dial(ctx, "sip:bob@example.org"); sip.StatusOf(err) != sip.StatusBusyHere {
		t.Fatal(err)
	}
	ask, err := alice.Dial(ctx, "sip:*37@example.org")
	if err != nil {
		t.Fatal(err)
	}
	for ctx.Err() == nil && s.callbacks.Len() == 0 {
		<-time.After(10 * time.Millisecond)
	}
	if err := ask.Hangup(); err != nil {
		t.Error(err)
	}
	busy.Store(false)
	s.lamps.Show("sip:bob@example.org", &b2bua.LegState{ID: "elsewhere", Phase: b2bua.LegOver})
	select {
	case <-back:
	case <-ctx.Done():
		t.Error("alice is not called back")
	}
	quiet(ctx, s)
}
