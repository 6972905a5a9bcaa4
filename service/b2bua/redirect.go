package b2bua

// A device that answers with another address. RFC 3261 §8.1.3.4, §21.3.

import (
	"slices"

	"github.com/sipwerk/sipwerk/sip"
)

// maxRedirects is how many redirections of one call are followed, whoever sends them.
const maxRedirects = 5

// maxContacts is how many addresses of one response are looked at.
const maxContacts = 10

// deflect calls those to whom a 3xx leads, as if whose device it is had dialled them, and reports whether there is anybody. What the router does not know is not followed: whoever
// answers a call with another address could make us call anything. Each account is called once, so that two that point at each other come to an end.
func (h *hunt) deflect(l *leg, res *sip.Response) bool {
	if res == nil {
		return false
	}
	var ways []Route
	looked := 0
	for contact, err := range res.Addresses(sip.HeaderContact) {
		if h.left == 0 || h.call.hops == 0 || looked == maxContacts {
			break
		}
		looked++
		if err != nil {
			continue
		}
		if way, ok := h.way(l, contact.URI); ok {
			h.left--
			h.call.hops--
			ways = append(ways, way)
		}
	}
	if len(ways) == 1 && len(h.late) == 0 && h.ringing() == 0 {
		return h.turn(ways[0], l)
	}
	if len(ways) > 0 && !h.divert(&Diverted{From: l.account, Why: Deflection}, sip.URI{}) {
		return false
	}
	before := h.ringing()
	for i := range ways {
		parties := ways[i].parties()
		for j := range parties {
			h.ring(&parties[j])
		}
	}
	return h.ringing() > before
}

// turn makes where a 3xx leads the next step, with the steps that may follow it. Where it has none, those of the step before stand.
func (h *hunt) turn(way Route, l *leg) bool {
	if way.Then == nil {
		way.Then = h.route.Then
	}
	h.leave(Outcome{Miss: Refused, Status: l.status})
	return h.enter(way)
}

// way asks the router whom a contact of a 3xx means. Who was called before is left out.
func (h *hunt) way(l *leg, uri sip.URI) (Route, bool) {
	uri.Headers = ""
	c := h.call
	q := c.question(l, uri, Deflected)
	way := c.b.Router.Route(q)
	if way.Application != nil && !c.b.Inside.IsZero() {
		way.Ring, way.Application = append(way.Ring, c.within(q)...), nil
	}
	way.Ring, way.Account = slices.DeleteFunc(slices.Clone(way.parties()), func(p Party) bool {
		return slices.ContainsFunc(h.asked, func(a sip.URI) bool { return p.Account.Host != "" && a.AOR() == p.Account.AOR() })
	}), sip.URI{}
	if way.Diverted == nil && l.account.Host != "" {
		way.Diverted = &Diverted{From: l.account, Why: Deflection}
	}
	return way, len(way.Ring) > 0 || way.Later != nil
}
