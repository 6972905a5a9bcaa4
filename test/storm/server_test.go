// The server in the middle: registrar and B2BUA behind digest authentication, and how it crashes and comes back.

package storm

import (
	"context"
	"errors"
	"fmt"
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
	dialogs   *dialog.Table
	registrar *registrar.Registrar
	b2bua     *b2bua.B2BUA
	relay     *relay.Relay

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
	who := people{count: s.storm.plan.people}
	s.relay = &relay.Relay{Network: s.host}
	s.registrar = &registrar.Registrar{Accounts: who}
	s.dialogs = &dialog.Table{Allow: "INVITE, ACK, CANCEL, BYE, UPDATE, OPTIONS, INFO, MESSAGE", Random: random.Uint64}
	s.b2bua = &b2bua.B2BUA{Dialogs: s.dialogs, Media: &session.Site{Relay: s.relay}, Router: who, Locator: s, Observer: s, RingTime: 20 * time.Second,
		Silence: time.Minute}
	mux := new(sip.Mux)
	mux.Handle("REGISTER "+domain, s.registrar)
	mux.Handle(domain, s.b2bua)
	door := &digest.Authenticator{Realm: domain, Accounts: who, Next: mux, Key: []byte("a key for the nonces of a test..."), Rand: random, Slots: 1024}
	if s.storm.plan.trust {
		door.Trust = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}
	}
	s.dialogs.Next = door
	s.stack = &stack.Stack{Handler: s.dialogs, FlowLost: s.dialogs, Network: s.host, Resolver: &s.storm.Net.Names, Random: random, Readers: 1,
		Log: slog.New(slog.DiscardHandler)}
	addr := s.storm.Addr("server")
	err := errors.Join(s.registrar.Open(), s.stack.Listen(context.Background(), fmt.Sprintf("udp://%s:5060", addr), fmt.Sprintf("tcp://%s:5060", addr)))
	if err != nil {
		s.storm.T.Fatal(err)
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
	if calls, legs, streams := s.b2bua.Calls(), s.dialogs.Len(), s.relay.Streams(); calls+legs+streams > 0 {
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
	if err := errors.Join(s.stack.Close(), s.relay.Close(), s.registrar.Close()); err != nil {
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
func (p people) Route(req *sip.Request) b2bua.Route {
	aor, ok := p.AOR(req.URI)
	if !ok {
		return b2bua.Route{Refuse: sip.StatusNotFound}
	}
	return b2bua.Route{Account: aor}
}

// user is the name of an account.
func user(n int) string { return "u" + strconv.Itoa(n) }

// aor is the address-of-record of an account.
func aor(n int) sip.URI { return sip.URI{Scheme: "sip", User: user(n), Host: domain} }
