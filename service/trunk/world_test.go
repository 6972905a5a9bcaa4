package trunk

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/digest"
	"github.com/sipwerk/sipwerk/sip/siptest"
	"github.com/sipwerk/sipwerk/sip/stack"
)

var _ = flag.Bool("update", false, "write the golden ladders")

// world is a server with trunks on one host, and providers on others.
type world struct {
	*siptest.Bench
	group *Group
	stack *stack.Stack

	mu     sync.Mutex // guards events
	events []string
}

// ObserveTrunk implements [Observer].
func (w *world) ObserveTrunk(e Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	line := e.Trunk + " " + e.What.String()
	if e.Status != 0 {
		line += " " + strconv.Itoa(int(e.Status))
	}
	w.events = append(w.events, line)
}

// told returns what was observed since the last time.
func (w *world) told() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := strings.Join(w.events, ", ")
	w.events = nil
	return s
}

// expect fails the test unless exactly this was observed.
func (w *world) expect(want string) {
	w.T.Helper()
	if got := w.told(); got != want {
		w.T.Errorf("told %q, want %q", got, want)
	}
}

// wire is what the group asks of the stack.
type wire struct{ stack *stack.Stack }

func (x wire) Resolve(ctx context.Context, server sip.URI) (all []netip.AddrPort, err error) {
	found, err := x.stack.Transport().Resolve(ctx, server)
	for _, t := range found {
		all = append(all, t.Addr)
	}
	return all, err
}

func (x wire) KeepAlive(f sip.Flow) error { return x.stack.Transport().KeepAlive(f) }

// run plays f on a bench with a server and closes its trunks.
func run(t *testing.T, f func(w *world), faults ...siptest.Faults) {
	siptest.Run(t, func(b *siptest.Bench) { play(b, f) }, faults...)
}

func play(b *siptest.Bench, f func(w *world)) {
	w := &world{Bench: b}
	w.group = &Group{Secret: []byte("secret"), Observer: w, Random: rand.New(b.Random("chance"))}
	host := b.Host("pbx")
	w.stack = newStack(w, "pbx", host, sip.EventHandlerFunc(func(ev *sip.Event) {
		if ev.Kind == sip.EventRequest {
			_ = ev.Engine.RespondOnce(ev.Tx, ev.Request.Reply(sip.StatusOK))
		}
	}))
	w.stack.FlowLost = sip.EventHandlerFunc(func(ev *sip.Event) { w.group.FlowLost(ev.Flow) })
	w.listen(w.stack, "pbx", "udp", "tcp")
	w.group.Engine, w.group.Wire = w.stack, wire{w.stack}
	b.Watch(siptest.Watched{Name: "pbx", Host: host, Left: func() (left []string) {
		if n := w.group.Status(""); len(n) > 0 {
			left = append(left, fmt.Sprintf("%d trunks", len(n)))
		}
		return left
	}, Close: func() { _ = w.stack.Close() }})
	f(w)
	closing, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if err := w.group.Close(closing); err != nil {
		b.T.Errorf("close: %v", err)
	}
}

func newStack(w *world, name string, host *network.SimHost, h sip.EventHandler) *stack.Stack {
	return &stack.Stack{Handler: h, Network: host, Resolver: &w.Net.Names, Random: w.Random(name), Readers: 1, Log: slog.New(slog.DiscardHandler)}
}

func (w *world) listen(s *stack.Stack, name string, transports ...string) {
	for _, tr := range transports {
		if err := s.Listen(context.Background(), fmt.Sprintf("%s://%s:5060", tr, w.Addr(name))); err != nil {
			w.T.Fatal(err)
		}
	}
}

// provider is a registrar that challenges, and does what it is told.
type provider struct {
	w     *world
	name  string
	host  *network.SimHost
	stack *stack.Stack
	guard *digest.Authenticator

	mu       sync.Mutex // guards what follows
	refuse   sip.Status // to everything; 0: nothing
	later    string     // Retry-After of that
	least    int        // Min-Expires
	expires  int        // granted at most
	more     map[sip.Header]string
	bindings map[string]string // expires by Contact
	asked    map[sip.Method]int
}

const password = "secret of u1"

// HA1 implements [digest.Accounts].
func (p *provider) HA1(user, realm string, a digest.Algorithm) (digest.HA1, bool) {
	return a.HA1(user, realm, password), user == "u1" && realm == p.realm()
}

// MaySendAs implements [digest.Accounts].
func (p *provider) MaySendAs(string, sip.URI) bool { return true }

func (p *provider) realm() string { return p.name + ".test" }

// provider puts one on a host of its own.
func (w *world) provider(name string) *provider {
	p := &provider{w: w, name: name, host: w.Host(name), bindings: map[string]string{}, asked: map[sip.Method]int{}, more: map[sip.Header]string{}}
	p.guard = &digest.Authenticator{Realm: p.realm(), Accounts: p, Next: sip.EventHandlerFunc(p.serve), Key: []byte("0123456789abcdef0123456789abcdef"), Slots: 64}
	p.stack = newStack(w, name, p.host, sip.EventHandlerFunc(p.receive))
	w.listen(p.stack, name, "udp", "tcp")
	w.Watch(siptest.Watched{Name: name, Host: p.host, Close: func() { _ = p.stack.Close() }})
	return p
}

func (p *provider) set(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}

// count returns how many requests of a method came.
func (p *provider) count(m sip.Method) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked[m]
}

// known returns how many contacts are bound.
func (p *provider) known() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.bindings)
}

func (p *provider) receive(ev *sip.Event) {
	if ev.Kind != sip.EventRequest {
		return
	}
	p.mu.Lock()
	p.asked[ev.Request.Method]++
	refuse, later := p.refuse, p.later
	p.mu.Unlock()
	switch {
	case refuse != 0:
		res := ev.Request.Reply(refuse)
		if later != "" {
			res.Set(sip.HeaderRetryAfter, later)
		}
		_ = ev.Engine.Respond(ev.Tx, res)
	case ev.Request.Method == sip.MethodOptions:
		_ = ev.Engine.RespondOnce(ev.Tx, ev.Request.Reply(sip.StatusOK))
	default:
		p.guard.HandleEvent(ev)
	}
}

// serve takes what has proved its sender.
func (p *provider) serve(ev *sip.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	asked, _ := ev.Request.Uint(sip.HeaderExpires)
	res := ev.Request.Reply(sip.StatusOK)
	contact, _ := ev.Request.Contact()
	key := strings.Clone(contact.URI.String())
	switch {
	case ev.Request.Method != sip.MethodRegister:
		res = ev.Request.Reply(sip.StatusNotFound)
	case asked == 0:
		delete(p.bindings, key)
	case int(asked) < p.least:
		res = ev.Request.Reply(sip.StatusIntervalTooBrief)
		res.Set(sip.HeaderMinExpires, strconv.Itoa(p.least))
	default:
		granted := int(asked)
		if p.expires > 0 {
			granted = min(granted, p.expires)
		}
		p.bindings[key] = strconv.Itoa(granted)
		res.Set(sip.HeaderContact, "<"+key+">;expires="+strconv.Itoa(granted))
		for h, v := range p.more {
			res.Set(h, v)
		}
	}
	_ = ev.Engine.Respond(ev.Tx, res)
}

// settings are those of a trunk that registers at a provider.
func settings(p *provider) Settings {
	return Settings{Domain: "example.org", Name: p.name, Register: true, Servers: []sip.URI{{Scheme: "sip", Host: p.name + ".test", Params: ";transport=udp"}},
		Login: Login{User: "u1", Password: password}, Interval: -1, Numbering: Numbering{Country: "49", Own: []Range{{"+4930100", "+4930199"}}}}
}
