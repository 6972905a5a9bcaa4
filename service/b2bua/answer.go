package b2bua

// The first 2xx wins; the other devices stop ringing. RFC 3261 §13.2.2.4, RFC 3326 §3.1.

import (
	"context"
	"time"

	"github.com/sipwerk/sipwerk/media/sdp"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/description"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

// elsewhere is the Reason that lets a phone list no missed call. RFC 3326 §3.1.
const elsewhere = `SIP;cause=200;text="Call completed elsewhere"`

// badAnswer is the Reason of the BYE to a device whose answer is none.
const badAnswer = `SIP;cause=488;text="No usable answer"`

// settleTime is after how long a call that was answered is one that lasts.
const settleTime = 2 * time.Second

// answered takes the 2xx of a device. A 2xx of another one cannot come here: its INVITE was given up, and its dialog ends by itself.
func (c *call) answered(l *leg, res *sip.Response) {
	if c.over || c.callee != nil {
		l.usage.Bye(elsewhere)
		return
	}
	body, err := c.answerBody(l, res)
	if err == nil && c.ousted != nil {
		c.answerSuccessor(l)
		return
	}
	if err != nil {
		l.usage.Bye(badAnswer)
		l.err = err
		l.refuse(sip.StatusBadGateway, nil)
		l.hunt.check()
		return
	}
	c.callee = l
	c.found(l)
	c.session(l, res)
	if c.voice != nil && c.voice != l {
		c.caller.usage.Fork("") // what the caller has heard so far was somebody else
	}
	reply := c.caller.usage.Reply(sip.StatusOK)
	carry(&reply.Message, &res.Message, replied())
	c.caller.present(reply, res, l)
	reply.SetBody(handOn(&res.Message, body.Bytes))
	if err := c.caller.usage.Send(reply); err != nil {
		c.hangUp("")
		return
	}
	c.story.status = sip.StatusOK
	c.mark(&c.caller.moments.answered)
	c.mark(&l.moments.answered)
	c.reached(Answered)
	c.stand()
	c.record()
}

// answerBody carries the description of a 2xx across: the answer, or the offer if the INVITE had none.
func (c *call) answerBody(l *leg, res *sip.Response) (dialog.Body, error) {
	d, err := description.Find(&res.Message)
	if err != nil {
		return dialog.Body{}, err
	}
	if c.offerer().word() == nil {
		if d == nil {
			return dialog.Body{}, sip.StatusNotAcceptableHere
		}
		return c.lateOffer(c.caller, l, d)
	}
	if d == nil && l == c.voice {
		return *c.preview, nil // agreed before, as reliably as the caller can
	}
	if d == nil {
		d = l.agreed // RFC 3262 §5: not said again
	}
	if d == nil {
		return dialog.Body{}, sip.StatusNotAcceptableHere
	}
	return c.settle(c.offerer(), l, d)
}

// lateOffer takes an offer that came in a 2xx and returns it as offer to the other side, whose answer comes with its ACK.
func (c *call) lateOffer(to, from *leg, offer *sdp.Description) (dialog.Body, error) {
	if err := from.media.Offered(offer); err != nil {
		return dialog.Body{}, err
	}
	ours, err := to.media.Offer(context.Background(), offer)
	if err != nil {
		from.media.Abandon()
		return dialog.Body{}, err
	}
	from.said = offer
	return dialog.SDP(ours.AppendTo(nil)), nil
}

// acked takes an ACK of the caller, or the ACK to a re-INVITE: it holds the answer if the 2xx held the offer.
func (c *call) acked(l *leg, ack *sip.Request) {
	far := l.far()
	late := c.exchange != nil && c.exchange.from == l && c.exchange.late
	initial := l == c.caller && l.word() == nil
	if c.over || far == nil {
		return
	}
	if !late && !initial {
		l.usage.Lean() // at once: however soon the call ends, its transactions keep what they hold for half a minute
		far.usage.Lean()
		c.acknowledged = true
		if c.stands {
			c.rest()
		}
		return
	}
	answer, err := description.Find(&ack.Message)
	if err != nil || answer == nil {
		c.hangUp(badAnswer)
		return
	}
	body, err := c.settle(far, l, answer)
	c.exchange = nil
	if err != nil {
		c.hangUp(badAnswer)
		return
	}
	far.usage.Ack(body)
	if c.unasked {
		c.record()
	}
}

// found ends the search: somebody has answered.
func (c *call) found(l *leg) {
	c.dropTaker(elsewhere)
	c.hunt.close()
	c.cancelOthers(l, elsewhere)
	c.story.step(c.hunt.route, Outcome{Status: sip.StatusOK})
	c.caller.known, l.known = l, c.caller
	c.count(l)
	c.hunt.forget()
}

// cancelOthers gives up every branch but one.
func (c *call) cancelOthers(winner *leg, reason string) {
	for _, l := range c.branches {
		if l == winner || l.status != 0 {
			continue
		}
		l.refuse(sip.StatusRequestTerminated, nil)
		if l.usage != nil {
			l.usage.Cancel(reason)
		}
	}
}
