// A queue of a whole server: who waits is passed on to an agent, and both hear each other. RFC 5589 §6.

package server

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/phone"
	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/service/pbx"
	"github.com/sipwerk/sipwerk/sip"
)

// serve has a telephone answer every call as f says, and waits until it has registered. The end of the test ends it.
func serve(t *testing.T, p *phone.Phone, f func(ctx context.Context, call *phone.Call) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- p.Serve(ctx, f) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil && !errors.Is(err, sip.ErrClosed) && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	for !p.Registered() {
		select {
		case err := <-served:
			served <- err
			t.Fatal(err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// quiet waits until no call is left: what is cut off by the stop of a server is not freed by it.
func quiet(ctx context.Context, s *Server) {
	for ctx.Err() == nil && s.Calls() > 0 {
		<-time.After(10 * time.Millisecond)
	}
}

// echoes answers a call and says back what it hears.
func echoes(ctx context.Context, call *phone.Call) error {
	if err := call.Answer(ctx); err != nil {
		return err
	}
	_, err := io.Copy(call, call)
	return err
}

// TestQueuePasses: a caller waits until an agent logs in, and talks to it.
func TestQueuePasses(t *testing.T) {
	s := start(t, nil)
	edit(t, s, func(set *object.Settings) {
		q := made[*object.Queue]("queue", "700")
		q.Agents, q.WrapUp = []string{"bob"}, object.Duration(time.Hour)
		set.Queues = map[string]*object.Queue{"700": q}
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	serve(t, telephone(t, s, "bob", "udp"), echoes)
	call, err := telephone(t, s, "alice", "udp").Dial(ctx, "sip:700@example.org")
	if err != nil {
		t.Fatal(err)
	}
	state := func(want pbx.AgentState) {
		t.Helper()
		for ctx.Err() == nil && s.queues.Status()[0].Agents[0].State != want {
			<-time.After(10 * time.Millisecond)
		}
		if st := s.queues.Status()[0]; st.Agents[0].State != want {
			t.Fatalf("%+v, want %s", st, want)
		}
	}
	state(pbx.AgentTalking)
	if !comesBack(ctx, call) {
		t.Error("the agent is not heard")
	}
	if err := call.Hangup(); err != nil {
		t.Error(err)
	}
	state(pbx.AgentWrapUp)
	quiet(ctx, s)
	if st := s.queues.Status()[0]; st.Served != 1 || st.Waiting != 0 || st.InTime != 1 {
		t.Errorf("%+v", st)
	}
}
