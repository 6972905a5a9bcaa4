// Calls that come in, on their way to the program. RFC 3261 §8.2, §13.3.1.

package phone

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/description"
)

// Serve registers, if the phone does that, and calls answer for each call that comes in, on a goroutine of its own, until ctx ends; then it closes the
// phone and returns [sip.ErrClosed]. It returns earlier with what kept the phone from starting, or with the [sip.Status] of a registration that
// was refused for good: a wrong password, an unknown user.
//
// The context of answer ends with the call. If answer returns without having answered, the call is refused: with the [sip.Status] that the error wraps,
// with 500 for another error, with 480 for none. If it returns after that, the call is hung up.
func (p *Phone) Serve(ctx context.Context, answer func(ctx context.Context, call *Call) error) error {
	if err := p.open(ctx); err != nil {
		return err
	}
	if !p.take(func(c *Call) { p.serve(ctx, c, answer) }) {
		return ErrServed
	}
	var err error
	if p.Registers || p.Password != "" {
		err = p.Register(ctx)
	}
	if err == nil {
		if p.Ready != nil {
			p.Ready()
		}
		<-ctx.Done()
	}
	if ctx.Err() != nil {
		err = sip.ErrClosed
	}
	return errors.Join(err, p.Close())
}

// take makes f the one who takes calls; false if there is one.
func (p *Phone) take(f func(*Call)) bool {
	p.book.mu.Lock()
	defer p.book.mu.Unlock()
	if p.book.answer != nil {
		return false
	}
	p.book.answer = f
	return true
}

// HandleEvent takes an INVITE outside of any dialog, and OPTIONS, for a phone whose Stack is somebody else's.
func (p *Phone) HandleEvent(ev *sip.Event) {
	switch ev.Kind {
	case sip.EventRequest:
	case sip.EventFlowLost:
		for _, w := range p.line.ways {
			w.lost(ev.Flow)
		}
		return
	default:
		return
	}
	switch ev.Request.Method {
	case sip.MethodInvite:
		if ev.Request.Has(sip.HeaderReplaces) {
			p.replacing(ev)
			return
		}
		p.invited(ev, nil)
	case sip.MethodOptions:
		refuse(ev, sip.StatusOK)
	default:
		refuse(ev, sip.StatusMethodNotAllowed)
	}
}

// allowed are the methods of a phone.
const allowed = "INVITE, ACK, CANCEL, BYE, PRACK, UPDATE, OPTIONS"

// refuse answers a request at once and keeps nothing. RFC 3261 §11.2 for OPTIONS, §8.2.1 for Allow.
func refuse(ev *sip.Event, status sip.Status) {
	res := ev.Request.Reply(status)
	res.Set(sip.HeaderAllow, allowed)
	if status == sip.StatusUnsupportedMediaType {
		res.Set(sip.HeaderAccept, description.Type)
	}
	// An error means that nobody waits any more.
	_ = ev.Engine.RespondOnce(ev.Tx, res)
}

// invited takes a call that comes in; replaced is the one whose place it takes, if any.
func (p *Phone) invited(ev *sip.Event, replaced *Call) {
	if p.open(context.Background()) != nil {
		refuse(ev, sip.StatusServiceUnavailable)
		return
	}
	p.book.mu.Lock()
	answer := p.book.answer
	p.book.mu.Unlock()
	if answer == nil {
		refuse(ev, sip.StatusTemporarilyUnavailable)
		return
	}
	from, err := ev.Request.From()
	if err != nil {
		refuse(ev, sip.StatusBadRequest)
		return
	}
	from = sip.Address{Display: from.Display, URI: from.URI}
	if from, err = sip.ParseAddress(from.String()); err != nil { // with memory of its own
		refuse(ev, sip.StatusBadRequest)
		return
	}
	c := p.newCall(session.Peer{Remote: ev.Flow.Remote.Addr(), Local: ev.Flow.Local.Addr(), Kind: p.Media}, from)
	c.incoming, c.engine, c.stripe = true, ev.Engine, ev.Stripe
	c.replaced = replaced
	if c.offer, err = description.Read(&ev.Request.Clone().Message); err != nil {
		refuse(ev, sip.StatusOf(err))
		return
	}
	if !p.enter(c) {
		refuse(ev, sip.StatusBusyHere)
		return
	}
	if c.usage, err = p.line.table.Incoming(ev, c); err != nil {
		c.end(err) // the request has its answer
		return
	}
	c.usage.SetContact(p.contact().String())
	c.reliable = c.usage.Reliable()
	if auth := p.way().auth; auth != nil {
		c.usage.SetAuthorizer(auth)
	}
	p.running.Go(func() { answer(c) })
}

// serve runs the program's function for one call and cleans up behind it.
func (p *Phone) serve(ctx context.Context, c *Call, answer func(context.Context, *Call) error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	over := make(chan struct{})
	defer close(over)
	p.running.Go(func() {
		select {
		case <-c.done:
			cancel(c.gone())
		case <-over:
		}
	})
	err := guard(ctx, c, answer)
	status, known := errors.AsType[sip.Status](err)
	if err != nil && !known && !errors.Is(err, ErrEnded) && ctx.Err() == nil {
		p.Log.Error("phone: call failed", "from", c.remote.URI.String(), "err", err)
	}
	switch {
	case err == nil:
		status = sip.StatusTemporarilyUnavailable
	case !known || status < 300:
		status = sip.StatusServerInternalError
	}
	if c.Reject(status) != nil { // it has been answered
		// The peer that does not confirm is given up by the dialog.
		_ = c.order(c.bye)
	}
}

// guard is the firewall: a panic becomes an error.
func guard(ctx context.Context, c *Call, answer func(context.Context, *Call) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("phone: panic: %v\n%s", v, debug.Stack())
		}
	}()
	return answer(ctx, c)
}
