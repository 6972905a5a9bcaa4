package load_test

import (
	"context"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sipwerk/sipwerk/load"
	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/digest"
	"github.com/sipwerk/sipwerk/sip/stack"
)

const domain = "example.test"

// proxy is a small registrar and record-routing proxy. What it does wrong is up to the test.
type proxy struct {
	stack *stack.Stack
	route string // its Record-Route; "" for none

	mu       sync.Mutex                 // guards contacts, flows
	contacts map[string]sip.URI         // by user
	flows    map[string]sip.Destination // the same for those that came over a stream

	answer  func(*sip.Response) // edits what goes back to the caller
	forward func(*sip.Request)  // edits what goes to the callee
	refuse  func(*sip.Request) sip.Status
}

func (p *proxy) HandleEvent(ev *sip.Event) {
	switch ev.Kind {
	case sip.EventRequest:
		p.take(ev)
	case sip.EventAck:
		req := ev.Request.Clone()
		req.PopFirst(sip.HeaderRoute)
		p.edit(req)
		_ = ev.Engine.Ack(ev.Stripe, req, p.to(req))
	}
}

func (p *proxy) edit(req *sip.Request) {
	if p.forward != nil {
		p.forward(req)
	}
}

func (p *proxy) take(ev *sip.Event) {
	req := ev.Request
	if p.refuse != nil {
		if s := p.refuse(req); s != 0 {
			_ = ev.Engine.Respond(ev.Tx, req.Reply(s))
			return
		}
	}
	switch req.Method {
	case sip.MethodRegister:
		_ = ev.Engine.Respond(ev.Tx, p.register(ev))
	case sip.MethodOptions:
		_ = ev.Engine.Respond(ev.Tx, req.Reply(sip.StatusOK))
	default:
		p.relay(ev)
	}
}

func (p *proxy) register(ev *sip.Event) *sip.Response {
	req := ev.Request.Clone()
	res := req.Reply(sip.StatusOK)
	to, _ := req.To()
	p.mu.Lock()
	defer p.mu.Unlock()
	if c, ok := req.Contact(); ok {
		p.contacts[to.URI.User] = c.URI
		if ev.Flow.ID != 0 {
			p.flows[c.URI.Host+to.URI.User] = sip.Destination{Flow: ev.Flow}
		}
		res.Add(sip.HeaderContact, c.String())
	} else {
		delete(p.contacts, to.URI.User)
	}
	if p.answer != nil {
		p.answer(res)
	}
	return res
}

// to is where a request goes: over the flow of its callee if that came by one.
func (p *proxy) to(req *sip.Request) sip.Destination {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, d := range p.flows {
		if strings.HasPrefix(key, req.URI.Host) && d.Flow.Remote.Port() == req.URI.Port {
			return d
		}
	}
	return sip.Destination{}
}

func (p *proxy) relay(ev *sip.Event) {
	req := ev.Request.Clone()
	if req.ToTag() == "" {
		p.mu.Lock()
		target, ok := p.contacts[req.URI.User]
		p.mu.Unlock()
		if !ok {
			_ = ev.Engine.Respond(ev.Tx, req.Reply(sip.StatusTemporarilyUnavailable))
			return
		}
		req.URI = target
		if p.route != "" {
			req.Prepend(sip.HeaderRecordRoute, p.route)
		}
	} else {
		req.PopFirst(sip.HeaderRoute)
	}
	p.edit(req)
	server := ev.Tx
	_, err := ev.Engine.Start(ev.Stripe, req, p.to(req), sip.EventHandlerFunc(func(ev *sip.Event) {
		if ev.Kind != sip.EventResponse || ev.Response.Status == sip.StatusTrying {
			return
		}
		res := ev.Response.Clone()
		res.PopFirst(sip.HeaderVia)
		if p.answer != nil {
			p.answer(res)
		}
		_ = ev.Engine.Respond(server, res)
	}))
	if err != nil {
		_ = ev.Engine.Respond(ev.Tx, req.Reply(sip.StatusServiceUnavailable))
	}
}

// accounts knows every user uN with the password pN.
type accounts struct{}

func (accounts) HA1(user, realm string, a digest.Algorithm) (digest.HA1, bool) {
	return a.HA1(user, realm, "p"+strings.TrimPrefix(user, "u")), true
}

func (accounts) MaySendAs(string, sip.URI) bool { return true }

// world is a proxy and a host to load it from, on a simulated network.
type world struct {
	net    *network.Sim
	proxy  *proxy
	target netip.AddrPort
	host   *network.SimHost
}

// simulate runs f in a bubble of virtual time.
func simulate(t *testing.T, scheme string, challenge bool, f func(*testing.T, *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := new(network.Sim)
		n.SetConditions(network.Conditions{Delay: 10 * time.Millisecond})
		addr := netip.MustParseAddr("192.0.2.1")
		p := &proxy{route: "<sip:192.0.2.1;transport=" + scheme + ";lr>", contacts: make(map[string]sip.URI), flows: make(map[string]sip.Destination)}
		var h sip.EventHandler = p
		if challenge {
			h = within{p, &digest.Authenticator{Realm: domain, Accounts: accounts{}, Next: p}}
		}
		p.stack = &stack.Stack{Handler: h, Network: n.Host(addr), Resolver: &n.Names, Readers: 1}
		if err := p.stack.Listen(context.Background(), scheme+"://192.0.2.1:5060"); err != nil {
			t.Fatal(err)
		}
		w := &world{net: n, proxy: p, target: netip.AddrPortFrom(addr, 5060), host: n.Host(netip.MustParseAddr("192.0.2.2"))}
		f(t, w)
		if err := p.stack.Close(); err != nil {
			t.Error(err)
		}
		if open := w.host.Open(); open > 0 {
			t.Errorf("%d ports are left", open)
		}
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
}

// within lets requests within dialogs pass, as a table of dialogs does.
type within struct {
	inside, outside sip.EventHandler
}

func (w within) HandleEvent(ev *sip.Event) {
	if ev.Request != nil && ev.Request.ToTag() != "" {
		w.inside.HandleEvent(ev)
		return
	}
	w.outside.HandleEvent(ev)
}

// run carries out a plan against the proxy.
func (w *world) run(t *testing.T, p load.Plan) *load.Result {
	t.Helper()
	p.Target, p.Network, p.Owned, p.Domain = w.target, w.host, true, domain
	if p.Users.Count == 0 {
		p.Users = load.Users{Count: 20, Name: "u{n}", Password: "p{n}"}
	}
	if p.Rate == 0 {
		p.Rate = 50
	}
	if p.Window == 0 {
		p.Warmup, p.Window = time.Second, 2*time.Second
	}
	r, err := (&load.Run{Plan: p}).Do(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}
