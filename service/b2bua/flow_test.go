package b2bua_test

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
	"github.com/sipwerk/sipwerk/sip/event"
	"github.com/sipwerk/sipwerk/sip/siptest"
	"github.com/sipwerk/sipwerk/sip/stack"
	"github.com/sipwerk/sipwerk/sip/transaction"
)

var _ = flag.Bool("update", false, "write the golden ladders")

// domain is a bench with a server and phones of two accounts.
type domain struct {
	*siptest.Bench
	service *b2bua.B2BUA
	stack   *stack.Stack
	routes  map[string]func(q *b2bua.Question) b2bua.Route
	devices map[string][]b2bua.Binding
}

// Route implements [b2bua.Router]: the accounts are those that have devices, and carol, who is offline.
func (d *domain) Route(q *b2bua.Question) b2bua.Route {
	req := q.Request
	user := req.URI.UserName()
	if r := d.routes[user]; r != nil {
		return r(q)
	}
	if at, ok := strings.CutPrefix(user, "**"); ok {
		return b2bua.Route{PickUp: []sip.URI{d.uri(at)}}
	}
	if at, ok := strings.CutPrefix(user, "*52"); ok {
		return b2bua.Route{Join: b2bua.Join{Account: d.uri(at), Mode: b2bua.Whisper}}
	}
	if d.devices[user] == nil && user != "carol" {
		return b2bua.Route{}
	}
	return b2bua.Route{Account: req.URI}
}

// Lookup implements [b2bua.Locator].
func (d *domain) Lookup(account sip.URI) []b2bua.Binding { return d.devices[account.UserName()] }

// newDomain puts the server on the bench.
func newDomain(b *siptest.Bench) *domain {
	d := &domain{Bench: b, devices: map[string][]b2bua.Binding{}, routes: map[string]func(q *b2bua.Question) b2bua.Route{}}
	host := b.Host("server")
	r := &relay.Relay{Network: host, Ports: relay.Ports{Min: 20000, Max: 20099}}
	table := &dialog.Table{}
	d.service = &b2bua.B2BUA{Dialogs: table, Media: &session.Site{Relay: r}, Router: d, Locator: d, Events: &event.Notifier{}}
	table.Next = sip.EventHandlerFunc(func(ev *sip.Event) {
		ev.Trusted, ev.User = ev.Flow.Transport == sip.Inside, "somebody"
		d.service.HandleEvent(ev)
	})
	s := &stack.Stack{Handler: table, FlowLost: table, Network: host, Resolver: &b.Net.Names, Readers: 1}
	d.stack, d.service.Inside = s, s.Inside()
	for _, transport := range []string{"udp", "tcp"} {
		if err := s.Listen(context.Background(), fmt.Sprintf("%s://%s:5060", transport, b.Addr("server"))); err != nil {
			b.T.Fatal(err)
		}
	}
	b.Watch(siptest.Watched{Name: "server", Host: host, Left: func() (left []string) {
		if a := s.Audit(); a != (transaction.Audit{}) {
			left = append(left, fmt.Sprintf("%+v", a))
		}
		if calls, dialogs, streams := d.service.Calls(), table.Len(), r.Streams(); calls+dialogs+streams > 0 {
			left = append(left, fmt.Sprintf("%d calls, %d dialogs, %d streams", calls, dialogs, streams))
		}
		return left
	}, Close: func() {
		if err := s.Close(); err != nil {
			b.T.Error(err)
		}
		if err := r.Close(); err != nil {
			b.T.Error(err)
		}
	}})
	return d
}

// phone adds a device of an account.
func (d *domain) phone(name, account string) *siptest.Phone {
	p := d.Phone(name)
	d.devices[account] = append(d.devices[account], b2bua.Binding{Target: p.URI(), Remote: d.Addr(name)})
	return p
}

// uri is an account.
func (d *domain) uri(account string) sip.URI {
	return sip.URI{Scheme: "sip", User: account, Host: d.Addr("server").String()}
}

// on plays a flow on a bench with a server.
func on(play func(d *domain)) func(b *siptest.Bench) {
	return func(b *siptest.Bench) { play(newDomain(b)) }
}

func flows() []siptest.Flow {
	return append(slices.Concat(attendedFlows(), transferCases(), huntFlows(), insideFlows(), extensionFlows(), joinFlows(), pickupFlows(), replaceFlows(), transferFlows()), []siptest.Flow{
		{Name: "call", About: "A call through the server. RFC 3665 §3.1, with a back-to-back user agent.", Play: on(call)},
		{Name: "fork", About: "Two devices ring, one answers, the other stops. RFC 3261 §13.2.2.4, RFC 3326 §3.1.", Play: on(fork)},
		{Name: "hold", About: "Hold and resume are carried across. RFC 3665 §3.7.", Play: on(hold)},
		{Name: "late-offer", About: "An INVITE without offer. RFC 3665 §3.6.", Play: on(lateOffer)},
		{Name: "busy", About: "The callee is busy. RFC 3665 §3.9.", Play: on(busy)},
		{Name: "cancel", About: "The caller gives up. RFC 3665 §3.8.", Play: on(cancel)},
		{Name: "offline", About: "Nobody is registered. RFC 3261 §21.4.18.", Play: on(offline)},
		{Name: "unknown", About: "Nobody of that name. RFC 3261 §21.4.5.", Play: on(unknown)},
		{Name: "silent-device", About: "A device does not answer at all. RFC 3261 §17.1.1.2.", Play: on(silentDevice)},
		{Name: "both-answer", About: "Two devices answer at once; the second gets ACK and BYE. RFC 3261 §13.2.2.4.", Play: on(bothAnswer)},
		{Name: "both-hang-up", About: "Both sides hang up at once. RFC 3261 §15.", Play: on(bothHangUp)},
		{Name: "callee-vanishes", About: "The callee is gone; the server ends the call for its silence. RFC 3261 §15.", Play: on(calleeVanishes)},
	}...)
}

func TestFlows(t *testing.T) {
	siptest.RunFlows(t, flows())
}

func TestFlowsOverBadNetwork(t *testing.T) {
	siptest.RunFlowsBadly(t, flows())
}

// answered makes a call from alice to bob.
func answered(d *domain) (out, in *siptest.Call) {
	alice, bob := d.phone("alice", "alice"), d.phone("bob", "bob")
	out = alice.Dial(d.uri("bob"))
	in = bob.Incoming()
	out.Talk(in)
	return out, in
}

func call(d *domain) {
	out, in := answered(d)
	d.Check(d.service.Calls() == 1, "%d calls", d.service.Calls())
	in.HangUp(out)
}

func fork(d *domain) {
	alice, desk, mobile := d.phone("alice", "alice"), d.phone("desk", "bob"), d.phone("mobile", "bob")
	out := alice.Dial(d.uri("bob"))
	one, two := desk.Incoming(), mobile.Incoming()
	one.Ring()
	two.Ring()
	d.Wait(3 * time.Second)
	two.Answer()
	out.Await("Answered")
	one.Await("Cancelled")
	two.Await("AckReceived")
	d.Wait(time.Second)
	out.HangUp(two)
}

func hold(d *domain) {
	out, in := answered(d)
	out.Hold()
	out.Await("Modified 200")
	d.Check(siptest.Direction(in.Remote()) == "sendonly", "bob is not on hold: %s", in.Remote())
	d.Check(siptest.Direction(out.Remote()) == "recvonly", "bob did not agree: %s", out.Remote())
	d.Wait(10 * time.Minute)
	in.Await("Offer")
	out.Resume()
	out.Await("Modified 200")
	d.Check(siptest.Direction(in.Remote()) == "sendrecv", "bob is still on hold: %s", in.Remote())
	d.Wait(10 * time.Second)
	out.HangUp(in)
}

func lateOffer(d *domain) {
	alice, bob := d.phone("alice", "alice"), d.phone("bob", "bob")
	out := alice.DialWithoutOffer(d.uri("bob"))
	in := bob.Incoming()
	d.Wait(time.Second)
	in.Answer()
	out.Await("Answered")
	in.Await("AckReceived")
	d.Check(in.Remote() != "" && out.Remote() != "", "a description is missing")
	d.Wait(time.Second)
	out.HangUp(in)
}

func busy(d *domain) {
	alice, bob := d.phone("alice", "alice"), d.phone("bob", "bob")
	out := alice.Dial(d.uri("bob"))
	bob.Incoming().Reject(sip.StatusBusyHere)
	out.Await("Rejected 486")
}

func cancel(d *domain) {
	alice, bob := d.phone("alice", "alice"), d.phone("bob", "bob")
	out := alice.Dial(d.uri("bob"))
	in := bob.Incoming()
	in.Ring()
	d.Wait(5 * time.Second)
	out.Cancel()
	out.Await("Rejected 487")
	in.Await("Cancelled")
}

func offline(d *domain) {
	d.phone("alice", "alice").Dial(d.uri("carol")).Await("Rejected 480")
}

func unknown(d *domain) {
	d.phone("alice", "alice").Dial(d.uri("nobody")).Await("Rejected 404")
}

func silentDevice(d *domain) {
	alice := d.phone("alice", "alice")
	d.Peer("bob")
	d.devices["bob"] = []b2bua.Binding{{Target: d.URI("bob"), Remote: d.Addr("bob")}}
	alice.Dial(d.uri("bob")).Await("Rejected 408")
}

func bothAnswer(d *domain) {
	alice, desk, mobile := d.phone("alice", "alice"), d.phone("desk", "bob"), d.phone("mobile", "bob")
	out := alice.Dial(d.uri("bob"))
	one, two := desk.Incoming(), mobile.Incoming()
	d.Wait(time.Second)
	one.Answer()
	two.Answer()
	out.Await("Answered")
	one.Await("AckReceived", "Ended", "Cancelled")
	two.Await("AckReceived", "Ended", "Cancelled")
	d.Wait(time.Second)
	out.Bye()
	out.Await("Ended BYE sent")
}

func bothHangUp(d *domain) {
	out, in := answered(d)
	out.Bye()
	in.Bye()
	out.Await("Ended")
	in.Await("Ended")
}

func calleeVanishes(d *domain) {
	d.service.Silence = 30 * time.Second
	out, in := answered(d)
	in.Phone.Crash()
	out.Await("Ended BYE received")
}

// Route of an application: the service passes what is for it on.
func TestApplication(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		d := newDomain(b)
		d.service.Router = application{}
		res, err := d.phone("alice", "alice").Send(sip.NewRequest(sip.MethodOptions, d.uri("echo")))
		if err != nil || res.Status != sip.StatusOK {
			t.Errorf("%v, %v", res, err)
		}
	})
}

type application struct{}

func (application) Route(*b2bua.Question) b2bua.Route {
	return b2bua.Route{Application: sip.EventHandlerFunc(func(ev *sip.Event) {
		_ = ev.Engine.Respond(ev.Tx, ev.Request.Reply(sip.StatusOK))
	})}
}
