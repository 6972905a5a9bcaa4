// The server of the flows: registrar and B2BUA behind digest authentication, on a host of the bench.

package flows

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/service/pbx"
	"github.com/sipwerk/sipwerk/service/registrar"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
	"github.com/sipwerk/sipwerk/sip/digest"
	"github.com/sipwerk/sipwerk/sip/event"
	"github.com/sipwerk/sipwerk/sip/siptest"
	"github.com/sipwerk/sipwerk/sip/stack"
	"github.com/sipwerk/sipwerk/sip/transaction"
)

// domain is that of the server.
const domain = "example.org"

// server is a whole server without configuration, database and disk.
type server struct {
	bench     *siptest.Bench
	stack     *stack.Stack
	dialogs   *dialog.Table
	registrar *registrar.Registrar
	b2bua     *b2bua.B2BUA
	relay     *relay.Relay
	features  *pbx.PBX
	park      *pbx.Park
	callbacks *pbx.Callbacks
	routes    map[string]func(q *b2bua.Question) b2bua.Route // by whom they are for
}

// newServer starts a server on a host called "server", to which example.org resolves.
func newServer(b *siptest.Bench) *server {
	host := b.Host("server")
	addr := b.Addr("server")
	b.Net.Names.AddAddr(domain, addr)
	random := b.Random("server")
	s := &server{bench: b, relay: &relay.Relay{Network: host}, park: &pbx.Park{}, routes: map[string]func(q *b2bua.Question) b2bua.Route{}}
	s.registrar = &registrar.Registrar{Accounts: people{}}
	s.dialogs = &dialog.Table{Allow: "INVITE, ACK, CANCEL, BYE, UPDATE, OPTIONS, INFO, MESSAGE", Random: random.Uint64, Extensions: []string{"replaces"}}
	site := &session.Site{Relay: s.relay}
	lamps := new(pbx.Lamps)
	s.features = &pbx.PBX{Dialogs: s.dialogs, Media: site, Identity: s, Players: map[pbx.Feature]pbx.Player{pbx.Parking: s.park}}
	s.callbacks = &pbx.Callbacks{PBX: s.features, Lamps: lamps, Resolve: people{}.AOR, Reachable: func(name string) bool { return len(s.Lookup(sip.MustParseURI(name))) > 0 }}
	lamps.Listeners = append(lamps.Listeners, s.callbacks.Changed)
	maps.Copy(s.features.Players, s.callbacks.Players())
	s.b2bua = &b2bua.B2BUA{Dialogs: s.dialogs, Media: site, Router: s, Locator: s, Supervisors: s, Identity: s, Watcher: lamps, Observer: s.callbacks,
		RingTime: 30 * time.Second, FlowFailed: s.registrar.FlowFailed, Events: &event.Notifier{}}
	mux := new(sip.Mux)
	mux.Handle("REGISTER "+domain, s.registrar)
	mux.Handle(domain, s.b2bua)
	gate := &digest.Authenticator{Realm: domain, Accounts: people{}, Next: mux, Key: []byte("a key for the nonces of a test..."), Rand: random,
		Algorithms: []digest.Algorithm{digest.SHA256}}
	s.dialogs.Next = sip.EventHandlerFunc(func(ev *sip.Event) {
		if ev.Flow.Transport == sip.Inside {
			ev.Trusted = true
			s.b2bua.HandleEvent(ev)
			return
		}
		gate.HandleEvent(ev)
	})
	s.stack = &stack.Stack{Handler: s.dialogs, FlowLost: s.dialogs, Network: host, Resolver: &b.Net.Names, Random: random, Readers: 1, Log: slog.New(slog.DiscardHandler)}
	s.b2bua.Inside = s.stack.Inside()
	s.features.Engine, s.features.Inside = s.stack, s.stack.Inside
	if err := s.registrar.Open(); err != nil {
		b.T.Fatal(err)
	}
	if err := s.stack.Listen(context.Background(), fmt.Sprintf("udp://%s:5060", addr), fmt.Sprintf("tcp://%s:5060", addr)); err != nil {
		b.T.Fatal(err)
	}
	b.Watch(siptest.Watched{Name: "server", Host: host, Left: s.left, Close: s.close})
	return s
}

func (s *server) left() []string {
	var out []string
	if left := s.stack.Audit(); left != (transaction.Audit{}) {
		out = append(out, fmt.Sprintf("the server holds %+v", left))
	}
	if calls, legs, streams := s.b2bua.Calls(), s.dialogs.Len(), s.relay.Streams(); calls+legs+streams > 0 {
		out = append(out, fmt.Sprintf("the server holds %d calls, %d legs and %d media streams", calls, legs, streams))
	}
	if n := s.stack.Stats().Panics; n > 0 {
		out = append(out, fmt.Sprintf("the server panicked %d times", n))
	}
	return out
}

func (s *server) close() {
	s.callbacks.Close()
	if err := s.features.Drain(context.Background()); err != nil {
		s.bench.T.Error(err)
	}
	if err := errors.Join(s.stack.Close(), s.relay.Close(), s.registrar.Close()); err != nil {
		s.bench.T.Error(err)
	}
}

// Lookup implements [b2bua.Locator].
func (s *server) Lookup(account sip.URI) []b2bua.Binding {
	var out []b2bua.Binding
	found := s.registrar.Lookup(account)
	for i := range found {
		b := &found[i]
		target, err := b.Target()
		if err != nil {
			continue
		}
		out = append(out, b2bua.Binding{Target: target, Path: b.Path, To: b.Destination(), Remote: b.Flow.Remote.Addr(), Local: b.Flow.Local.Addr(),
			Spare: i > 0 && b.SameDevice(&found[i-1]), Key: s.registrar.Key(b)})
	}
	return out
}

// people are the accounts of the domain: alice, bob and carol, whose password is their name.
type people struct{}

func (people) exists(user string) bool {
	return slices.Contains([]string{"alice", "bob", "carol"}, user)
}

// HA1 implements [digest.Accounts].
func (p people) HA1(user, realm string, a digest.Algorithm) (digest.HA1, bool) {
	return a.HA1(user, realm, user), p.exists(user)
}

// MaySendAs implements [digest.Accounts].
func (people) MaySendAs(user string, from sip.URI) bool { return from.UserName() == user }

// AOR implements [registrar.Accounts].
func (p people) AOR(uri sip.URI) (sip.URI, bool) {
	return sip.URI{Scheme: "sip", User: uri.UserName(), Host: domain}, p.exists(uri.UserName())
}

// MayBind implements [registrar.Accounts].
func (people) MayBind(user string, aor sip.URI) bool { return user == aor.UserName() }

// Route implements [b2bua.Router].
func (s *server) Route(q *b2bua.Question) b2bua.Route {
	user := q.Request.URI.UserName()
	if route := s.routes[user]; route != nil {
		return route(q)
	}
	if route, ok := s.park.Route(q, s.features); ok {
		return route
	}
	if there, ok := strings.CutPrefix(user, "**"); ok {
		return b2bua.Route{PickUp: []sip.URI{aor(there)}}
	}
	if app := s.features.Application(user); app != nil {
		return b2bua.Route{Application: app}
	}
	account, ok := people{}.AOR(q.Request.URI)
	if !ok {
		return b2bua.Route{Refuse: sip.StatusNotFound}
	}
	return b2bua.Route{Account: account}
}

// Identify implements [b2bua.Identity]: who has logged in, and inside who the server says that it is.
func (*server) Identify(ev *sip.Event) b2bua.Caller {
	if ev.Flow.Transport != sip.Inside {
		return b2bua.Caller{Account: aor(ev.User)}
	}
	for asserted, err := range ev.Request.Addresses(sip.HeaderPAssertedIdentity) {
		if err == nil {
			return b2bua.Caller{Trusted: true, Account: asserted.URI.Clone()}
		}
	}
	return b2bua.Caller{Trusted: true}
}

// MayJoin implements [b2bua.Supervisors].
func (*server) MayJoin(b2bua.Caller, sip.URI) bool { return true }

// aor is the address-of-record of a user.
func aor(user string) sip.URI { return sip.URI{Scheme: "sip", User: user, Host: domain} }

// device adds a phone of a user that is registered over a transport.
func device(b *siptest.Bench, name, user, transport string) *siptest.Phone {
	p := b.Phone(name)
	p.Login("sip:"+user+"@"+domain, user)
	p.Register(transport)
	return p
}
