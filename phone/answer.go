// Calls that come in: ringing, answer, refusal. RFC 3261 §13.3.

package phone

import (
	"context"
	"fmt"

	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

// Ring tells the caller that it rings. It is no duty: a call may be answered at once.
func (c *Call) Ring() error {
	err := c.order(func() error { return c.usage.Provisional(sip.StatusRinging, dialog.Body{}) })
	if err != nil {
		return fmt.Errorf("phone: ring: %w", err)
	}
	c.advance(Ringing)
	return nil
}

// Progress opens the way for sound before the call is answered: what is written is heard by the caller (early media). A caller that made no offer gets ours
// if it supports reliable provisional responses (RFC 3262 §5), and is heard when it has answered; otherwise Progress fails.
func (c *Call) Progress(ctx context.Context) error {
	if c.offer == nil && !c.reliable {
		return fmt.Errorf("phone: progress: the caller made no offer: %w", dialog.ErrState)
	}
	body, err := c.reply(ctx)
	if err == nil {
		err = c.order(func() error { return c.usage.Provisional(sip.StatusSessionProgress, dialog.SDP(body)) })
	}
	if err != nil {
		return fmt.Errorf("phone: progress: %w", err)
	}
	return nil
}

// Answer takes the call and waits until the caller knows. The error wraps a [sip.Status] if there is no common codec (488) or no port left (503): returned
// by the function of [Phone.Serve] it refuses the call with that.
func (c *Call) Answer(ctx context.Context) error {
	body, err := c.reply(ctx)
	if err == nil {
		err = c.order(func() error { return c.usage.Answer(dialog.SDP(body)) })
	}
	if err == nil && c.replaced != nil {
		// RFC 3891 §3: the other one ends when this one is answered. An error means that it has ended by itself.
		_ = c.replaced.order(c.replaced.bye)
	}
	if err == nil {
		err = c.await(ctx, c.up)
	}
	if err != nil {
		return fmt.Errorf("phone: answer: %w", err)
	}
	return nil
}

// Reject refuses a call that came in, with a final status other than 2xx: [sip.StatusBusyHere], [sip.StatusDecline].
func (c *Call) Reject(status sip.Status) error {
	err := c.order(func() error {
		if err := c.usage.Reject(status); err != nil {
			return err
		}
		c.end(status) // no event tells it
		return nil
	})
	if err != nil {
		return fmt.Errorf("phone: reject: %w", err)
	}
	return nil
}

// reply is our answer to the offer of the INVITE, always the same (RFC 3261 §13.2.1), or our offer if it has none.
func (c *Call) reply(ctx context.Context) ([]byte, error) {
	if err := c.openEndpoint(ctx); err != nil {
		return nil, fmt.Errorf("%w: %w", sip.StatusServiceUnavailable, err)
	}
	c.mu.Lock()
	body, endpoint := c.answer, c.endpoint
	c.mu.Unlock()
	switch {
	case body != nil:
		return body, nil
	case c.offer == nil:
		body = endpoint.Offer().AppendTo(nil)
	default:
		d, err := endpoint.Answer(c.offer)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", sip.StatusNotAcceptableHere, err)
		}
		c.sound(c.offer)
		body = d.AppendTo(nil)
	}
	c.mu.Lock()
	c.answer = body
	c.mu.Unlock()
	c.catchUp() // later ones go to the endpoint
	return body, nil
}

// unsecured hangs up a call whose keys, or whose way to the peer, will not come. It does not wait.
func (c *Call) unsecured(err error) {
	c.engine.Do(c.stripe, func() {
		if c.usage != nil && !c.usage.Over() && !c.restart(err) {
			// An error means that the call is over anyway.
			_ = c.usage.Bye(`SIP;cause=488;text="Media cannot be secured"`)
		}
	})
}

// openEndpoint opens the sockets for sound, once. A call that ends meanwhile keeps none.
func (c *Call) openEndpoint(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.state == Over:
		return ErrEnded
	case c.endpoint != nil:
		return nil
	}
	e, err := c.phone.line.site.NewEndpoint(ctx, c.peer, session.Voice{Formats: c.phone.Formats, Failed: c.unsecured, STUN: c.phone.STUN, Trickle: c.found})
	if err != nil {
		return err
	}
	c.endpoint = e
	return nil
}
