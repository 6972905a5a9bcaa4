package b2bua

// All devices of the callee ring at once, and the caller sees one early dialog. RFC 3261 §13.2.2.1.

import (
	"context"
	"errors"
	"strings"

	"github.com/sipwerk/sipwerk/media/sdp"
	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

// start calls the devices of an account.
func (c *call) start(account sip.URI) {
	invitation := c.caller.usage.Invitation()
	offer, err := describes(&invitation.Message)
	if err == nil && !invitation.Accepts("application/sdp") {
		err = sip.StatusNotAcceptable // RFC 3261 §8.2.3; RFC 4475 §3.3.15
	}
	if err != nil {
		c.detail.Err = err
		c.fail(statusOf(err))
		return
	}
	if offer != nil {
		c.caller.media.Learn(offer)
		c.caller.said = offer
	}
	bindings := c.b.Locator.Lookup(account)
	for _, to := range bindings[:min(len(bindings), or(c.b.MaxBranches, defaultBranches))] {
		c.branch(to, offer)
	}
	c.detail.Branches = len(c.branches)
	c.timer = c.engine.After(c.stripe, or(c.b.RingTime, defaultRingTime), func() {
		c.unanswered()
		c.sweep()
	})
	c.failIfAllRefused()
}

// branch calls one device.
func (c *call) branch(to Binding, offer *sdp.Description) {
	l := &leg{call: c}
	c.branches = append(c.branches, l)
	peer := session.Peer{Remote: to.Remote, Local: to.Local}
	l.media = c.newMedia(peer)
	req := c.invitation(to)
	if offer != nil {
		ours, err := l.media.Present(context.Background(), offer)
		if err != nil {
			l.err = err
			l.refuse(statusOf(err), nil)
			return
		}
		req.SetBody("application/sdp", ours.AppendTo(nil))
	}
	usage, err := c.b.Dialogs.Invite(dialog.Outgoing{Engine: c.engine, Stripe: c.stripe, Request: req, To: to.To}, l)
	if err != nil {
		l.err = err
		l.refuse(unreachable(err), nil)
		return
	}
	l.take(usage, peer)
}

// unreachable is the status of a device to which nothing can be sent.
func unreachable(err error) sip.Status {
	if errors.Is(err, dialog.ErrFull) || errors.Is(err, sip.ErrOverload) || errors.Is(err, sip.ErrClosed) {
		return sip.StatusServiceUnavailable
	}
	return sip.StatusTemporarilyUnavailable
}

// progress hands a 1xx of a device on.
func (c *call) progress(l *leg, res *sip.Response) {
	if c.over || c.callee != nil {
		return
	}
	if res.Status == sip.StatusRinging {
		l.rang = true
		c.reached(Ringing)
	}
	body := c.earlyMedia(l, res)
	// One early dialog: what another device has said already is not said again, and "ringing" is not taken back.
	if len(body.Bytes) == 0 && (res.Status == c.told || c.told == sip.StatusRinging || res.Status > sip.StatusSessionProgress) {
		return
	}
	c.told = res.Status
	c.session(l, res)
	c.caller.usage.Provisional(res.Status, body)
}

// earlyMedia carries the answer of a 1xx across. With several devices ringing there is none: the caller could hear one of them only, and not
// the one that answers later.
func (c *call) earlyMedia(l *leg, res *sip.Response) dialog.Body {
	if c.caller.said == nil || len(c.branches) > 1 {
		return dialog.Body{}
	}
	answer, err := describes(&res.Message)
	if err != nil || answer == nil {
		return dialog.Body{}
	}
	body, err := c.settle(c.caller, l, answer)
	if err != nil {
		return dialog.Body{}
	}
	return body
}

// settle takes the answer of one side to the offer of the other, connects their media, and returns the answer to hand on.
func (c *call) settle(offerer, answerer *leg, answer *sdp.Description) (dialog.Body, error) {
	same := answerer.said != nil && answerer.said.String() == answer.String()
	answerer.media.Learn(answer)
	ours, err := offerer.media.Present(context.Background(), answer)
	if err != nil {
		answerer.media.Abandon()
		return dialog.Body{}, err
	}
	if same && c.exchange == nil {
		answerer.media.Abandon() // said before, in a 1xx: what is heard stays as it is
	} else {
		session.Settle(offerer.media, answerer.media)
	}
	answerer.said = answer
	return dialog.SDP(ours.AppendTo(nil)), nil
}

// session makes the callee's part of Session-ID ours toward the caller. RFC 7989 §6.
func (c *call) session(l *leg, res *sip.Response) {
	if id := res.SessionID(); id.Known() {
		c.caller.usage.SetSession(strings.Clone(id.Local))
	}
}
