// Whom a call is for, and where their devices are: accounts and bindings as the B2BUA sees them. RFC 3261 §16.5.

package server

import (
	"log/slog"

	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/service/conference"
	"github.com/sipwerk/sipwerk/service/pbx"
	"github.com/sipwerk/sipwerk/service/registrar"
	"github.com/sipwerk/sipwerk/sip"
)

// router sends calls to accounts, rooms and feature numbers.
type router struct {
	registrar   *registrar.Registrar
	features    *pbx.PBX
	conferences *conference.Conference
	queues      *pbx.Queues
	domains     *domains
	inside      func() sip.Flow // the way to applications that are branches of a call
	park        *pbx.Park
}

// Route implements [b2bua.Router]. An account that is called like a room or a feature is the account: people come first. A GRUU is its account and one of its devices.
func (r *router) Route(q *b2bua.Question) b2bua.Route {
	req := q.Request
	if route, ok := r.ownCall(q); ok {
		return route
	}
	if account, ok := r.registrar.Resolve(req.URI); ok {
		return b2bua.Route{Account: account}
	}
	if route, ok := r.pickUp(q); ok {
		return route
	}
	if route, ok := r.joins(req); ok {
		return route
	}
	if route, ok := r.parks(q); ok {
		return route
	}
	if route, ok := r.queue(q); ok {
		return route
	}
	if route, ok := r.intercom(q); ok {
		return route
	}
	if r.conferences.Serves(req) {
		return b2bua.Route{Application: r.conferences}
	}
	return b2bua.Route{Application: r.features.Application(req.URI.UserName()), Refuse: sip.StatusNotFound}
}

// locator finds devices by their bindings.
type locator struct {
	kinds     map[string]session.Kind // by account, as set
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
		})
	}
	return bindings
}
