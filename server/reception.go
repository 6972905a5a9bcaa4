// The reception: what becomes of a request outside any dialog. RFC 3261 §8.2, §11.2, §16.3.

package server

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/server/carrier"
	"github.com/sipwerk/sipwerk/server/config"
	"github.com/sipwerk/sipwerk/server/dial"
	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/service/conference"
	"github.com/sipwerk/sipwerk/service/proxy"
	"github.com/sipwerk/sipwerk/service/registrar"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
	"github.com/sipwerk/sipwerk/sip/digest"
	"github.com/sipwerk/sipwerk/sip/event"
)

// allowed are the methods that lead somewhere.
const allowed = "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, INFO, PRACK, UPDATE, SUBSCRIBE, REFER"

// nonceSlots is how many nonces of a domain may be in use: none is forgotten, and refused as stale, before as many later ones were given out.
// The memory is touched only where it is used.
const nonceSlots = 1 << 18

// reception is an event handler behind the table of dialogs. It refuses what is for others and what is not offered, and passes the rest to a service once
// its sender is known.
type reception struct {
	domains  *domains
	methods  sip.Mux // by method: what needs no proof, and the way to the guard of the sender's domain
	services sip.Mux // behind the guard
	calls    sip.EventHandler
	trunks   *carrier.Trunks // before everybody: who calls by one of them is known by it
	proxy    *proxy.Proxy    // serves the accounts of the first domain; nil: the services do
	finder   *finder         // of the proxy, if there is one

	log       *slog.Logger
	registrar *registrar.Registrar
	lines     dial.Sparing // of the log
	looks     dial.Sparing // whether a caller without credentials is a telephone of ours

	replies [sip.Stripes]sip.Response // each for events of its stripe alone
}

func newReception(ds *domains, reg *registrar.Registrar, calls sip.EventHandler, log *slog.Logger) *reception {
	r := &reception{domains: ds, log: log, registrar: reg, calls: calls}
	r.services.Handle("REGISTER", reg)
	r.services.Handle("INVITE", calls)

	prove := sip.EventHandlerFunc(r.prove)
	r.methods.Handle("REGISTER", prove)
	r.methods.Handle("INVITE", prove)
	r.methods.Handle("OPTIONS", sip.EventHandlerFunc(r.capabilities))
	for _, m := range []string{"MESSAGE", "NOTIFY", "PUBLISH", "INFO", "UPDATE", "PRACK"} {
		r.methods.Handle(m, sip.EventHandlerFunc(notAllowed))
	}
	r.methods.Handle("BYE", sip.EventHandlerFunc(noDialog))
	return r
}

// confer leads to the conferences: REFER to a room, and SUBSCRIBE to a package that there is. A REFER that names a call of its sender (RFC 4538) is for the calls. Nobody else is asked
// who they are.
func (r *reception) confer(c *conference.Conference, n *event.Notifier) {
	r.services.Handle("SUBSCRIBE", n)
	r.services.Handle("REFER", sip.EventHandlerFunc(func(ev *sip.Event) {
		if c.Serves(ev.Request) {
			c.HandleEvent(ev)
			return
		}
		r.calls.HandleEvent(ev)
	}))
	r.methods.Handle("REFER", sip.EventHandlerFunc(func(ev *sip.Event) {
		if c.Serves(ev.Request) || ev.Request.Has(sip.HeaderTargetDialog) {
			r.prove(ev)
			return
		}
		notAllowed(ev)
	}))
	r.methods.Handle("SUBSCRIBE", sip.EventHandlerFunc(func(ev *sip.Event) {
		if n.Knows(ev.Request) {
			r.prove(ev)
			return
		}
		// RFC 6665 §4.2.1.1: a telephone that asks for what we do not have gets a final answer and asks no more.
		res := ev.Request.Reply(sip.StatusBadEvent)
		res.Set(sip.HeaderAllowEvents, n.AllowEvents())
		answer(ev, res)
	}))
}

// HandleEvent takes a request outside any dialog. An ACK that belongs to none is nobody's.
func (r *reception) HandleEvent(ev *sip.Event) {
	if ev.Kind != sip.EventRequest {
		return
	}
	if ev.Flow.Transport == sip.Inside {
		ev.Trusted = true // it comes from ourselves, and who calls is said by what nobody else can write there
		r.services.HandleEvent(ev)
		return
	}
	uri := &ev.Request.URI
	d := r.domains.of(*uri)
	switch {
	case emergencyService(*uri) != "": // RFC 5031 §4.2: for whoever serves its sender
		d = r.domains.sender(ev.Request)
	case !uri.IsSIP() && uri.Scheme != "tel":
		refuse(ev, sip.StatusUnsupportedURIScheme)
		return
	}
	if r.trunks != nil && r.trunks.Take(ev) {
		return
	}
	switch {
	case r.proxied(ev.Request, d):
		r.pass(ev)
	case d == nil:
		// RFC 3261 §8.2.2.1. Nobody is forwarded for: an open relay pays the telephone bills of strangers.
		refuse(ev, sip.StatusNotFound)
	default:
		r.methods.HandleEvent(ev)
	}
}

// proxied reports whether a request to domain d, nil for a stranger's, is for the proxy. What is for the server itself is not: REGISTER, OPTIONS to the domain, subscriptions to registrations other than those of a system behind us,
// and subscriptions and references to numbers that are nobody's account. Calls to those the proxy gives back, see house: it has to look for an account anyway.
func (r *reception) proxied(req *sip.Request, d *domain) bool {
	if r.proxy == nil || d != nil && d.name != r.domains.first {
		return false
	}
	switch req.Method {
	case sip.MethodRegister:
		return false
	case sip.MethodOptions:
		return req.URI.User != ""
	case sip.MethodSubscribe:
		if d != nil && registrar.IsWatch(req) {
			return r.registrar.Behind(req.URI)
		}
		return !r.finder.isHouse(req.URI)
	case sip.MethodRefer:
		return !r.finder.isHouse(req.URI)
	}
	return true
}

// house takes calls to numbers of the first domain that are nobody's account: rooms, feature numbers and whatever the dial plan knows.
func (r *reception) house(ev *sip.Event) bool {
	if ev.Request.Method != sip.MethodInvite || ev.Request.URI.User == "" {
		return false
	}
	r.services.HandleEvent(ev)
	return true
}

// pass has the sender prove to the proxy who it is; a stranger who wants to reach a stranger, to that of the first domain.
func (r *reception) pass(ev *sip.Event) {
	d := r.domains.sender(ev.Request)
	if d == nil {
		if d = r.domains.of(sip.URI{Scheme: "tel"}); d == nil {
			refuse(ev, sip.StatusNotFound)
			return
		}
	}
	d.gate.HandleEvent(ev)
}

// prove has the sender prove who it is.
func (r *reception) prove(ev *sip.Event) { r.domains.sender(ev.Request).guard.HandleEvent(ev) }

// guard returns what makes the authenticators of a domain.
func (r *reception) guard(c *config.Config, key []byte) func(*domain) *digest.Authenticator {
	return func(d *domain) *digest.Authenticator {
		if r.proxy != nil {
			d.gate = &digest.Authenticator{Realm: d.realm, Accounts: d, Next: sip.EventHandlerFunc(r.proxy.Forward), Trust: c.Trust, Algorithms: c.Digest,
				Key: key, Slots: nonceSlots, Proxy: true, Denied: r.denied}
		}
		return &digest.Authenticator{Realm: d.realm, Accounts: d, Next: &r.services, Trust: c.Trust, Algorithms: c.Digest, Key: key, Slots: nonceSlots, Denied: r.denied}
	}
}

// elsewhere has the sender of a request inside a call prove who it is, where the call is that of an account and no telephone of that account is at home where the request comes from. Whoever has
// no account has nothing to prove. It is the Elsewhere of the table of dialogs.
func (r *reception) elsewhere(u *dialog.Usage, ev *sip.Event) bool {
	owner, ok := u.Owner().(b2bua.Speaker)
	if !ok {
		return true
	}
	account, err := sip.ParseURI(owner.Speaker())
	d := r.domains.of(account)
	if err != nil || d == nil || r.lives(account, ev.Flow) {
		return true
	}
	if !d.guard.Admit(ev, anySender{d}) {
		return false
	}
	if name, ok := d.directory.Account(d.name, ev.User); !ev.Trusted && (!ok || name != account.UserName()) {
		refuse(ev, sip.StatusForbidden)
		return false
	}
	return true
}

// lives reports whether a telephone of an account, or the system that has registered for its numbers, has done so from the address of a flow.
func (r *reception) lives(account sip.URI, flow sip.Flow) bool {
	return r.registrar.IsAt(account, flow.Remote.Addr())
}

// anySender is the accounts of a domain for requests inside calls, in which From is whoever was called, under whatever number.
type anySender struct{ *domain }

// MaySendAs implements [digest.Accounts].
func (anySender) MaySendAs(user string, _ sip.URI) bool { return user != "" }

// denied logs who was not let in. Every honest call begins without credentials, too: it is told of only if no telephone of its sender is where it comes from.
func (r *reception) denied(ev *sip.Event, d digest.Denial) {
	now, level := time.Now(), slog.LevelWarn
	if d.Why == digest.Unproved {
		if ev.Request.Method != sip.MethodInvite {
			return
		}
		if _, ok := r.looks.Take(now); !ok || r.isTelephone(ev) {
			return
		}
		level = slog.LevelInfo
	}
	if more, ok := r.lines.Take(now); ok {
		r.log.Log(context.Background(), level, "login refused", "reason", d.Why.String(), "user", d.User, "source", ev.Flow.Remote.Addr().String(), "method", string(ev.Request.Method),
			"to", ev.Request.URI.String(), "unlogged", more)
	}
}

// isTelephone reports whether a request comes from the address of a telephone of its sender.
func (r *reception) isTelephone(ev *sip.Event) bool {
	from, err := ev.Request.From()
	if err != nil {
		return false
	}
	account, ok := r.registrar.Resolve(from.URI)
	return ok && r.lives(account, ev.Flow)
}

// capabilities answers OPTIONS, for whomever it is: it tells nothing about them. RFC 3261 §11.2, §8.2.2.3.
func (r *reception) capabilities(ev *sip.Event) {
	if unknown := ev.Request.Unsupported(sip.HeaderRequire); len(unknown) > 0 {
		res := ev.Request.Reply(sip.StatusBadExtension)
		res.Set(sip.HeaderUnsupported, strings.Join(unknown, ", "))
		answer(ev, res)
		return
	}
	res := &r.replies[ev.Stripe]
	res.ReplyTo(ev.Request, sip.StatusOK)
	res.Set(sip.HeaderAllow, allowed)
	res.Set(sip.HeaderAccept, "application/sdp")
	answer(ev, res)
}

// notAllowed answers a method that is known but not offered. RFC 3261 §8.2.1.
func notAllowed(ev *sip.Event) {
	res := ev.Request.Reply(sip.StatusMethodNotAllowed)
	res.Set(sip.HeaderAllow, allowed)
	answer(ev, res)
}

// noDialog answers a BYE that is not in a dialog. RFC 3261 §15.1.2.
func noDialog(ev *sip.Event) { refuse(ev, sip.StatusCallDoesNotExist) }

func refuse(ev *sip.Event, status sip.Status) { answer(ev, ev.Request.Reply(status)) }

// answer sends a final response and keeps nothing: its sender has not proved who it is. An error means that the transaction is gone and nobody waits.
func answer(ev *sip.Event, res *sip.Response) { _ = ev.Engine.RespondOnce(ev.Tx, res) }
