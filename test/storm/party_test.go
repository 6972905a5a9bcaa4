// A party: a phone that acts by the plan and reacts by chance.

package storm

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
	"github.com/sipwerk/sipwerk/sip/digest"
	"github.com/sipwerk/sipwerk/sip/siptest"
	"github.com/sipwerk/sipwerk/sip/stack"
	"github.com/sipwerk/sipwerk/sip/transaction"
)

// party is a phone.
type party struct {
	role
	storm *storm
	name  string
	host  *network.SimHost
	auth  *digest.Client

	// The present life. Changed by the test's goroutine only, when everything is at rest.
	life     int
	down     bool
	stack    *stack.Stack
	dialogs  *dialog.Table
	register *registration

	mu     sync.Mutex // guards all below
	random *rand.Rand
	legs   []*leg
	asked  []*question
}

func newParty(s *storm, number int) *party {
	p := &party{role: s.plan.parties[number], storm: s, name: fmt.Sprintf("p%d", number)}
	p.host = s.Host(p.name)
	p.host.SetConditions(p.link)
	p.random = rand.New(rand.NewPCG(s.plan.faults.Seed, uint64(number)))
	p.open()
	s.Watch(siptest.Watched{Name: p.name, Host: p.host, Left: p.left, Close: p.close})
	return p
}

// open switches the phone on: the first time, and after each crash.
func (p *party) open() {
	random := p.storm.Random(fmt.Sprintf("%s %d", p.name, p.life))
	p.auth = &digest.Client{User: user(p.user), Password: user(p.user), Host: domain, Realm: domain, Rand: random}
	p.dialogs = &dialog.Table{Next: sip.EventHandlerFunc(p.outside), Random: random.Uint64, SessionExpires: p.storm.plan.session}
	p.stack = &stack.Stack{Handler: p.dialogs, FlowLost: p.dialogs, Network: p.host, Resolver: &p.storm.Net.Names, Random: random, Readers: 1,
		Log: slog.New(slog.DiscardHandler)}
	addr := p.storm.Addr(p.name)
	if err := p.stack.Listen(context.Background(), fmt.Sprintf("udp://%s:5060", addr), fmt.Sprintf("tcp://%s:5060", addr)); err != nil {
		p.storm.T.Fatal(err)
	}
	p.register = newRegistration(p)
}

// crash switches the phone off in the middle of everything.
func (p *party) crash() {
	p.storm.Crashed(p.name)
	p.down = true
	p.forget()
	p.host.Crash()
	p.close()
}

// forget takes back the promise that the present calls and requests come to an end at this phone.
func (p *party) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.legs {
		l.crashed = l.crashed || !l.over()
	}
	for _, q := range p.asked {
		q.crashed = q.crashed || q.outcomes == 0
	}
}

// comeBack switches the phone on again.
func (p *party) comeBack() {
	p.storm.Note(p.name, "comes back")
	p.life++
	p.host.Restart()
	p.open()
	p.down = false
	p.register.want(true)
}

func (p *party) close() {
	if err := p.stack.Close(); err != nil {
		p.storm.T.Errorf("%s: close: %v", p.name, err)
	}
}

// left says what the phone still holds.
func (p *party) left() []string {
	if p.down {
		return nil
	}
	var out []string
	if n := p.dialogs.Len(); n > 0 {
		out = append(out, fmt.Sprintf("%s has %d calls", p.name, n))
	}
	if left := p.stack.Audit(); left != (transaction.Audit{}) {
		out = append(out, fmt.Sprintf("%s holds %+v", p.name, left))
	}
	if n := p.stack.Stats().Panics; n > 0 {
		out = append(out, fmt.Sprintf("%s panicked %d times", p.name, n))
	}
	return out
}

// chance reports whether something happens that happens n times of 100.
func (p *party) chance(n int) bool { return p.draw(100) < n }

// draw returns a number below n.
func (p *party) draw(n int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.random.IntN(n)
}

// moment returns a time between two bounds.
func (p *party) moment(from, to time.Duration) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return from + time.Duration(p.random.Int64N(int64(to-from)))
}

// identity is the address-of-record of the party, on its transport.
func (p *party) to(u sip.URI) sip.URI {
	u.Params = u.Params.With("transport", p.transport)
	return u
}

// contact is the Contact of the phone; the stack puts its address in.
func (p *party) contact() string {
	c := p.to(sip.URI{Scheme: "sip", User: p.name, Host: sip.AnyHost})
	return "<" + c.String() + ">"
}

// outside takes requests outside a dialog.
func (p *party) outside(ev *sip.Event) {
	if ev.Kind != sip.EventRequest {
		return
	}
	switch ev.Request.Method {
	case sip.MethodInvite:
		p.invited(ev)
	case sip.MethodOptions, sip.MethodMessage:
		_ = ev.Engine.Respond(ev.Tx, ev.Request.Reply(sip.StatusOK))
	default:
		_ = ev.Engine.RespondOnce(ev.Tx, ev.Request.Reply(sip.StatusMethodNotAllowed))
	}
}

// question is a request outside a dialog and what came of it.
type question struct {
	party    *party
	request  *sip.Request
	tries    int
	outcomes int
	status   sip.Status // 0: none came
	crashed  bool
	done     func(q *question, res *sip.Response) // may be nil
	tx       sip.TransactionID
}

// ask sends a request outside a dialog; it must be called in the stripe of its Call-ID.
func (p *party) ask(req *sip.Request, done func(q *question, res *sip.Response)) *question {
	q := &question{party: p, request: req, done: done}
	p.mu.Lock()
	p.asked = append(p.asked, q)
	p.mu.Unlock()
	q.start()
	return q
}

func (q *question) start() {
	q.tries++
	engine := q.party.stack
	tx, err := engine.Start(sip.StripeOf(q.request.CallID()), q.request, sip.Destination{}, q)
	if err != nil {
		q.end(nil)
		return
	}
	q.tx = tx
}

// HandleEvent implements [sip.EventHandler].
func (q *question) HandleEvent(ev *sip.Event) {
	switch {
	case ev.Kind != sip.EventResponse:
		q.end(nil)
	case ev.Response.Status.Provisional():
	case (ev.Response.Status == sip.StatusUnauthorized || ev.Response.Status == sip.StatusProxyAuthRequired) && q.tries < 4:
		q.again(ev.Response)
	default:
		q.end(ev.Response)
	}
}

// again answers a challenge.
func (q *question) again(res *sip.Response) {
	next, ok := q.party.auth.Authorize(q.request, res)
	if !ok {
		q.end(res)
		return
	}
	cseq, err := next.CSeq()
	if err != nil {
		q.end(res)
		return
	}
	next.Set(sip.HeaderCSeq, sip.CSeq{Number: cseq.Number + 1, Method: next.Method}.String())
	q.request = next
	q.start()
}

func (q *question) end(res *sip.Response) {
	q.party.mu.Lock()
	q.outcomes++
	if res != nil {
		q.status = res.Status
	}
	q.party.mu.Unlock()
	if q.done != nil {
		q.done(q, res)
	}
}

// message makes a request outside a dialog in a stripe of its own.
func (p *party) message(method sip.Method, to sip.URI, callID string) *sip.Request {
	from := aor(p.user)
	req := sip.NewRequest(method, p.to(to))
	req.Set(sip.HeaderFrom, "<"+from.String()+">;tag="+p.stack.NewID(0))
	req.Set(sip.HeaderTo, "<"+to.String()+">")
	req.Set(sip.HeaderCallID, callID)
	req.Set(sip.HeaderCSeq, "1 "+string(method))
	return req
}

// say sends a request to somebody, and wants nothing but one outcome.
func (p *party) say(method sip.Method, to sip.URI, n uint64) {
	stripe := sip.Stripe(n % sip.Stripes)
	p.stack.Do(stripe, func() {
		req := p.message(method, to, p.stack.NewID(stripe))
		if method == sip.MethodMessage {
			req.SetBody("text/plain", []byte("hello"))
		}
		p.ask(req, nil)
	})
}
