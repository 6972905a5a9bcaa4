package b2bua_test

import (
	"time"

	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/siptest"
)

func huntFlows() []siptest.Flow {
	return []siptest.Flow{
		{Name: "forward-busy", About: "Bob is busy, and the call goes to Carol. RFC 5359 §2.8.", Play: on(forwardBusy)},
		{Name: "forward-no-answer", About: "Alice hears an announcement at Bob's, then another at Carol's, who answers. RFC 5359 §2.9; RFC 6228 §5.", Play: on(forwardNoAnswer)},
		{Name: "forward-early-offer", About: "Alice has answered an offer of Bob's telephone before it refuses; Carol's makes another. RFC 3262 §5; RFC 6228 §4.", Play: on(forwardEarlyOffer)},
		{Name: "forward-cancelled", About: "Alice gives up while the second step rings. RFC 3261 §9.", Play: on(forwardCancelled)},
		{Name: "group-in-order", About: "Three telephones ring one after the other; the last one answers.", Play: on(groupInOrder)},
	}
}

// inOrder sends calls for a name to one account after the other.
func (d *domain) inOrder(name string, ring time.Duration, accounts ...string) {
	var step func(i int) b2bua.Route
	step = func(i int) b2bua.Route {
		if i == len(accounts) {
			return b2bua.Route{}
		}
		r := b2bua.Route{Account: d.uri(accounts[i]), RingTime: ring, Then: func(b2bua.Outcome) b2bua.Route { return step(i + 1) }}
		if i > 0 {
			r.Diverted = &b2bua.Diverted{From: d.uri(accounts[i-1]), Why: b2bua.UserBusy}
		}
		return r
	}
	d.routes[name] = func(*b2bua.Question) b2bua.Route { return step(0) }
}

func forwardBusy(d *domain) {
	alice, bob, carol := d.phone("alice", "alice"), d.phone("bob", "bob"), d.phone("carol", "carol")
	d.inOrder("bob", 20*time.Second, "bob", "carol")
	out := alice.Dial(d.uri("bob"))
	bob.Incoming().Reject(sip.StatusBusyHere)
	in := carol.Incoming()
	in.Ring()
	d.Wait(2 * time.Second)
	talk(d, out, in)
}

func forwardNoAnswer(d *domain) {
	alice, bob, carol := d.phone("alice", "alice"), d.phone("bob", "bob"), d.phone("carol", "carol")
	d.inOrder("bob", 20*time.Second, "bob", "carol")
	out := alice.Dial(d.uri("bob"))
	first := bob.Incoming()
	progress(d, first)
	first.Await("Cancelled")
	second := carol.Incoming()
	progress(d, second)
	d.Wait(5 * time.Second)
	talk(d, out, second)
}

func forwardEarlyOffer(d *domain) {
	alice, bob, carol := d.phone("alice", "alice"), d.phone("bob", "bob"), d.phone("carol", "carol")
	d.inOrder("bob", 20*time.Second, "bob", "carol")
	out := alice.DialWithoutOffer(d.uri("bob"))
	first := bob.Incoming()
	progress(d, first)
	out.Await("Progress 183")
	out.Order("answer", func() error { return out.Usage.Ack(description(d, out, 2)) })
	first.Await("PrackReceived")
	d.Wait(time.Second)
	first.Reject(sip.StatusBusyHere)
	second := carol.Incoming()
	d.Wait(time.Second)
	second.Answer()
	out.Await("Answered")
	second.Await("AckReceived")
	d.Check(second.Remote() != "" && out.Remote() != "", "a description is missing")
	d.Wait(time.Second)
	out.HangUp(second)
}

func forwardCancelled(d *domain) {
	alice, bob, carol := d.phone("alice", "alice"), d.phone("bob", "bob"), d.phone("carol", "carol")
	d.inOrder("bob", 20*time.Second, "bob", "carol")
	out := alice.Dial(d.uri("bob"))
	bob.Incoming().Reject(sip.StatusBusyHere)
	in := carol.Incoming()
	in.Ring()
	d.Wait(2 * time.Second)
	out.Cancel()
	out.Await("Rejected 487")
	in.Await("Cancelled")
}

func groupInOrder(d *domain) {
	alice, bob, carol, dora := d.phone("alice", "alice"), d.phone("bob", "bob"), d.phone("carol", "carol"), d.phone("dora", "dora")
	d.inOrder("team", 10*time.Second, "bob", "carol", "dora")
	out := alice.Dial(d.uri("team"))
	for _, p := range []*siptest.Phone{bob, carol} {
		in := p.Incoming()
		in.Ring()
		in.Await("Cancelled")
	}
	in := dora.Incoming()
	in.Ring()
	d.Wait(time.Second)
	talk(d, out, in)
}
