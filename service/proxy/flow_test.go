package proxy_test

import (
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/siptest"
)

func flows() []siptest.Flow {
	return []siptest.Flow{
		{Name: "call", About: "A call through the proxy: the ACK and the BYE follow the Record-Route. RFC 3261 §16; RFC 3665 §3.2.", Play: call},
		{Name: "tcp", About: "The caller over UDP, the callee over TCP: two Record-Routes. RFC 5658 §3.", Play: callTCP},
		{Name: "parallel", About: "Three devices ring at once, one answers: the others learn that the call was answered elsewhere. RFC 3261 §16.7 step 10; RFC 3326 §3.1.", Play: parallel},
		{Name: "serial", About: "By preference: two devices refuse, then the next group is asked. RFC 3261 §16.6.", Play: serial},
		{Name: "cancel", About: "The caller cancels, all devices stop ringing. RFC 3261 §16.10.", Play: cancel},
		{Name: "decline", About: "One declines everywhere: the others stop ringing. RFC 3261 §16.7 step 5.", Play: decline},
		{Name: "best", About: "Everybody refuses: the best answer goes back. RFC 3261 §16.7 step 6.", Play: bestAnswer},
		{Name: "timer-c", About: "Nobody answers: Timer C ends the ringing. RFC 3261 §16.8.", Play: timerC},
		{Name: "dead-device", About: "A device that says nothing beside one that answers.", Play: deadDevice},
		{Name: "dead-everywhere", About: "Nobody says anything: 408.", Play: deadEverywhere},
		{Name: "offline", About: "The callee has no device: 480.", Play: offline},
		{Name: "unknown", About: "Nobody is called so: 404.", Play: unknown},
		{Name: "foreign", About: "Another domain: the proxy is no open relay.", Play: foreign},
		{Name: "failover", About: "The first server of the callee's domain is dead: the next one is tried. RFC 3263 §4.3.", Play: failOver},
		{Name: "two-answers", About: "Two devices answer at once: both 2xx go to the caller. RFC 3261 §16.7 step 5; RFC 6026 §7.3.", Play: twoAnswers},
		{Name: "chain", About: "Two proxies in a row. RFC 3665 §3.2.", Play: chain},
		{Name: "reinvite", About: "Hold and resume follow the route. RFC 3261 §16.12.", Play: reinvite},
		{Name: "callee-hangs-up", About: "The callee hangs up over the connection that the caller made. RFC 5626 §5.3.", Play: calleeHangsUp},
	}
}

func TestFlows(t *testing.T) {
	siptest.RunFlows(t, flows())
}

// TestFlowsOverBadNetwork plays each flow with loss, duplication and reordering: every call ends in the same state.
func TestFlowsOverBadNetwork(t *testing.T) {
	siptest.RunFlowsBadly(t, flows())
}

// pair is a proxy with alice and bob on either side.
func pair(b *siptest.Bench) (h *house, alice, bob *siptest.Phone) {
	alice = b.Phone("alice")
	h = build(b, "proxy", domain)
	bob = b.Phone("bob")
	h.home("bob", at(b, "bob", ""))
	return h, alice, bob
}

// talk makes a call that everybody has seen answered.
func talk(b *siptest.Bench, from, to *siptest.Phone, uri sip.URI) (out, in *siptest.Call) {
	out = from.Dial(uri)
	in = to.Incoming()
	out.Talk(in)
	return out, in
}

func call(b *siptest.Bench) {
	_, alice, bob := pair(b)
	out, in := talk(b, alice, bob, aor("bob"))
	out.HangUp(in)
}

func callTCP(b *siptest.Bench) {
	h, alice, bob := pair(b)
	h.home("bob", at(b, "bob", ";transport=tcp"))
	out, in := talk(b, alice, bob, aor("bob"))
	in.HangUp(out)
}

// devices are three of bob.
type devices struct{ desk, mobile, home *siptest.Phone }

// three is a proxy with alice, and three devices of bob.
func three(b *siptest.Bench, q ...string) (alice *siptest.Phone, bob devices) {
	alice = b.Phone("alice")
	h := build(b, "proxy", domain)
	bob = devices{b.Phone("desk"), b.Phone("mobile"), b.Phone("home")}
	q = append(q, "", "", "")
	h.home("bob", at(b, "desk", q[0]), at(b, "mobile", q[1]), at(b, "home", q[2]))
	return alice, bob
}

func parallel(b *siptest.Bench) {
	alice, bob := three(b)
	out := alice.Dial(aor("bob"))
	one, two, three := bob.desk.Incoming(), bob.mobile.Incoming(), bob.home.Incoming()
	one.Ring()
	two.Ring()
	three.Reject(sip.StatusBusyHere)
	b.Wait(2 * time.Second)
	two.Answer()
	out.Await("Answered")
	one.Await("Cancelled")
	two.Await("AckReceived")
	b.Wait(time.Second)
	out.Bye()
	two.Await("Ended BYE received")
}

func serial(b *siptest.Bench) {
	alice, bob := three(b, " 500", " 900", " 900")
	out := alice.Dial(aor("bob"))
	two, three := bob.mobile.Incoming(), bob.home.Incoming()
	two.Reject(sip.StatusBusyHere)
	three.Reject(sip.StatusTemporarilyUnavailable)
	one := bob.desk.Incoming()
	out.Talk(one)
	one.Bye()
	out.Await("Ended BYE received")
}

func cancel(b *siptest.Bench) {
	alice, bob := three(b)
	out := alice.Dial(aor("bob"))
	one, two, three := bob.desk.Incoming(), bob.mobile.Incoming(), bob.home.Incoming()
	one.Ring()
	two.Ring()
	three.Ring()
	b.Wait(5 * time.Second)
	out.Cancel()
	out.Await("Rejected 487")
	one.Await("Cancelled")
	two.Await("Cancelled")
	three.Await("Cancelled")
}

func decline(b *siptest.Bench) {
	alice, bob := three(b, " 1000", " 1000", " 500")
	out := alice.Dial(aor("bob"))
	one, two := bob.desk.Incoming(), bob.mobile.Incoming()
	one.Ring()
	b.Wait(time.Second)
	two.Reject(sip.StatusDecline)
	one.Await("Cancelled")
	out.Await("Rejected 603")
}

func bestAnswer(b *siptest.Bench) {
	alice, bob := three(b)
	out := alice.Dial(aor("bob"))
	one, two, three := bob.desk.Incoming(), bob.mobile.Incoming(), bob.home.Incoming()
	one.Reject(sip.StatusServerInternalError)
	two.Reject(sip.StatusBusyHere)
	b.Wait(time.Second)
	three.Reject(sip.StatusNotFound)
	out.Await("Rejected 486")
}

func timerC(b *siptest.Bench) {
	_, alice, bob := pair(b)
	out := alice.Dial(aor("bob"))
	in := bob.Incoming()
	in.Ring()
	b.Wait(20 * time.Second)
	bob.Crash()
	b.Wait(160 * time.Second)
	for _, ev := range out.Events() {
		b.Check(ev != "Rejected 408", "Timer C fires too early")
	}
	out.Await("Rejected 408")
}

func deadDevice(b *siptest.Bench) {
	alice, bob := three(b)
	bob.desk.Crash()
	bob.home.Crash()
	out := alice.Dial(aor("bob"))
	two := bob.mobile.Incoming()
	two.Ring()
	b.Wait(40 * time.Second)
	two.Answer()
	out.Await("Answered")
	two.Await("AckReceived")
	b.Wait(time.Second)
	out.Bye()
	two.Await("Ended BYE received")
}

func deadEverywhere(b *siptest.Bench) {
	_, alice, bob := pair(b)
	bob.Crash()
	alice.Dial(aor("bob")).Await("Rejected 408")
}

func offline(b *siptest.Bench) {
	h, alice, _ := pair(b)
	h.home("carol")
	alice.Dial(aor("carol")).Await("Rejected 480")
}

func unknown(b *siptest.Bench) {
	_, alice, _ := pair(b)
	alice.Dial(aor("nobody")).Await("Rejected 404")
}

func foreign(b *siptest.Bench) {
	h, alice, bob := pair(b)
	b.Net.Names.AddAddr("elsewhere.test", b.Addr("proxy"))
	alice.Dial(sip.MustParseURI("sip:bob@elsewhere.test")).Await("Rejected 403")
	_, _ = h, bob
}

func failOver(b *siptest.Bench) {
	alice := b.Phone("alice")
	h := build(b, "proxy", domain)
	dead, bob := b.Phone("dead"), b.Phone("bob")
	dead.Crash()
	b.Net.Names.AddSRV("_sip._udp.office.test", network.SRV{Target: "dead.test", Port: 5060, Priority: 1})
	b.Net.Names.AddSRV("_sip._udp.office.test", network.SRV{Target: "bob.test", Port: 5060, Priority: 2})
	h.home("bob", "sip:bob@office.test")
	out := alice.Dial(aor("bob"))
	b.Wait(20 * time.Second)
	in := bob.Incoming()
	out.Talk(in)
	out.Bye()
	in.Await("Ended BYE received")
}

func twoAnswers(b *siptest.Bench) {
	alice, bob := three(b)
	out := alice.Dial(aor("bob"))
	one, two, three := bob.desk.Incoming(), bob.mobile.Incoming(), bob.home.Incoming()
	three.Reject(sip.StatusBusyHere)
	one.Ring()
	two.Ring()
	b.Wait(2 * time.Second)
	one.Answer()
	two.Answer()
	out.Await("Answered")
	b.Wait(40 * time.Second)
	out.Bye()
	one.Await("Ended BYE received")
	two.Await("Ended BYE received")
}

func chain(b *siptest.Bench) {
	alice := b.Phone("alice")
	first := build(b, "first", domain, func(h *house) { h.proxy.Relay, h.trust = true, true })
	second := build(b, "second", "example.com")
	bob := b.Phone("bob")
	first.home("bob", "sip:bob@example.com")
	second.home("bob", at(b, "bob", ""))
	out, in := talk(b, alice, bob, aor("bob"))
	in.HangUp(out)
}

func reinvite(b *siptest.Bench) {
	_, alice, bob := pair(b)
	out, in := talk(b, alice, bob, aor("bob"))
	out.Hold()
	out.Await("Modified 200")
	b.Check(siptest.Direction(in.Remote()) == "sendonly", "bob is not on hold: %s", in.Remote())
	b.Wait(time.Second)
	in.Hold()
	in.Await("Modified 200")
	b.Wait(time.Second)
	in.HangUp(out)
}

func calleeHangsUp(b *siptest.Bench) {
	_, alice, bob := pair(b)
	to := aor("bob")
	to.Params = ";transport=tcp"
	out, in := talk(b, alice, bob, to)
	in.HangUp(out)
}
