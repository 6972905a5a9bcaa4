// Calls that we make. RFC 3261 §8.1, §13.2.

package phone

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

// Dial calls someone and waits for the answer. The URI may be a bare user or number of the phone's own domain: "bob". The error wraps the [sip.Status] with
// which the call was refused; 408 means that nobody was there to answer. The end of ctx gives the call up.
func (p *Phone) Dial(ctx context.Context, uri string) (*Call, error) {
	c, err := p.Invite(ctx, uri)
	if err != nil {
		return nil, err
	}
	if err := c.Wait(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

// Invite starts a call and does not wait for the answer, as [Phone.Dial] does: [Call.Wait] does that. Meanwhile the call can be listened to (early media) and
// hung up.
func (p *Phone) Invite(ctx context.Context, uri string) (*Call, error) {
	if err := p.open(ctx); err != nil {
		return nil, err
	}
	target, err := p.target(uri)
	if err != nil {
		return nil, err
	}
	req := p.request(sip.MethodInvite, target)
	p.way().route(req)
	peer, to, err := p.reach(ctx, req)
	if err != nil {
		return nil, fmt.Errorf("phone: dial %s: %w", uri, unreachable(err))
	}
	c := p.newCall(peer, sip.Address{URI: target})
	if !p.enter(c) {
		return nil, fmt.Errorf("phone: dial %s: %w", uri, sip.ErrOverload)
	}
	if err := c.invite(ctx, req, to); err != nil {
		c.end(err)
		return nil, fmt.Errorf("phone: dial %s: %w", uri, unreachable(err))
	}
	return c, nil
}

// target is the URI of whom to call.
func (p *Phone) target(uri string) (sip.URI, error) {
	if strings.Contains(uri, ":") {
		return parse("dial", uri)
	}
	if user, host, ok := strings.Cut(uri, "@"); ok {
		return parse("dial", "sip:"+user+"@"+host)
	}
	u := p.line.identity.domain.Clone()
	u.User = sip.EscapeUser(uri)
	return u, nil
}

// request begins a request of the phone outside a dialog.
func (p *Phone) request(method sip.Method, target sip.URI) *sip.Request {
	req := sip.NewRequest(method, target)
	req.Set(sip.HeaderFrom, sip.Address{Display: sip.Quote(p.Name), URI: p.line.identity.record}.String())
	req.Set(sip.HeaderContact, p.contact().String())
	return req
}

// reach finds where a request will go first: sound is received on the address that faces it, and over a connection the whole call goes by that one, because
// the contact of a server need not lead to it by another (RFC 7118 §5.2).
func (p *Phone) reach(ctx context.Context, req *sip.Request) (session.Peer, sip.Destination, error) {
	hop := req.URI
	for first := range req.Addresses(sip.HeaderRoute) {
		hop = first.URI
		break
	}
	layer := p.line.stack.Transport()
	targets, err := layer.Resolve(ctx, hop)
	for _, t := range targets {
		peer := session.Peer{Remote: t.Addr.Addr(), Kind: p.Media}
		if !t.Transport.Reliable() {
			return peer, sip.Destination{}, nil
		}
		var flow sip.Flow
		if flow, err = layer.Connect(ctx, t); err == nil {
			return peer, sip.Destination{Flow: flow}, nil
		}
	}
	if err == nil {
		err = sip.ErrNoRoute
	}
	return session.Peer{}, sip.Destination{}, err
}

// invite makes the offer and sends the INVITE.
func (c *Call) invite(ctx context.Context, req *sip.Request, to sip.Destination) error {
	if err := c.openEndpoint(ctx); err != nil {
		return err
	}
	req.SetBody("application/sdp", c.firstOffer(ctx).AppendTo(nil))
	c.stripe = sip.Stripe(rand.N(sip.Stripes))
	out := dialog.Outgoing{Engine: c.engine, Stripe: c.stripe, Request: req, To: to}
	if auth := c.phone.way().auth; auth != nil {
		out.Auth = auth
	}
	started := make(chan error, 1)
	c.engine.Do(c.stripe, func() {
		var err error
		c.usage, err = c.phone.line.table.Invite(out, c)
		started <- err
	})
	select {
	case err := <-started:
		return err
	case <-c.done:
		select {
		case err := <-started: // it was sent, and is over already
			return err
		default: // the phone closes
			return c.gone()
		}
	}
}

// Wait waits for the answer to a call that we make. If ctx ends first the call is given up.
func (c *Call) Wait(ctx context.Context) error {
	err := c.await(ctx, c.up)
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		// An error means that the call has just ended.
		_ = c.order(c.bye)
		return fmt.Errorf("phone: dial %s: %w", c.remote.URI, ctx.Err())
	}
	if refused := c.Err(); refused != nil {
		err = refused
	}
	return fmt.Errorf("phone: dial %s: %w", c.remote.URI, err)
}
