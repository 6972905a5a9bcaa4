package b2bua_test

import (
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/siptest"
)

func transferFlows() []siptest.Flow {
	return []siptest.Flow{
		{Name: "transfer", About: "Alice transfers Bob to Dora; neither Bob's nor Dora's telephone knows of it. RFC 3515 §2.4; RFC 5589 §6.2.", Play: on(transferred)},
		{Name: "transfer-by-callee", About: "Bob, who was called, transfers Alice to Dora. RFC 5589 §6.2.", Play: on(transferredByCallee)},
		{Name: "transfer-busy", About: "Dora is busy: Alice goes on talking to Bob. RFC 5589 §6.3.1.", Play: on(transferBusy)},
		{Name: "transfer-and-go", About: "Alice hangs up as soon as the transfer is accepted. RFC 5589 §6.", Play: on(transferAndGo)},
		{Name: "transfer-back", About: "Alice has hung up, and Dora is busy: the call comes back to Alice.", Play: on(transferBack)},
		{Name: "transfer-lost", About: "Alice has hung up, and neither Dora nor Alice answers: Bob's call ends.", Play: on(transferLost)},
		{Name: "transfer-abandoned", About: "Bob hangs up while Dora's telephone rings.", Play: on(transferAbandoned)},
		{Name: "transfer-nowhere", About: "A transfer to nobody, and two at once: the call stays as it is. RFC 3515 §2.4.2.", Play: on(transferNowhere)},
		{Name: "transfer-devices", About: "Two devices of the target ring, and one answers. RFC 3326 §3.1.", Play: on(transferDevices)},
	}
}

// holding is a call from alice to bob whom she has put on hold.
func holding(d *domain) (out, in *siptest.Call) {
	out, in = answered(d)
	out.Hold()
	out.Await("Modified 200")
	return out, in
}

// referred is the same, when she has transferred him to dora.
func referred(d *domain) (out, in, target *siptest.Call) {
	out, in = holding(d)
	dora := d.phone("dora", "dora")
	out.Refer(d.uri("dora"))
	target = dora.Incoming()
	out.Await("Referred 202")
	return out, in, target
}

func transferred(d *domain) {
	out, in, target := referred(d)
	target.Ring()
	d.Wait(2 * time.Second)
	target.Answer()
	in.Await("Offer")
	out.Await("Ended BYE received")
	d.Check(siptest.Direction(in.Remote()) == "sendrecv", "bob is still on hold: %s", in.Remote())
	d.Check(d.service.Calls() == 1, "%d calls", d.service.Calls())
	d.Wait(5 * time.Second)
	target.HangUp(in)
}

func transferredByCallee(d *domain) {
	out, in := answered(d)
	dora := d.phone("dora", "dora")
	in.Refer(d.uri("dora"))
	target := dora.Incoming()
	d.Wait(2 * time.Second)
	target.Answer()
	in.Await("Ended BYE received")
	d.Wait(5 * time.Second)
	out.HangUp(target)
}

func transferBusy(d *domain) {
	out, in, target := referred(d)
	target.Reject(sip.StatusBusyHere)
	out.Await("Notified 486")
	out.Resume()
	out.Await("Modified 200")
	d.Check(siptest.Direction(in.Remote()) == "sendrecv", "bob is still on hold: %s", in.Remote())
	d.Wait(time.Second)
	out.HangUp(in)
}

func transferAndGo(d *domain) {
	out, in, target := referred(d)
	out.Bye()
	out.Await("Ended BYE sent")
	target.Ring()
	d.Wait(5 * time.Second)
	target.Answer()
	target.Await("AckReceived")
	d.Wait(5 * time.Second)
	in.HangUp(target)
}

func transferBack(d *domain) {
	out, in, target := referred(d)
	out.Bye()
	out.Await("Ended BYE sent")
	d.Wait(time.Second)
	target.Reject(sip.StatusBusyHere)
	back := out.Phone.Incoming()
	back.Ring()
	d.Wait(2 * time.Second)
	back.Answer()
	back.Await("AckReceived")
	d.Wait(5 * time.Second)
	d.Check(siptest.Direction(in.Remote()) == "sendrecv", "bob is still on hold: %s", in.Remote())
	back.HangUp(in)
}

func transferLost(d *domain) {
	out, in, target := referred(d)
	out.Bye()
	out.Await("Ended BYE sent")
	d.Wait(time.Second)
	target.Reject(sip.StatusBusyHere)
	out.Phone.Incoming().Reject(sip.StatusBusyHere)
	in.Await("Ended BYE received")
}

func transferAbandoned(d *domain) {
	out, in, target := referred(d)
	target.Ring()
	d.Wait(2 * time.Second)
	in.Bye()
	in.Await("Ended BYE sent")
	target.Await("Cancelled")
	out.Await("Ended BYE received")
}

func transferNowhere(d *domain) {
	out, in := answered(d)
	out.Refer(d.uri("nobody"))
	out.Await("Referred 404")
	out.Refer(sip.MustParseURI("sip:dora@192.0.2.250;method=BYE"))
	out.Await("Referred 403")
	out.Refer(d.uri("carol"))
	out.Await("Referred 202")
	out.Await("Notified 480")
	d.Wait(time.Second)
	dora := d.phone("dora", "dora")
	out.Refer(d.uri("dora"))
	target := dora.Incoming()
	out.Await("Referred 202")
	out.Refer(d.uri("dora"))
	out.Await("Referred 491")
	target.Reject(sip.StatusDecline)
	out.Await("Notified 603")
	d.Wait(time.Second)
	out.HangUp(in)
}

func transferDevices(d *domain) {
	out, in := answered(d)
	desk, mobile := d.phone("desk", "dora"), d.phone("mobile", "dora")
	out.Refer(d.uri("dora"))
	one, two := desk.Incoming(), mobile.Incoming()
	one.Ring()
	d.Wait(2 * time.Second)
	two.Answer()
	one.Await("Cancelled")
	two.Await("AckReceived")
	out.Await("Ended BYE received")
	d.Wait(time.Second)
	two.HangUp(in)
}
