// A usage that lives in another stripe than its Call-ID says: one that takes the place of another, whose call is elsewhere (RFC 3891). What arrives for it is copied and
// carried to where it lives, and its answers are carried back; neither waits for the other.

package dialog

import (
	"strings"

	"github.com/sipwerk/sipwerk/sip"
)

// Carry copies ev, an event of a new request, for use in the stripe called to: what is answered there finds its way back, and [Table.Incoming] makes a usage that lives there. The
// transaction must be left open meanwhile. If it is gone when the usage claims it, the usage is told by [Cancelled].
func Carry(ev *sip.Event, to sip.Stripe) *sip.Event {
	if ev.Stripe == to {
		return keep(*ev)
	}
	return (&away{Engine: ev.Engine, from: ev.Stripe, home: to}).carry(ev)
}

// away is the engine of such a usage. What it starts itself belongs to its own stripe; what the peer has sent belongs to the other one.
type away struct {
	sip.Engine
	from, home sip.Stripe
}

// carry copies an event for the stripe of the usage.
func (a *away) carry(ev *sip.Event) *sip.Event {
	copied := keep(*ev)
	copied.Engine, copied.Stripe = a, a.home
	return copied
}

// keep returns an event that stays valid when its handler has returned.
func keep(ev sip.Event) *sip.Event {
	ev.User = strings.Clone(ev.User)
	if ev.Request != nil {
		ev.Request = ev.Request.Clone()
	}
	return &ev
}

// Respond implements [sip.Sender]. An error means that nobody waits, and stays unknown.
func (a *away) Respond(tx sip.TransactionID, res *sip.Response) error {
	res = res.Clone()
	a.Do(a.from, func() { _ = a.Engine.Respond(tx, res) })
	return nil
}

// RespondOnce implements [sip.Sender] as Respond does.
func (a *away) RespondOnce(tx sip.TransactionID, res *sip.Response) error {
	res = res.Clone()
	a.Do(a.from, func() { _ = a.Engine.RespondOnce(tx, res) })
	return nil
}

// Own implements [sip.Sender]: the events come to the stripe of the usage, and one of them says so if the transaction is gone.
func (a *away) Own(tx sip.TransactionID, h sip.EventHandler) error {
	hand := func(ev *sip.Event) {
		copied := a.carry(ev)
		a.Do(a.home, func() { h.HandleEvent(copied) })
	}
	a.Do(a.from, func() {
		if err := a.Engine.Own(tx, sip.EventHandlerFunc(hand)); err != nil {
			hand(&sip.Event{Kind: sip.EventTimeout, Tx: tx, Err: sip.ErrTimeout})
		}
	})
	return nil
}

// lane is the stripe in which the table keeps u: that of its Call-ID.
func (u *Usage) lane() sip.Stripe {
	if a, ok := u.engine.(*away); ok {
		return a.from
	}
	return u.stripe
}

// reach hands on a request or ACK that has come to the lane of u.
func (u *Usage) reach(ev *sip.Event) {
	a, ok := u.engine.(*away)
	if !ok {
		u.take(ev)
		return
	}
	copied := a.carry(ev)
	u.Do(func() { u.take(copied) })
}

// take takes a request or ACK inside the dialog.
func (u *Usage) take(ev *sip.Event) {
	switch {
	case ev.Kind != sip.EventAck:
		u.request(ev)
	case u.dialogOf(ev.Request.CallID(), ev.Request.FromTag()) != nil:
		u.ack(ev.Request)
	}
}
