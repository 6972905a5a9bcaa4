// One call to a feature: answered at once, changed when the caller asks for it, ended by either side. RFC 3261 §13.3, §14.2, §15; RFC 3264 §5, §6.

package pbx

import (
	"context"
	"errors"
	"time"

	"github.com/sipwerk/sipwerk/media/sdp"
	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/description"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

// call is one call. It lives in its stripe, but for the endpoint, which is also used by the goroutine that plays.
type call struct {
	pbx       *PBX
	engine    sip.Engine
	stripe    sip.Stripe
	app       *application
	facts     Facts
	usage     *dialog.Usage
	endpoint  *session.Endpoint
	line      *Line     // from the answer on
	hangUp    func()    // ends the context of the player
	limit     sip.Timer // ends a call that lasts too long
	offered   bool      // our offer waits for its answer, which comes with the ACK
	playing   bool
	over      bool
	reference *reference       // a REFER under way; nil: none
	done      func(sip.Status) // of a call that the house has made, until it is told; nil: nobody is
	detail    Detail
}

// invite takes an INVITE to an application.
func (p *PBX) invite(ev *sip.Event, a *application) {
	c := &call{pbx: p, engine: ev.Engine, stripe: ev.Stripe, app: a}
	if !p.admit(c) {
		res := ev.Request.Reply(sip.StatusServiceUnavailable)
		res.Set(sip.HeaderRetryAfter, retryAfter)
		_ = ev.Engine.RespondOnce(ev.Tx, res)
		return
	}
	usage, err := p.Dialogs.Incoming(ev, c)
	if err != nil {
		p.forget(c) // the INVITE has been answered
		return
	}
	c.usage = usage
	c.facts = factsOf(usage.Invitation(), p.identify(ev), a)
	c.facts.Inside = ev.Flow.Transport == sip.Inside
	c.start()
	if err := c.answer(session.Peer{Remote: ev.Flow.Remote.Addr().Unmap(), Local: ev.Flow.Local.Addr().Unmap(), Inside: ev.Flow.Transport == sip.Inside}); err != nil {
		c.detail.Status = description.Status(err)
		_ = usage.Reject(c.detail.Status)
		c.end(BySystem, "")
	}
}

// answer opens the media of the call, answers it and begins to play.
func (c *call) answer(peer session.Peer) (err error) {
	if !c.usage.Invitation().Accepts(description.Type) {
		return sip.StatusNotAcceptable // RFC 3261 §8.2.3
	}
	voice := c.pbx.Voice
	voice.Failed = c.lost
	if c.endpoint, err = c.pbx.Media.NewEndpoint(context.Background(), peer, voice); err != nil {
		return err
	}
	c.line = newLine(c, c.endpoint) // what is dialled before the ACK has come is heard
	ours, err := c.reply(&c.usage.Invitation().Message)
	if err != nil {
		return err
	}
	if err := c.usage.Answer(ours); err != nil {
		return err
	}
	limit := c.pbx.MaxDuration
	if limit == 0 {
		limit = DefaultMaxDuration
	}
	c.limit = c.engine.After(c.stripe, limit, func() { c.bye(timeReason) })
	c.detail.Answer, c.detail.Status = time.Now(), sip.StatusOK
	return nil
}

// reply returns our answer to the offer in m, or our offer if it holds none.
func (c *call) reply(m *sip.Message) (dialog.Body, error) {
	theirs, err := description.Read(m)
	if err != nil {
		return dialog.Body{}, err
	}
	if c.offered = theirs == nil; c.offered {
		return dialog.SDP(c.endpoint.Offer().AppendTo(nil)), nil
	}
	ours, err := c.endpoint.Answer(theirs)
	if err != nil {
		return dialog.Body{}, err
	}
	return dialog.SDP(ours.AppendTo(nil)), nil
}

// Speaker implements [b2bua.Speaker].
func (c *call) Speaker() string {
	if c.facts.Account.Host == "" {
		return ""
	}
	return c.facts.Account.AOR()
}

// begin starts to play when the caller has acknowledged the answer: before that it may not hear yet, and nothing else is to be asked of it.
func (c *call) begin() {
	if c.playing {
		return
	}
	c.playing = true
	ctx, cancel := context.WithCancelCause(context.Background())
	c.hangUp = func() { cancel(ErrHungUp) }
	c.pbx.playing.Go(func() {
		if err := c.app.player.Play(ctx, c.line); err != nil && !errors.Is(err, ErrHungUp) {
			c.pbx.warn(&c.facts, err)
		}
		c.line.Bye(ctx, "")
	})
}

// HandleUsage implements [dialog.Owner].
func (c *call) HandleUsage(_ *dialog.Usage, ev dialog.Event) {
	switch ev := ev.(type) {
	case dialog.Answered:
		c.answered(ev.Response)
	case dialog.Rejected:
		c.rejected(ev.Status)
	case dialog.AckReceived:
		c.acknowledged(ev.Request)
	case dialog.Offer:
		c.change(ev.Request)
	case *dialog.Request:
		c.request(ev)
	case dialog.Cancelled:
		c.detail.Status = sip.StatusRequestTerminated
		c.end(ByCaller, ev.Reason)
	case dialog.Ended:
		by := ByCaller
		if ev.Cause != dialog.ByeReceived {
			by = BySystem
		}
		c.end(by, ev.Reason)
	}
}

// request takes another request inside the dialog: digits, and what becomes of a REFER. The usage answers the rest.
func (c *call) request(ev *dialog.Request) {
	switch ev.Request.Method {
	case sip.MethodInfo:
		if description.Trickles(ev.Request) {
			c.trickled(ev)
			return
		}
		if d := ev.Request.DTMF(); d != 0 && c.line != nil {
			_ = c.usage.Respond(ev, c.usage.ReplyTo(ev.Request, sip.StatusOK))
			c.line.tell(d)
		}
	case sip.MethodNotify:
		c.notified(ev)
	}
}

// trickled takes candidates of the peer. RFC 8840 §4.3.
func (c *call) trickled(ev *dialog.Request) {
	status := description.TakeTrickle(ev.Request, func(fragment *sdp.Description) {
		if c.endpoint != nil {
			c.endpoint.Trickled(fragment)
		}
	})
	_ = c.usage.Respond(ev, c.usage.ReplyTo(ev.Request, status)) // a transaction that has ended needs no answer
}

// acknowledged takes the ACK, and the answer to our offer, if it is to hold one.
func (c *call) acknowledged(ack *sip.Request) {
	if !c.offered {
		c.begin()
		return
	}
	c.offered = false
	answer, err := description.Read(&ack.Message)
	if err == nil && answer == nil {
		err = sip.StatusNotAcceptableHere
	}
	if err == nil {
		err = c.endpoint.Accept(answer)
	}
	if err != nil {
		// RFC 3261 §13.2.2.4: an answer that cannot be taken ends the call.
		c.bye(`SIP;cause=488;text="Not Acceptable Here"`)
		return
	}
	c.begin()
}

// change answers a re-INVITE or UPDATE: hold, resume, another address or codec.
func (c *call) change(req *sip.Request) {
	ours, err := c.reply(&req.Message)
	if err != nil {
		c.offered = false
		_ = c.usage.Refuse(description.Status(err)) // an exchange that is gone needs no answer
		return
	}
	_ = c.usage.Accept(ours)
}

// lost ends the call, from any goroutine, because its media cannot be had, or not any more.
func (c *call) lost(err error) {
	reason := securityReason
	if errors.Is(err, session.ErrAbsent) {
		reason = absentReason
	}
	c.engine.Do(c.stripe, func() { c.bye(reason) })
}

// bye ends the call from our side.
func (c *call) bye(reason string) {
	if err := c.usage.Bye(reason); err != nil {
		return // it is ending
	}
	c.detail.Reason = reason
	if c.usage.Over() {
		c.end(BySystem, reason)
	}
}

// end frees what the call holds. The player ends when it finds its line closed.
func (c *call) end(by Side, reason string) {
	if c.over {
		return
	}
	c.over = true
	if c.limit != nil {
		c.limit.Stop()
	}
	if c.hangUp != nil {
		c.hangUp()
	}
	c.finish(by, reason)
	c.tellDone(sip.StatusRequestTerminated)
	if c.endpoint != nil {
		// Close waits for the frame that is being sent: not in the stripe.
		c.pbx.playing.Go(c.endpoint.Close)
	}
	c.pbx.forget(c)
}
