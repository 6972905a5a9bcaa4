package b2bua_test

import (
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/siptest"
)

func replaceFlows() []siptest.Flow {
	return []siptest.Flow{
		{Name: "replace-caller", About: "Carol takes the caller's place in a call, as at the end of a transfer. RFC 3891 §3; RFC 5589 §7.3.", Play: on(replaceCaller)},
		{Name: "replace-callee", About: "Carol takes the callee's place in a call. RFC 3891 §3.", Play: on(replaceCallee)},
		{Name: "replace-ringing", About: "Carol takes the place of a caller whom nobody has answered yet. RFC 3891 §7.1; RFC 5589 §7.6.", Play: on(replaceRinging)},
		{Name: "replace-twice", About: "The place that Carol has taken is taken from her.", Play: on(replaceTwice)},
		{Name: "replace-in-hold", About: "The place is taken while the session is being changed.", Play: on(replaceInHold)},
		{Name: "replace-nothing", About: "Carol names a dialog that is none, and one that is answered as an early one.", Play: on(replaceNothing)},
		{Name: "replace-foreign", About: "Bob's other telephone takes his place, and Dora, who only knows how the dialogs are called, takes none, nor does her REFER. RFC 3891 §3, §8.", Play: on(replaceForeign)},
	}
}

// TestReplaceWithdrawn: Carol gives up before the other side has agreed, and the call goes on as it was. On a good network only, for on a bad one the answer may be faster.
func TestReplaceWithdrawn(t *testing.T) { siptest.Run(t, on(replaceWithdrawn)) }

func replaceCaller(d *domain) {
	out, in := answered(d)
	carol := d.phone("dora", "dora").DialReplacing(d.uri("bob"), out.Replaces())
	carol.Await("Answered")
	d.Check(sip.StripeOf(out.Replaces().CallID) != sip.StripeOf(carol.Replaces().CallID), "both legs live in one stripe anyway")
	out.Await("Ended BYE received")
	in.Await("Offer")
	d.Check(d.service.Calls() == 1, "%d calls", d.service.Calls())
	d.Wait(time.Second)
	in.Hold()
	in.Await("Modified 200")
	d.Check(siptest.Direction(carol.Remote()) == "sendonly", "carol is not on hold: %s", carol.Remote())
	d.Wait(time.Second)
	carol.HangUp(in)
}

func replaceCallee(d *domain) {
	out, in := answered(d)
	carol := d.phone("dora", "dora").DialReplacing(d.uri("alice"), in.Replaces())
	carol.Await("Answered")
	in.Await("Ended BYE received")
	out.Await("Offer")
	d.Wait(time.Second)
	out.HangUp(carol)
}

func replaceRinging(d *domain) {
	alice, bob, dora := d.phone("alice", "alice"), d.phone("bob", "bob"), d.phone("dora", "dora")
	out := alice.Dial(d.uri("bob"))
	in := bob.Incoming()
	d.Wait(time.Second)
	in.Order("progress", func() error { return in.Usage.Provisional(sip.StatusSessionProgress, description(d, in, 1)) })
	out.Await("Progress 183")
	d.Wait(5 * time.Second)
	carol := dora.DialReplacing(d.uri("bob"), out.Replaces())
	out.Await("Rejected 487")
	d.Wait(2 * time.Second)
	in.Answer()
	carol.Await("Answered")
	in.Await("Offer")
	d.Wait(time.Second)
	in.HangUp(carol)
}

func replaceTwice(d *domain) {
	out, in := answered(d)
	carol := d.phone("dora", "dora").DialReplacing(d.uri("bob"), out.Replaces())
	carol.Await("Answered")
	d.Wait(5 * time.Second)
	desk := d.phone("desk", "bob").DialReplacing(d.uri("bob"), carol.Replaces())
	desk.Await("Answered")
	carol.Await("Ended BYE received")
	d.Wait(5 * time.Second)
	mobile := d.phone("mobile", "bob").DialReplacing(d.uri("bob"), in.Replaces())
	mobile.Await("Answered")
	in.Await("Ended BYE received")
	d.Wait(time.Second)
	mobile.HangUp(desk)
}

func replaceInHold(d *domain) {
	out, in := answered(d)
	out.Hold()
	carol := d.phone("dora", "dora").DialReplacing(d.uri("bob"), out.Replaces())
	carol.Await("Answered")
	out.Await("Ended BYE received")
	d.Wait(time.Second)
	d.Check(siptest.Direction(in.Remote()) == "sendrecv", "bob is still on hold: %s", in.Remote())
	in.HangUp(carol)
}

func replaceWithdrawn(d *domain) {
	out, in := answered(d)
	in.Phone.Host.SetConditions(&network.Conditions{Delay: 370 * time.Millisecond})
	carol := d.phone("dora", "dora").DialReplacing(d.uri("bob"), out.Replaces())
	d.Wait(300 * time.Millisecond) // bob has the offer, and Carol a 100
	carol.Cancel()
	carol.Await("Rejected 487")
	d.Wait(5 * time.Second)
	in.Phone.Host.SetConditions(nil)
	out.Hold()
	out.Await("Modified 200")
	d.Check(siptest.Direction(in.Remote()) == "sendonly", "bob is not on hold: %s", in.Remote())
	out.HangUp(in)
}

func replaceNothing(d *domain) {
	alice, bob, dora := d.phone("alice", "alice"), d.phone("bob", "bob"), d.phone("dora", "dora")
	out := alice.Dial(d.uri("bob"))
	in := bob.Incoming()
	in.Ring()
	d.Wait(time.Second)
	which := in.Replaces()
	which.ToTag += "x"
	dora.DialReplacing(d.uri("bob"), which).Await("Rejected 481")
	in.Answer()
	out.Await("Answered")
	in.Await("AckReceived")
	which = out.Replaces()
	which.EarlyOnly = true
	dora.DialReplacing(d.uri("bob"), which).Await("Rejected 486")
	out.HangUp(in)
}

func replaceForeign(d *domain) {
	d.service.Identity = asShown{}
	out, in := answered(d)
	dora := d.phone("dora", "dora")
	for _, which := range []sip.Replaces{out.Replaces(), in.Replaces()} {
		dora.DialReplacing(d.uri("bob"), which).Await("Rejected 403")
		d.Wait(time.Second)
	}
	carol := d.phone("carol", "carol")
	own := dora.Dial(d.uri("carol"))
	asked := carol.Incoming()
	own.Talk(asked)
	referTo(own, d.uri("bob"), in.Replaces())
	own.Await("Referred 403")
	own.HangUp(asked)
	d.Wait(time.Second)
	mobile := d.phone("mobile", "bob")
	mobile.Identity = d.uri("bob")
	taken := mobile.DialReplacing(d.uri("alice"), in.Replaces())
	taken.Await("Answered")
	in.Await("Ended BYE received")
	d.Wait(time.Second)
	taken.HangUp(out)
}
