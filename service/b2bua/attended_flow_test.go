package b2bua_test

import (
	"context"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/siptest"
)

func attendedFlows() []siptest.Flow {
	return []siptest.Flow{
		{Name: "attended", About: "Alice talks to Bob and to Dora, and connects the two, whose telephones know nothing of it. RFC 5589 §7.3.", Play: on(attended)},
		{Name: "attended-by-callee", About: "Bob, who was called by Alice, connects her to Dora. RFC 5589 §7.3.", Play: on(attendedByCallee)},
		{Name: "attended-called-by-both", About: "Bob was called by Alice and by Dora, and connects them. RFC 5589 §7.3.", Play: on(attendedByCalleeOfBoth)},
		{Name: "attended-ringing", About: "Alice connects Bob to Dora, whose telephone rings still. RFC 5589 §7.6.", Play: on(attendedRinging)},
		{Name: "attended-ringing-in-vain", About: "The same, and Dora does not want to: Bob stays with Alice. RFC 5589 §7.6.", Play: on(attendedInVain)},
		{Name: "attended-refused", About: "Dora's telephone does not want Bob's session: both calls stay as they are. RFC 5589 §7.3.", Play: on(attendedRefused)},
		{Name: "attended-again", About: "Dora, to whom Bob was connected, connects him to Carol.", Play: on(attendedAgain)},
		{Name: "attended-pass", About: "The REFER names a call that is none of ours: it is for Bob's telephone. RFC 5589 §7.3.", Play: on(attendedPass)},
		{Name: "attended-self", About: "The REFER names the call that it is sent in.", Play: on(attendedSelf)},
	}
}

// referTo sends the REFER that connects the far side of one call to that of another.
func referTo(by *siptest.Call, to sip.URI, which sip.Replaces) {
	to.Headers = "Replaces=" + url.QueryEscape(which.String())
	by.Refer(to)
}

// pair is a call from alice to bob, who is on hold, and one from her to dora.
type pair struct{ out, in, second, asked *siptest.Call }

// consulted makes the two calls.
func consulted(d *domain) pair {
	out, in := holding(d)
	dora := d.phone("dora", "dora")
	second := out.Phone.Dial(d.uri("dora"))
	asked := dora.Incoming()
	second.Talk(asked)
	return pair{out, in, second, asked}
}

// connect lets alice connect the two, which ends both of her calls.
func (p pair) connect(d *domain) {
	referTo(p.out, d.uri("dora"), p.second.Replaces())
	p.second.Await("Ended BYE received")
	p.out.Await("Ended BYE received")
}

// connected waits until the two who are left talk, and hangs up.
func connected(d *domain, one, other *siptest.Call) {
	d.Wait(5 * time.Second)
	d.Check(siptest.Direction(one.Remote()) == "sendrecv" && siptest.Direction(other.Remote()) == "sendrecv", "somebody is on hold: %s %s", one.Remote(), other.Remote())
	one.HangUp(other)
}

func attended(d *domain) {
	p := consulted(d)
	out, in, second, asked := p.out, p.in, p.second, p.asked
	referTo(out, d.uri("dora"), second.Replaces())
	out.Await("Referred 202")
	second.Await("Ended BYE received")
	out.Await("Ended BYE received")
	connected(d, in, asked)
}

func attendedByCallee(d *domain) {
	out, in := answered(d)
	dora := d.phone("dora", "dora")
	second := in.Phone.Dial(d.uri("dora"))
	asked := dora.Incoming()
	second.Talk(asked)
	referTo(in, d.uri("dora"), second.Replaces())
	second.Await("Ended BYE received")
	in.Await("Ended BYE received")
	connected(d, asked, out)
}

func attendedByCalleeOfBoth(d *domain) {
	out, in := answered(d)
	second := d.phone("dora", "dora").Dial(d.uri("bob"))
	asked := in.Phone.Incoming()
	second.Talk(asked)
	referTo(asked, d.uri("alice"), in.Replaces())
	asked.Await("Ended BYE received")
	in.Await("Ended BYE received")
	connected(d, out, second)
}

// consulting is consulted as long as dora's telephone rings.
func consulting(d *domain) pair {
	out, in := holding(d)
	dora := d.phone("dora", "dora")
	second := out.Phone.Dial(d.uri("dora"))
	asked := dora.Incoming()
	d.Wait(time.Second)
	asked.Order("progress", func() error { return asked.Usage.Provisional(sip.StatusSessionProgress, description(d, asked, 1)) })
	second.Await("Progress 183")
	d.Wait(time.Second)
	referTo(out, d.uri("dora"), second.Replaces())
	out.Await("Referred 202")
	second.Await("Rejected 487")
	return pair{out, in, second, asked}
}

func attendedRinging(d *domain) {
	p := consulting(d)
	out, in, asked := p.out, p.in, p.asked
	d.Wait(3 * time.Second)
	asked.Answer()
	out.Await("Ended BYE received")
	connected(d, in, asked)
}

func attendedInVain(d *domain) {
	p := consulting(d)
	out, in, asked := p.out, p.in, p.asked
	d.Wait(3 * time.Second)
	asked.Reject(sip.StatusBusyHere)
	out.Await("Notified 486")
	out.Resume()
	out.Await("Modified 200")
	d.Check(siptest.Direction(in.Remote()) == "sendrecv", "bob is still on hold: %s", in.Remote())
	d.Wait(time.Second)
	out.HangUp(in)
}

func attendedRefused(d *domain) {
	p := consulted(d)
	out, in, second, asked := p.out, p.in, p.second, p.asked
	asked.Refuse(sip.StatusNotAcceptableHere)
	referTo(out, d.uri("dora"), second.Replaces())
	out.Await("Notified 488")
	d.Wait(time.Second)
	second.HangUp(asked)
	out.HangUp(in)
}

func attendedAgain(d *domain) {
	p := consulted(d)
	out, in, second, asked := p.out, p.in, p.second, p.asked
	referTo(out, d.uri("dora"), second.Replaces())
	out.Await("Ended BYE received")
	d.Wait(5 * time.Second)
	desk := d.phone("desk", "desk")
	third := asked.Phone.Dial(d.uri("desk"))
	last := desk.Incoming()
	third.Talk(last)
	referTo(asked, d.uri("desk"), third.Replaces())
	third.Await("Ended BYE received")
	asked.Await("Ended BYE received")
	connected(d, in, last)
}

func attendedPass(d *domain) {
	out, in := answered(d)
	referTo(out, d.uri("elsewhere"), sip.Replaces{CallID: "a call elsewhere", ToTag: "1", FromTag: "2"})
	in.Await("Request REFER")
	out.Await("Referred 405") // of Bob's telephone, which takes none
	d.Wait(time.Second)
	out.HangUp(in)
}

func attendedSelf(d *domain) {
	out, in := answered(d)
	referTo(out, d.uri("bob"), out.Replaces())
	out.Await("Referred 400")
	d.Wait(time.Second)
	out.HangUp(in)
}

// TestAttendedHeard: the two who are left hear each other, over both calls.
func TestAttendedHeard(t *testing.T) {
	siptest.Run(t, on(func(d *domain) {
		p := consulted(d)
		out, in, second, asked := p.out, p.in, p.second, p.asked
		voices := map[string]*voice{"alice": speak(d, out, 400), "bob": speak(d, in, 700), "dora": speak(d, asked, 1100)}
		referTo(out, d.uri("dora"), second.Replaces())
		out.Await("Ended BYE received")
		voices["alice"].close()
		d.Wait(2 * time.Second)
		voices["bob"].forget()
		voices["dora"].forget()
		d.Wait(time.Second)
		if bob, dora := voices["bob"].hears(voices), voices["dora"].hears(voices); bob != "dora" || dora != "bob" {
			t.Errorf("bob hears %q, dora hears %q", bob, dora)
		}
		voices["bob"].close()
		voices["dora"].close()
		in.HangUp(asked)
		if err := d.service.Drain(context.Background()); err != nil {
			t.Error(err)
		}
	}))
}

// houseIdentity knows its telephones by their From, and what comes over the flow inside by what we have asserted there.
type houseIdentity struct{}

func (houseIdentity) Identify(ev *sip.Event) b2bua.Caller {
	if ev.Flow.Transport == sip.Inside {
		who := b2bua.Caller{Trusted: true}
		if asserted, err := sip.ParseAddress(ev.Request.Get(sip.HeaderPAssertedIdentity)); err == nil {
			who.Account = asserted.URI.Clone()
		}
		return who
	}
	return asShown{}.Identify(ev)
}

// book keeps what is told of calls at their end.
type book struct {
	mu    sync.Mutex // guards what follows
	calls map[string]b2bua.Detail
}

func (o *book) ObserveCall(d *b2bua.Detail) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if d.Phase == b2bua.Ended {
		o.calls[d.CallID] = *d
	}
}

// TestAttendedIdentity: each of the two who are left learns who the other is, if that one wants to be known; and the records of both calls tell how they became one. RFC 4916 §4.3; RFC 3323 §4.2.
func TestAttendedIdentity(t *testing.T) {
	for privacy, want := range map[string]string{"none": "sip:alice@", "id": "sip:anonymous@anonymous.invalid"} {
		siptest.Run(t, on(func(d *domain) {
			o := &book{calls: map[string]b2bua.Detail{}}
			d.service.Identity, d.service.Observer = houseIdentity{}, o
			alice, bob, dora := d.phone("alice", "alice"), d.phone("bob", "bob"), d.phone("dora", "dora")
			for _, p := range []*siptest.Phone{alice, bob, dora} {
				p.Identity = d.uri(p.Name)
			}
			out := alice.DialWith(d.uri("bob"), "Privacy: "+privacy)
			in := bob.Incoming()
			out.Talk(in)
			second := bob.Dial(d.uri("dora"))
			asked := dora.Incoming()
			second.Talk(asked)
			first, consulted := out.Replaces().CallID, second.Replaces().CallID
			referTo(in, d.uri("dora"), second.Replaces())
			second.Await("Ended BYE received")
			in.Await("Ended BYE received")
			if !strings.Contains(asked.Asserted(), want) || !strings.Contains(out.Asserted(), "sip:dora@") {
				t.Errorf("privacy %s: dora is told %q, alice %q", privacy, asked.Asserted(), out.Asserted())
			}
			connected(d, out, asked)
			d.Wait(time.Second)
			o.mu.Lock()
			defer o.mu.Unlock()
			went, joined := o.calls[first], o.calls[consulted]
			if len(went.Moves) != 1 || went.Moves[0].Kind != b2bua.Transfer || went.Moves[0].Other != joined.ID || !strings.Contains(went.Moves[0].By, "bob@") || !strings.Contains(went.Moves[0].To, "dora@") {
				t.Errorf("the transferred call tells %+v", went.Moves)
			}
			if len(joined.Moves) != 1 || joined.Moves[0].Kind != b2bua.Replace || !strings.Contains(joined.Moves[0].By, "bob@") || !strings.Contains(joined.Moves[0].To, "alice@") {
				t.Errorf("the consultation tells %+v", joined.Moves)
			}
		}))
	}
}
