package b2bua

// Transfers: one side asks that the other be connected to somebody else, and neither telephone need know how. The devices of the target ring while the two go on; when
// one answers, the other side is offered its session, and the one who asked has done. What comes of nothing comes back. RFC 3515 §2.4; RFC 5589 §6.

import (
	"slices"
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/media/sdp"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/description"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

// farewell is how long one who has transferred a call may take to hang up.
const farewell = 2 * time.Second

// transfer is one under way.
type transfer struct {
	by, kept *leg             // who asked, and who is to be connected
	tell     func(sip.Status) // reports to the one who asked; nil: the call comes back to it
	to       string           // whom the devices that ring are told was called
	offer    *sdp.Description
	told     sip.Status // the last that was reported
	worst    sip.Status // why there is nobody, if no device says it
	won      *leg       // the device that has answered
	tries    int        // how often its session was offered
	hunt     *hunt      // for the target

	consulted consultation // the call in which the one who asked has spoken to the target; zero: none
}

// target finds out whom a REFER means, as if its sender had called, or why it is refused. RFC 3515 §2.4.2.
func (c *call) target(l *leg, req *sip.Request) (q *Question, route Route, status sip.Status) {
	where, err := req.ReferTo()
	method, _ := where.URI.Param("method")
	switch {
	case err != nil:
		return nil, route, sip.StatusBadRequest
	case method != "" && !strings.EqualFold(method, string(sip.MethodInvite)):
		return nil, route, sip.StatusForbidden
	case !c.movable(l):
		return nil, route, sip.StatusRequestPending
	}
	uri := where.URI
	uri.Headers, uri.Params = "", uri.Params.Without("method")
	return c.dial(l, uri.Clone(), req.Get(sip.HeaderReferredBy))
}

// movable reports whether the far side of a leg can be connected to somebody else now.
func (c *call) movable(l *leg) bool {
	return !c.over && l.far() != nil && l.far().word() != nil && c.transfer == nil && c.joining == nil && c.supervision == nil
}

// dial asks the router whom a side of the call means by a URI. An application says on whose word: nobody else is believed.
func (c *call) dial(l *leg, uri sip.URI, word string) (q *Question, route Route, status sip.Status) {
	q = c.question(l, uri, Transferred)
	if by, err := sip.ParseAddress(word); err == nil && q.Caller.Inside.Host != "" {
		q.Caller.Inside = by.URI.Clone()
	}
	route, status = c.lead(q)
	return q, route, status
}

// lead asks the router where a side of the call may lead the other one.
func (c *call) lead(q *Question) (route Route, status sip.Status) {
	switch route = c.b.Router.Route(q); {
	case route.Application != nil && c.b.Inside.IsZero():
		status = sip.StatusNotImplemented // there is no way to lead a call to it
	case route.Application == nil && route.Later == nil && !route.leads():
		status = or(route.Refuse, sip.StatusNotFound)
	}
	return route, status
}

// who is one side of a call as an address: the caller as the callee was shown it, the account of the callee, whom it was called as, or as whom it has come later.
func (c *call) who(l *leg) string {
	switch {
	case l.account.Host != "":
		return "<" + l.name() + ">"
	case l.party != nil && l.usage != nil:
		if to, err := l.usage.Invitation().To(); err == nil {
			return untagged(to)
		}
	case l != c.origin && l.usage != nil: // it has come into the call by an INVITE of its own
		if from, err := l.usage.Invitation().From(); err == nil {
			return untagged(from)
		}
	}
	return c.from
}

// transferTo lets those ring to whom a route leads, for a transfer.
func (c *call) transferTo(t *transfer, q *Question, first Route) {
	t.offer = t.kept.word().Clone()
	for i := range t.offer.Media {
		if m := &t.offer.Media[i]; !m.Rejected() {
			m.SetDirection(sdp.SendRecv) // it was on hold as a rule
		}
	}
	c.transfer = t
	t.hunt = &hunt{call: c, transfer: t, question: q, left: maxRedirects}
	t.hunt.begin(first)
}

// forgetBranches forgets the devices that have refused, so that a call that is transferred again and again does not grow.
func (c *call) forgetBranches() {
	before := len(c.branches)
	c.branches = slices.DeleteFunc(c.branches, func(l *leg) bool {
		out := l.status != 0 && (l.usage == nil || l.usage.Over())
		if out {
			c.gone(l)
		}
		return out
	})
	if len(c.branches) < before {
		c.relist()
	}
}

// introduce writes who calls, whom, and on whose word.
func (t *transfer) introduce(c *call, req *sip.Request) {
	req.Set(sip.HeaderFrom, c.who(t.kept))
	req.Set(sip.HeaderTo, t.to)
	req.Set(sip.HeaderReferredBy, c.who(t.by)) // RFC 3892 §2.2
	if t.kept.private() {
		req.Set(sip.HeaderPrivacy, "id") // who is told all the same, because it is trusted, is to tell nobody
	}
}

// rings takes what happens to a device that rings for a transfer.
func (t *transfer) rings(l *leg, ev dialog.Event) {
	c := l.call
	switch ev := ev.(type) {
	case dialog.Progress:
		l.heard = true
		if ev.Response.Status == sip.StatusRinging {
			l.rang = true
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
		if c.transfer == t {
			t.hunt.refused(l, ev)
		}
	case dialog.Ended:
		if c.transfer == t && t.won == l {
			c.missed(t)
		}
	}
}

func (t *transfer) report(status sip.Status) {
	if t.tell != nil {
		t.tell(status)
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
		t.hunt.check()
		return
	}
	l.said, t.won = d, l
	c.mark(&l.moments.answered)
	t.hunt.close()
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
		err := c.propose(&exchange{from: t.won, to: t.kept, offer: t.won.word(), gone: true, transfer: t})
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
	c.recount()
	c.relist()
	t.report(sip.StatusOK)
	c.note(Move{Kind: Transfer, By: c.who(old), To: t.to, Other: t.consulted.id})
	c.gone(old)
	c.record()
	old.media.Close()
	// It hangs up when it has heard of it; some never do.
	c.engine.After(c.stripe, farewell, func() {
		t.consulted.part()
		if !old.usage.Over() {
			old.usage.Bye("")
		}
	})
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
	if t.tell == nil || err != nil {
		c.hangUp(cause(t.worst))
		return
	}
	q, route, status := c.dial(t.kept, back.URI, "")
	if status != 0 {
		c.hangUp(cause(t.worst))
		return
	}
	c.transferTo(&transfer{by: t.by, kept: t.kept, to: c.who(t.by), worst: t.worst}, q, route)
}

// dropTransfer ends a transfer and the ringing for it.
func (c *call) dropTransfer() {
	t := c.transfer
	if t == nil {
		return
	}
	c.transfer = nil
	t.hunt.close()
	c.giveUpDevices(t, nil, "")
}

// giveUpDevices ends every leg of a transfer but one.
func (c *call) giveUpDevices(t *transfer, but *leg, reason string) {
	if c.taker != nil && c.taker.transfer == t {
		c.dropTaker(reason)
	}
	t.hunt.giveUp(but, reason)
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
