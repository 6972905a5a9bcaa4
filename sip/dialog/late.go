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
		e.late = &remains{table: u.table, engine: u.engine, stripe: u.stripe, tx: c.tx, extract: u.extract, dialog: u.dialog, answer: c.ackBody, way: c.way}
		for _, d := range c.dropped {
			e.late.tags = append(e.late.tags, d.RemoteTag)
		}
	}
}

// remains are what is left of a call that we have made.
type remains struct {
	table   *Table
	engine  sip.Engine
	stripe  sip.Stripe
	tx      sip.TransactionID
	extract extract // of the INVITE
	dialog  *Dialog // that is over
	answer  *Body   // that goes with the ACK; nil: none
	way     *sip.Flow
	tags    []string // of the other dialogs that are over
}

// hear acknowledges a 2xx; one of somebody who was not heard before is ended as well.
func (l *remains) hear(ev *sip.Event) {
	if ev.Kind != sip.EventResponse || ev.Tx != l.tx || !ev.Response.Status.Success() {
		return
	}
	invite := l.extract.invitation(l.dialog)
	d, err := NewUAC(invite, ev.Response)
	known := err == nil && (d.RemoteTag == l.dialog.RemoteTag || slices.Contains(l.tags, d.RemoteTag))
	if err != nil || !known && len(l.tags) >= maxForks {
		return
	}
	d.flow = l.way
	a := acknowledgement{engine: l.engine, stripe: l.stripe, dialog: d, invite: invite}
	if known {
		a.body = l.answer
	}
	l.table.acknowledge(a)
	if !known {
		l.tags = append(l.tags, d.RemoteTag)
		// Whoever does not get the BYE finds out by himself.
		_, _ = l.engine.Start(l.stripe, d.Request(sip.MethodBye), d.Destination(), nil)
	}
}
