// Whom a call is for, and where their devices are: accounts and bindings as the B2BUA sees them. RFC 3261 §16.5.

package server

import (
	"log/slog"
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/server/dial"
	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/service/conference"
	"github.com/sipwerk/sipwerk/service/dialplan"
	"github.com/sipwerk/sipwerk/service/pbx"
	"github.com/sipwerk/sipwerk/service/registrar"
	"github.com/sipwerk/sipwerk/service/trunk"
	"github.com/sipwerk/sipwerk/sip"
)

// router sends calls where the dial plan of their domain says.
type router struct {
	domains     *domains
	registrar   *registrar.Registrar
	features    *pbx.PBX
	conferences *conference.Conference
	queues      *pbx.Queues
	park        *pbx.Park
	dial        *dialer
	codes       *dial.Desk
	night       *dial.Night
	inside      func() sip.Flow // the way to applications that are branches of a call; zero: they can only be dialled
}

// Route implements [b2bua.Router]. A GRUU is its account and one of its devices: no plan is asked. What comes from an application inside, or goes to one, has been routed before.
func (r *router) Route(q *b2bua.Question) b2bua.Route {
	req := q.Request
	if _, device := req.URI.Param("gr"); device {
		if account, ok := r.registrar.Resolve(req.URI); ok {
			return b2bua.Route{Account: account}
		}
	}
	if route, ok := r.ownCall(q); ok {
		return route
	}
	if route, ok := r.code(q); ok && !r.isAccount(req.URI) { // people come first
		return route
	}
	w := r.wayOf(q)
	if w == nil {
		return b2bua.Route{Refuse: sip.StatusNotFound}
	}
	if q.How == b2bua.Dialled && !w.direct && !q.Caller.Trusted && r.claims(q, w.domain) {
		return w.refused(dialplan.Refusal{Status: sip.StatusForbidden, Why: dialplan.Identity, Number: w.call.Dialled, Payer: w.call.Caller.Account})
	}
	d := w.plan.Decide(w.call)
	if d.Action == dialplan.Refuse && d.Refusal.Why == dialplan.Unknown && r.conferences.Serves(req) {
		return b2bua.Route{Application: r.conferences} // by the Contact of its focus
	}
	return w.first(&d)
}

// code leads to what is asked for by a code, or by a token; false if it is none.
func (r *router) code(q *b2bua.Question) (b2bua.Route, bool) {
	joins := func(q *b2bua.Question) (b2bua.Route, bool) { return r.joins(q.Request) }
	for _, code := range []func(*b2bua.Question) (b2bua.Route, bool){r.pickUp, joins, r.parks, r.agents, r.intercom} {
		if route, ok := code(q); ok {
			return route, true
		}
	}
	return b2bua.Route{}, false
}

func (r *router) isAccount(uri sip.URI) bool {
	_, ok := r.registrar.Resolve(uri)
	return ok
}

// dialString is the parameter "user" of a URI of the way inside that is not the address of a place, but what somebody wants to call: rules and brakes hold as if it had been dialled.
const dialString = "dialstring"

// wayOf makes the facts of a question; nil if it is for no domain of ours.
func (r *router) wayOf(q *b2bua.Question) *callWay {
	uri := q.Request.URI
	d := r.domains.of(uri)
	if !uri.IsSIP() { // tel, or a service: they name no domain
		d = r.domains.sender(q.Request)
	}
	if d == nil {
		return nil
	}
	plan := r.dial.plan(d.name)
	if plan == nil {
		return nil
	}
	kind, _ := uri.Param("user")
	w := &callWay{router: r, domain: d.name, plan: plan, direct: q.Flow.Transport == sip.Inside && q.How == b2bua.Dialled && kind != dialString}
	w.call = dialplan.Call{Dialled: strings.Clone(dialled(uri)), At: time.Now(), How: howOf(q.How), Direct: w.direct, Ledger: r.dial.meter.Ledger(d.name), Turns: turns{r.dial.turns, d}, Asked: emergencyService(uri)}
	if app := q.Caller.Inside; app.Host != "" {
		w.call.Caller = r.sender(app, d.name, w.call.Dialled)
	} else {
		w.call.Caller = callerOf(q, d.name)
	}
	w.from = w.call.Caller.Account
	if w.from == "" {
		w.from = w.call.Caller.Trunk + " " + w.call.Caller.Number
	}
	w.caller = shown(q)
	if q.Caller.Trunk != "" {
		for value := range q.Request.Values(sip.HeaderIdentity) {
			w.identity = append(w.identity, strings.Clone(value))
		}
	}
	if account, ok := r.registrar.Resolve(uri); ok {
		w.account = account.Clone()
	}
	return w
}

// shown is who calls as a trunk would show it: an account by the number of it that it calls by, somebody from outside by theirs.
func shown(q *b2bua.Question) trunk.Caller {
	from, err := q.Request.From()
	if err != nil {
		return trunk.Caller{Hidden: true}
	}
	c := trunk.Caller{
		Name: strings.Clone(from.Name()), Proven: q.Caller.Account.Host != "", Account: strings.Clone(q.Caller.Account.UserName()),
		Hidden: strings.HasSuffix(strings.ToLower(from.URI.Host), "anonymous.invalid") || q.Request.HasPrivacy("id") || q.Request.HasPrivacy("user"),
	}
	who := from.URI
	if q.Caller.Address.URI.Host != "" {
		who = q.Caller.Address.URI
	}
	if number, ok := who.GlobalNumber(); ok {
		c.Number = strings.Clone(number)
	}
	if c.Proven && q.Caller.Address.Display != "" {
		c.Name = strings.Clone(q.Caller.Address.Name())
	}
	return c
}

// callerOf says who asks.
func callerOf(q *b2bua.Question, domain string) dialplan.Caller {
	c := dialplan.Caller{Trunk: strings.Clone(q.Caller.Trunk)}
	switch a := q.Caller.Account; {
	case a.Host == domain:
		c.Account = strings.Clone(a.UserName())
		c.Number = c.Account
		return c
	case a.Host != "": // of another domain of ours
		c.Number = a.UserName() + "@" + a.Host
		return c
	}
	who := q.Caller.Address.URI
	if who.Host == "" {
		if from, err := q.Request.From(); err == nil {
			who = from.URI
		}
	}
	if !strings.HasSuffix(strings.ToLower(who.Host), "anonymous.invalid") {
		c.Number = strings.Clone(dialled(who))
	}
	return c
}

// dialled is what a URI asks for: a number as far as it is one, a user part otherwise. A local number with a global context is that number. RFC 3966 §5.1.5.
func dialled(uri sip.URI) string {
	if number, ok := uri.GlobalNumber(); ok {
		return number
	}
	user := uri.UserName()
	if context, ok := uri.Param("phone-context"); ok && strings.HasPrefix(context, "+") && sip.IsGlobalNumber(context) {
		return context + strings.Trim(user, "+")
	}
	return user
}

// emergencyService is the emergency service that a URN asks for; "" if it is none. RFC 5031 §4.2.
func emergencyService(uri sip.URI) dialplan.Service {
	name, ok := strings.CutPrefix(strings.ToLower(uri.Host), "service:")
	if uri.Scheme != "urn" || !ok || name != "sos" && !strings.HasPrefix(name, "sos.") {
		return ""
	}
	return dialplan.Service(name)
}

func howOf(h b2bua.How) dialplan.How {
	return [...]dialplan.How{b2bua.Dialled: dialplan.Dialled, b2bua.Deflected: dialplan.Deflected, b2bua.Transferred: dialplan.Transferred}[h]
}

// claims reports whether a telephone says in a header that it is somebody else. RFC 3325 §5: only who is trusted asserts, and what a telephone prefers must be its own.
func (r *router) claims(q *b2bua.Question, domain string) bool {
	req := q.Request
	for _, h := range []sip.Header{sip.HeaderPAssertedIdentity, sip.HeaderPPreferredIdentity} {
		for a, err := range req.Addresses(h) {
			if err != nil {
				return true
			}
			account, ok := r.domains.directory.Account(domain, dialled(a.URI))
			if !ok || account != q.Caller.Account.UserName() {
				return true
			}
		}
	}
	return req.Has(sip.HeaderIdentity)
}

// locator finds devices by their bindings.
type locator struct {
	kinds     map[string]session.Kind // by account, as set
	domains   *domains
	registrar *registrar.Registrar
	log       *slog.Logger
}

// kind is how the media of a device goes that has registered over t: over a WebSocket it is a browser, and who protects its signalling is offered protection of its media.
// A setting for the account goes before that.
func (l *locator) kind(account sip.URI, t sip.Transport) session.Kind {
	if k, ok := l.kinds[account.UserName()]; ok {
		return k
	}
	switch t {
	case sip.WS, sip.WSS:
		return session.WebRTC
	case sip.TLS:
		return session.Opportunistic
	}
	return session.Plain
}

// Lookup implements [b2bua.Locator].
func (l *locator) Lookup(account sip.URI) []b2bua.Binding {
	found := l.registrar.Lookup(account)
	bindings := make([]b2bua.Binding, 0, len(found))
	digits, music := l.domains.sound(account)
	for i := range found {
		target, err := found[i].Target()
		if err != nil {
			l.log.Warn("a binding cannot be called", "aor", account.String(), "contact", found[i].Contact, "err", err)
			continue
		}
		bindings = append(bindings, b2bua.Binding{
			Target: target,
			Path:   found[i].Path,
			To:     found[i].Destination(),
			Remote: found[i].Flow.Remote.Addr(),
			Local:  found[i].Flow.Local.Addr(),
			Spare:  i > 0 && found[i].SameDevice(&found[i-1]),
			Key:    l.registrar.Key(&found[i]),
			Kind:   l.kind(account, found[i].Flow.Transport),
			Digits: digits,
			Music:  music,
		})
	}
	return bindings
}
