// Changes of a call that is up: hold and resume. RFC 3261 §14; RFC 3264 §8.4; RFC 6337 §5.3.

package phone

import (
	"context"
	"fmt"

	"github.com/sipwerk/sipwerk/media/sdp"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

// change is a re-INVITE of ours that is under way.
type change struct {
	before sdp.Direction // to go back to if it fails
	result chan error

	restarts bool // ICE begins anew: without it the call is over
}

// Hold asks the peer not to speak. It still hears what is written: music, say.
func (c *Call) Hold(ctx context.Context) error { return c.redirect(ctx, sdp.SendOnly) }

// Resume ends what Hold began.
func (c *Call) Resume(ctx context.Context) error { return c.redirect(ctx, sdp.SendRecv) }

// redirect offers a direction and waits for the answer. The error wraps the [sip.Status] of a refusal; then all is as before.
func (c *Call) redirect(ctx context.Context, want sdp.Direction) error {
	ch := &change{result: make(chan error, 1)}
	err := c.order(func() error { return c.propose(ch, want) })
	if err == nil {
		select {
		case err = <-ch.result:
		case <-c.done:
			err = c.gone()
		case <-ctx.Done():
			err = ctx.Err() // the outcome is taken when it comes
		}
	}
	if err != nil {
		return fmt.Errorf("phone: hold or resume: %w", err)
	}
	return nil
}

// propose sends our offer; it runs in the stripe.
func (c *Call) propose(ch *change, want sdp.Direction) error {
	if c.change != nil || !c.audible() {
		return dialog.ErrState
	}
	ch.before = c.direction
	c.endpoint.SetDirection(want)
	if err := c.usage.Modify(dialog.SDP(c.endpoint.Offer().AppendTo(nil))); err != nil {
		c.endpoint.SetDirection(ch.before)
		return err
	}
	c.change, c.direction = ch, want
	return nil
}

// modified takes the outcome of our re-INVITE.
func (c *Call) modified(ev dialog.Modified) {
	ch := c.change
	if ch == nil {
		return
	}
	c.change = nil
	err := error(ev.Status)
	if ev.Status.Success() && ev.Response != nil {
		err = c.accept(&ev.Response.Message)
	}
	if err != nil {
		// RFC 6141 §3.1: the session stays as it was.
		c.direction = ch.before
		c.endpoint.SetDirection(ch.before)
	}
	ch.result <- err
	if err != nil && ch.restarts {
		// An error means that the call is over anyway.
		_ = c.usage.Bye(`SIP;cause=488;text="Media cannot reach the peer"`)
	}
}
