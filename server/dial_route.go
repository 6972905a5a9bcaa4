// From decisions to steps of the B2BUA: who rings, which application answers, how a call goes outside, and what follows.

package server

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/sipwerk/sipwerk/server/dial"
	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/server/setup"
	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/service/dialplan"
	"github.com/sipwerk/sipwerk/service/pbx"
	"github.com/sipwerk/sipwerk/service/trunk"
	"github.com/sipwerk/sipwerk/sip"
)

// callWay is a call on its way through the plan with which it began. Nothing of it changes.
type callWay struct {
	router  *router
	domain  string
	plan    *dialplan.Plan
	call    dialplan.Call
	account sip.URI // what was dialled, if it is an account: with what the URI says besides
	direct  bool    // an application inside is called
	from    string  // who asks, for events
	caller  trunk.Caller

	identity []string // what proves a caller from outside
}

// first makes the route of the first decision.
func (w *callWay) first(d *dialplan.Decision) b2bua.Route {
	if d.Action == dialplan.Give {
		return b2bua.Route{Refuse: sip.StatusTemporarilyUnavailable, Cause: d.Summary()} // a group in which nobody can ring
	}
	return w.route(d)
}

// route makes the route of a decision.
func (w *callWay) route(d *dialplan.Decision) b2bua.Route {
	var r b2bua.Route
	switch d.Action {
	case dialplan.Give:
		return b2bua.Route{}
	case dialplan.Refuse:
		r = w.refused(d.Refusal)
	case dialplan.Ask:
		r = b2bua.Route{Later: w.later(d)}
	case dialplan.Enter:
		r = w.enter(d)
	case dialplan.Ring:
		r = w.ring(d)
	}
	if d.Action != dialplan.Ask {
		r.Cause, r.Note = d.Summary(), d.Rule
	}
	return w.diverted(d, r)
}

// later asks the script or the webhook of a rule.
func (w *callWay) later(d *dialplan.Decision) func(context.Context, *b2bua.Question) b2bua.Route {
	return func(ctx context.Context, _ *b2bua.Question) b2bua.Route {
		plans := w.router.dial
		next := w.plan.Settle(ctx, *d, plans.hook.Asker(plans.directory.Settings(w.domain).DialPlan().WebhookSecret))
		next.Diverted = nil // those before are told by the route that waits
		return w.route(&next)
	}
}

// then goes on when a step has led to nobody.
func (w *callWay) then(d *dialplan.Decision) func(b2bua.Outcome) b2bua.Route {
	return func(o b2bua.Outcome) b2bua.Route {
		next := w.plan.After(d, outcomeOf(o))
		return w.route(&next)
	}
}

func outcomeOf(o b2bua.Outcome) dialplan.Outcome {
	switch o.Miss {
	case b2bua.Offline:
		return dialplan.Offline
	case b2bua.Busy:
		return dialplan.Busy
	case b2bua.NoAnswer:
		return dialplan.NoAnswer
	case b2bua.Declined:
		return dialplan.Rejected
	}
	return dialplan.NotPassed
}

// refused ends the call, with an event.
func (w *callWay) refused(r dialplan.Refusal) b2bua.Route {
	w.router.dial.refusals.Note(w.domain, w.from, w.call.How, &r)
	return b2bua.Route{Refuse: r.Status, Cause: "refuse:" + string(r.Why)}
}

// ring lets telephones ring and calls numbers outside.
func (w *callWay) ring(d *dialplan.Decision) b2bua.Route {
	if out := d.Legs[0].Out; out != nil && len(d.Legs) == 1 {
		r := w.outside(out, w.then(d))
		if d.RingTime > 0 {
			r.RingTime = d.RingTime
		}
		return r
	}
	r := b2bua.Route{RingTime: d.RingTime, Then: w.then(d)}
	for i := range d.Legs {
		l := &d.Legs[i]
		if l.Out != nil {
			r.Ring = append(r.Ring, w.outside(l.Out, nil).Ring...)
			continue
		}
		r.Ring = append(r.Ring, w.party(l))
	}
	return r
}

// party is an account that rings.
func (w *callWay) party(l *dialplan.Leg) b2bua.Party {
	p := b2bua.Party{Account: w.uri(l.Account)}
	if w.account.User != "" && w.account.UserName() == l.Account && w.account.Host == w.domain {
		p.Account = w.account // a number of the account, perhaps
	}
	if l.OneCall {
		p.MaxCalls = 1
	}
	return p
}

// outside calls a number of the telephone network. An emergency goes by the trunk that is set for it, and by every other one if that fails.
func (w *callWay) outside(out *dialplan.Out, then func(b2bua.Outcome) b2bua.Route) b2bua.Route {
	plans := w.router.dial
	if plans.exits == nil {
		return b2bua.Route{Refuse: sip.StatusNotFound}
	}
	c := trunk.Call{Number: out.Number.Text(), Urgent: out.Emergency, Trunks: out.Trunks, Caller: w.shown(out), Identity: w.identity, Payer: out.Payer}
	if !out.Emergency {
		return plans.exits.Route(w.domain, c, plans.gates(w.domain, out), then)
	}
	plans.refusals.Emergency.Add(1)
	plans.log.Warn("emergency call", "domain", w.domain, "from", w.from, "number", c.Number)
	if len(out.Trunks) > 0 {
		last, all := then, c
		all.Trunks = nil
		then = func(b2bua.Outcome) b2bua.Route { return plans.exits.Route(w.domain, all, nil, last) }
	}
	r := plans.exits.Route(w.domain, c, nil, then)
	r.Emergency = true
	return r
}

// gates are those of the payer.
func (d *dialer) gates(domain string, out *dialplan.Out) []b2bua.Gate {
	if g := d.meter.Toll(domain, out); g != nil {
		return []b2bua.Gate{g}
	}
	return nil
}

// shown is the caller as a trunk may show it: with the number that is set, or its own.
func (w *callWay) shown(out *dialplan.Out) trunk.Caller {
	c := w.caller
	c.Hidden = c.Hidden || out.Hide
	if out.CallerID != "" {
		c.Number = out.CallerID
	}
	return c
}

// enter brings the call to an application. Where that sends callers on, it is a branch of the call like a telephone, so that the B2BUA hears its REFER; the INVITE that comes back
// by the flow inside is answered by it.
func (w *callWay) enter(d *dialplan.Decision) b2bua.Route {
	p, r := d.Place, w.router
	if w.led(d) && r.changes(p) {
		return w.refused(dialplan.Refusal{Status: sip.StatusForbidden, Why: dialplan.Forbidden, Number: w.call.Dialled, Payer: w.call.Caller.Account})
	}
	if w.isHere(p) {
		return b2bua.Route{Application: w.application(d), Refuse: sip.StatusNotFound}
	}
	target := w.uri(sip.EscapeUser(placeName(p)))
	if cause := diversionCause(d.Diverted); cause != 0 {
		target.Params = target.Params.With("cause", strconv.Itoa(int(cause))) // RFC 4458 §2
	}
	return b2bua.Route{Ring: []b2bua.Party{{Bindings: []b2bua.Binding{{Target: target, To: sip.Destination{Flow: r.inside()}}}, Trusted: true}}, Then: w.then(d)}
}

// led reports whether somebody else has brought the call to where it goes: by a transfer, by a telephone that answers with another address, or by a forward. A call over the way inside has been
// judged before, unless it is forwarded there.
func (w *callWay) led(d *dialplan.Decision) bool {
	return d.Forwarded() || !w.direct && w.call.How != dialplan.Dialled
}

// changes reports whether a place changes something for whoever gets there, on nothing but their name: they must have dialled it.
func (r *router) changes(p dialplan.Place) bool {
	if p.Kind != dialplan.KindFeature {
		return false
	}
	_, order := dial.ReadOrder(p.Name)
	_, night := dial.ReadNight(p.Name)
	return order || night || r.features.Changes(p.Name)
}

// isHere reports whether an application takes the call itself: because it was called inside, or dialled and sends nobody on, or there is no way inside.
func (w *callWay) isHere(p dialplan.Place) bool {
	dialled := w.call.How == dialplan.Dialled && w.call.Dialled == p.Name
	switch p.Kind {
	case dialplan.KindFeature:
		return w.direct || dialled && !w.router.features.SendsOn(p.Name) || w.router.inside().IsZero()
	case dialplan.KindRoom, dialplan.KindPage:
		return w.direct || dialled || w.router.inside().IsZero()
	}
	return w.direct || w.router.inside().IsZero()
}

// application is what answers at a place.
func (w *callWay) application(d *dialplan.Decision) sip.EventHandler {
	p, r := d.Place, w.router
	switch p.Kind {
	case dialplan.KindRoom, dialplan.KindPage:
		return r.conferences
	case dialplan.KindFeature:
		if o, ok := dial.ReadOrder(p.Name); ok {
			return r.features.Handler(setup.CodeFeature, r.codes.Player(o))
		}
		if o, ok := dial.ReadNight(p.Name); ok {
			return r.features.Handler(setup.NightFeature, r.night.Player(o))
		}
		return r.features.Application(p.Name)
	}
	return r.features.Answer(pbx.Feature(p.Kind), w.uri(p.Name), diversionCause(d.Diverted))
}

// placeName is a place as it is called inside.
func placeName(p dialplan.Place) string {
	if p.Kind == dialplan.KindMailbox {
		return string(p.Kind) + ":" + p.Name
	}
	return p.Name
}

// whys says what the causes of the plan are to the B2BUA.
var whys = map[dialplan.Cause]b2bua.Why{
	dialplan.CauseAlways: b2bua.Unconditional, dialplan.CauseBusy: b2bua.UserBusy, dialplan.CauseNobody: b2bua.NoReply, dialplan.CauseOffline: b2bua.Unavailable,
	dialplan.CauseDND: b2bua.DoNotDisturb, dialplan.CauseHours: b2bua.TimeOfDay, dialplan.CauseGroup: b2bua.FollowMe,
}

// diversionCause is why the call came here, in the numbers of RFC 4458 §2.2; 0: it was dialled.
func diversionCause(diverted []dialplan.Diversion) sip.Status {
	if len(diverted) == 0 {
		return 0
	}
	return whys[diverted[len(diverted)-1].Why].Cause()
}

// diverted tells of the changes of the way that led to a route: each is a step, and all but the last ring nobody.
func (w *callWay) diverted(d *dialplan.Decision, r b2bua.Route) b2bua.Route {
	for i := len(d.Diverted) - 1; i >= 0; i-- {
		on := &b2bua.Diverted{From: w.uri(d.Diverted[i].From.Name), Why: whys[d.Diverted[i].Why]}
		if i == len(d.Diverted)-1 && r.Later == nil {
			r.Diverted = on
			continue
		}
		if i < len(d.Diverted)-1 {
			on.To = w.uri(d.Diverted[i+1].From.Name)
		}
		next := r
		r = b2bua.Route{Diverted: on, Then: func(b2bua.Outcome) b2bua.Route { return next }}
	}
	return r
}

// uri is a name in the domain of the call.
func (w *callWay) uri(name string) sip.URI { return sip.URI{Scheme: "sip", User: name, Host: w.domain} }

// sender is an application of this process as who sends a caller on. A mailbox calls on behalf of its owner; a menu or a queue may call outside what stands in its settings, and nothing
// else that somebody has dialled there.
func (r *router) sender(app sip.URI, domain, dialled string) dialplan.Caller {
	name := strings.Clone(app.UserName())
	box, ok := strings.CutPrefix(name, string(dialplan.KindMailbox)+":")
	if !ok {
		box, ok = r.dial.directory.Account(domain, name) // the only applications that are called like an account
	}
	if ok {
		return dialplan.Caller{Account: box, Number: box, Place: dialplan.Place{Kind: dialplan.KindMailbox, Name: box}}
	}
	c := dialplan.Caller{Place: dialplan.Place{Kind: dialplan.KindFeature, Name: name}}
	switch o := r.dial.directory.Settings(domain).Number(name).(type) {
	case *object.Menu:
		c.Place.Kind, c.Entitled = dialplan.KindMenu, o.Otherwise == dialled || slices.Contains(slices.Collect(maps.Values(o.Choices)), dialled)
	case *object.Queue:
		c.Place.Kind, c.Entitled = dialplan.KindQueue, o.Otherwise == dialled
	}
	return c
}
