// What an INVITE transaction does when its call is over: it lives for half a minute more, and late copies of a 2xx are acknowledged all the while. RFC 6026 §7.2; RFC 3261 §13.2.2.4.

package dialog

import (
	"slices"

	"github.com/sipwerk/sipwerk/sip"
)

// ear is the owner of an INVITE transaction.
type ear struct {
	usage *Usage   // nil: the call is over, and nothing of it is kept
	late  *remains // then, of a caller
}

// HandleEvent implements [sip.EventHandler].
func (e *ear) HandleEvent(ev *sip.Event) {
	switch {
	case e.usage == nil && e.late != nil:
		e.late.hear(ev)
	case e.usage == nil:
	case e.usage.callee != nil:
		e.usage.serverEvent(ev)
	default:
		e.usage.inviteEvent(ev)
	}
}

// deafen lets go of a usage that is over, but for what late copies of a 2xx are answered with.
func (e *ear) deafen() {
	u := e.usage
	if u == nil {
		return
	}
	e.usage = nil
	if c := u.caller; c != nil && u.dialog != nil {
		e.late = &remains{engine: u.engine, stripe: u.stripe, tx: c.tx, request: u.Invitation(), answer: c.answer(), flow: c.flow(), tags: []string{u.dialog.RemoteTag}}
		for _, d := range c.dropped {
			e.late.tags = append(e.late.tags, d.RemoteTag)
		}
	}
}

// remains are what is left of a call that we have made.
type remains struct {
	engine  sip.Engine
	stripe  sip.Stripe
	tx      sip.TransactionID
	request *sip.Request
	answer  Body // that goes with the ACK, if any
	flow    sip.Flow
	tags    []string // of the dialogs that are over
}

// hear acknowledges a 2xx; one of somebody who was not heard before is ended as well.
func (l *remains) hear(ev *sip.Event) {
	if ev.Kind != sip.EventResponse || ev.Tx != l.tx || !ev.Response.Status.Success() {
		return
	}
	d, err := NewUAC(l.request, ev.Response)
	known := err == nil && slices.Contains(l.tags, d.RemoteTag)
	if err != nil || !known && len(l.tags) > maxForks {
		return
	}
	d.Bind(l.flow)
	if known {
		acknowledge(l.engine, l.stripe, d, l.request, l.answer)
	} else {
		acknowledge(l.engine, l.stripe, d, l.request, Body{})
		l.tags = append(l.tags, d.RemoteTag)
		// Whoever does not get the BYE finds out by himself.
		_, _ = l.engine.Start(l.stripe, d.Request(sip.MethodBye), d.Destination(), nil)
	}
}
