// A call out of the room: all devices of an account ring, and the first that answers is the member. Whoever is no account is called by way of whoever routes calls. RFC 4579 §5.5.

package conference

import (
	"net/url"

	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/description"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

// maxBranches is how many devices of somebody ring.
const maxBranches = 8

const (
	elsewhere = `SIP;cause=200;text="Call completed elsewhere"`
	noAnswer  = `SIP;cause=480;text="No answer"`
)

// invitation is somebody who is being called. It lives in the stripe of whoever wants it.
type invitation struct {
	room     *room
	engine   sip.Engine
	stripe   sip.Stripe
	account  sip.URI
	presence *presence // in the roster as long as nobody has answered
	branches []*branch
	tell     func(sip.Status) // is told how it goes; nil: nobody wants to know
	ring     sip.Timer
	status   sip.Status // the best refusal so far
	done     bool
}

// branch is the call to one device.
type branch struct {
	*member
	in *invitation
	to Binding
}

// Invite has a room in use call somebody on behalf of an account, as a member could; ok is false if nobody is in the room. tell hears 180 perhaps, and then what has come of it; it must not block.
func (c *Conference) Invite(e sip.Engine, room sip.URI, by string, whom sip.URI, tell func(sip.Status)) (ok bool) {
	r := c.live(nameOf(room))
	if r == nil {
		return false
	}
	stripe := sip.StripeOf(e.NewID(0))
	e.Do(stripe, func() { r.call(e, stripe, guest{by, whom}, tell) })
	return true
}

// guest is somebody who is to be invited.
type guest struct {
	by  string // the account that wants it; "" if nobody has proved to be one
	uri sip.URI
}

// call invites somebody; it must be called from within the stripe. tell, if there is one, hears what comes of it.
func (r *room) call(e sip.Engine, stripe sip.Stripe, whom guest, tell func(sip.Status)) {
	in := &invitation{room: r, engine: e, stripe: stripe, tell: tell, status: sip.StatusNotFound}
	var devices []Binding
	if r.c.Locator != nil {
		var ok bool
		if in.account, devices, ok = r.c.Locator.Lookup(whom.by, whom.uri); ok {
			in.status = sip.StatusTemporarilyUnavailable
		}
	}
	if len(devices) == 0 {
		in.report(in.status)
		return
	}
	if !in.announce() {
		in.report(sip.StatusOK) // is in the room
		return
	}
	for _, to := range devices[:min(len(devices), maxBranches)] {
		in.branch(to, false)
	}
	ringTime := or(r.c.RingTime, DefaultRingTime)
	if r.set.Page != nil {
		ringTime = pageTime
	}
	in.ring = e.After(stripe, ringTime, func() { in.giveUp(noAnswer) })
	in.failed()
}

// report tells whoever wants to know.
func (in *invitation) report(status sip.Status) {
	if in.tell != nil {
		in.tell(status)
	}
}

// announce shows in the roster that somebody is called, unless they are there.
func (in *invitation) announce() bool {
	entity := in.account.String()
	p := &presence{entity: in.engine.NewID(in.stripe), status: "dialing-out", invited: true}
	in.room.change(func(l *roster) {
		if l.find(entity) == nil {
			l.join(entity, "", p)
			in.presence = p
		}
	})
	return in.presence != nil
}

// withdraw takes that back.
func (in *invitation) withdraw() {
	if p := in.presence; p != nil {
		in.presence = nil
		in.room.change(func(l *roster) { l.leave(in.account.String(), p) })
	}
}

// again calls a device that cannot take what it was offered with less of it: first without pictures, then with keys of another kind.
func (b *branch) again(status sip.Status) {
	if status != sip.StatusNotAcceptableHere || b.in.done {
		return
	}
	if !b.picture.none && len(b.c.Voice.Pictures) > 0 && b.in.room.set.Page == nil {
		b.in.branch(b.to, true)
	} else if next, ok := b.to.Kind.Fallback(); ok {
		b.to.Kind = next
		b.in.branch(b.to, b.picture.none)
	}
}

// branch calls one device; blind: without pictures.
func (in *invitation) branch(to Binding, blind bool) {
	m := &member{c: in.room.c, engine: in.engine, stripe: in.stripe, caller: caller{entity: in.account.String(), proven: true}, invited: true, picture: picturing{none: blind}, inside: to.Inside}
	if status := in.room.c.enter(m, in.room.set); status != 0 {
		in.status = status
		return
	}
	b := &branch{m, in, to}
	req, err := in.request(m, to)
	if err == nil {
		m.usage, err = in.room.c.Dialogs.Invite(dialog.Outgoing{Engine: in.engine, Stripe: in.stripe, Request: req, To: to.To, Plain: true}, b)
	}
	if err != nil {
		in.status = description.Status(err)
		if m.endpoint != nil {
			m.c.work.Go(m.endpoint.Close)
		}
		m.c.release(m)
		return
	}
	in.branches = append(in.branches, b)
	m.begin(m.usage.Invitation())
}

// request makes the INVITE for one device.
func (in *invitation) request(m *member, to Binding) (*sip.Request, error) {
	if err := m.listen(session.Peer{Remote: to.Remote, Local: to.Local, Kind: to.Kind, Inside: to.Inside}); err != nil {
		return nil, err
	}
	set := &in.room.set
	req := sip.NewRequest(sip.MethodInvite, to.Target)
	for _, p := range to.Path {
		req.Add(sip.HeaderRoute, p)
	}
	from := sip.Address{URI: set.URI}
	if set.Title != "" {
		from.Display = sip.Quote(set.Title)
	}
	req.Set(sip.HeaderFrom, from.String())
	req.Set(sip.HeaderTo, "<"+in.account.String()+">")
	req.Set(sip.HeaderContact, contactOf(set.URI))
	if to.Payer.Host != "" {
		req.Set(sip.HeaderPAssertedIdentity, "<"+to.Payer.String()+">")
	}
	if set.Page != nil {
		for header, value := range AutoAnswer(set.URI.Host) {
			req.Add(header, value)
		}
	}
	body := dialog.SDP(m.endpoint.Offer().AppendTo(nil))
	req.SetBody(body.Type, body.Bytes)
	return req, nil
}

// HandleUsage implements [dialog.Owner] until the device has answered, and hands the rest on to the member.
func (b *branch) HandleUsage(u *dialog.Usage, ev dialog.Event) {
	b.usage = u
	switch ev := ev.(type) {
	case dialog.Progress:
		b.in.progress(ev.Response.Status)
	case dialog.Answered:
		b.in.answered(b, ev.Response)
	case dialog.Rejected:
		b.detail.Status = ev.Status
		b.end(BySystem, "")
		b.again(ev.Status)
		b.in.rejected(ev.Status)
	default:
		b.member.HandleUsage(u, ev)
		b.in.failed() // its answer may have been of no use
	}
}

func (in *invitation) progress(status sip.Status) {
	if in.done || status != sip.StatusRinging || in.presence == nil || in.presence.status == "alerting" {
		return
	}
	in.room.change(func(l *roster) {
		in.presence.status = "alerting"
		l.touched(in.presence)
	})
	in.report(status)
}

// answered takes the first 2xx; the other devices stop ringing.
func (in *invitation) answered(b *branch, res *sip.Response) {
	if in.done {
		b.bye(elsewhere)
		return
	}
	answer, err := description.Find(&res.Message)
	if err == nil && answer == nil {
		err = sip.StatusNotAcceptableHere
	}
	if err == nil {
		err = b.endpoint.Accept(answer)
	}
	if err != nil {
		b.detail.Err = err
		b.bye(`SIP;cause=488;text="Not Acceptable Here"`)
		return
	}
	in.done = true
	in.stop()
	for _, other := range in.branches {
		if other != b && !other.over {
			_ = other.usage.Cancel(elsewhere) // one that has answered meanwhile gets a BYE
		}
	}
	in.withdraw()
	in.report(sip.StatusOK)
	b.hold(answer)
	b.settled()
}

// rejected takes the refusal of a device. The best is the one that a person gave: RFC 3261 §16.7 step 6.
func (in *invitation) rejected(status sip.Status) {
	if in.status == sip.StatusTemporarilyUnavailable || status >= 600 {
		in.status = status
	}
	if status >= 600 && !in.done {
		in.giveUp(elsewhere)
	}
	in.failed()
}

// giveUp cancels what rings.
func (in *invitation) giveUp(reason string) {
	for _, b := range in.branches {
		if !b.over && !in.done {
			_ = b.usage.Cancel(reason) // one that has ended needs none
		}
	}
}

// failed ends the invitation when nobody can answer any more.
func (in *invitation) failed() {
	if in.done {
		return
	}
	for _, b := range in.branches {
		if !b.over {
			return
		}
	}
	in.done = true
	in.stop()
	in.withdraw()
	in.report(in.status)
}

func (in *invitation) stop() {
	if in.ring != nil {
		in.ring.Stop()
	}
}

// target returns whom a Refer-To or a list means: the URI without the headers and the method that may stand in it.
func target(u sip.URI) sip.URI {
	u = u.Clone()
	u.Headers, u.Params = "", u.Params.Without("method")
	return u
}

// wantsMethod is the method that a Refer-To asks for.
func wantsMethod(u sip.URI) sip.Method {
	method, ok := u.Param("method")
	if !ok {
		return sip.MethodInvite
	}
	if plain, err := url.PathUnescape(method); err == nil {
		method = plain
	}
	return sip.Method(method)
}
