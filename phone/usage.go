// What the dialog tells a call. Everything here runs in the stripe of the call and must not wait. RFC 3261 §13; RFC 3264.

package phone

import (
	"fmt"

	"github.com/sipwerk/sipwerk/media/sdp"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/description"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

// HandleUsage implements [dialog.Owner]; it is not for users of the phone.
func (c *Call) HandleUsage(u *dialog.Usage, ev dialog.Event) {
	switch ev := ev.(type) {
	case dialog.Progress:
		c.progress(ev.Response)
	case dialog.Answered:
		c.connected(u, ev.Response)
	case dialog.AckReceived:
		c.acknowledged(u, ev.Request)
	case dialog.PrackReceived:
		c.heardEarly(u, ev.Request)
	case dialog.Refreshed:
		// A description that cannot be understood leaves the session as it is.
		_ = c.accept(&ev.Response.Message)
	case dialog.Offer:
		c.offered(u, ev.Request)
	case *dialog.Request:
		c.request(ev)
	case dialog.Modified:
		c.modified(ev)
	case dialog.Rejected:
		c.end(refusal(ev))
	case dialog.Cancelled:
		c.end(sip.StatusRequestTerminated)
	case dialog.Ended:
		c.end(loss(ev.Cause))
	}
}

// refusal is the error of a call that was not answered.
func refusal(ev dialog.Rejected) error {
	switch {
	case ev.Err == nil:
		return ev.Status
	case ev.Response == nil && ev.Status == sip.StatusServiceUnavailable:
		return unreachable(ev.Err)
	}
	return fmt.Errorf("%w: %w", ev.Status, ev.Err)
}

// unreachable is the error of a call of which nobody heard.
func unreachable(err error) error {
	return fmt.Errorf("%w: %w: %w", ErrUnreachable, sip.StatusServiceUnavailable, err)
}

// loss is the error of a call that was answered; nil if somebody hung up.
func loss(cause dialog.Cause) error {
	switch cause {
	case dialog.ByeReceived, dialog.ByeSent:
		return nil
	}
	return fmt.Errorf("%w: %s", ErrLost, cause)
}

// progress takes a 1xx: it rings, or there is something to be heard before the answer.
func (c *Call) progress(res *sip.Response) {
	if res.Status == sip.StatusRinging {
		c.advance(Ringing)
	}
	if len(res.Body()) > 0 {
		// A description that cannot be understood is left to the answer.
		_ = c.accept(&res.Message)
	}
}

// connected takes the 2xx to our INVITE. Its description may have come with a 1xx.
func (c *Call) connected(u *dialog.Usage, res *sip.Response) {
	var err error
	if len(res.Body()) > 0 || !c.audible() {
		err = c.accept(&res.Message)
	}
	if err != nil {
		c.phone.Log.Info("phone: answer without common codec", "call-id", u.CallID(), "err", err)
		c.hangUpUnheard(u)
		return
	}
	c.advance(Talking)
	close(c.up)
	c.trickle()
}

// hangUpUnheard ends a call in which nobody could hear the other.
func (c *Call) hangUpUnheard(u *dialog.Usage) {
	// An error means that the call is over anyway.
	_ = u.Bye(`SIP;cause=488;text="Not Acceptable Here"`)
	c.end(sip.StatusNotAcceptableHere)
}

// acknowledged takes the ACK to our 2xx, which may hold the answer to our offer.
func (c *Call) acknowledged(u *dialog.Usage, req *sip.Request) {
	if len(req.Body()) > 0 || !c.audible() {
		if err := c.accept(&req.Message); err != nil {
			c.hangUpUnheard(u)
			return
		}
	}
	c.advance(Talking)
	select {
	case <-c.up: // the ACK of a re-INVITE
	default:
		close(c.up)
	}
	c.trickle()
}

// heardEarly takes the answer to our offer before the call is answered.
func (c *Call) heardEarly(u *dialog.Usage, req *sip.Request) {
	if err := c.accept(&req.Message); err != nil {
		c.hangUpUnheard(u)
	}
}

// audible reports whether there is sound.
func (c *Call) audible() bool {
	select {
	case <-c.heard:
		return true
	default:
		return false
	}
}

// sound notes that there is sound, and what the peer says about its direction.
func (c *Call) sound(d *sdp.Description) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range d.Media {
		if m := &d.Media[i]; m.Type == "audio" && !m.Rejected() {
			c.held = !d.Direction(m).Receives()
			break
		}
	}
	select {
	case <-c.heard:
	default:
		close(c.heard)
	}
}

// accept takes the peer's answer to our offer.
func (c *Call) accept(m *sip.Message) error {
	d, err := description.Read(m)
	switch {
	case err != nil:
		return fmt.Errorf("phone: answer: %w", err)
	case d == nil:
		return fmt.Errorf("phone: no answer to our offer: %w", sip.StatusNotAcceptableHere)
	}
	if err := c.endpoint.Accept(d); err != nil {
		return err
	}
	c.sound(d)
	return nil
}

// offered takes a re-INVITE or UPDATE of the peer.
func (c *Call) offered(u *dialog.Usage, req *sip.Request) {
	body, err := c.counter(req)
	if err != nil {
		// An order to the pending offer cannot fail.
		_ = u.Refuse(description.Status(err))
		return
	}
	_ = u.Accept(dialog.SDP(body))
}

// counter is our answer to an offer inside the call, or our offer if it asks for one.
func (c *Call) counter(req *sip.Request) ([]byte, error) {
	d, err := description.Read(&req.Message)
	switch {
	case err != nil:
		return nil, fmt.Errorf("phone: offer: %w", err)
	case d == nil:
		return c.endpoint.Offer().AppendTo(nil), nil
	}
	answer, err := c.endpoint.Answer(d)
	if err != nil {
		return nil, fmt.Errorf("phone: %w: %w", sip.StatusNotAcceptableHere, err)
	}
	c.sound(d)
	return answer.AppendTo(nil), nil
}
