// Calls that the house makes itself: it calls somebody, and whoever answers is passed on. RFC 5359 §2.18 (click to dial), RFC 3725 §4 in other words.

package pbx

import (
	"context"
	"errors"
	"time"

	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/description"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

// ClickToDial is the feature of a call that the house makes to bring two together.
const ClickToDial Feature = "dial"

// errDraining says that the service stops, or that there are too many calls.
var errDraining = errors.New("pbx: too many calls, or the server stops")

// Outgoing is a call that the house makes.
type Outgoing struct {
	Feature Feature
	To      sip.URI     // an account, whose telephones ring
	From    sip.Address // who is shown as the caller
	Player  Player      // has the line when somebody answers
	// Done is told how it ended, once: 200 when somebody has answered, otherwise why nobody has. It runs in the stripe of the call and must not block. nil: nobody is.
	Done func(status sip.Status)
}

// Call calls an account over the way inside, in its own name: what it is connected to later it has called itself, and pays for. An error means that nothing was begun.
func (p *PBX) Call(o Outgoing) error {
	if p.Engine == nil || p.Inside == nil {
		return errors.New("pbx: there is no way to call")
	}
	flow, id := p.Inside(), p.Engine.NewID(0)
	stripe := sip.StripeOf(id)
	c := &call{pbx: p, engine: p.Engine, stripe: stripe, app: &application{pbx: p, feature: o.Feature, player: o.Player}, done: o.Done}
	if flow.IsZero() || !p.admit(c) {
		return errDraining
	}
	p.Engine.Do(stripe, func() {
		if err := c.dial(o, flow); err != nil {
			c.tellDone(description.Status(err))
			c.end(BySystem, "")
		}
	})
	return nil
}

// dial sends the INVITE.
func (c *call) dial(o Outgoing, flow sip.Flow) (err error) {
	voice := c.pbx.Voice
	voice.Failed = c.lost
	if c.endpoint, err = c.pbx.Media.NewEndpoint(context.Background(), session.Peer{Inside: true}, voice); err != nil {
		return err
	}
	req := sip.NewRequest(sip.MethodInvite, o.To)
	req.Set(sip.HeaderFrom, o.From.String())
	req.Set(sip.HeaderTo, "<"+o.To.AOR()+">")
	req.Set(sip.HeaderPAssertedIdentity, "<"+o.To.AOR()+">")
	body := dialog.SDP(c.endpoint.Offer().AppendTo(nil))
	req.SetBody(body.Type, body.Bytes)
	usage, err := c.pbx.Dialogs.Invite(dialog.Outgoing{Engine: c.engine, Stripe: c.stripe, Request: req, To: sip.Destination{Flow: flow}, Plain: true}, c)
	if err != nil {
		return err
	}
	c.usage = usage
	sent := usage.Invitation()
	c.facts = Facts{Application: o.Feature, From: o.From, Account: o.To, To: sip.Address{URI: o.To}, Asked: o.To, Object: o.To, CallID: sent.CallID(), Session: sent.SessionID().Local}
	c.start()
	return nil
}

// answered takes the 2xx to a call that the house has made.
func (c *call) answered(res *sip.Response) {
	answer, err := description.Read(&res.Message)
	if err == nil && answer == nil {
		err = sip.StatusNotAcceptableHere
	}
	if err == nil {
		err = c.endpoint.Accept(answer)
	}
	if err != nil {
		c.tellDone(sip.StatusNotAcceptableHere)
		c.bye(`SIP;cause=488;text="Not Acceptable Here"`)
		return
	}
	c.limit = c.engine.After(c.stripe, or(c.pbx.MaxDuration, DefaultMaxDuration), func() { c.bye(timeReason) })
	c.detail.Answer, c.detail.Status = time.Now(), sip.StatusOK
	c.tellDone(sip.StatusOK)
	c.line = newLine(c, c.endpoint)
	c.begin()
}

// rejected takes the refusal of one.
func (c *call) rejected(status sip.Status) {
	c.detail.Status = status
	c.tellDone(status)
	c.end(BySystem, "")
}

// tellDone says once how a call that the house has made ended.
func (c *call) tellDone(status sip.Status) {
	if done := c.done; done != nil {
		c.done = nil
		done(status)
	}
}
