package registrar_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/service/registrar"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/digest"
	"github.com/sipwerk/sipwerk/sip/siptest"
	"github.com/sipwerk/sipwerk/sip/stack"
	"github.com/sipwerk/sipwerk/sip/transaction"
)

var _ = flag.Bool("update", false, "write the golden ladders")

// biloxi has bob, whose password is "zanzibar".
type biloxi struct{}

func (biloxi) HA1(user, realm string, a digest.Algorithm) (digest.HA1, bool) {
	return a.HA1("bob", realm, "zanzibar"), user == "bob"
}
func (biloxi) MaySendAs(user string, from sip.URI) bool { return from.UserName() == user }
func (biloxi) AOR(uri sip.URI) (sip.URI, bool)          { return uri, uri.UserName() == "bob" }
func (biloxi) MayBind(user string, aor sip.URI) bool    { return user == aor.UserName() }

// pair is a registrar on one host and a telephone on another.
type pair struct {
	*siptest.Bench
	registrar *registrar.Registrar
	phone     *stack.Stack
	client    *digest.Client
	home      sip.URI // of the registrar
	cseq      int
}

func runPair(t *testing.T, f func(p *pair), faults ...siptest.Faults) {
	siptest.Run(t, func(b *siptest.Bench) {
		p := &pair{Bench: b, registrar: &registrar.Registrar{Accounts: biloxi{}}}
		p.phone = p.stack("bob", nil)
		if err := p.registrar.Open(); err != nil {
			t.Fatal(err)
		}
		p.stack("registrar", &digest.Authenticator{Realm: "biloxi.example.com", Accounts: biloxi{}, Next: p.registrar})
		p.home = sip.URI{Scheme: "sip", Host: b.Addr("registrar").String()}
		p.client = &digest.Client{User: "bob", Password: "zanzibar", Host: p.home.Host, Realm: "biloxi.example.com"}
		f(p)
		if err := p.registrar.Close(); err != nil {
			t.Error(err)
		}
	}, faults...)
}

func (p *pair) stack(name string, h sip.EventHandler) *stack.Stack {
	host := p.Host(name)
	s := &stack.Stack{Handler: h, Network: host, Resolver: &p.Net.Names}
	if err := s.Listen(context.Background(), fmt.Sprintf("udp://%s:5060", p.Addr(name))); err != nil {
		p.T.Fatal(err)
	}
	p.Watch(siptest.Watched{Name: name, Host: host, Close: func() { s.Close() }, Left: func() []string {
		if left := s.Audit(); left != (transaction.Audit{}) {
			return []string{fmt.Sprintf("%s holds %+v", name, left)}
		}
		return nil
	}})
	return s
}

// register sends a REGISTER, answers challenges as a telephone does, and returns the last response.
func (p *pair) register(lines ...string) *sip.Response {
	p.T.Helper()
	req := sip.NewRequest(sip.MethodRegister, p.home)
	req.Set(sip.HeaderFrom, "<sip:bob@biloxi.example.com>;tag=a73kszlfl")
	req.Set(sip.HeaderTo, "<sip:bob@biloxi.example.com>")
	req.Set(sip.HeaderCallID, "1j9FpLxk3uxtm8tn@biloxi.example.com")
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		req.Add(sip.LookupHeader(name), value)
	}
	p.client.Sign(req)
	for range 3 {
		p.cseq++
		req.Set(sip.HeaderCSeq, fmt.Sprintf("%d REGISTER", p.cseq))
		res := p.exchange(req)
		if res.Status != sip.StatusUnauthorized {
			return res
		}
		if err := p.client.Answer(req, res); errors.Is(err, digest.ErrRefused) {
			return res
		} else if err != nil {
			p.T.Fatal(err)
		}
	}
	p.T.Fatal("challenged again and again")
	return nil
}

func (p *pair) exchange(req *sip.Request) (last *sip.Response) {
	p.T.Helper()
	for res, err := range p.phone.Send(p.T.Context(), req) {
		if err != nil {
			p.T.Fatal(err)
		}
		last = res
	}
	return last
}

// expect checks status and contacts of a response; how much of an expiry is left depends on what was lost.
func (p *pair) expect(res *sip.Response, status sip.Status, contacts ...string) {
	p.T.Helper()
	var got []string
	for value := range res.Values(sip.HeaderContact) {
		contact, _, granted := strings.Cut(value, ";expires=")
		if got = append(got, contact); !granted {
			p.T.Errorf("%s has no expiry", value)
		}
	}
	if res.Status != status || !slices.Equal(got, contacts) {
		p.T.Errorf("%d %q, want %d %q", res.Status, got, status, contacts)
	}
}

const (
	laptop = "<sips:bob@client.biloxi.example.com>"
	mail   = "<mailto:bob@biloxi.example.com>"
)

// flows are those of RFC 3665 §2.
func flows() map[string]func(p *pair) {
	return map[string]func(p *pair){
		"new-registration": func(p *pair) { // RFC 3665 §2.1
			p.expect(p.register("Contact: "+laptop), 200, laptop)
		},
		"update-contacts": func(p *pair) { // RFC 3665 §2.2
			p.register("Contact: " + laptop)
			p.expect(p.register("Contact: "+mail), 200, laptop, mail)
		},
		"fetch-contacts": func(p *pair) { // RFC 3665 §2.3
			p.register("Contact: "+laptop, "Contact: "+mail)
			p.expect(p.register(), 200, laptop, mail)
		},
		"cancel-registration": func(p *pair) { // RFC 3665 §2.4
			p.register("Contact: " + laptop)
			p.expect(p.register("Contact: *", "Expires: 0"), 200)
			if c := p.registrar.Counts(); c.Bindings != 0 {
				p.T.Errorf("%+v", c)
			}
		},
		"refused-registration": func(p *pair) { // RFC 3665 §2.5
			p.client.Password = "guess"
			if res := p.register("Contact: " + laptop); res.Status != sip.StatusUnauthorized {
				p.T.Errorf("wrong password: %d", res.Status)
			}
			if c := p.registrar.Counts(); c.Bindings != 0 {
				p.T.Errorf("%+v", c)
			}
		},
	}
}

func TestFlows(t *testing.T) {
	for name, flow := range flows() {
		t.Run(name, func(t *testing.T) {
			runPair(t, func(p *pair) {
				flow(p)
				p.Wait(time.Second)
				p.Golden(name, "Registration, RFC 3665 §2: "+strings.ReplaceAll(name, "-", " ")+".")
			})
		})
	}
}

// TestFlowsUnderLoss: the same flows end in the same state.
func TestFlowsUnderLoss(t *testing.T) {
	faults := siptest.Faults{Loss: 0.2, Duplicate: 0.2, Reorder: 0.2, Jitter: 50 * time.Millisecond}
	for name, flow := range flows() {
		for faults.Seed = 1; faults.Seed <= 10; faults.Seed++ {
			t.Run(fmt.Sprint(name, " ", faults), func(t *testing.T) { runPair(t, flow, faults) })
		}
	}
}
