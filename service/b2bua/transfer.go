package b2bua

// Transfers: one side asks that the other be connected to somebody else, and neither telephone need know how. The devices of the target ring while the two go on; when
// one answers, the other side is offered its session, and the one who asked has done. What comes of nothing comes back. RFC 3515 §2.4; RFC 5589 §6.

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/media/sdp"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/description"
	"github.com/sipwerk/sipwerk/sip/dialog"
	"github.com/sipwerk/sipwerk/sip/event"
)

// farewell is how long one who has transferred a call may take to hang up.
const farewell = 2 * time.Second

// transfer is one under way.
type transfer struct {
	by, kept *leg            // who asked, and who is to be connected
	referral *event.Referral // nil: the call comes back to the one who asked
	to       string          // whom the devices that ring are told was called
	offer    *sdp.Description
	told     sip.Status // the last that was reported
	worst    sip.Status // why there is nobody, if no device says it
	won      *leg       // the device that has answered
	tries    int        // how often its session was offered
	timer    sip.Timer  // ring time
}

// refer takes a REFER.
func (c *call) refer(l *leg, r *dialog.Request) {
	to, route, status := c.target(l, r.Request)
	if status != 0 {
		l.usage.Respond(r, l.usage.ReplyTo(r.Request, status))
		return
	}
	referral, err := c.b.Events.ReferWithin(c.engine, l.usage, r, c.who(l))
	if err != nil {
		return // it was answered
	}
	c.transferTo(&transfer{by: l, kept: l.far(), referral: referral, to: to, worst: sip.StatusTemporarilyUnavailable}, route)
}

// target finds out whom a REFER means, as if its sender had called, or why it is refused. RFC 3515 §2.4.2.
func (c *call) target(l *leg, req *sip.Request) (to string, account sip.URI, status sip.Status) {
	where, err := req.ReferTo()
	method, _ := where.URI.Param("method")
	switch {
	case err != nil:
		return "", account, sip.StatusBadRequest
	case method != "" && !strings.EqualFold(method, string(sip.MethodInvite)):
		return "", account, sip.StatusForbidden
	case c.over || l.far() == nil || l.far().said == nil || c.transfer != nil || c.joining != nil:
		return "", account, sip.StatusRequestPending
	}
	uri := where.URI
	uri.Headers, uri.Params = "", uri.Params.Without("method")
	account, status = c.dial(l, uri)
	return sip.Address{URI: uri}.String(), account, status
}

// dial asks the router for the account that a side of the call means by a URI.
func (c *call) dial(l *leg, uri sip.URI) (account sip.URI, status sip.Status) {
	req := c.caller.usage.Invitation().Clone()
	req.URI = uri
	req.Set(sip.HeaderFrom, c.who(l)+";tag="+req.FromTag())
	route := c.b.Router.Route(req)
	switch {
	case route.Application != nil:
		return account, sip.StatusNotImplemented // an application answers a call of its own
	case route.Account.Host == "":
		return account, or(route.Refuse, sip.StatusNotFound)
	}
	return route.Account.Clone(), 0
}

// who is one side of a call as an address: the caller as the callee was shown it, or the account of the callee.
func (c *call) who(l *leg) string {
	if l.account.Host == "" {
		return c.from
	}
	return "<" + l.account.AOR() + ">"
}

// transferTo lets the devices of an account ring for a transfer.
func (c *call) transferTo(t *transfer, account sip.URI) {
	t.offer = t.kept.said.Clone()
	for i := range t.offer.Media {
		if m := &t.offer.Media[i]; !m.Rejected() {
			m.SetDirection(sdp.SendRecv) // it was on hold as a rule
		}
	}
	c.transfer = t
	c.forgetBranches()
	devices := byDevice(c.b.Locator.Lookup(account))
	for _, ways := range devices[:min(len(devices), or(c.b.MaxBranches, defaultBranches))] {
		c.branch(&leg{call: c, account: account, spares: ways, transfer: t}, t.offer)
	}
	t.timer = c.engine.After(c.stripe, or(c.b.RingTime, defaultRingTime), func() {
		c.missed(t)
		c.sweep()
	})
	c.missedIfAllRefused(t)
}

// forgetBranches forgets the devices that have refused, so that a call that is transferred again and again does not grow.
func (c *call) forgetBranches() {
	c.b.stopsRinging(c)
	c.branches = slices.DeleteFunc(c.branches, func(l *leg) bool {
		out := l.status != 0 && (l.usage == nil || l.usage.Over())
		if out {
			c.gone(l)
		}
		return out
	})
}

// invitation makes the INVITE of a transfer for one device.
func (t *transfer) invitation(c *call, to Binding) *sip.Request {
	req := sip.NewRequest(sip.MethodInvite, to.Target)
	for _, p := range to.Path {
		req.Add(sip.HeaderRoute, p)
	}
	req.Set(sip.HeaderMaxForwards, strconv.FormatUint(uint64(c.hops), 10))
	req.Set(sip.HeaderFrom, c.who(t.kept))
	req.Set(sip.HeaderTo, t.to)
	req.Set(sip.HeaderReferredBy, c.who(t.by)) // RFC 3892 §2.3
	req.Set(sip.HeaderSessionID, sip.SessionID{Local: c.detail.ID}.String())
	return req
}

// rings takes what happens to a device that rings for a transfer.
func (t *transfer) rings(l *leg, ev dialog.Event) {
	c := l.call
	switch ev := ev.(type) {
	case dialog.Progress:
		l.heard = true
		if ev.Response.Status == sip.StatusRinging {
			c.mark(&l.moments.rang)
		}
		if status := ev.Response.Status; c.transfer == t && status != t.told && status < sip.StatusEarlyDialogTerminated {
			t.told = status
			t.report(status)
		}
	case dialog.Answered:
		c.targetAnswered(t, l, ev.Response)
	case dialog.Offer:
		l.usage.Refuse(sip.StatusRequestPending) // nobody is there yet who could answer it
	case dialog.Rejected:
		if l.status != 0 {
			return // given up before
		}
		l.err = ev.Err
		l.refuse(ev.Status, ev.Response)
		l.flowFailed(ev.Status, ev.Err)
		if c.transfer == t && !c.detour(l, ev) && !c.otherwise(l) {
			c.missedIfAllRefused(t)
		}
	case dialog.Ended:
		if c.transfer == t && t.won == l {
			c.missed(t)
		}
	}
}

func (t *transfer) report(status sip.Status) {
	if t.referral != nil {
		t.referral.Report(status, "")
	}
}

// targetAnswered takes the answer of a device. The first one wins.
func (c *call) targetAnswered(t *transfer, l *leg, res *sip.Response) {
	if c.over || c.transfer != t || t.won != nil || l.status != 0 {
		l.usage.Bye(elsewhere)
		return
	}
	d, err := description.Find(&res.Message)
	if err == nil && d == nil {
		err = sip.StatusNotAcceptableHere
	}
	if err == nil {
		err = l.media.Answered(d)
	}
	if err != nil {
		l.err = err
		l.usage.Bye(badAnswer)
		l.refuse(sip.StatusBadGateway, nil)
		c.missedIfAllRefused(t)
		return
	}
	l.said, t.won = d, l
	c.mark(&l.moments.answered)
	t.timer.Stop()
	c.giveUpDevices(t, l, elsewhere)
	c.connect(t)
}

// connect offers the session of the target's device to the one who is kept, as soon as no other change is under way.
func (c *call) connect(t *transfer) {
	if c.over || c.transfer != t || t.won == nil {
		return
	}
	status := sip.StatusRequestPending
	if c.exchange == nil {
		err := c.propose(&exchange{from: t.won, to: t.kept, offer: t.won.said, gone: true, transfer: t})
		if err == nil {
			return
		}
		status = description.Status(err)
	}
	c.notConnected(t, status)
}

// notConnected takes the refusal of the one who is kept.
func (c *call) notConnected(t *transfer, status sip.Status) {
	if t.tries++; status == sip.StatusRequestPending && t.tries < maxJoins {
		c.engine.After(c.stripe, joinPause, func() {
			c.connect(t)
			c.sweep()
		})
		return
	}
	t.worst = refusal(status)
	c.missed(t)
}

// moved gives the target the place of the one who asked.
func (c *call) moved(t *transfer) {
	old := t.by
	c.transfer, t.won.transfer = nil, nil
	if old == c.caller {
		c.caller = t.won
	} else {
		c.callee = t.won
	}
	t.report(sip.StatusOK)
	c.note(Move{Kind: Transfer, By: c.who(old), To: t.to})
	c.gone(old)
	old.media.Close()
	if old.usage.Over() {
		return
	}
	// It hangs up when it has heard of it; some never do.
	c.engine.After(c.stripe, farewell, func() {
		if !old.usage.Over() {
			old.usage.Bye("")
		}
	})
}

// missedIfAllRefused ends a transfer when no device is left.
func (c *call) missedIfAllRefused(t *transfer) {
	best := sip.Status(0)
	for _, l := range c.branches {
		switch {
		case l.transfer != t:
		case l.status == 0:
			return
		case best == 0 || preference(l.status) < preference(best):
			best = l.status
		}
	}
	if best != 0 {
		t.worst = c.toCaller(best)
	}
	c.missed(t)
}

// missed ends a transfer that has reached nobody. Whoever asked goes on talking; the call of one who has hung up meanwhile comes back.
func (c *call) missed(t *transfer) {
	if c.transfer != t {
		return
	}
	c.dropTransfer()
	t.report(t.worst)
	if !t.by.usage.Over() {
		return
	}
	back, err := sip.ParseAddress(c.who(t.by))
	if t.referral == nil || err != nil {
		c.hangUp(cause(t.worst))
		return
	}
	account, status := c.dial(t.kept, back.URI)
	if status != 0 {
		c.hangUp(cause(t.worst))
		return
	}
	c.transferTo(&transfer{by: t.by, kept: t.kept, to: c.who(t.by), worst: t.worst}, account)
}

// dropTransfer ends a transfer and the ringing for it.
func (c *call) dropTransfer() {
	t := c.transfer
	if t == nil {
		return
	}
	c.transfer = nil
	if t.timer != nil {
		t.timer.Stop()
	}
	c.giveUpDevices(t, nil, "")
}

// giveUpDevices ends every leg of a transfer but one.
func (c *call) giveUpDevices(t *transfer, but *leg, reason string) {
	if c.taker != nil && c.taker.transfer == t {
		c.dropTaker(reason)
	}
	for _, l := range c.branches {
		if l.transfer != t || l == but || l.status != 0 {
			continue
		}
		l.refuse(sip.StatusRequestTerminated, nil)
		if l.usage != nil {
			l.usage.Cancel(reason)
		}
	}
}

// leaves takes the hanging up of one who has transferred the call, before the target has answered: the transfer goes on. It reports whether it is one.
func (c *call) leaves(l *leg) bool {
	t := c.transfer
	if t == nil || t.by != l || c.over {
		return false
	}
	l.media.Close()
	return true
}
