// The server in the middle: a registrar, and a B2BUA or a proxy, behind digest authentication; and how it crashes and comes back.

package storm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/service/proxy"
	"github.com/sipwerk/sipwerk/service/registrar"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
	"github.com/sipwerk/sipwerk/sip/digest"
	"github.com/sipwerk/sipwerk/sip/siptest"
	"github.com/sipwerk/sipwerk/sip/stack"
	"github.com/sipwerk/sipwerk/sip/transaction"
)

// domain is that of the server.
const domain = "example.org"

// server is a whole server without configuration and database.
type server struct {
	storm     *storm
	host      *network.SimHost
	life      int // how often it has crashed
	stack     *stack.Stack
	registrar *registrar.Registrar

	// Either a proxy, or the others.
	proxy   *proxy.Proxy
	dialogs *dialog.Table
	b2bua   *b2bua.B2BUA
	relay   *relay.Relay

	mu      sync.Mutex // guards details
	details map[string]*detail
}

// detail is what the server has said of a call.
type detail struct {
	b2bua.Detail
	life    int
	started int
	ended   int
	open    bool // long after the storm
}

func newServer(s *storm) *server {
	srv := &server{storm: s, host: s.Host("server"), details: make(map[string]*detail)}
	s.Net.Names.AddAddr(domain, s.Addr("server"))
	srv.open()
	s.Watch(siptest.Watched{Name: "server", Host: srv.host, Left: srv.left, Close: srv.close})
	return srv
}

// open starts the server: the first time, and after each crash.
func (s *server) open() {
	random := s.storm.Random(fmt.Sprintf("server %d", s.life))
	s.registrar = &registrar.Registrar{Accounts: s.people()}
	s.stack = &stack.Stack{FlowLost: sip.EventHandlerFunc(s.flowLost), Network: s.host, Resolver: &s.storm.Net.Names, Random: random, Readers: 1,
		Log: slog.New(slog.DiscardHandler)}
	if s.storm.plan.proxy {
		s.openProxy(random)
	} else {
		s.openB2BUA(random)
	}
	addr := s.storm.Addr("server")
	err := errors.Join(s.registrar.Open(), s.stack.Listen(context.Background(), fmt.Sprintf("udp://%s:5060", addr), fmt.Sprintf("tcp://%s:5060", addr)))
	if err != nil {
		s.storm.T.Fatal(err)
	}
}

func (s *server) people() people { return people{count: s.storm.plan.people} }

// door has the sender prove who it is before next gets the request.
func (s *server) door(random io.Reader, next sip.EventHandler, asProxy bool) sip.EventHandler {
	d := &digest.Authenticator{Realm: domain, Accounts: s.people(), Next: next, Key: []byte("a key for the nonces of a test..."), Rand: random, Slots: 1024, Proxy: asProxy}
	if s.storm.plan.trust {
		d.Trust = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}
	}
	return d
}

func (s *server) openB2BUA(random *siptest.Random) {
	s.relay = &relay.Relay{Network: s.host}
	s.dialogs = &dialog.Table{Allow: "INVITE, ACK, CANCEL, BYE, PRACK, UPDATE, OPTIONS, INFO, MESSAGE", Random: random.Uint64, SessionExpires: s.storm.plan.session}
	s.b2bua = &b2bua.B2BUA{Dialogs: s.dialogs, Media: &session.Site{Relay: s.relay}, Router: s.people(), Locator: s, Observer: s, RingTime: 20 * time.Second,
		Silence: s.storm.plan.silence}
	mux := new(sip.Mux)
	mux.Handle("REGISTER "+domain, s.registrar)
	mux.Handle(domain, s.b2bua)
	s.dialogs.Next = s.door(random, mux, false)
	s.stack.Handler = s.dialogs
}

func (s *server) openProxy(random *siptest.Random) {
	s.proxy = &proxy.Proxy{Locator: (*finder)(s), Key: []byte("a key for the tokens of a test.."), Realms: func(realm string) bool { return realm == domain }}
	mux := new(sip.Mux)
	mux.Handle("REGISTER "+domain, s.door(random, s.registrar, false))
	gate := s.door(random, sip.EventHandlerFunc(s.proxy.Forward), true)
	s.proxy.Next = sip.EventHandlerFunc(func(ev *sip.Event) {
		if ev.Kind == sip.EventRequest && ev.Request.Method == sip.MethodRegister {
			mux.HandleEvent(ev)
			return
		}
		gate.HandleEvent(ev)
	})
	s.stack.Handler = s.proxy
	s.proxy.Addresses = s.stack.Transport() // which takes the handler as it is now
}

// flowLost tells everybody of a connection that has ended.
func (s *server) flowLost(ev *sip.Event) {
	s.registrar.FlowLost(ev.Flow)
	if s.dialogs != nil {
		s.dialogs.HandleEvent(ev)
	}
}

// crash ends everything at once and starts the server again; what was in memory is lost.
func (s *server) crash() {
	s.storm.Crashed("server")
	s.host.Crash()
	s.life++
	s.close()
	s.host.Restart()
	s.open()
}

// drain ends the calls whose phones have all crashed while one had the other on hold: nobody is left to end them. Any other call that is still there is a
// finding, for its detail has no end by then.
func (s *server) drain() {
	s.mu.Lock()
	for _, d := range s.details {
		d.open = d.life == s.life && d.ended == 0
	}
	s.mu.Unlock()
	if s.b2bua == nil {
		return
	}
	now, cancel := context.WithCancel(context.Background())
	cancel()
	// The error is that of the context.
	_ = s.b2bua.Drain(now)
}

// left says what the server still holds.
func (s *server) left() []string {
	var out []string
	if left := s.stack.Audit(); left != (transaction.Audit{}) {
		out = append(out, fmt.Sprintf("the server holds %+v", left))
	}
	if s.proxy != nil {
		if n := s.proxy.Counts().Pending; n > 0 {
			out = append(out, fmt.Sprintf("the proxy waits for the answers to %d requests", n))
		}
	} else if calls, legs, streams := s.b2bua.Calls(), s.dialogs.Len(), s.relay.Streams(); calls+legs+streams > 0 {
		out = append(out, fmt.Sprintf("the server holds %d calls, %d legs and %d media streams", calls, legs, streams))
	}
	if n := s.stack.Stats().Panics; n > 0 {
		out = append(out, fmt.Sprintf("the server panicked %d times", n))
	}
	if n := s.registrar.Counts().Bindings; n > 0 {
		out = append(out, fmt.Sprintf("the server holds %d bindings that have expired", n))
	}
	return out
}

func (s *server) close() {
	err := errors.Join(s.stack.Close(), s.registrar.Close())
	if s.relay != nil {
		err = errors.Join(err, s.relay.Close())
	}
	if err != nil {
		s.storm.T.Error(err)
	}
}

// ObserveCall implements [b2bua.Observer].
func (s *server) ObserveCall(d *b2bua.Detail) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.details[d.ID]
	if known == nil {
		known = &detail{life: s.life}
		s.details[strings.Clone(d.ID)] = known
	}
	known.Detail = *d
	known.ID, known.CallID = strings.Clone(d.ID), strings.Clone(d.CallID)
	switch d.Phase {
	case b2bua.Started:
		known.started++
	case b2bua.Ended:
		known.ended++
	}
}

// Lookup implements [b2bua.Locator].
func (s *server) Lookup(account sip.URI) []b2bua.Binding {
	var out []b2bua.Binding
	for _, b := range s.registrar.Lookup(account) {
		if target, err := b.Target(); err == nil {
			out = append(out, b2bua.Binding{Target: target, Path: b.Path, To: b.Destination(), Remote: b.Flow.Remote.Addr(), Local: b.Flow.Local.Addr()})
		}
	}
	return out
}

// finder is the server as the proxy asks it.
type finder server

// Serves implements [proxy.Locator].
func (f *finder) Serves(uri sip.URI) bool { return uri.Host == domain }

// Locate implements [proxy.Locator].
func (f *finder) Locate(found *proxy.Found, uri sip.URI) sip.Status {
	res, ok := found.Room.(*registrar.Result)
	if !ok {
		res = new(registrar.Result)
		found.Room = res
	}
	if !f.registrar.Locate(res, uri) {
		return sip.StatusNotFound
	}
	for i := range res.Bindings {
		b := &res.Bindings[i]
		if target, err := b.Target(); err == nil {
			found.Targets = append(found.Targets, proxy.Target{URI: target, Path: b.Path, To: b.Destination(), Q: b.Q, Spare: i > 0 && b.SameDevice(&res.Bindings[i-1])})
		}
	}
	if len(found.Targets) == 0 {
		return sip.StatusTemporarilyUnavailable
	}
	return 0
}

// people are the accounts of the domain: u0, u1 …, whose password is their name.
type people struct{ count int }

func (p people) exists(user string) bool {
	digits, found := strings.CutPrefix(user, "u")
	n, err := strconv.Atoi(digits)
	return found && err == nil && n < p.count
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
func (p people) Route(q *b2bua.Question) b2bua.Route {
	aor, ok := p.AOR(q.Request.URI)
	if !ok {
		return b2bua.Route{Refuse: sip.StatusNotFound}
	}
	return b2bua.Route{Account: aor}
}

// user is the name of an account.
func user(n int) string { return "u" + strconv.Itoa(n) }

// aor is the address-of-record of an account.
func aor(n int) sip.URI { return sip.URI{Scheme: "sip", User: user(n), Host: domain} }
