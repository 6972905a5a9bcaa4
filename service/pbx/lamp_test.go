package pbx

import (
	"context"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
	"github.com/sipwerk/sipwerk/sip/event"
	"github.com/sipwerk/sipwerk/sip/siptest"
	"github.com/sipwerk/sipwerk/sip/stack"
	"github.com/sipwerk/sipwerk/sip/transaction"
)

// office is a server with calls and lamps on one host of a bench, and a telephone that only shows lamps on another.
type office struct {
	*siptest.Bench
	calls   *b2bua.B2BUA
	lamps   *Lamps
	events  *event.Notifier
	devices map[string][]b2bua.Binding
	sight   Sight // of everybody
	panel   *stack.Stack
	watcher *event.Subscriber
	house   *PBX
}

func (o *office) Lookup(account sip.URI) []b2bua.Binding { return o.devices[account.UserName()] }

// Identify implements [b2bua.Identity]: everybody is believed.
func (o *office) Identify(ev *sip.Event) b2bua.Caller {
	if ev.Flow.Transport == sip.Inside {
		asserted, _ := sip.ParseAddress(ev.Request.Get(sip.HeaderPAssertedIdentity))
		return b2bua.Caller{Account: asserted.URI.Clone(), Trusted: true}
	}
	from, _ := ev.Request.From()
	return b2bua.Caller{Address: sip.Address{URI: o.uri(from.URI.UserName())}, Account: o.uri(from.URI.UserName())}
}

// Lamp implements [Onlookers].
func (o *office) Lamp(ev *sip.Event) (string, error) {
	user := ev.Request.URI.UserName()
	if o.devices[user] == nil && user != "600" {
		return "", sip.StatusNotFound
	}
	uri := o.uri(user)
	return uri.AOR(), nil
}

func (o *office) Sees(string, string) Sight { return o.sight }
func (o *office) Online(name string) bool   { return !strings.Contains(name, "carol") }

func (o *office) Shared(asked sip.URI) (string, bool) {
	uri := o.uri("600")
	return uri.AOR(), asked.UserName() == "600"
}

func (o *office) uri(user string) sip.URI {
	return sip.URI{Scheme: "sip", User: user, Host: o.Addr("server").String()}
}

func newOffice(b *siptest.Bench) *office {
	o := &office{Bench: b, devices: map[string][]b2bua.Binding{}, watcher: &event.Subscriber{}, sight: SeesDialog}
	host := b.Host("server")
	o.lamps = &Lamps{Onlookers: o}
	o.events = &event.Notifier{Packages: o.lamps.Packages()}
	o.lamps.Events = o.events
	r := &relay.Relay{Network: host, Ports: relay.Ports{Min: 20000, Max: 20099}}
	table := &dialog.Table{}
	o.calls = &b2bua.B2BUA{Dialogs: table, Media: &session.Site{Relay: r}, Router: o, Locator: o, Identity: o, Events: o.events, Watcher: o.lamps, Pickups: o.lamps}
	table.Next = sip.EventHandlerFunc(func(ev *sip.Event) {
		if ev.Kind == sip.EventRequest && ev.Request.Method == sip.MethodSubscribe {
			o.events.HandleEvent(ev)
			return
		}
		ev.User = "somebody"
		o.calls.HandleEvent(ev)
	})
	s := o.stack("server", host, table)
	o.calls.Inside = s.Inside()
	o.house = &PBX{Dialogs: table, Media: o.calls.Media, Engine: s, Inside: s.Inside}
	b.Watch(siptest.Watched{Name: "server", Host: host, Left: func() (left []string) {
		if n := []int{o.calls.Calls() + o.house.Calls(), table.Len(), r.Streams(), o.events.Len(), o.lamps.Len()}; n[0]+n[1]+n[2]+n[3]+n[4] > 0 {
			left = append(left, fmt.Sprint("calls, dialogs, streams, subscriptions and lamps: ", n))
		}
		return append(left, audit(s)...)
	}, Close: func() { _, _, _ = o.house.Drain(context.Background()), s.Close(), r.Close() }})
	watching := &dialog.Table{Next: o.watcher}
	side := b.Host("panel")
	o.panel = o.stack("panel", side, watching)
	b.Watch(siptest.Watched{Name: "panel", Host: side, Left: func() []string { return audit(o.panel) }, Close: func() { _ = o.panel.Close() }})
	return o
}

func audit(s *stack.Stack) []string {
	if a := s.Audit(); a != (transaction.Audit{}) {
		return []string{fmt.Sprintf("%+v", a)}
	}
	return nil
}

func (o *office) stack(name string, host *network.SimHost, table *dialog.Table) *stack.Stack {
	s := &stack.Stack{Handler: table, FlowLost: table, Network: host, Resolver: &o.Net.Names, Random: o.Random(name), Readers: 1, Log: slog.New(slog.DiscardHandler)}
	for _, transport := range []string{"udp", "tcp"} {
		if err := s.Listen(context.Background(), fmt.Sprintf("%s://%s:5060", transport, o.Addr(name))); err != nil {
			o.T.Fatal(err)
		}
	}
	return s
}

// phone adds a device of an account.
func (o *office) phone(name, account string) *siptest.Phone {
	p := o.Phone(name)
	p.Identity = o.uri(account)
	o.devices[account] = append(o.devices[account], b2bua.Binding{Target: p.URI(), Remote: o.Addr(name)})
	return p
}

// shown is a lamp on the panel, and every document that came for it.
type shown struct {
	office *office
	watch  *event.Watch

	mu   sync.Mutex // guards what follows
	docs []lampDocument
	raw  []string
	over bool
}

// lampDocument is a document as a telephone reads it.
type lampDocument struct {
	Version int    `xml:"version,attr"`
	State   string `xml:"state,attr"`
	Entity  string `xml:"entity,attr"`
	Dialogs []struct {
		ID        string `xml:"id,attr"`
		CallID    string `xml:"call-id,attr"`
		LocalTag  string `xml:"local-tag,attr"`
		RemoteTag string `xml:"remote-tag,attr"`
		Direction string `xml:"direction,attr"`
		State     string `xml:"state"`
		Remote    string `xml:"remote>identity"`
	} `xml:"dialog"`
}

func (s *shown) Told(_ *event.Watch, notify *sip.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var d lampDocument
	if err := xml.Unmarshal(notify.Body(), &d); err != nil {
		s.office.T.Errorf("%v in %s", err, notify.Body())
	}
	s.docs, s.raw = append(s.docs, d), append(s.raw, string(notify.Body()))
}

func (s *shown) Ended(*event.Watch, event.End) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
}

// watch puts a lamp on the panel.
func (o *office) watch(user, about string) *shown {
	s := &shown{office: o}
	req := sip.NewRequest(sip.MethodSubscribe, o.uri(user))
	req.Set(sip.HeaderFrom, "<sip:panel@"+o.Addr("panel").String()+">")
	req.Set(sip.HeaderEvent, about)
	stripe := sip.StripeOf("panel" + user)
	begun := make(chan error, 1)
	o.panel.Do(stripe, func() {
		var err error
		s.watch, err = o.watcher.Subscribe(event.Outgoing{Engine: o.panel, Stripe: stripe, Request: req}, s)
		begun <- err
	})
	if err := <-begun; err != nil {
		o.T.Fatal(err)
	}
	o.settled(func() bool { return len(s.documents()) > 0 }, "the first document of "+user)
	return s
}

func (s *shown) documents() []lampDocument {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.docs
}

// off takes the lamp from the panel.
func (s *shown) off() {
	s.office.T.Helper()
	s.watch.Do(s.watch.Unsubscribe)
	s.office.settled(func() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.over }, "the end of a subscription")
}

// settled waits until something holds, 64*T1 at most.
func (o *office) settled(holds func() bool, what string) {
	o.T.Helper()
	for range 640 {
		if holds() {
			return
		}
		o.Wait(50 * time.Millisecond)
	}
	o.T.Fatalf("waited for %s", what)
}

// await waits until the lamp shows one call in a state and returns its dialog as it was told.
func (s *shown) await(state string) (d struct{ Call, Local, Remote, Other, Direction string }) {
	s.office.T.Helper()
	s.office.settled(func() bool {
		docs := s.documents()
		for _, doc := range docs[len(docs)-1].Dialogs {
			if doc.State == state {
				d.Call, d.Local, d.Remote, d.Other, d.Direction = doc.CallID, doc.LocalTag, doc.RemoteTag, doc.Remote, doc.Direction
				return true
			}
		}
		return false
	}, state)
	return d
}

// ordered checks what holds for every subscription: versions one after the other, the whole state first, no dialog that goes back. RFC 4235 §4.3, §3.7.1.
func (s *shown) ordered() {
	s.office.T.Helper()
	order := map[string]int{"trying": 1, "early": 2, "confirmed": 3, "terminated": 4}
	at := map[string]int{}
	for i, d := range s.documents() {
		s.office.Check(d.Version == i, "document %d has version %d", i, d.Version)
		s.office.Check(i > 0 || d.State == "full", "the first document is %s", d.State)
		for _, c := range d.Dialogs {
			now := order[c.State]
			s.office.Check(now > 0 && now >= at[c.ID], "dialog %s: %s after %d", c.ID, c.State, at[c.ID])
			at[c.ID] = now
		}
	}
}

func onOffice(play func(o *office)) func(b *siptest.Bench) {
	return func(b *siptest.Bench) { play(newOffice(b)) }
}

func lampFlows() []siptest.Flow {
	return []siptest.Flow{
		{Name: "lamp", About: "A lamp follows a call on both sides. RFC 4235 §3.7.1, §4.3.", Play: onOffice(lampOn)},
		{Name: "lamp-busy", About: "A call that nobody takes. RFC 4235 §3.7.1.", Play: onOffice(lampBusy)},
		{Name: "lamp-pickup", About: "A call is picked up with what the lamp tells. RFC 4235 §1, RFC 3891 §3.", Play: onOffice(lampPickup)},
		{Name: "lamp-too-late", About: "What a lamp has told of a call that rang takes none that is answered. RFC 3891 §3, §8.", Play: onOffice(lampTooLate)},
		{Name: "lamp-presence", About: "A telephone that knows only presence. RFC 3856 §6, RFC 3863 §4, RFC 4480 §3.2.", Play: onOffice(lampPresence)},
	}
}

func TestLamps(t *testing.T) { siptest.RunFlows(t, lampFlows()) }

func TestLampsOverBadNetwork(t *testing.T) { siptest.RunFlowsBadly(t, lampFlows()) }

func lampOn(o *office) {
	alice, bob := o.phone("alice", "alice"), o.phone("bob", "bob")
	caller, callee := o.watch("alice", "dialog"), o.watch("bob", "dialog")
	out := alice.Dial(o.uri("bob"))
	in := bob.Incoming()
	in.Ring()
	out.Await("Progress 180")
	early := callee.await("early")
	out.Talk(in)
	up := callee.await("confirmed")
	other := caller.await("confirmed")
	r := in.Replaces()
	o.Check(up.Call == r.CallID && up.Remote == r.ToTag && up.Local == r.FromTag, "the lamp of the callee names %+v, the dialog is %+v", up, r)
	o.Check(early.Call == r.CallID && early.Remote == r.ToTag && early.Direction == "recipient", "while it rang: %+v", early)
	r = out.Replaces()
	o.Check(other.Call == r.CallID && other.Remote == r.ToTag && other.Local == r.FromTag && other.Direction == "initiator", "the lamp of the caller names %+v, the dialog is %+v", other, r)
	o.Check(strings.HasPrefix(up.Other, "sip:alice@") && strings.HasPrefix(other.Other, "sip:bob@"), "with %s and %s", up.Other, other.Other)
	o.Check(o.lamps.Calls(up.Other) == 1 && o.lamps.Len() == 2, "%d lamps", o.lamps.Len())
	out.HangUp(in)
	for _, s := range []*shown{caller, callee} {
		s.await("terminated")
		s.ordered()
		s.off()
	}
}

func lampBusy(o *office) {
	alice, bob := o.phone("alice", "alice"), o.phone("bob", "bob")
	o.sight = SeesCall
	callee := o.watch("bob", "dialog")
	out := alice.Dial(o.uri("bob"))
	in := bob.Incoming()
	in.Reject(sip.StatusBusyHere)
	out.Await("Rejected 486")
	callee.await("terminated")
	callee.ordered()
	for _, text := range callee.raw {
		o.Check(!strings.Contains(text, "alice") && !strings.Contains(text, "tag"), "told to somebody who may not see it: %s", text)
	}
	callee.off()
}

func lampPickup(o *office) {
	alice, bob, carol := o.phone("alice", "alice"), o.phone("bob", "bob"), o.phone("carol", "carol")
	o.sight = SeesPeer
	lamp := o.watch("bob", "dialog")
	out := alice.Dial(o.uri("bob"))
	in := bob.Incoming()
	in.Ring()
	early := lamp.await("early")
	taken := carol.DialReplacing(o.uri("bob"), sip.Replaces{CallID: early.Call, ToTag: early.Remote, FromTag: early.Local})
	taken.Await("Answered")
	out.Await("Answered")
	in.Await("Cancelled")
	lamp.await("terminated")
	o.Wait(time.Second)
	o.settled(func() bool { return o.lamps.Len() == 2 }, "the lamps of those who talk")
	out.HangUp(taken)
	lamp.ordered()
	lamp.off()
}

// lampTooLate: what a lamp told while it rang is good for nothing when the call is answered, and neither is the dialog, which others than its sides have no business with.
func lampTooLate(o *office) {
	alice, bob, carol := o.phone("alice", "alice"), o.phone("bob", "bob"), o.phone("carol", "carol")
	o.sight = SeesPeer
	lamp := o.watch("bob", "dialog")
	out := alice.Dial(o.uri("bob"))
	in := bob.Incoming()
	in.Ring()
	early := lamp.await("early")
	out.Talk(in)
	up := lamp.await("confirmed")
	o.Check(up.Call+up.Local+up.Remote == "" && strings.HasPrefix(up.Other, "sip:alice@"), "an answered call is shown as %+v", up)
	real := in.Replaces()
	told := sip.Replaces{CallID: early.Call, ToTag: early.Remote, FromTag: early.Local}
	for _, text := range lamp.raw {
		o.Check(!strings.Contains(text, real.CallID) && !strings.Contains(text, real.FromTag), "the lamp names the dialog: %s", text)
	}
	carol.DialReplacing(o.uri("bob"), told).Await("Rejected 481")
	o.Wait(time.Second)
	for _, which := range []sip.Replaces{real, out.Replaces()} {
		carol.DialReplacing(o.uri("bob"), which).Await("Rejected 403")
		o.Wait(time.Second)
	}
	out.HangUp(in)
	lamp.await("terminated")
	lamp.off()
}

func lampPresence(o *office) {
	alice, bob := o.phone("alice", "alice"), o.phone("bob", "bob")
	lamp := o.watch("bob", "presence")
	busy := func(want bool) func() bool {
		return func() bool {
			lamp.mu.Lock()
			defer lamp.mu.Unlock()
			return strings.Contains(lamp.raw[len(lamp.raw)-1], "on-the-phone") == want
		}
	}
	o.Check(busy(false)() && strings.Contains(lamp.raw[0], "<basic>open</basic>"), "first %s", lamp.raw[0])
	out := alice.Dial(o.uri("bob"))
	in := bob.Incoming()
	out.Talk(in)
	o.settled(busy(true), "the lamp to go on")
	out.HangUp(in)
	o.settled(busy(false), "the lamp to go off")
	lamp.off()
}

// TestLampDocuments: what a subscriber is told that knows the state up to a mark, some of which is forgotten.
func TestLampDocuments(t *testing.T) {
	const name = "sip:bob@example.org"
	l := &Lamps{}
	leg := func(id string, phase b2bua.LegPhase) *b2bua.LegState {
		return &b2bua.LegState{ID: id, Phase: phase, Account: sip.MustParseURI(name)}
	}
	told := func(since uint64) (string, uint64) {
		b := l.lamps[name]
		d := b.dialogs(event.Notice{Resource: name, Since: since}, SeesDialog, true)
		var doc lampDocument
		if err := xml.Unmarshal(d.Bytes, &doc); err != nil {
			t.Fatal(err)
		}
		text := doc.State
		for _, c := range doc.Dialogs {
			text += " " + c.ID + "=" + c.State
		}
		return text, b.mark
	}
	expect := func(since uint64, want string) (mark uint64) {
		t.Helper()
		got, mark := told(since)
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
		return mark
	}
	put := func(d *b2bua.LegState) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.showLocked(name, d, true)
	}
	put(leg("a", b2bua.LegTrying))
	first := expect(0, "full a=trying")
	put(leg("a", b2bua.LegEarly))
	put(leg("b", b2bua.LegTrying))
	expect(first, "partial a=early b=trying")
	put(leg("a", b2bua.LegOver))
	put(leg("a", b2bua.LegEarly)) // late news of one that is over
	expect(first, "partial a=terminated b=trying")
	expect(0, "full b=trying")
	for i := range maxEnded + 1 {
		put(leg(fmt.Sprint(i), b2bua.LegTrying))
		put(leg(fmt.Sprint(i), b2bua.LegOver))
	}
	expect(first, "full b=trying")
	if n := len(l.lamps[name].calls); n != maxEnded+1 {
		t.Errorf("%d calls are kept", n)
	}
	l.Show(name, leg("b", b2bua.LegOver))
	if len(l.lamps) != 0 || l.Calls(name) != 0 {
		t.Error("a lamp that is out and that nobody watches is kept")
	}
}

// TestSharedLamp: the lamp of a group shows the calls of its members that ring for it, and no others.
func TestSharedLamp(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		o := newOffice(b)
		alice, bob := o.phone("alice", "alice"), o.phone("bob", "600")
		group := o.watch("600", "dialog")
		out := alice.Dial(o.uri("600"))
		in := bob.Incoming()
		out.Talk(in)
		group.await("confirmed")
		out.HangUp(in)
		group.await("terminated")
		group.off()
	})
}

// Route implements [b2bua.Router].
func (o *office) Route(q *b2bua.Question) b2bua.Route {
	if o.devices[q.Request.URI.UserName()] == nil {
		return b2bua.Route{}
	}
	return b2bua.Route{Account: o.uri(q.Request.URI.UserName())}
}
