package b2bua

// Who takes the place of one side of a call: an INVITE with Replaces names that side's dialog, as the second half of a transfer does. The other side is offered the
// newcomer's session; when it agrees, the newcomer has its answer, and the one whose place it takes gets BYE. RFC 3891 §3.

import (
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/description"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

// A place that cannot be taken because the session is being changed is tried again.
const (
	joinPause = 500 * time.Millisecond
	maxJoins  = 20
)

// replace looks for the call that an INVITE names. It may live in another stripe.
func (b *B2BUA) replace(ev *sip.Event) {
	which, err := ev.Request.Replaces()
	if err != nil {
		b.refuse(ev, sip.StatusBadRequest)
		return
	}
	if b.Identity != nil && ev.User == "" && !ev.Trusted {
		b.refuse(ev, sip.StatusForbidden) // RFC 3891 §8: who it is must be known
		return
	}
	if b.Pickups != nil {
		if there, ok := b.Pickups.Named(which); ok {
			b.replacing(ev, there, claim{any: true})
			return
		}
	}
	b.replacing(ev, which, b.claimOf(ev))
}

// replacing gives the sender of an INVITE the place of the one whose dialog is named, if it may have that: what rings at others may be answered by whoever knows of it.
func (b *B2BUA) replacing(ev *sip.Event, which sip.Replaces, by claim) {
	kept := dialog.Carry(ev, ev.Stripe)
	b.Dialogs.Match(ev.Engine, which, func(u *dialog.Usage, status sip.Status) {
		if u == nil {
			kept.Engine.Do(kept.Stripe, func() { b.refuse(kept, status) })
			return
		}
		here := dialog.Carry(kept, u.Stripe())
		place, ok := u.Owner().(*leg)
		switch {
		case !ok || place.call.b != b:
			b.refuse(here, or(status, sip.StatusCallDoesNotExist))
			return
		case status == 0 && place.call.rings(place):
			place.call.take(here)
		case place.replaceable(status) && !by.covers(place):
			b.refuse(here, sip.StatusForbidden)
		case place.replaceable(status):
			place.call.await(place, here)
		default:
			b.refuse(here, or(status, sip.StatusCallDoesNotExist))
		}
		place.call.sweep()
	})
}

// replaceable reports whether somebody else may have the place of a leg, about which the dialog says status. A user agent gives away no early dialog that it did not
// begin; we do, for the caller's call goes on with another caller.
func (l *leg) replaceable(status sip.Status) bool {
	c := l.call
	if c.callee == nil {
		return l == c.caller && status == sip.StatusCallDoesNotExist && !c.over
	}
	return l.far() != nil && status == 0 && !c.over
}

// await lets the sender of an INVITE wait for the place of a leg.
func (c *call) await(place *leg, ev *sip.Event) {
	early := c.callee == nil
	switch {
	case c.joining != nil || c.ousted != nil || c.supervision != nil:
		c.b.refuse(ev, sip.StatusRequestPending)
		return
	case early && place.word() == nil:
		c.b.refuse(ev, sip.StatusNotAcceptableHere) // the devices will offer, and they offer to somebody else
		return
	}
	n := c.newcomer(ev)
	if n == nil {
		return
	}
	offer, err := description.Find(&ev.Request.Message)
	if err != nil {
		n.turnAway(description.Status(err))
		return
	}
	x := &exchange{from: n, offer: offer, place: place}
	if early {
		c.oust(x)
		return
	}
	c.joining, x.to = n, place.far()
	c.join(x)
}

// newcomer makes a leg of the sender of an INVITE; nil if it has been refused.
func (c *call) newcomer(ev *sip.Event) *leg {
	n := &leg{call: c}
	c.mark(&n.moments.began)
	usage, err := c.b.Dialogs.Incoming(ev, n)
	if err != nil {
		return nil
	}
	var who Caller
	if c.b.Identity != nil {
		who = c.b.Identity.Identify(ev)
		if n.account = who.Address.URI.Clone(); who.Account.Host != "" {
			n.aor = who.Account.AOR()
		}
		c.arrived(n, claimAs(who))
	}
	n.take(usage, peerOf(ev, who))
	return n
}

// oust puts the newcomer in the place of a caller whom nobody has answered yet. Its session is agreed on when somebody does.
func (c *call) oust(x *exchange) {
	if c.exchange != nil {
		c.exchange.abandon()
		c.exchange = nil
	}
	c.ousted, c.caller, c.waiting = c.caller, x.from, x
	c.voice, c.preview = nil, nil
	c.ousted.usage.Reject(sip.StatusRequestTerminated)
	if c.told == sip.StatusRinging {
		x.from.usage.Provisional(sip.StatusRinging, dialog.Body{})
	}
}

// answerSuccessor takes the answer of a device, which was for the caller before, and offers it the session of the one who took its place.
func (c *call) answerSuccessor(l *leg) {
	c.callee = l
	c.found(l)
	x := c.waiting
	x.to, c.waiting = l, nil
	c.join(x)
}

// join offers the newcomer's session to the other side, as soon as no other change is under way.
func (c *call) join(x *exchange) {
	if c.over || x.gone || x.from.usage.Over() {
		return
	}
	status := sip.StatusRequestPending
	if c.exchange == nil {
		err := c.propose(x)
		if err == nil {
			return
		}
		status = description.Status(err)
	}
	c.refused(x, status)
}

// refused takes the other side's refusal to talk to the newcomer, or ours.
func (c *call) refused(x *exchange, status sip.Status) {
	switch {
	case x.gone:
		x.from.media.Close()
		return
	case c.over || x.from.usage.Over():
		return
	}
	if x.tries++; status == sip.StatusRequestPending && x.tries < maxJoins {
		c.engine.After(c.stripe, joinPause, func() {
			c.join(x)
			c.sweep()
		})
		return
	}
	if c.ousted != nil {
		c.story.status = refusal(status)
		c.hangUp(badAnswer) // who called before is gone
		return
	}
	c.joining = nil
	x.from.turnAway(refusal(status))
}

// turnAway refuses one who wanted a place.
func (l *leg) turnAway(status sip.Status) {
	l.usage.Reject(status)
	l.media.Close()
}

// withdrew takes the CANCEL of one who waits for a place, and reports whether it is one.
func (c *call) withdrew(l *leg) bool {
	if l != c.joining {
		return false
	}
	c.joining = nil
	if x := c.exchange; x != nil && x.from == l {
		x.gone = true // its media are closed when the other side has said its word
		return true
	}
	l.media.Close()
	return true
}

// leaveNobodyWaiting ends what is under way for a place in a call that is over.
func (c *call) leaveNobodyWaiting() {
	if x := c.exchange; x != nil && x.gone && x.place != nil {
		x.from.media.Close()
	}
	c.dropTaker("")
	c.endSupervision()
	if n := c.joining; n != nil {
		c.joining = nil
		n.turnAway(sip.StatusCallDoesNotExist)
	}
}

// stay undoes what the other side has agreed to when the newcomer has gone meanwhile: the one who has the place goes on.
func (c *call) stay(x *exchange) error {
	x.abandon()
	x.from.media.Close()
	return c.propose(&exchange{from: x.place, to: x.to, offer: x.place.word(), gone: true})
}

// succeed gives the newcomer its answer and the place.
func (c *call) succeed(x *exchange, body dialog.Body) error {
	n, old := x.from, x.place
	if id := x.to.usage.SessionID().Remote; id != sip.NilUUID {
		n.usage.SetSession(id)
	}
	reply := n.usage.Reply(sip.StatusOK)
	n.present(reply, reply, x.to)
	reply.SetBody(body.Type, body.Bytes)
	if err := n.usage.Send(reply); err != nil {
		return err
	}
	c.joining, c.ousted = nil, nil
	c.note(Move{Kind: Replace, By: c.who(old), To: n.usage.Invitation().Get(sip.HeaderFrom)})
	c.mark(&n.moments.answered)
	c.gone(old)
	if t := c.transfer; t != nil && (t.by == old || t.kept == old) {
		c.dropTransfer()
		t.report(sip.StatusRequestTerminated)
	}
	switch old {
	case c.caller:
		c.caller = n
	case c.callee:
		c.callee, old.status = n, sip.StatusRequestTerminated
		c.forgetBranches()
		c.branches = append(c.branches, n)
	}
	c.count(n)
	c.relist()
	old.media.Close()
	if !old.usage.Over() {
		old.usage.Bye("")
	}
	if c.story.status = sip.StatusOK; c.story.phase < Answered {
		c.reached(Answered)
		c.stand()
		c.record()
	}
	return nil
}
