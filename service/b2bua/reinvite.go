package b2bua

// Changes of a session that is up: hold, resume, another codec. What one side offers is offered to the other, whose word is carried back.
// RFC 3261 §14, RFC 3264 §8, RFC 6141 §3.

import (
	"context"
	"net/netip"
	"strings"

	"github.com/sipwerk/sipwerk/media/sdp"
	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/description"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

// exchange is one change under way.
type exchange struct {
	from  *leg // who asks
	to    *leg
	offer *sdp.Description // nil: from asks for an offer
	quick bool             // from cannot wait: it has sent UPDATE or PRACK
	late  bool             // the offer of to has gone to from, whose answer comes with its ACK
	gone  bool             // from does not wait any more: it has withdrawn, or the change undoes one that was withdrawn
	place *leg             // from is to take the place of this leg, and has sent its INVITE
	tries int              // how often that was tried

	transfer *transfer // from has answered a call for that one: its session is to be that of to
}

// offered takes a re-INVITE, or an UPDATE or PRACK with an offer, before the answer too.
func (c *call) offered(l *leg, req *sip.Request) {
	far := l.partner()
	if c.supervision != nil {
		c.supervision.offered(l, req)
		return
	}
	if c.over || far == nil {
		// RFC 3311 §5.2: nobody is there who could answer it; trying again soon would not help.
		l.usage.Refuse(sip.StatusServerTimeout)
		return
	}
	if c.exchange != nil {
		l.usage.Refuse(sip.StatusRequestPending)
		return
	}
	offer, err := description.Find(&req.Message)
	if err != nil {
		l.usage.Refuse(description.Status(err))
		return
	}
	if from, ok := source(req); ok {
		l.media.Moved(from)
	}
	x := &exchange{from: l, to: far, offer: offer, quick: req.Method != sip.MethodInvite}
	if err := c.propose(x); err != nil {
		l.usage.Refuse(description.Status(err))
	}
}

// source returns where a request has come from: what the transport noted in its Via, if there is no proxy before. RFC 3261 §18.2.1.
func source(req *sip.Request) (netip.Addr, bool) {
	via, err := req.Via()
	if err != nil || !req.Direct() {
		return netip.Addr{}, false
	}
	if a := via.Received(); a.IsValid() {
		return a.Unmap(), true
	}
	a, err := netip.ParseAddr(strings.Trim(via.Host, "[]"))
	return a.Unmap(), err == nil
}

// propose carries the offer of an exchange to the side it is for.
func (c *call) propose(x *exchange) error {
	x.to.connectTo(x.from)
	var body dialog.Body
	if x.offer != nil {
		if !x.gone {
			if err := x.from.media.Offered(x.offer); err != nil {
				return err
			}
		}
		ours, err := x.to.media.Offer(context.Background(), x.offer)
		if err != nil {
			x.abandon()
			return err
		}
		body = dialog.SDP(ours.AppendTo(nil))
	}
	if err := c.modify(x, body); err != nil {
		x.abandon()
		return err
	}
	c.exchange = x
	return nil
}

// modify sends the offer: by UPDATE what must be answered at once, and what comes before the call is answered. RFC 3311 §5.1. A side that
// takes no UPDATE gets a re-INVITE, which is only possible when it has answered.
func (c *call) modify(x *exchange, body dialog.Body) error {
	to := x.to.usage
	switch {
	case (x.quick || c.callee == nil) && to.Updates():
		return to.Update(body)
	case c.callee == nil:
		return sip.StatusServerTimeout // RFC 3311 §5.2
	}
	return to.Modify(body)
}

// abandon leaves the session as it was.
func (x *exchange) abandon() {
	x.to.media.Abandon()
	if x.transfer == nil {
		x.from.media.Abandon()
	}
}

// modified takes the word of the other side.
func (c *call) modified(l *leg, ev dialog.Modified) {
	x := c.exchange
	if c.supervision != nil {
		c.supervision.modified(l, ev)
		return
	}
	if c.over || x == nil || x.to != l {
		return
	}
	if !ev.Status.Success() {
		c.exchange = nil
		x.abandon()
		switch {
		case x.transfer != nil:
			c.notConnected(x.transfer, ev.Status)
		case x.place != nil:
			c.refused(x, ev.Status)
		case !x.gone:
			x.from.usage.Refuse(refusal(ev.Status))
		}
		return
	}
	d, err := description.Find(&ev.Response.Message)
	switch {
	case err != nil || d == nil:
		err = sip.StatusNotAcceptableHere
	case x.gone:
		err = c.restore(x, d)
	default:
		err = c.accept(x, d)
	}
	if err != nil {
		c.hangUp(badAnswer)
	}
}

// accept carries the description of a 2xx back to the side that asked.
func (c *call) accept(x *exchange, d *sdp.Description) error {
	if x.offer == nil {
		x.late = true
		body, err := c.lateOffer(x.from, x.to, d)
		if err != nil {
			return err
		}
		return c.agree(x, body)
	}
	body, err := c.settle(x.from, x.to, d)
	if err != nil {
		return err
	}
	x.from.said, c.exchange = x.offer, nil
	return c.agree(x, body)
}

// agree answers the side that asked.
func (c *call) agree(x *exchange, body dialog.Body) error {
	if x.place != nil {
		return c.succeed(x, body)
	}
	return x.from.usage.Accept(body)
}

// withdrawn takes the CANCEL of a re-INVITE. Ours to the other side runs on, for it cannot be told from one that was answered
// meanwhile; when it is accepted it is undone.
func (c *call) withdrawn(l *leg) {
	if x := c.exchange; x != nil && x.from == l {
		x.gone = true
	}
}

// restore takes the word of a side about a change that nobody wants any more, and offers it the session as the other side knows it. When that
// is accepted too, both agree again.
func (c *call) restore(x *exchange, d *sdp.Description) error {
	undoing := x.offer != nil && x.offer == x.from.word()
	c.exchange = nil
	if x.place != nil {
		return c.stay(x)
	}
	switch {
	case undoing:
		if err := x.to.media.Answered(d); err != nil {
			return err
		}
		x.to.said = d
		if err := session.Settle(x.from.media, x.to.media); err != nil || x.transfer == nil {
			return err
		}
		c.moved(x.transfer)
		return nil
	case x.offer == nil:
		if err := x.to.media.Offered(d); err != nil {
			return err
		}
		ours, err := x.to.media.Answer(context.Background(), x.from.word())
		if err != nil {
			return err
		}
		x.to.said = d
		if err := session.Settle(x.from.media, x.to.media); err != nil {
			return err
		}
		return x.to.usage.Ack(dialog.SDP(ours.AppendTo(nil)))
	}
	x.abandon()
	return c.propose(&exchange{from: x.from, to: x.to, offer: x.from.word(), gone: true, quick: x.quick})
}

// refusal is the status of a refused change: a challenge is not the other side's to answer.
func refusal(s sip.Status) sip.Status {
	switch {
	case s < 400, s == sip.StatusUnauthorized, s == sip.StatusProxyAuthRequired, s == sip.StatusMethodNotAllowed, s == sip.StatusNotImplemented:
		return sip.StatusNotAcceptableHere
	}
	return s
}

// refreshed takes what a side says when its session is refreshed. As a rule it is nothing new; an address that has changed counts. RFC 4028 §7.4.
func (c *call) refreshed(l *leg, res *sip.Response) {
	far := l.far()
	d, err := description.Find(&res.Message)
	if err != nil || d == nil || c.over || far == nil || c.exchange != nil || c.supervision != nil || l.word() != nil && l.word().String() == d.String() {
		return
	}
	if _, err := c.settle(far, l, d); err != nil {
		c.hangUp(badAnswer)
	}
}
