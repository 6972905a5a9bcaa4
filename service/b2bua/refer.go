package b2bua

// A REFER, and how its sender hears what becomes of it: inside the dialog of the call it is about, or outside, naming that dialog, which nobody knows but its two sides.
// RFC 3515 §2.4; RFC 5589 §6.1, §6.2; RFC 4538 §4.

import (
	"strings"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
	"github.com/sipwerk/sipwerk/sip/event"
)

// reference is a REFER of one side of a call.
type reference struct {
	by      *leg
	req     *sip.Request
	within  *dialog.Request // nil: it stands outside the dialog
	outside *sip.Event      // then: the matter of the stripe in which it came
}

// refuse answers with a status.
func (r *reference) refuse(status sip.Status) {
	if r.within != nil {
		r.by.usage.Respond(r.within, r.by.usage.ReplyTo(r.req, status))
		return
	}
	ev := r.outside
	ev.Engine.Do(ev.Stripe, func() { r.by.call.b.refuse(ev, status) })
}

// accept answers with 202 and goes on, in the stripe of the call, with what reports to the sender. One that stands outside is answered elsewhere, so that the call may have changed when then is called.
func (r *reference) accept(then func(tell func(sip.Status))) {
	c := r.by.call
	if r.within != nil {
		if referral, err := c.b.Events.ReferWithin(c.engine, r.by.usage, r.within, c.who(r.by)); err == nil { // otherwise it was answered
			then(reports(referral))
		}
		return
	}
	ev := r.outside
	ev.Engine.Do(ev.Stripe, func() {
		referral, err := c.b.Events.Refer(ev)
		if err != nil {
			return
		}
		c.engine.Do(c.stripe, func() {
			then(func(status sip.Status) { ev.Engine.Do(ev.Stripe, func() { referral.Report(status, "") }) })
			c.sweep()
		})
	})
}

func reports(referral *event.Referral) func(sip.Status) {
	return func(status sip.Status) { referral.Report(status, "") }
}

// pass hands the REFER to the other telephone, which answers it. Where it cannot, or where the reports would come in another dialog than its sender expects, it is refused.
func (r *reference) pass() {
	if r.within == nil || !r.by.call.handOver(r.by, r.within) {
		r.refuse(sip.StatusTemporarilyUnavailable)
	}
}

// refer takes a REFER. One to a message is for the other telephone: nobody else can write it.
func (c *call) refer(r *reference) {
	if toMessage(r.req) {
		r.pass()
		return
	}
	if which, ok := attended(r.req); ok {
		c.consult(r, which)
		return
	}
	q, route, status := c.target(r.by, r.req)
	if status != 0 {
		r.refuse(status)
		return
	}
	to := sip.Address{URI: q.Request.URI}.String()
	r.accept(func(tell func(sip.Status)) {
		if !c.movable(r.by) {
			tell(sip.StatusRequestPending)
			return
		}
		c.transferTo(&transfer{by: r.by, kept: r.by.far(), tell: tell, to: to, worst: sip.StatusTemporarilyUnavailable}, q, route)
	})
}

// toMessage reports whether a REFER asks for an instant message. RFC 5359 §2.6.
func toMessage(req *sip.Request) bool {
	where, err := req.ReferTo()
	if err != nil {
		return false
	}
	method, _ := where.URI.Param("method")
	return where.URI.Scheme == "im" || strings.EqualFold(method, string(sip.MethodMessage))
}

// referOutside takes a REFER outside any dialog. What it is about is said by the dialog that it names; who names one of somebody else's has no business with it.
func (b *B2BUA) referOutside(ev *sip.Event) {
	target, err := sip.ParseTargetDialog(ev.Request.Get(sip.HeaderTargetDialog))
	if err != nil || b.Events == nil {
		b.refuse(ev, sip.StatusForbidden)
		return
	}
	kept := dialog.Carry(ev, ev.Stripe)
	kept.User = strings.Clone(ev.User)
	b.Dialogs.Match(ev.Engine, sip.Replaces{CallID: target.CallID, ToTag: target.RemoteTag, FromTag: target.LocalTag}, func(u *dialog.Usage, status sip.Status) {
		var l *leg
		if u != nil && status == 0 {
			l, _ = u.Owner().(*leg)
		}
		if l == nil || l.call.b != b {
			kept.Engine.Do(kept.Stripe, func() { b.refuse(kept, or(status, sip.StatusCallDoesNotExist)) })
			return
		}
		r := &reference{by: l, req: kept.Request, outside: kept}
		if !b.speaksFor(kept, l) {
			r.refuse(sip.StatusForbidden)
			return
		}
		l.call.refer(r)
		l.call.sweep()
	})
}

// speaksFor reports whether the sender of a request outside the dialog is the account whose telephone a leg leads to.
func (b *B2BUA) speaksFor(ev *sip.Event, l *leg) bool {
	if b.Identity == nil {
		return true
	}
	who := b.Identity.Identify(ev)
	return l.aor != "" && who.Account.Host != "" && who.Account.AOR() == l.aor
}
