// The comfortable door: a Handler may block, on a goroutine of its own for each request. RFC 3261 §8.2, §9.2.

package sip

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
)

// Handler answers requests and may block. Returning nil without a final response sends 500; returning an error that wraps a [Status] sends that status if
// nothing final was sent; any other error sends 500 and is logged. ctx ends when the request is cancelled, its transaction dies, or the stack stops.
// r is an owned copy that may be kept. An ACK has no reply: what w sends for it is an error.
type Handler interface {
	ServeSIP(ctx context.Context, w ResponseWriter, r *Request) error
}

// HandlerFunc makes a function a Handler.
type HandlerFunc func(ctx context.Context, w ResponseWriter, r *Request) error

// ServeSIP calls f.
func (f HandlerFunc) ServeSIP(ctx context.Context, w ResponseWriter, r *Request) error {
	return f(ctx, w, r)
}

// ResponseWriter sends the responses to one request. It may be used from any goroutine.
type ResponseWriter interface {
	// Respond sends res; any number of provisional ones, then one final. A 2xx to an INVITE is sent again by the stack until its ACK comes; without one
	// in 64*T1 the stack ends the call with BYE (RFC 3261 §13.3.1.4).
	Respond(res *Response) error
}

// Go makes h an EventHandler: each request runs on a goroutine of its own with an owned copy. There is no way back.
//
// A panic of h is caught: the request is answered with 500 and the panic logged with its stack. An error that wraps no [Status] is logged too. Both
// go to [slog.Default].
func Go(h Handler) EventHandler {
	return EventHandlerFunc(func(ev *Event) {
		switch ev.Kind {
		case EventRequest:
			d := newDoor(ev)
			if err := ev.Engine.Own(ev.Tx, d); err != nil {
				d.end(err)
				return
			}
			go d.serve(h)
		case EventAck:
			d := newDoor(ev)
			d.done = true
			go d.serve(h)
		}
	})
}

// door is a request on its way through a Handler. The engine calls HandleEvent, the handler Respond.
type door struct {
	engine  Engine
	stripe  Stripe
	tx      TransactionID
	request *Request
	ctx     context.Context
	end     context.CancelCauseFunc
	gone    chan struct{} // closed when the transaction has ended
	once    sync.Once     // closes gone

	mu   sync.Mutex
	done bool // a final response was given, or none may be
}

func newDoor(ev *Event) *door {
	d := &door{engine: ev.Engine, stripe: ev.Stripe, tx: ev.Tx, request: ev.Request.Clone(), gone: make(chan struct{})}
	d.ctx, d.end = context.WithCancelCause(context.Background())
	return d
}

// HandleEvent ends the context of the handler: the cause is 487 for a CANCEL and the error of the transaction otherwise.
func (d *door) HandleEvent(ev *Event) {
	if ev.Kind == EventCancel {
		d.end(StatusRequestTerminated)
		return
	}
	d.end(ev.Err) // whoever waits in Respond reads the cause
	d.once.Do(func() { close(d.gone) })
}

// Respond sends res in the stripe of the transaction and waits for what comes of it.
func (d *door) Respond(res *Response) error {
	d.mu.Lock()
	if d.done {
		d.mu.Unlock()
		return ErrNoTransaction
	}
	d.done = res.Status.Final()
	d.mu.Unlock()
	sent := make(chan error, 1)
	res = res.Clone() // the caller may go on with its own when the transaction ends while it waits
	d.engine.Do(d.stripe, func() { sent <- d.send(res) })
	select {
	case err := <-sent:
		return err
	case <-d.gone:
		return context.Cause(d.ctx)
	}
}

// send runs in the stripe. A handler keeps no dialog, so the engine cares for the ACK.
func (d *door) send(res *Response) error {
	if d.request.Method == MethodInvite && res.Status.Success() {
		return d.engine.Accept(d.tx, d.request, res)
	}
	return d.engine.Respond(d.tx, res)
}

// serve runs the handler and answers what it left unanswered.
func (d *door) serve(h Handler) {
	defer d.end(nil)
	err := d.call(h)
	d.mu.Lock()
	done := d.done
	d.mu.Unlock()
	status, known := errors.AsType[Status](err)
	if err != nil && !known && !errors.Is(err, context.Canceled) {
		slog.Error("sip: handler failed", "method", d.request.Method, "call-id", d.request.CallID(), "err", err)
	}
	if !known && d.ctx.Err() != nil {
		status, known = errors.AsType[Status](context.Cause(d.ctx)) // RFC 3261 §9.2: 487 for what was cancelled
	}
	if done {
		return
	}
	if !known || !status.Final() {
		status = StatusServerInternalError
	}
	// An error means that the transaction is gone: nobody waits for the answer.
	_ = d.Respond(d.request.Reply(status))
}

// call is the firewall: a panic becomes an error.
func (d *door) call(h Handler) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("sip: handler panicked: %v\n%s", p, debug.Stack())
		}
	}()
	return h.ServeSIP(d.ctx, d, d.request)
}
