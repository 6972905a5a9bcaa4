package phone

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/service/registrar"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/digest"
	"github.com/sipwerk/sipwerk/sip/siptest"
	"github.com/sipwerk/sipwerk/sip/stack"
)

// people are the accounts of the registrar: one, whose password is "secret".
type people struct{ realm string }

func (p people) AOR(uri sip.URI) (sip.URI, bool)       { return uri, uri.User == "alice" }
func (p people) MayBind(user string, aor sip.URI) bool { return user == aor.User }
func (p people) MaySendAs(user string, _ sip.URI) bool { return user != "" }
func (p people) HA1(user, realm string, a digest.Algorithm) (digest.HA1, bool) {
	return a.HA1(user, realm, "secret"), user == "alice" && realm == p.realm
}

// office is a registrar on the host called office.
type office struct {
	*registrar.Registrar
	stack *stack.Stack
	seen  []string // of REGISTERs: Expires, and the algorithm of their credentials
	ways  []string // of INVITEs: Route. They find nobody
}

func newOffice(b *siptest.Bench, algorithm digest.Algorithm) *office {
	b.T.Helper()
	host := b.Host("office")
	realm := people{b.Addr("office").String()}
	o := &office{Registrar: &registrar.Registrar{Accounts: realm, MinExpires: 30 * time.Second, MaxExpires: 20 * time.Minute}}
	auth := &digest.Authenticator{Realm: realm.realm, Accounts: realm, Next: o.Registrar, Algorithms: []digest.Algorithm{algorithm}}
	o.stack = &stack.Stack{Network: host, Resolver: &b.Net.Names, Readers: 1, Log: slog.New(slog.DiscardHandler),
		Handler: sip.EventHandlerFunc(func(ev *sip.Event) {
			if ev.Request.Method == sip.MethodInvite && ev.Kind == sip.EventRequest {
				o.ways = append(o.ways, strings.Join(slices.Collect(ev.Request.Values(sip.HeaderRoute)), ", "))
				_ = ev.Engine.Respond(ev.Tx, ev.Request.Reply(sip.StatusNotFound)) // an error is a call that has ended
				return
			}
			if c, err := sip.ParseCredentials(ev.Request.Get(sip.HeaderAuthorization)); err == nil {
				o.seen = append(o.seen, ev.Request.Get(sip.HeaderExpires)+" "+c.Algorithm)
			}
			auth.HandleEvent(ev)
		})}
	b.Watch(siptest.Watched{Name: "office", Host: host, Close: func() { o.stack.Close() }})
	o.listen(b)
	return o
}

func (o *office) listen(b *siptest.Bench) {
	b.T.Helper()
	addr := b.Addr("office")
	if err := o.stack.Listen(context.Background(), fmt.Sprintf("udp://%s:5060", addr), fmt.Sprintf("tcp://%s:5060", addr)); err != nil {
		b.T.Fatal(err)
	}
}

// bindings counts what the office knows of alice.
func (o *office) bindings(b *siptest.Bench) int {
	n := 0
	for range o.Lookup(sip.URI{Scheme: "sip", User: "alice", Host: b.Addr("office").String()}) {
		n++
	}
	return n
}

// member is a phone with an account at the office.
func member(b *siptest.Bench, change func(*Phone)) *Phone {
	return add(b, "desk", func(p *Phone) {
		p.URI, p.Password = "sip:alice@"+b.Addr("office").String(), "secret"
		if change != nil {
			change(p)
		}
	})
}

func nothing(context.Context, *Call) error { return nil }

// TestRegister: by every transport and algorithm the phone is registered, stays so, and takes its binding back.
func TestRegister(t *testing.T) {
	for _, algorithm := range []digest.Algorithm{digest.MD5, digest.SHA256, digest.SHA512256} {
		for _, transport := range []string{"udp", "tcp"} {
			t.Run(fmt.Sprint(algorithm, " ", transport), func(t *testing.T) {
				siptest.Run(t, func(b *siptest.Bench) {
					o := newOffice(b, algorithm)
					p := member(b, func(p *Phone) { p.Outbound = "sip:office.test;transport=" + transport })
					stop := serve(b, p, nothing)
					b.Wait(time.Second)
					if !p.Registered() || o.bindings(b) != 1 {
						t.Fatalf("registered: %v, %d bindings", p.Registered(), o.bindings(b))
					}
					b.Wait(time.Hour)
					if o.bindings(b) != 1 || len(o.seen) < 8 || len(o.seen) > 20 {
						t.Errorf("an hour later: %d bindings, %d REGISTERs", o.bindings(b), len(o.seen))
					}
					if want := "600 " + algorithm.String(); o.seen[0] != want && !strings.EqualFold(o.seen[0], want) {
						t.Errorf("%q, want %q", o.seen[0], want)
					}
					stopped(t, stop)
					if o.bindings(b) != 0 {
						t.Error("the binding was not taken back")
					}
				})
			})
		}
	}
}

// TestRegisterRefused: a wrong password ends Serve, and nothing is tried again.
func TestRegisterRefused(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		newOffice(b, digest.SHA256)
		p := member(b, func(p *Phone) { p.Password = "wrong" })
		err := p.Serve(context.Background(), nothing)
		if status := sip.StatusOf(err); status != sip.StatusUnauthorized {
			t.Errorf("%v", err)
		}
		if p.Registered() {
			t.Error("registered")
		}
	})
}

// TestRegisterTooBrief: 423 names the shortest time, and the phone asks for that. RFC 3261 §10.2.8.
func TestRegisterTooBrief(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		o := newOffice(b, digest.SHA256)
		p := member(b, func(p *Phone) { p.Expires = 5 * time.Second })
		if err := p.Register(context.Background()); err != nil {
			t.Fatal(err)
		}
		b.Wait(time.Minute)
		if got := strings.Join(o.seen, ","); !strings.HasPrefix(got, "5 SHA-256,30 SHA-256,30 SHA-256") || o.bindings(b) != 1 {
			t.Errorf("%s, %d bindings", got, o.bindings(b))
		}
	})
}

// TestRegisterLater: a registrar that cannot be reached is tried again after growing pauses, until it is there.
func TestRegisterLater(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		o := newOffice(b, digest.SHA256)
		p := member(b, func(p *Phone) { p.Outbound = "sip:office.test;transport=tcp" })
		if err := o.stack.Close(); err != nil {
			t.Fatal(err)
		}
		stop := serve(b, p, nothing)
		b.Wait(time.Minute)
		if p.Registered() {
			t.Error("registered at nobody")
		}
		fresh := newStack(b, o)
		b.Wait(10 * time.Minute)
		if !p.Registered() || o.bindings(b) != 1 {
			t.Errorf("registered: %v, %d bindings", p.Registered(), o.bindings(b))
		}
		stopped(t, stop)
		fresh.Close()
	})
}

// TestRegisterAfterLoss: the connection is cut, the phone registers again at once.
func TestRegisterAfterLoss(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		o := newOffice(b, digest.SHA256)
		p := member(b, func(p *Phone) { p.Outbound = "sip:office.test;transport=tcp" })
		if err := p.Register(context.Background()); err != nil {
			t.Fatal(err)
		}
		before := len(o.seen)
		b.Wait(time.Second)
		p.Network.(interface{ Cut() }).Cut()
		b.Wait(time.Second)
		if len(o.seen) == before || !p.Registered() {
			t.Errorf("%d REGISTERs before, %d after", before, len(o.seen))
		}
	})
}

// TestRegisterGivenUp: the context ends before anybody answers.
func TestRegisterGivenUp(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		b.Host("office")
		p := member(b, nil)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := p.Register(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

// newStack starts the office again after its stack was closed.
func newStack(b *siptest.Bench, o *office) *stack.Stack {
	old := o.stack
	o.stack = &stack.Stack{Network: old.Network, Resolver: old.Resolver, Readers: 1, Log: old.Log, Handler: old.Handler}
	o.listen(b)
	return o.stack
}
