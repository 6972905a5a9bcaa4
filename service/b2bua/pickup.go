package b2bua

// Who takes a call that rings at somebody else: by dialling for it (directed and group pickup), or by an INVITE with Replaces that names the dialog of the device
// that rings, as a lamp shows it. Both have made an offer, so the newcomer is answered with its own codecs first, and offered the caller's session when it has
// acknowledged; what it says to that is its answer to the call. Until then everything goes on ringing. RFC 3891 §3; RFC 5359 §2.16.

import (
	"cmp"
	"context"
	"slices"

	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/description"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

// enlist notes that an account takes part in the call, or may: its devices ring.
func (c *call) enlist(account sip.URI) {
	at := account.AOR()
	if account.Host == "" || slices.Contains(c.accounts, at) {
		return
	}
	c.accounts = append(c.accounts, at)
	b := c.b
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.parts == nil {
		b.parts = make(map[string][]*call)
	}
	b.parts[at] = append(b.parts[at], c)
}

// delist forgets who takes part in the call.
func (c *call) delist() {
	b := c.b
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, at := range c.accounts {
		list := slices.DeleteFunc(b.parts[at], func(o *call) bool { return o == c })
		if b.parts[at] = list; len(list) == 0 {
			delete(b.parts, at)
		}
	}
	c.accounts = nil
}

// relist notes anew who takes part in the call, when some have no part in it any more.
func (c *call) relist() {
	c.delist()
	for _, l := range append(c.branches, c.caller) {
		c.enlist(c.party(l))
	}
}

// listed returns the calls in which one of these accounts may take part, the oldest first.
func (b *B2BUA) listed(accounts []sip.URI) (calls []*call) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, a := range accounts {
		calls = append(calls, b.parts[a.AOR()]...)
	}
	slices.SortFunc(calls, func(x, y *call) int { return cmp.Compare(b.calls[x], b.calls[y]) })
	return slices.Compact(calls)
}

// pickUp gives the sender of an INVITE the call that has rung longest at one of these accounts.
func (b *B2BUA) pickUp(ev *sip.Event, accounts []sip.URI) {
	kept := dialog.Carry(ev, ev.Stripe)
	list := make([]sip.URI, len(accounts))
	for i := range accounts {
		list[i] = accounts[i].Clone()
	}
	b.tryPickUp(kept, list, b.listed(list))
}

// tryPickUp asks one call after the other, each in its stripe, for it may have been answered meanwhile.
func (b *B2BUA) tryPickUp(kept *sip.Event, accounts []sip.URI, calls []*call) {
	if len(calls) == 0 {
		kept.Engine.Do(kept.Stripe, func() { b.refuse(kept, sip.StatusNotFound) })
		return
	}
	c := calls[0]
	c.engine.Do(c.stripe, func() {
		if !c.ringsFor(accounts) {
			b.tryPickUp(kept, accounts, calls[1:])
			return
		}
		c.take(dialog.Carry(kept, c.stripe))
		c.sweep()
	})
}

// ringsFor reports whether a device of one of these accounts rings, and nobody is taking the call yet.
func (c *call) ringsFor(accounts []sip.URI) bool {
	return c.taker == nil && slices.ContainsFunc(c.branches, func(l *leg) bool {
		return c.rings(l) && slices.ContainsFunc(accounts, func(a sip.URI) bool { return a.AOR() == l.account.AOR() })
	})
}

// rings reports whether a device may still answer the call, or the transfer for which it rings.
func (c *call) rings(l *leg) bool {
	switch {
	case c.over || l.taking || l.status != 0 || l == c.caller:
		return false
	case l.transfer != nil:
		return l.transfer == c.transfer && l.transfer.won == nil
	}
	return c.callee == nil
}

// take answers the sender of an INVITE who picks up the call.
func (c *call) take(ev *sip.Event) {
	if c.taker != nil {
		c.b.refuse(ev, sip.StatusRequestPending)
		return
	}
	n := c.newcomer(ev)
	if n == nil {
		return
	}
	n.taking, n.transfer = true, c.transfer
	body, err := c.firstAnswer(n)
	if err != nil {
		n.turnAway(description.Status(err))
		return
	}
	if err := n.usage.Answer(body); err != nil {
		n.media.Close()
		return
	}
	c.taker = n
}

// firstAnswer answers a newcomer with what it has offered itself, and nobody at the other end; one who has offered nothing is offered the caller's session.
func (c *call) firstAnswer(n *leg) (dialog.Body, error) {
	offer, err := description.Find(&n.usage.Invitation().Message)
	if err != nil {
		return dialog.Body{}, err
	}
	if offer == nil {
		theirs := c.offerFor(n.transfer)
		if theirs == nil {
			return dialog.Body{}, sip.StatusNotAcceptableHere // neither has made an offer
		}
		ours, err := n.media.Offer(context.Background(), theirs)
		if err != nil {
			return dialog.Body{}, err
		}
		return dialog.SDP(ours.AppendTo(nil)), nil
	}
	if err := n.media.Offered(offer); err != nil {
		return dialog.Body{}, err
	}
	ours, err := n.media.Answer(context.Background(), offer)
	if err != nil {
		return dialog.Body{}, err
	}
	n.said = offer
	return dialog.SDP(ours.AppendTo(nil)), session.Settle(n.media, c.newMedia(session.Peer{}))
}

// takes takes what happens to one who picks up the call.
func (c *call) takes(n *leg, ev dialog.Event) {
	if c.taker != n {
		return // it was too late, and is hanging up
	}
	switch ev := ev.(type) {
	case dialog.AckReceived:
		if n.word() == nil {
			res := n.usage.Reply(sip.StatusOK)
			res.SetBody(ev.Request.Get(sip.HeaderContentType), ev.Request.Body())
			c.taken(n, res)
			return
		}
		c.offerTaker(n)
	case dialog.Modified:
		switch {
		case ev.Status.Success():
			c.taken(n, ev.Response)
		case ev.Status == sip.StatusRequestPending:
			c.offerTakerLater(n)
		default:
			c.dropTaker(badAnswer)
		}
	case dialog.Offer:
		n.usage.Refuse(sip.StatusRequestPending) // its own changes come when it is in the call
	case dialog.Ended:
		c.taker = nil
		n.media.Close()
	}
}

// offerTaker offers the session of the caller, or of who is transferred, to one who picks up the call.
func (c *call) offerTaker(n *leg) {
	var body dialog.Body
	if offer := c.offerFor(n.transfer); offer != nil {
		ours, err := n.media.Offer(context.Background(), offer)
		if err != nil {
			c.dropTaker(badAnswer)
			return
		}
		body = dialog.SDP(ours.AppendTo(nil))
	}
	if n.usage.Modify(body) != nil {
		c.offerTakerLater(n)
	}
}

// offerTakerLater tries again when the newcomer was changing its session itself.
func (c *call) offerTakerLater(n *leg) {
	n.media.Abandon()
	if n.tries++; n.tries == maxJoins {
		c.dropTaker(badAnswer)
		return
	}
	c.engine.After(c.stripe, joinPause, func() {
		if c.taker == n {
			c.offerTaker(n)
		}
		c.sweep()
	})
}

// taken makes the newcomer one of the devices that ring, and the one that answers.
func (c *call) taken(n *leg, res *sip.Response) {
	c.taker, n.taking = nil, false
	n.said = nil // what it has offered to nobody
	c.note(Move{Kind: Pickup, To: n.usage.Invitation().Get(sip.HeaderFrom)})
	c.branches = append(c.branches, n)
	c.enlist(n.account)
	if n.transfer != nil {
		c.targetAnswered(n.transfer, n, res)
		return
	}
	c.answered(n, res)
}

// dropTaker hangs up one whose call somebody else has answered, or that is over.
func (c *call) dropTaker(reason string) {
	n := c.taker
	if n == nil {
		return
	}
	c.taker = nil
	n.media.Close()
	n.usage.Bye(reason)
}
