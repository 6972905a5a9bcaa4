package b2bua_test

import (
	"time"

	"github.com/sipwerk/sipwerk/media/codec"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/siptest"
)

// transferCases are those of RFC 5589 that the flows of transfer_flow_test.go and attended_flow_test.go do not show.
func transferCases() []siptest.Flow {
	return []siptest.Flow{
		{Name: "transfer-outside", About: "Alice transfers Bob by a REFER outside the dialog, which it names. RFC 5589 §6.1; RFC 4538 §4.", Play: on(transferredOutside)},
		{Name: "transfer-outside-refused", About: "A dialog that nobody knows, and one of somebody else's. RFC 4538 §4; RFC 5589 §12.", Play: on(refusedOutside)},
		{Name: "transfer-unproven", About: "Dora's telephone wants to know who transfers, and by more than a word. RFC 5589 §8; RFC 3892 §5.", Play: on(transferUnproven)},
		{Name: "attended-exposed", About: "Alice asks Dora first, hangs up, and transfers Bob to her as if she had not. RFC 5589 §7.1.", Play: on(attendedExposed)},
		{Name: "attended-protected", About: "Alice sends Dora to Bob, and not Bob to Dora. RFC 5589 §7.2.", Play: on(attendedProtected)},
		{Name: "attended-recovered", About: "Alice talks to Dora elsewhere. Bob's telephone takes no REFER; Dora's does. RFC 5589 §7.4.", Play: on(attendedRecovered)},
		{Name: "attended-contact", About: "The address of Dora's telephone leads nowhere from here; both are on hold. RFC 5589 §7.5.", Play: on(attendedContact)},
		{Name: "attended-given-up", About: "Dora's telephone rings. Alice gives up, and transfers Bob as if she had not tried. RFC 5589 §7.6.", Play: on(attendedGivenUp)},
		{Name: "attended-fallback", About: "Dora has hung up before Alice connects Bob to her; Alice transfers him all the same. RFC 5589 §7.7.", Play: on(attendedFallback)},
		{Name: "attended-conference", About: "Alice has mixed Bob and Dora, and leaves them to each other. RFC 5589 §9.", Play: on(attendedConference)},
		{Name: "attended-chain", About: "Dora, whom Alice asks, connects her to the desk; Alice connects Bob to where she is now. RFC 5589 §10.", Play: on(attendedChain)},
		{Name: "attended-converted", About: "Dora's telephone has no codec of Bob's: the server turns one into the other. RFC 5589 §7.3.", Play: on(attendedConverted)},
		{Name: "attended-group", About: "Two telephones ring for whom Alice asks when she connects Bob; one answers. RFC 5589 §7.6; RFC 3326 §3.1.", Play: on(attendedGroup)},
		{Name: "attended-glare", About: "Bob changes his session while he is connected. RFC 3261 §14.1.", Play: on(attendedGlare)},
	}
}

func transferredOutside(d *domain) {
	out, in := answered(d)
	dora := d.phone("dora", "dora")
	out.ReferOutside(d.uri("dora"))
	out.Await("Referred 202")
	target := dora.Incoming()
	target.Ring()
	d.Wait(2 * time.Second)
	target.Answer()
	out.Await("Notified 200")
	out.Await("Ended BYE received")
	connected(d, in, target)
}

func refusedOutside(d *domain) {
	d.service.Identity = asShown{}
	out, in := answered(d)
	eve := d.phone("eve", "eve")
	eve.Identity = d.uri("eve")
	which := out.Replaces()
	for _, try := range []struct {
		by     *siptest.Phone
		name   string
		status sip.Status
	}{{out.Phone, which.FromTag + "x", sip.StatusCallDoesNotExist}, {eve, which.FromTag, sip.StatusForbidden}} {
		req := sip.NewRequest(sip.MethodRefer, d.uri("bob"))
		req.Set(sip.HeaderReferTo, "<"+d.uri("eve").String()+">")
		req.Set(sip.HeaderTargetDialog, sip.TargetDialog{CallID: which.CallID, LocalTag: try.name, RemoteTag: which.ToTag}.String())
		res, err := try.by.Send(req)
		d.Check(err == nil && res.Status == try.status, "%s gets %v, %v", try.by.Name, res, err)
	}
	out.HangUp(in)
}

func transferUnproven(d *domain) {
	out, in, target := referred(d)
	target.Reject(sip.StatusProvideReferrerIdentity)
	out.Await("Notified 429")
	d.Wait(time.Second)
	out.HangUp(in)
}

func attendedExposed(d *domain) {
	p := consulted(d)
	p.second.HangUp(p.asked)
	p.out.Refer(d.uri("dora"))
	target := p.asked.Phone.Incoming()
	p.out.Await("Referred 202")
	target.Ring()
	d.Wait(time.Second)
	target.Answer()
	p.out.Await("Ended BYE received")
	connected(d, p.in, target)
}

func attendedProtected(d *domain) {
	p := consulted(d)
	referTo(p.second, d.uri("bob"), p.out.Replaces())
	p.out.Await("Ended BYE received")
	p.second.Await("Ended BYE received")
	connected(d, p.in, p.asked)
}

func attendedRecovered(d *domain) {
	out, in := holding(d)
	dora := d.Phone("dora")
	dora.Refers = true
	second := out.Phone.Dial(dora.URI())
	asked := dora.Incoming()
	second.Talk(asked)
	referTo(out, dora.URI(), second.Replaces())
	out.Await("Referred 405")
	referTo(second, d.uri("bob"), out.Replaces())
	asked.Await("Request REFER")
	second.Await("Referred 202")
	taken := dora.DialReplacing(d.uri("bob"), out.Replaces())
	taken.Await("Answered")
	out.Await("Ended BYE received")
	asked.Report(sip.StatusOK)
	second.Await("Notified 200")
	second.HangUp(asked)
	connected(d, in, taken)
}

func attendedContact(d *domain) {
	p := consulted(d)
	p.second.Hold()
	p.second.Await("Modified 200")
	to := sip.MustParseURI("sip:dora@10.9.8.7:5070;transport=tcp").WithHeader("Replaces", p.second.Replaces().String()).WithHeader("Require", "replaces")
	p.out.Refer(to)
	p.second.Await("Ended BYE received")
	p.out.Await("Ended BYE received")
	connected(d, p.in, p.asked)
}

func attendedGivenUp(d *domain) {
	out, in := holding(d)
	dora := d.phone("dora", "dora")
	second := out.Phone.Dial(d.uri("dora"))
	asked := dora.Incoming()
	asked.Ring()
	second.Await("Progress 180")
	d.Wait(time.Second)
	second.Cancel()
	asked.Await("Cancelled")
	second.Await("Rejected 487")
	out.Refer(d.uri("dora"))
	target := dora.Incoming()
	out.Await("Referred 202")
	target.Ring()
	d.Wait(time.Second)
	target.Answer()
	out.Await("Ended BYE received")
	connected(d, in, target)
}

func attendedFallback(d *domain) {
	p := consulted(d)
	which := p.second.Replaces()
	p.asked.HangUp(p.second)
	d.Wait(40 * time.Second) // nothing of that call is left
	referTo(p.out, d.uri("dora"), which)
	p.out.Await("Notified 481")
	p.out.Refer(d.uri("dora"))
	target := p.asked.Phone.Incoming()
	target.Ring()
	d.Wait(time.Second)
	target.Answer()
	p.out.Await("Ended BYE received")
	connected(d, p.in, target)
}

func attendedConference(d *domain) {
	p := consulted(d)
	p.out.Resume()
	p.out.Await("Modified 200")
	d.Check(siptest.Direction(p.in.Remote()) == "sendrecv" && siptest.Direction(p.asked.Remote()) == "sendrecv", "somebody is not in the conference")
	d.Wait(5 * time.Second)
	p.connect(d)
	connected(d, p.in, p.asked)
}

func attendedChain(d *domain) {
	p := consulted(d)
	desk := d.phone("desk", "desk")
	third := p.asked.Phone.Dial(d.uri("desk"))
	last := desk.Incoming()
	third.Talk(last)
	referTo(p.asked, d.uri("desk"), third.Replaces())
	third.Await("Ended BYE received")
	p.asked.Await("Ended BYE received")
	d.Wait(time.Second)
	p.connect(d)
	connected(d, p.in, last)
}

func attendedGlare(d *domain) {
	p := consulted(d)
	p.in.Resume()
	d.Wait(time.Millisecond)
	p.connect(d)
	connected(d, p.in, p.asked)
}

func attendedConverted(d *domain) {
	d.service.Media.Formats = []codec.Format{codec.PCMA(), codec.PCMU()}
	out, in := holding(d)
	dora := d.phone("dora", "dora")
	dora.Codec = "8 PCMA/8000"
	second := out.Phone.Dial(d.uri("dora"))
	asked := dora.Incoming()
	for !dora.Takes(asked.Remote()) { // first as it came, then protected, then converted
		asked.Reject(sip.StatusNotAcceptableHere)
		asked = dora.Incoming()
	}
	second.Talk(asked)
	pair{out, in, second, asked}.connect(d)
	connected(d, in, asked)
}

func attendedGroup(d *domain) {
	out, in := holding(d)
	desk, mobile := d.phone("desk", "dora"), d.phone("mobile", "dora")
	second := out.Phone.Dial(d.uri("dora"))
	one, two := desk.Incoming(), mobile.Incoming()
	one.Ring()
	second.Await("Progress 180")
	d.Wait(time.Second)
	two.Ring()
	d.Wait(time.Second)
	referTo(out, d.uri("dora"), second.Replaces())
	second.Await("Rejected 487")
	d.Wait(3 * time.Second)
	two.Answer()
	one.Await("Cancelled")
	out.Await("Ended BYE received")
	connected(d, in, two)
}
