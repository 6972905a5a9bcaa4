package b2bua_test

import (
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/siptest"
)

func pickupFlows() []siptest.Flow {
	return []siptest.Flow{
		{Name: "pickup", About: "Carol dials for the call that rings at Bob, and has it. RFC 5359 §2.16, with a back-to-back user agent.", Play: on(pickedUp)},
		{Name: "pickup-by-lamp", About: "Carol names the dialog of the device that rings, as a lamp shows it. RFC 3891 §3; RFC 5359 §2.16.", Play: on(pickedUpByLamp)},
		{Name: "pickup-without-offer", About: "Neither Alice nor Carol has made an offer first: hers is answered. RFC 3264 §5.", Play: on(pickedUpWithoutOffer)},
		{Name: "pickup-late-offer", About: "Alice has made no offer: Carol's goes to her.", Play: on(pickedUpLateOffer)},
		{Name: "pickup-transfer", About: "Carol picks up a call that is being transferred to Dora.", Play: on(pickedUpTransfer)},
		{Name: "pickup-too-late", About: "Nothing rings, or Bob is faster: Carol hears that.", Play: on(pickedUpTooLate)},
		{Name: "pickup-cancelled", About: "Alice gives up while Carol picks up.", Play: on(pickedUpCancelled)},
	}
}

// ringing is a call from alice that rings at bob, and the phone of somebody else.
func ringing(d *domain) (out, in *siptest.Call, carol *siptest.Phone) {
	alice, bob := d.phone("alice", "alice"), d.phone("bob", "bob")
	carol = d.phone("dora", "dora")
	out = alice.Dial(d.uri("bob"))
	in = bob.Incoming()
	in.Ring()
	d.Wait(3 * time.Second)
	return out, in, carol
}

func pickedUp(d *domain) {
	out, in, carol := ringing(d)
	taken := carol.Dial(d.uri("**bob"))
	taken.Await("Answered")
	out.Await("Answered")
	in.Await("Cancelled")
	taken.Await("Offer")
	d.Check(d.service.Calls() == 1, "%d calls", d.service.Calls())
	d.Wait(5 * time.Second)
	out.Hold()
	out.Await("Modified 200")
	d.Check(siptest.Direction(taken.Remote()) == "sendonly", "carol is not on hold: %s", taken.Remote())
	d.Wait(time.Second)
	taken.HangUp(out)
}

func pickedUpByLamp(d *domain) {
	out, in, carol := ringing(d)
	which := in.Replaces()
	which.EarlyOnly = true
	taken := carol.DialReplacing(d.uri("bob"), which)
	taken.Await("Answered")
	out.Await("Answered")
	in.Await("Cancelled")
	d.Wait(5 * time.Second)
	out.HangUp(taken)
}

func pickedUpWithoutOffer(d *domain) {
	out, in, carol := ringing(d)
	taken := carol.DialWithoutOffer(d.uri("**bob"))
	taken.Await("Answered")
	out.Await("Answered")
	in.Await("Cancelled")
	d.Check(siptest.Direction(out.Remote()) == "sendrecv", "alice does not hear carol: %s", out.Remote())
	d.Wait(5 * time.Second)
	out.HangUp(taken)
}

func pickedUpLateOffer(d *domain) {
	alice, bob, carol := d.phone("alice", "alice"), d.phone("bob", "bob"), d.phone("dora", "dora")
	out := alice.DialWithoutOffer(d.uri("bob"))
	in := bob.Incoming()
	in.Ring()
	d.Wait(3 * time.Second)
	taken := carol.Dial(d.uri("**bob"))
	out.Await("Answered")
	in.Await("Cancelled")
	d.Wait(5 * time.Second)
	taken.HangUp(out)
}

func pickedUpTransfer(d *domain) {
	out, in, target := referred(d)
	target.Ring()
	d.Wait(2 * time.Second)
	desk := d.phone("desk", "desk")
	taken := desk.Dial(d.uri("**dora"))
	taken.Await("Answered")
	target.Await("Cancelled")
	in.Await("Offer")
	out.Await("Notified 200")
	out.Await("Ended BYE received")
	d.Wait(5 * time.Second)
	taken.HangUp(in)
}

func pickedUpTooLate(d *domain) {
	alice, bob, carol := d.phone("alice", "alice"), d.phone("bob", "bob"), d.phone("dora", "dora")
	carol.Dial(d.uri("**bob")).Await("Rejected 404")
	out := alice.Dial(d.uri("bob"))
	in := bob.Incoming()
	d.Wait(time.Second)
	in.Answer()
	out.Await("Answered")
	in.Await("AckReceived")
	carol.Dial(d.uri("**bob")).Await("Rejected 404")
	out.HangUp(in)
}

func pickedUpCancelled(d *domain) {
	out, in, carol := ringing(d)
	taken := carol.Dial(d.uri("**bob"))
	out.Cancel()
	out.Await("Rejected 487", "Answered")
	in.Await("Cancelled")
	taken.Await("Ended BYE received", "Rejected 404", "Rejected 491")
	d.Wait(time.Second)
}

// TestPickUpTwice: two want the same call, and one has it. On a good network only, for on a bad one the second may come when it is over.
func TestPickUpTwice(t *testing.T) {
	siptest.Run(t, on(func(d *domain) {
		out, in, carol := ringing(d)
		desk := d.phone("desk", "desk")
		taken, late := carol.Dial(d.uri("**bob")), desk.Dial(d.uri("**bob"))
		taken.Await("Answered")
		late.Await("Rejected 404")
		out.Await("Answered")
		in.Await("Cancelled")
		d.Wait(time.Second)
		out.HangUp(taken)
	}))
}

// TestPickUpRefused: what Carol's telephone says to the caller's session is no; the call goes on ringing.
func TestPickUpRefused(t *testing.T) {
	siptest.Run(t, on(func(d *domain) {
		out, in, carol := ringing(d)
		taken := carol.Dial(d.uri("**bob"))
		taken.Refuse(sip.StatusNotAcceptableHere)
		taken.Await("Ended BYE received")
		d.Wait(time.Second)
		in.Answer()
		out.Await("Answered")
		in.Await("AckReceived")
		out.HangUp(in)
	}))
}
