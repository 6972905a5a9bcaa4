// Ways that become known, or break, while a call is up. RFC 8838; RFC 8840 §4; RFC 8839 §4.4.1.1.

package phone

import (
	"context"
	"errors"
	"time"

	"github.com/sipwerk/sipwerk/media/ice"
	"github.com/sipwerk/sipwerk/media/sdp"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/description"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

const (
	// gatherTime is how long an offer waits for STUN servers: nobody knows yet whether who is called takes candidates later (RFC 8840 §4.1.3).
	gatherTime = time.Second
	// maxEarly is how many fragments are kept of a call that is not answered yet.
	maxEarly = 8
	// maxRestarts is how often a call looks for another way.
	maxRestarts = 3
)

// firstOffer makes the offer of a call that we make: with all candidates, as far as STUN servers answer soon.
func (c *Call) firstOffer(ctx context.Context) *sdp.Description {
	offer := c.endpoint.Offer()
	if len(c.phone.STUN) == 0 {
		return offer
	}
	ctx, cancel := context.WithTimeout(ctx, gatherTime)
	defer cancel()
	c.endpoint.Gathered(ctx)
	return c.endpoint.Offer()
}

// found is told that there is something to trickle. It does not wait.
func (c *Call) found() { c.engine.Do(c.stripe, c.trickle) }

// trickle tells the peer candidates that it does not know, if it takes them and there is a dialog. It runs in the stripe.
func (c *Call) trickle() {
	if c.usage == nil || c.usage.Over() || c.endpoint == nil || !c.usage.TakesInfo(sip.InfoPackage{Name: description.TricklePackage}) {
		return
	}
	info := c.usage.NewRequest(sip.MethodInfo)
	if info == nil {
		return
	}
	if fragment := c.endpoint.Fragment(); fragment != nil {
		description.Trickle(info, fragment)
		// Who refuses them goes on with those that it has.
		_ = c.usage.SendRequest(info, func(*sip.Response, error) {})
	}
}

// request takes another request inside the dialog: candidates of the peer. The usage answers the rest.
func (c *Call) request(ev *dialog.Request) {
	if !description.Trickles(ev.Request) {
		return
	}
	status := description.TakeTrickle(ev.Request, c.trickled)
	// An error means that nobody waits for the answer any more.
	_ = c.usage.Respond(ev, c.usage.ReplyTo(ev.Request, status))
}

// trickled gives candidates of the peer to the endpoint, or keeps them until its offer is answered.
func (c *Call) trickled(fragment *sdp.Description) {
	c.mu.Lock()
	endpoint := c.endpoint
	if waits := c.incoming && c.answer == nil; waits || endpoint == nil {
		if len(c.early) < maxEarly {
			c.early = append(c.early, fragment)
		}
		endpoint = nil
	}
	c.mu.Unlock()
	if endpoint != nil {
		endpoint.Trickled(fragment)
	}
}

// catchUp gives the endpoint, which has answered the offer, what was trickled before.
func (c *Call) catchUp() {
	c.mu.Lock()
	early := c.early
	c.early = nil
	c.mu.Unlock()
	for _, fragment := range early {
		c.endpoint.Trickled(fragment)
	}
}

// restart looks for another way by a re-INVITE, if the one in use has broken, and reports whether it does. It runs in the stripe.
func (c *Call) restart(err error) bool {
	if !errors.Is(err, ice.ErrConsent) || c.restarts == maxRestarts || !c.audible() || !c.endpoint.Restart() {
		return false
	}
	c.restarts++
	return c.propose(&change{result: make(chan error, 1), restarts: true}, c.direction) == nil
}
