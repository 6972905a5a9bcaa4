package b2bua

// Attended transfers: a side has talked to the target in another call, which it names, and asks that the two who are left be connected. Where that call is one of ours we
// do it ourselves: an INVITE over the inside flow takes the referrer's place there (replace.go), whatever stripe that call lives in, before it is answered too, and everything
// else is as in any transfer. A call that is none of ours is for the other telephone to find. RFC 5589 §7.3; RFC 3891 §3.

import (
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

// consultation is the call that a REFER names.
type consultation struct {
	usage *dialog.Usage
	place *leg   // of the referrer in that call; nil: an application of this house talks to it
	id    string // [Detail.ID] of it
}

// attended returns the dialog that a REFER names. RFC 5589 §7.3.
func attended(req *sip.Request) (which sip.Replaces, ok bool) {
	to, err := req.ReferTo()
	if err != nil {
		return which, false
	}
	value, ok := to.URI.Header("Replaces")
	if !ok {
		return which, false
	}
	which, err = sip.ParseReplaces(value)
	return which, err == nil
}

// consult finds out whose the call is that a REFER names.
func (c *call) consult(l *leg, r *dialog.Request, which sip.Replaces) {
	r.Keep()
	r.Request = r.Request.Clone()
	c.b.Dialogs.Match(c.engine, which, func(u *dialog.Usage, _ sip.Status) {
		found := consultation{usage: u}
		if u != nil {
			if found.place, _ = u.Owner().(*leg); found.place != nil {
				found.id = found.place.call.detail.ID
			}
		}
		c.engine.Do(c.stripe, func() {
			c.consulted(l, r, found, which)
			c.sweep()
		})
	})
}

// consulted takes a REFER whose call is known.
func (c *call) consulted(l *leg, r *dialog.Request, other consultation, which sip.Replaces) {
	to, err := r.Request.ReferTo()
	refuse := func(status sip.Status) { l.usage.Respond(r, l.usage.ReplyTo(r.Request, status)) }
	switch {
	case l.usage.Over():
		return
	case err != nil, other.place != nil && other.place.call == c:
		refuse(sip.StatusBadRequest) // nobody is led into the call that it is in
		return
	case c.over || l.far() == nil || l.far().word() == nil || c.transfer != nil || c.joining != nil || c.supervision != nil:
		refuse(sip.StatusRequestPending)
		return
	case other.usage == nil || c.b.Inside.IsZero():
		if !c.handOver(l, r) {
			refuse(sip.StatusTemporarilyUnavailable)
		}
		return
	}
	uri := to.URI.Clone()
	uri.Headers, uri.Params = "", uri.Params.Without("method")
	q := c.question(l, uri, Transferred)
	party := c.within(q)
	field := Field{sip.HeaderReplaces, which.String()}
	if other.place == nil {
		// An application takes the call as one of its own; that it knows its consultation is enough for it to see what belongs together. RFC 4538 §1.
		field = Field{sip.HeaderTargetDialog, sip.TargetDialog{CallID: which.CallID, LocalTag: which.FromTag, RemoteTag: which.ToTag}.String()}
	}
	party[0].Headers = []Field{field}
	referral, err := c.b.Events.ReferWithin(c.engine, l.usage, r, c.who(l))
	if err != nil {
		return // it was answered
	}
	t := &transfer{by: l, kept: l.far(), referral: referral, to: sip.Address{URI: uri}.String(), worst: sip.StatusTemporarilyUnavailable, consulted: other}
	c.transferTo(t, q, Route{Ring: party, Cause: "attended"})
}

// part ends the consultation with an application, which does not know that its call has gone on.
func (o *consultation) part() {
	if u := o.usage; u != nil && o.place == nil {
		u.Do(func() {
			if !u.Over() {
				u.Bye("")
			}
		})
	}
}
