package b2bua

// Attended transfers: a side has talked to the target in another call, which it names, and asks that the two who are left be connected. Where that call is one of ours we
// do it ourselves: an INVITE over the inside flow takes the referrer's place there (replace.go), whatever stripe that call lives in, before it is answered too, and everything
// else is as in any transfer. A call that is none of ours is for the other telephone to find. RFC 5589 §7.3; RFC 3891 §3.

import (
	"slices"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

// consultation is the call that a REFER names.
type consultation struct {
	usage *dialog.Usage
	place *leg   // of the referrer in that call; nil: an application of this house talks to it
	alien bool   // it is somebody else's
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
func (c *call) consult(r *reference, which sip.Replaces) {
	if r.within != nil {
		r.within.Keep()
		r.within.Request = r.within.Request.Clone()
		r.req = r.within.Request
	}
	by := r.by.claim()
	c.b.Dialogs.Match(c.engine, which, func(u *dialog.Usage, _ sip.Status) {
		found := consultation{usage: u}
		if u != nil {
			if found.place, _ = u.Owner().(*leg); found.place != nil {
				found.id, found.alien = found.place.call.story.id, !by.covers(found.place)
			} else {
				found.alien = !by.talks(u.Owner())
			}
		}
		c.engine.Do(c.stripe, func() {
			c.consulted(r, found, which)
			c.sweep()
		})
	})
}

// consulted takes a REFER whose call is known.
func (c *call) consulted(r *reference, other consultation, which sip.Replaces) {
	l := r.by
	to, err := r.req.ReferTo()
	switch {
	case l.usage.Over() && r.within != nil:
		return
	case err != nil, other.place != nil && other.place.call == c:
		r.refuse(sip.StatusBadRequest) // nobody is led into the call that it is in
		return
	case other.alien:
		r.refuse(sip.StatusForbidden)
		return
	case !c.movable(l):
		r.refuse(sip.StatusRequestPending)
		return
	}
	uri := to.URI.Clone()
	uri.Headers, uri.Params = "", uri.Params.Without("method")
	switch {
	case other.usage == nil && c.ours(l, uri):
		// Nobody could find that call: it is over. Whoever asked may call its target again. RFC 5589 §7.7.
		r.accept(func(tell func(sip.Status)) { tell(sip.StatusCallDoesNotExist) })
		return
	case other.usage == nil || c.b.Inside.IsZero():
		r.pass()
		return
	}
	q := c.question(l, uri, Transferred)
	route := Route{Ring: c.within(q)}
	if other.place != nil {
		route.Ring[0].Headers = []Field{{sip.HeaderReplaces, which.String()}}
	} else {
		var status sip.Status
		if route, status = c.consultedWith(q, which); status != 0 {
			r.refuse(status)
			return
		}
	}
	route.Cause = "attended"
	r.accept(func(tell func(sip.Status)) {
		if !c.movable(l) {
			tell(sip.StatusRequestPending)
			return
		}
		t := &transfer{by: l, kept: l.far(), tell: tell, to: sip.Address{URI: uri}.String(), worst: sip.StatusTemporarilyUnavailable, consulted: other}
		c.transferTo(t, q, route)
	})
}

// consultedWith is the way to an application with which the sender of a REFER has spoken: where any transfer would go, for that it has spoken there opens nothing else to whoever is led. The
// application takes the call as one of its own; that it knows its consultation is enough for it to see what belongs together. RFC 4538 §1.
func (c *call) consultedWith(q *Question, which sip.Replaces) (Route, sip.Status) {
	field := Field{sip.HeaderTargetDialog, sip.TargetDialog{CallID: which.CallID, LocalTag: which.FromTag, RemoteTag: which.ToTag}.String()}
	q.Request.Set(field.Name, field.Value)
	route, status := c.lead(q)
	if route.Application != nil {
		route.Ring, route.Application = append(slices.Clone(route.Ring), c.within(q)...), nil
	}
	for i := range route.Ring {
		p := &route.Ring[i]
		if slices.ContainsFunc(p.Bindings, func(b Binding) bool { return b.To.Flow == c.b.Inside }) {
			p.Headers = append(slices.Clone(p.Headers), field)
		}
	}
	return route, status
}

// ours reports whether a URI is that of an account or an application of this house, whose calls are all known here.
func (c *call) ours(l *leg, uri sip.URI) bool {
	_, route, status := c.dial(l, uri, "")
	return status == 0 && (route.Account.Host != "" || route.Application != nil || slices.ContainsFunc(route.Ring, func(p Party) bool { return p.Account.Host != "" }))
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
