// The two doors: a Handler behind an engine of paper, and who gets what from a Mux.

package sip

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// paperEngine runs everything in one stripe and writes down what it was told.
type paperEngine struct {
	Engine
	mu    sync.Mutex
	sent  []string
	owner EventHandler
	drop  bool // as a stack that stops
}

func (e *paperEngine) Own(_ TransactionID, h EventHandler) error { e.owner = h; return nil }
func (e *paperEngine) Do(_ Stripe, f func()) {
	if !e.drop {
		f()
	}
}
func (e *paperEngine) Respond(_ TransactionID, res *Response) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sent = append(e.sent, res.Status.Error())
	return nil
}
func (e *paperEngine) Accept(tx TransactionID, _ *Request, res *Response) error {
	return e.Respond(tx, res)
}
func (e *paperEngine) RespondOnce(tx TransactionID, res *Response) error { return e.Respond(tx, res) }

func (e *paperEngine) String() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return strings.Join(e.sent, ", ")
}

func TestGo(t *testing.T) {
	cases := []struct {
		name   string
		h      HandlerFunc
		cancel bool
		want   string
	}{
		{"answer", func(_ context.Context, w ResponseWriter, r *Request) error {
			return errors.Join(w.Respond(r.Reply(StatusRinging)), w.Respond(r.Reply(StatusOK)))
		}, false, "180 Ringing, 200 OK"},
		{"nothing", func(context.Context, ResponseWriter, *Request) error { return nil }, false, "500 Server Internal Error"},
		{"status", func(context.Context, ResponseWriter, *Request) error { return StatusNotFound }, false, "404 Not Found"},
		{"wrapped", func(context.Context, ResponseWriter, *Request) error {
			return &ParseError{Status: StatusVersionNotSupported}
		}, false, "505 Version Not Supported"},
		{"provisional status", func(context.Context, ResponseWriter, *Request) error { return StatusTrying }, false, "500 Server Internal Error"},
		{"error", func(context.Context, ResponseWriter, *Request) error { return errors.New("secret") }, false, "500 Server Internal Error"},
		{"panic", func(context.Context, ResponseWriter, *Request) error { panic("ouch") }, false, "500 Server Internal Error"},
		{"twice", func(_ context.Context, w ResponseWriter, r *Request) error {
			_ = w.Respond(r.Reply(StatusOK))
			if err := w.Respond(r.Reply(StatusBusyHere)); !errors.Is(err, ErrNoTransaction) {
				t.Errorf("second final: %v", err)
			}
			return StatusDecline
		}, false, "200 OK"},
		{"cancelled", func(ctx context.Context, _ ResponseWriter, _ *Request) error { <-ctx.Done(); return ctx.Err() }, true, "487 Request Terminated"},
		{"cancelled, nil", func(ctx context.Context, _ ResponseWriter, _ *Request) error { <-ctx.Done(); return nil }, true, "487 Request Terminated"},
		{"cancelled, 200 crosses", func(ctx context.Context, w ResponseWriter, r *Request) error {
			<-ctx.Done()
			return w.Respond(r.Reply(StatusOK))
		}, true, "200 OK"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := new(paperEngine)
				Go(c.h).HandleEvent(&Event{Kind: EventRequest, Request: mustRequest(t, invite), Engine: e, Tx: 1})
				synctest.Wait()
				if c.cancel {
					e.owner.HandleEvent(&Event{Kind: EventCancel, Tx: 1})
					synctest.Wait()
				}
				if e.String() != c.want {
					t.Errorf("sent %q, want %q", e, c.want)
				}
			})
		})
	}
}

// A handler that waits for its answer to leave is let go when the stack stops.
func TestGoStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &paperEngine{drop: true}
		var err error
		Go(HandlerFunc(func(_ context.Context, w ResponseWriter, r *Request) error {
			err = w.Respond(r.Reply(StatusOK))
			return nil
		})).HandleEvent(&Event{Kind: EventRequest, Request: mustRequest(t, invite), Engine: e})
		time.Sleep(time.Second)
		e.owner.HandleEvent(&Event{Kind: EventTimeout, Err: ErrClosed})
		synctest.Wait()
		if !errors.Is(err, ErrClosed) {
			t.Errorf("Respond: %v", err)
		}
	})
}

func TestGoAck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := new(paperEngine)
		var err error
		Go(HandlerFunc(func(_ context.Context, w ResponseWriter, r *Request) error {
			err = w.Respond(r.Reply(StatusOK))
			return StatusNotFound
		})).HandleEvent(&Event{Kind: EventAck, Request: mustRequest(t, invite), Engine: e})
		synctest.Wait()
		if !errors.Is(err, ErrNoTransaction) || e.String() != "" {
			t.Errorf("answer to an ACK: %v, sent %q", err, e)
		}
	})
}

func TestMux(t *testing.T) {
	cases := []struct{ patterns, method, uri, want string }{
		{"REGISTER example.org|example.org|REGISTER|", "REGISTER", "sip:example.org", "REGISTER example.org"},
		{"REGISTER example.org|example.org|REGISTER|", "INVITE", "sip:a@EXAMPLE.org", "example.org"},
		{"REGISTER example.org|example.org|REGISTER|", "REGISTER", "sip:example.com", "REGISTER"},
		{"REGISTER example.org|example.org|REGISTER|", "INVITE", "sip:example.com", ""},
		{"REGISTER example.org|example.org", "INVITE", "sip:example.com", "404 Not Found"},
		{"REGISTER example.org|INVITE example.org", "OPTIONS", "sip:example.org", "501 Not Implemented"},
		{"REGISTER example.org|INVITE example.com", "INVITE", "sip:example.org", "405 Method Not Allowed"},
		{"REGISTER|INVITE", "INVITE", "sip:example.org", "INVITE"},
		{"[::1]|localhost", "INVITE", "sip:a@[::1]", "[::1]"},
		{"[::1]|localhost", "INVITE", "sip:a@localhost", "localhost"},
		{"INVITE", "ACK", "sip:a@b", "INVITE"},
		{"REGISTER", "ACK", "sip:a@b", "nothing"},
	}
	for _, c := range cases {
		var m Mux
		e, got := new(paperEngine), "nothing"
		for _, p := range strings.Split(c.patterns, "|") {
			m.Handle(p, EventHandlerFunc(func(*Event) { got = p }))
		}
		r := mustRequest(t, strings.Replace(invite, "INVITE sip:bob@biloxi.example.com", c.method+" "+c.uri, 1))
		kind := EventRequest
		if c.method == "ACK" {
			kind = EventAck
		}
		m.HandleEvent(&Event{Kind: kind, Request: r, Engine: e})
		if e.String() != "" {
			got = e.String()
		}
		if got != c.want {
			t.Errorf("%s %s with %s: %s, want %s", c.method, c.uri, c.patterns, got, c.want)
		}
	}
}
