// The real call of a test: it rings, plays a melody to whoever answers, and hangs up. RFC 3261 §13.2.

package carrier

import (
	"cmp"
	"context"
	"time"

	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/service/trunk"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/description"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

// testCall calls a number by the trunk.
func (t *Trunks) testCall(ctx context.Context, r *report, name string, test *Order) error {
	if test.Number == "" {
		return nil
	}
	ways, passed := t.group.Ways(test.Domain, trunk.Call{Number: test.Number, Caller: trunk.Caller{Proven: true}, Trunks: []string{name}})
	for _, p := range passed {
		if err := r.wrong(p.Err.Error(), remedyUnusable); err != nil {
			return err
		}
	}
	if len(ways) == 0 {
		return nil
	}
	c := &testedCall{trunks: t, way: ways[0], events: make(chan dialog.Event, 16)}
	if !c.way.Begin() {
		return r.wrong("all lines are taken", remedyUnusable)
	}
	status := sip.StatusServiceUnavailable
	defer func() { c.way.End(status) }()
	endpoint, err := t.Media.NewEndpoint(ctx, session.Peer{Remote: c.way.Hops[0].Remote, Kind: c.way.Kind}, t.Voice)
	if err != nil {
		return err
	}
	defer endpoint.Close()
	c.endpoint = endpoint
	if err := r.to("INVITE %s, from %s", c.way.To.URI.String(), c.way.From.URI.String()); err != nil {
		return err
	}
	if err := c.start(); err != nil {
		return r.wrong(err.Error(), remedyUnsent)
	}
	status, err = c.follow(ctx, r, test)
	return err
}

// testedCall is the call of a test.
type testedCall struct {
	trunks   *Trunks
	way      trunk.Way
	endpoint *session.Endpoint
	stripe   sip.Stripe
	usage    *dialog.Usage
	events   chan dialog.Event
}

// start sends the INVITE.
func (c *testedCall) start() error {
	st := c.trunks.stack
	hop := c.way.Hops[0]
	offer := c.endpoint.Offer()
	if len(c.way.Codecs) > 0 {
		offer.Keep(c.way.Codecs)
	}
	req := sip.NewRequest(sip.MethodInvite, hop.Target)
	for _, p := range hop.Path {
		req.Add(sip.HeaderRoute, p)
	}
	req.Set(sip.HeaderFrom, c.way.From.String())
	req.Set(sip.HeaderTo, c.way.To.String())
	for _, h := range c.way.Headers {
		req.Add(h.Name, h.Value)
	}
	req.SetBody(description.Type, offer.AppendTo(nil))
	c.stripe = sip.StripeOf(st.NewID(0))
	started := make(chan error, 1)
	st.Do(c.stripe, func() {
		var err error
		c.usage, err = c.trunks.Dialogs.Invite(dialog.Outgoing{Engine: st, Stripe: c.stripe, Request: req, To: hop.To, Auth: c.way.Auth}, c)
		started <- err
	})
	return <-started
}

// HandleUsage implements [dialog.Owner]: it hands on what must be told. One event too many is dropped; the last always fits.
func (c *testedCall) HandleUsage(u *dialog.Usage, ev dialog.Event) {
	switch e := ev.(type) {
	case dialog.Progress:
		e.Response = e.Response.Clone()
		ev = e
	case dialog.Answered:
		e.Response = e.Response.Clone()
		ev = e
		c.hear(e.Response)
	case dialog.Rejected:
		if e.Response != nil {
			e.Response = e.Response.Clone()
		}
		ev = e
	case dialog.Ended:
	case dialog.Offer:
		c.accept(u, e)
		return
	default:
		return
	}
	if _, more := ev.(dialog.Progress); more && len(c.events) > cap(c.events)/2 {
		return
	}
	select {
	case c.events <- ev:
	default:
	}
}

// hear takes the answer.
func (c *testedCall) hear(res *sip.Response) {
	// What cannot be heard shows in the figures at the end.
	if d, err := description.Find(&res.Message); err == nil && d != nil {
		_ = c.endpoint.Accept(d)
	}
}

// accept takes a change of the session.
func (c *testedCall) accept(u *dialog.Usage, o dialog.Offer) {
	d, err := description.Find(&o.Request.Message)
	if err == nil && d != nil {
		if answer, err := c.endpoint.Answer(d); err == nil {
			// The offer is pending, and the order fits.
			_ = u.Accept(dialog.SDP(answer.AppendTo(nil)))
			return
		}
	}
	_ = u.Refuse(sip.StatusNotAcceptableHere)
}

// bye ends the call, whatever its state.
func (c *testedCall) bye() {
	c.trunks.stack.Do(c.stripe, func() {
		// An error means that it has just ended.
		_ = c.usage.Bye("")
	})
}

// follow tells how the call goes, and ends it.
func (c *testedCall) follow(ctx context.Context, r *report, test *Order) (sip.Status, error) {
	ring := time.NewTimer(min(cmp.Or(test.Ring, testRing), testLongest))
	defer ring.Stop()
	for {
		select {
		case ev := <-c.events:
			switch ev := ev.(type) {
			case dialog.Progress:
				if err := r.from("%s", ev.Response.Status.Error()); err != nil {
					c.bye()
					return sip.StatusOK, err
				}
			case dialog.Rejected:
				return ev.Status, r.wrong(told(ev), whyRejected(ev.Status))
			case dialog.Answered:
				return sip.StatusOK, c.talk(ctx, r, test)
			case dialog.Ended:
				return sip.StatusOK, r.from("BYE")
			}
		case <-ring.C:
			c.bye()
			return sip.StatusOK, r.wrong("nobody answers", remedyUnanswered)
		case <-ctx.Done():
			c.bye()
			return sip.StatusOK, ctx.Err()
		}
	}
}

// told is a refusal in the words of who refused.
func told(ev dialog.Rejected) string {
	text := ev.Status.Error()
	switch {
	case ev.Response == nil && ev.Err != nil:
		text = "no answer: " + ev.Err.Error()
	case ev.Response != nil && ev.Response.Has(sip.HeaderReason):
		text += " (" + ev.Response.Get(sip.HeaderReason) + ")"
	case ev.Response != nil && ev.Response.Has(sip.HeaderWarning):
		text += " (" + ev.Response.Get(sip.HeaderWarning) + ")"
	}
	return text
}

// talk plays to whoever has answered and counts what comes.
func (c *testedCall) talk(ctx context.Context, r *report, test *Order) error {
	if err := r.from("200 OK, answered"); err != nil {
		c.bye()
		return err
	}
	if err := r.to("ACK, and sound"); err != nil {
		c.bye()
		return err
	}
	over := time.NewTimer(min(cmp.Or(test.Talk, testTalk), testLongest))
	defer over.Stop()
	ended := false
	select {
	case <-over.C:
	case <-ctx.Done():
	case ev := <-c.events:
		_, ended = ev.(dialog.Ended)
	}
	heard := c.endpoint.Statistics().Received
	if ended {
		if err := r.from("BYE"); err != nil {
			return err
		}
	} else {
		c.bye()
		if err := r.to("BYE"); err != nil {
			return err
		}
	}
	if heard.Packets == 0 {
		return r.wrong("no sound came", remedySound)
	}
	return r.from("%d packets of sound, %d lost", heard.Packets, heard.Lost)
}

// whyRejected says what a refusal of the call means.
func whyRejected(s sip.Status) remedy {
	switch s {
	case sip.StatusUnauthorized, sip.StatusProxyAuthRequired:
		return remedySecret
	case sip.StatusForbidden:
		return remedyCaller
	case sip.StatusNotFound, sip.StatusAddressIncomplete, sip.StatusGone, sip.StatusDoesNotExistAnywhere:
		return remedyNumber
	case sip.StatusNotAcceptableHere, sip.StatusNotAcceptableAnywhere, sip.StatusUnsupportedMediaType:
		return remedyMedia
	case sip.StatusBusyHere, sip.StatusBusyEverywhere, sip.StatusDecline, sip.StatusTemporarilyUnavailable:
		return remedyBusy
	case sip.StatusUseIdentityHeader, sip.StatusInvalidIdentityHeader, sip.StatusUnsupportedCredential, sip.StatusBadIdentityInfo:
		return remedySignature
	case sip.StatusRequestTimeout, sip.StatusServiceUnavailable:
		return remedySilence
	}
	return remedyRefused
}
