// A phone on the bench: a whole stack with dialogs, and a test in place of the person. RFC 3261 §13.

package siptest

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
	"github.com/sipwerk/sipwerk/sip/digest"
	"github.com/sipwerk/sipwerk/sip/stack"
)

// Phone is a user agent with one address. It belongs to the goroutine of the test.
type Phone struct {
	Name  string
	Host  *network.SimHost
	Stack *stack.Stack
	Calls *dialog.Table
	// Identity stands in From; the address of the phone if not set. [Phone.Login] sets it.
	Identity sip.URI
	// Auth answers challenges to what the phone sends.
	Auth *digest.Client
	// Refers lets the phone take REFER with 202; [Call.Report] says what comes of it.
	Refers bool

	// Codec is the only one that the phone has, as an rtpmap says it: "8 PCMA/8000". "": PCMU.
	Codec string

	bench    *Bench
	incoming chan *Call
	crashed  bool

	mu       sync.Mutex       // guards what follows
	referred map[string]*Call // by the Call-ID of the REFER that was sent outside its dialog
	messages []string
}

// Phone adds a phone on a host called name. It listens on the transports named ("udp", "tcp"), on UDP and TCP if none is.
func (b *Bench) Phone(name string, transports ...string) *Phone {
	b.T.Helper()
	p := &Phone{Name: name, Host: b.Host(name), bench: b, incoming: make(chan *Call, 64)}
	random := b.Random(name)
	p.Calls = &dialog.Table{Next: sip.EventHandlerFunc(p.outside), Random: random.Uint64}
	p.Stack = &stack.Stack{Handler: p.Calls, FlowLost: p.Calls, Network: p.Host, Resolver: &b.Net.Names, Random: random, Readers: 1,
		Log: slog.New(slog.DiscardHandler)}
	if len(transports) == 0 {
		transports = []string{"udp", "tcp"}
	}
	for _, tr := range transports {
		if err := p.Stack.Listen(context.Background(), fmt.Sprintf("%s://%s:5060", tr, b.Addr(name))); err != nil {
			b.T.Fatalf("%s: %v", name, err)
		}
	}
	b.Watch(Watched{Name: name, Host: p.Host, Left: p.left, Close: func() {
		if err := p.Stack.Close(); err != nil {
			b.T.Errorf("%s: close: %v", name, err)
		}
	}})
	return p
}

// Crash switches the phone off in the middle of everything. The audit asks no more of it than to close.
func (p *Phone) Crash() {
	p.crashed = true
	p.Host.Crash()
	p.bench.Crashed(p.Name)
}

// left says what the phone still holds.
func (p *Phone) left() []string {
	if p.crashed {
		return nil
	}
	var out []string
	if n := p.Calls.Len(); n > 0 {
		out = append(out, fmt.Sprintf("%s has %d calls", p.Name, n))
	}
	a := p.Stack.Audit()
	if a.Rows+a.Timers+a.Queued > 0 {
		out = append(out, fmt.Sprintf("%s has %d transactions, %d timers and %d events", p.Name, a.Rows, a.Timers, a.Queued))
	}
	if n := p.Stack.Stats().Panics; n > 0 {
		out = append(out, fmt.Sprintf("%s panicked %d times", p.Name, n))
	}
	return out
}

// URI returns the address of the phone: sip:name@192.0.2.1.
func (p *Phone) URI() sip.URI { return p.bench.URI(p.Name) }

func (p *Phone) codec() string {
	if p.Codec == "" {
		return "0 PCMU/8000"
	}
	return p.Codec
}

// Takes reports whether an offer has the codec of the phone. What is offered later is refused without it (488); who answers a call looks first.
func (p *Phone) Takes(offer string) bool {
	format, _, _ := strings.Cut(p.codec(), " ")
	for line := range strings.Lines(offer) {
		if media, ok := strings.CutPrefix(line, "m=audio "); ok {
			return slices.Contains(strings.Fields(media)[2:], format)
		}
	}
	return false
}

// identity is what stands in From.
func (p *Phone) identity() sip.URI {
	if p.Identity.Host == "" {
		return p.URI()
	}
	return p.Identity
}

// Login gives the phone an address-of-record and the password of its account; the realm is the domain.
func (p *Phone) Login(aor, password string) {
	p.bench.T.Helper()
	uri, err := sip.ParseURI(aor)
	if err != nil {
		p.bench.T.Fatal(err)
	}
	p.Identity = uri
	p.Auth = &digest.Client{User: uri.UserName(), Password: password, Host: uri.Host, Realm: uri.Host, Rand: p.bench.Random(p.Name + " cnonce")}
}

// Register sends a REGISTER for the identity to its domain over a transport ("udp", "tcp") and fails the test unless it is answered with 200.
func (p *Phone) Register(transport string) {
	p.bench.T.Helper()
	req := sip.NewRequest(sip.MethodRegister, sip.URI{Scheme: "sip", Host: p.identity().Host, Params: sip.Params("").With("transport", transport)})
	contact := p.contact()
	contact.Params = contact.Params.With("transport", transport)
	req.Set(sip.HeaderContact, "<"+contact.String()+">")
	req.Set(sip.HeaderTo, "<"+p.identity().String()+">")
	res, err := p.Send(req)
	if err != nil || res.Status != sip.StatusOK {
		p.bench.T.Fatalf("%s: register: %v %v", p.Name, res, err)
	}
}

// Messages are the texts that have come by MESSAGE outside a dialog.
func (p *Phone) Messages() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.messages)
}

// outside takes requests outside a dialog: calls wait for Incoming, OPTIONS, MESSAGE and the reports of a REFER are answered.
func (p *Phone) outside(ev *sip.Event) {
	if ev.Kind != sip.EventRequest {
		return
	}
	switch ev.Request.Method {
	case sip.MethodInvite:
		p.ring(ev)
	case sip.MethodNotify:
		p.reported(ev)
	case sip.MethodMessage:
		p.mu.Lock()
		p.messages = append(p.messages, string(ev.Request.Body()))
		p.mu.Unlock()
		_ = ev.Engine.Respond(ev.Tx, ev.Request.Reply(sip.StatusOK))
	case sip.MethodOptions:
		_ = ev.Engine.Respond(ev.Tx, ev.Request.Reply(sip.StatusOK))
	default:
		_ = ev.Engine.RespondOnce(ev.Tx, ev.Request.Reply(sip.StatusMethodNotAllowed))
	}
}

// ring takes a call that comes in.
func (p *Phone) ring(ev *sip.Event) {
	c := newCall(p)
	u, err := p.Calls.Incoming(ev, c)
	if err != nil {
		return
	}
	c.Usage, c.remote = u, string(ev.Request.Body())
	u.SetContact("<" + p.contact().String() + ">")
	select {
	case p.incoming <- c:
	default:
		_ = u.Reject(sip.StatusBusyHere)
	}
}

// contact is the Contact of the phone; the stack puts its address in.
func (p *Phone) contact() sip.URI {
	return sip.URI{Scheme: "sip", User: p.Name, Host: sip.AnyHost}
}

// Incoming waits for the next call that comes in. The test fails and stops if none comes within 64*T1.
func (p *Phone) Incoming() *Call {
	p.bench.T.Helper()
	deadline := time.NewTimer(32 * time.Second)
	defer deadline.Stop()
	select {
	case c := <-p.incoming:
		return c
	case <-deadline.C:
		p.bench.T.Fatalf("no call comes to %s", p.Name)
		return nil
	}
}

// Dial starts a call with an offer.
func (p *Phone) Dial(to sip.URI) *Call {
	p.bench.T.Helper()
	return p.dial(to, true)
}

// DialWith starts a call whose INVITE has more header fields, each as "Name: value".
func (p *Phone) DialWith(to sip.URI, lines ...string) *Call {
	p.bench.T.Helper()
	return p.dial(to, true, lines...)
}

// DialReplacing starts a call that is to take the place of the one that r names: see [Call.Replaces].
func (p *Phone) DialReplacing(to sip.URI, r sip.Replaces) *Call {
	p.bench.T.Helper()
	return p.dial(to, true, sip.HeaderReplaces.String()+": "+r.String())
}

// DialJoining starts a call that is to join the one that r names, as [Call.Replaces] names it. RFC 3911 §4.
func (p *Phone) DialJoining(to sip.URI, r sip.Replaces) *Call {
	p.bench.T.Helper()
	return p.dial(to, true, sip.HeaderJoin.String()+": "+sip.Join{CallID: r.CallID, ToTag: r.ToTag, FromTag: r.FromTag}.String())
}

// DialWithoutOffer starts a call whose INVITE has no body: the offer comes in the 200, the answer goes with the ACK.
func (p *Phone) DialWithoutOffer(to sip.URI) *Call {
	p.bench.T.Helper()
	return p.dial(to, false)
}

func (p *Phone) dial(to sip.URI, offer bool, lines ...string) *Call {
	p.bench.T.Helper()
	c := newCall(p)
	req := sip.NewRequest(sip.MethodInvite, to)
	req.Set(sip.HeaderFrom, "<"+p.identity().String()+">")
	req.Set(sip.HeaderContact, "<"+p.contact().String()+">")
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		req.AddName(name, value)
	}
	if offer {
		body := c.describe("sendrecv")
		req.SetBody(body.Type, body.Bytes)
	}
	// The stripe is the hash of the name: two runs take the same.
	stripe := sip.StripeOf(p.Name)
	started := make(chan error, 1)
	p.Stack.Do(stripe, func() {
		out := dialog.Outgoing{Engine: p.Stack, Stripe: stripe, Request: req}
		if p.Auth != nil {
			out.Auth = p.Auth
		}
		var err error
		c.Usage, err = p.Calls.Invite(out, c)
		started <- err
	})
	if err := <-started; err != nil {
		p.bench.T.Fatalf("%s: dial %v: %v", p.Name, to, err)
	}
	return c
}

// Send sends a request outside a dialog and returns the final response, nil if there is none. What is mandatory and
// missing is filled in. Challenges are answered.
func (p *Phone) Send(req *sip.Request) (*sip.Response, error) {
	if !req.Has(sip.HeaderFrom) {
		req.Set(sip.HeaderFrom, "<"+p.identity().String()+">")
	}
	if !req.Has(sip.HeaderCallID) {
		req.Set(sip.HeaderCallID, p.Stack.NewID(0))
	}
	for seq := uint32(1); ; seq++ {
		if cseq, err := req.CSeq(); err == nil && seq == 1 {
			seq = cseq.Number
		}
		req.Set(sip.HeaderCSeq, sip.CSeq{Number: seq, Method: req.Method}.String())
		res, err := p.final(req)
		challenged := err == nil && (res.Status == sip.StatusUnauthorized || res.Status == sip.StatusProxyAuthRequired)
		if !challenged || p.Auth == nil {
			return res, err
		}
		again, ok := p.Auth.Authorize(req, res)
		if !ok {
			return res, nil
		}
		req = again
	}
}

func (p *Phone) final(req *sip.Request) (*sip.Response, error) {
	for res, err := range p.Stack.Send(context.Background(), req) {
		if err != nil {
			return nil, err
		}
		if res.Status.Final() {
			return res, nil
		}
	}
	return nil, sip.ErrTimeout
}
