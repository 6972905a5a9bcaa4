// The services of RFC 5359 and the transfers of RFC 5589, made by the server: no telephone need know of REFER, Replaces or Join.

package flows

import (
	"time"

	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
	"github.com/sipwerk/sipwerk/sip/siptest"
)

func serviceFlows() []siptest.Flow {
	return []siptest.Flow{
		{Name: "service-hold", About: "Alice puts Bob on hold and takes him back. RFC 5359 §2.1.", Play: holds},
		{Name: "service-consultation-hold", About: "Alice asks Carol something while Bob waits. RFC 5359 §2.2.", Play: consults},
		{Name: "service-music-on-hold", About: "Bob waits, and the server plays: his telephone is told that it only hears. RFC 5359 §2.3.", Play: musicOnHold},
		{Name: "service-transfer-unattended", About: "Bob transfers Alice to Carol. RFC 5359 §2.4; RFC 5589 §6.2.", Play: unattended},
		{Name: "service-transfer-busy", About: "The same, and Carol is busy: Alice and Bob go on talking. RFC 5589 §6.3.1.", Play: unattendedBusy},
		{Name: "service-transfer-unanswered", About: "The same, Bob has hung up, and Carol does not answer: the call comes back to him. RFC 5589 §6.3.2.", Play: unattendedBack},
		{Name: "service-transfer-attended", About: "Bob asks Carol first, and connects Alice to her. RFC 5359 §2.5; RFC 5589 §7.3.", Play: attendedByServer},
		{Name: "service-transfer-ringing", About: "Bob connects Alice to Carol while Carol's telephone rings. RFC 5589 §7.6.", Play: semiAttended},
		{Name: "service-transfer-refused", About: "Carol's telephone does not take Alice's session: Bob keeps both calls. RFC 5589 §7.3.", Play: attendedFails},
		{Name: "service-transfer-message", About: "Bob asks Alice for a message instead: the server hands that to her telephone. RFC 5359 §2.6.", Play: toMessage},
		{Name: "service-forward-always", About: "All calls for Bob go to Carol. RFC 5359 §2.7; RFC 5806 §5.", Play: forwardAlways},
		{Name: "service-forward-busy", About: "Bob is busy: the call goes to Carol. RFC 5359 §2.8.", Play: forwardBusy},
		{Name: "service-forward-no-answer", About: "Bob does not answer: the call goes to Carol. RFC 5359 §2.9.", Play: forwardNoAnswer},
		{Name: "service-three-way-added", About: "Alice calls Carol while Bob waits, and her telephone mixes the two. RFC 5359 §2.10.", Play: threeWayAdded},
		{Name: "service-three-way", About: "Carol joins the call of Alice and Bob, and leaves it. RFC 5359 §2.11; RFC 3911 §4.", Play: threeWay},
		{Name: "service-find-me", About: "Bob is looked for at one place after the other. RFC 5359 §2.12.", Play: findMe},
		{Name: "service-screening", About: "Bob takes no calls of Alice. RFC 5359 §2.13.", Play: screened},
		{Name: "service-screening-outgoing", About: "Alice may not call Carol, nor be transferred to her by Bob, who may not either. RFC 5359 §2.14.", Play: screenedOutgoing},
		{Name: "service-park", About: "Bob parks Alice's call, and Carol takes it. RFC 5359 §2.15.", Play: park},
		{Name: "service-park-announced", About: "Bob asks for a slot, is told which, and parks Alice's call there. RFC 5359 §2.15; RFC 4538 §3.", Play: parkAnnounced},
		{Name: "service-park-back", About: "Nobody takes the parked call: it goes back to Bob. RFC 5359 §2.15.", Play: parkBack},
		{Name: "service-park-taken", About: "A slot that is not free takes no second call, and a free one has none to give. RFC 5359 §2.15.", Play: parkTaken},
		{Name: "service-pickup", About: "Carol picks up the call that rings at Bob. RFC 5359 §2.16.", Play: pickup},
		{Name: "service-redial", About: "Bob is busy: Alice asks to be called back, and is when he is free. RFC 5359 §2.17.", Play: redial},
		{Name: "service-click-to-dial", About: "The server calls Alice, and then Bob for her. RFC 5359 §2.18.", Play: clickToDial},
	}
}

// trio is a server with a telephone each of alice, bob and carol.
type trio struct {
	*server
	alice, bob, carol *siptest.Phone
}

func newTrio(b *siptest.Bench) trio {
	alice := b.Phone("alice")
	s := newServer(b)
	alice.Login("sip:alice@"+domain, "alice")
	alice.Register("udp")
	return trio{s, alice, device(b, "bob", "bob", "udp"), device(b, "carol", "carol", "tcp")}
}

func holds(b *siptest.Bench) {
	t := newTrio(b)
	alice, bob := t.alice, t.bob
	call, in := talk(b, alice, bob)
	call.Hold()
	call.Await("Modified 200")
	b.Check(siptest.Direction(in.Remote()) == "sendonly", "bob is not on hold: %s", in.Remote())
	b.Wait(20 * time.Second)
	call.Resume()
	call.Await("Modified 200")
	b.Check(siptest.Direction(in.Remote()) == "sendrecv", "bob is still on hold: %s", in.Remote())
	b.Wait(time.Second)
	call.HangUp(in)
}

func consults(b *siptest.Bench) {
	t := newTrio(b)
	alice, bob, carol := t.alice, t.bob, t.carol
	call, in := talk(b, alice, bob)
	call.Hold()
	call.Await("Modified 200")
	second := alice.Dial(aor("carol"))
	asked := carol.Incoming()
	second.Talk(asked)
	second.HangUp(asked)
	call.Resume()
	call.Await("Modified 200")
	b.Wait(time.Second)
	in.HangUp(call)
}

func musicOnHold(b *siptest.Bench) {
	t := newTrio(b)
	s, alice, bob := t.server, t.alice, t.bob
	s.b2bua.Media.Music = session.Tune
	call, in := talk(b, alice, bob)
	call.Order("hold", func() error { return call.Usage.Modify(inactive()) })
	call.Await("Modified 200")
	b.Check(siptest.Direction(in.Remote()) == "sendonly", "bob hears nobody: %s", in.Remote())
	b.Wait(2 * time.Second)
	call.Resume()
	call.Await("Modified 200")
	b.Wait(time.Second)
	call.HangUp(in)
}

// inactive is a description of alice who neither sends nor receives.
func inactive() dialog.Body {
	return dialog.SDP([]byte("v=0\r\no=alice 1 9 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 49170 RTP/AVP 0\r\na=inactive\r\n"))
}

func unattended(b *siptest.Bench) {
	t := newTrio(b)
	alice, bob, carol := t.alice, t.bob, t.carol
	call, in := talk(b, alice, bob)
	in.Refer(aor("carol"))
	target := carol.Incoming()
	target.Ring()
	b.Wait(2 * time.Second)
	target.Answer()
	in.Await("Ended BYE received")
	b.Wait(5 * time.Second)
	call.HangUp(target)
}

func unattendedBusy(b *siptest.Bench) {
	t := newTrio(b)
	alice, bob, carol := t.alice, t.bob, t.carol
	call, in := talk(b, alice, bob)
	in.Refer(aor("carol"))
	carol.Incoming().Reject(sip.StatusBusyHere)
	in.Await("Notified 486")
	b.Wait(time.Second)
	call.HangUp(in)
}

func unattendedBack(b *siptest.Bench) {
	t := newTrio(b)
	alice, bob, carol := t.alice, t.bob, t.carol
	call, in := talk(b, alice, bob)
	in.Refer(aor("carol"))
	target := carol.Incoming()
	target.Ring()
	in.Await("Referred 202")
	in.Bye()
	target.Await("Cancelled")
	back := bob.Incoming()
	back.Ring()
	b.Wait(2 * time.Second)
	back.Answer()
	back.Await("AckReceived")
	b.Wait(5 * time.Second)
	call.HangUp(back)
}

// consultation is a call from alice to bob, who puts her on hold and calls carol.
type consultation struct{ call, in, second, asked *siptest.Call }

func consult(b *siptest.Bench) consultation {
	t := newTrio(b)
	alice, bob, carol := t.alice, t.bob, t.carol
	call, in := talk(b, alice, bob)
	in.Hold()
	in.Await("Modified 200")
	second := bob.Dial(aor("carol"))
	return consultation{call, in, second, carol.Incoming()}
}

// connectTo asks that the two far sides be connected.
func connectTo(in, second *siptest.Call) {
	to := aor("carol")
	to = to.WithHeader("Replaces", second.Replaces().String())
	in.Refer(to)
}

func attendedByServer(b *siptest.Bench) {
	c := consult(b)
	call, in, second, asked := c.call, c.in, c.second, c.asked
	second.Talk(asked)
	connectTo(in, second)
	second.Await("Ended BYE received")
	in.Await("Ended BYE received")
	b.Wait(5 * time.Second)
	call.HangUp(asked)
}

func semiAttended(b *siptest.Bench) {
	c := consult(b)
	call, in, second, asked := c.call, c.in, c.second, c.asked
	asked.Ring()
	second.Await("Progress 180")
	b.Wait(time.Second)
	connectTo(in, second)
	second.Await("Rejected 487")
	b.Wait(2 * time.Second)
	asked.Answer()
	in.Await("Ended BYE received")
	b.Wait(5 * time.Second)
	call.HangUp(asked)
}

func attendedFails(b *siptest.Bench) {
	c := consult(b)
	call, in, second, asked := c.call, c.in, c.second, c.asked
	second.Talk(asked)
	asked.Refuse(sip.StatusNotAcceptableHere)
	connectTo(in, second)
	in.Await("Notified 488")
	b.Wait(time.Second)
	second.HangUp(asked)
	in.Resume()
	in.Await("Modified 200")
	b.Wait(time.Second)
	call.HangUp(in)
}

func toMessage(b *siptest.Bench) {
	t := newTrio(b)
	alice, bob := t.alice, t.bob
	alice.Refers = true
	call, in := talk(b, alice, bob)
	to := aor("bob")
	to.Params = to.Params.With("method", "MESSAGE")
	in.Refer(to)
	call.Await("Request REFER to sip:bob@" + domain + ";method=MESSAGE")
	in.Await("Referred 202")
	call.Order("message", func() error {
		req := call.Usage.NewRequest(sip.MethodMessage)
		req.SetBody("text/plain", []byte("What is it?"))
		return call.Usage.SendRequest(req, func(*sip.Response, error) {})
	})
	in.Await("Request MESSAGE")
	b.Wait(100 * time.Millisecond) // its 200 is there
	call.Report(sip.StatusOK)
	in.Await("Notified 200")
	b.Wait(time.Second)
	call.HangUp(in)
}

func threeWayAdded(b *siptest.Bench) {
	t := newTrio(b)
	alice, bob, carol := t.alice, t.bob, t.carol
	call, in := talk(b, alice, bob)
	call.Hold()
	call.Await("Modified 200")
	second := alice.Dial(aor("carol"))
	added := carol.Incoming()
	second.Talk(added)
	call.Resume()
	call.Await("Modified 200")
	b.Check(siptest.Direction(in.Remote()) == "sendrecv" && siptest.Direction(added.Remote()) == "sendrecv", "somebody is not in the conference")
	b.Wait(5 * time.Second)
	added.HangUp(second)
	b.Wait(time.Second)
	call.HangUp(in)
}

// forward makes calls for bob go to carol.
func forward(why b2bua.Why) b2bua.Route {
	return b2bua.Route{Account: aor("carol"), Diverted: &b2bua.Diverted{From: aor("bob"), To: aor("carol"), Why: why}}
}

// forwarded waits for carol to answer what was for bob.
func forwarded(b *siptest.Bench, call *siptest.Call, carol *siptest.Phone) {
	in := carol.Incoming()
	call.Talk(in)
	call.HangUp(in)
}

func forwardAlways(b *siptest.Bench) {
	t := newTrio(b)
	s, alice, carol := t.server, t.alice, t.carol
	s.routes["bob"] = func(*b2bua.Question) b2bua.Route { return forward(b2bua.Unconditional) }
	forwarded(b, alice.Dial(aor("bob")), carol)
}

func forwardBusy(b *siptest.Bench) {
	t := newTrio(b)
	s, alice, bob, carol := t.server, t.alice, t.bob, t.carol
	s.routes["bob"] = func(*b2bua.Question) b2bua.Route {
		return b2bua.Route{Account: aor("bob"), Then: func(o b2bua.Outcome) b2bua.Route {
			b.Check(o.Miss == b2bua.Busy, "bob is %v", o.Miss)
			return forward(b2bua.UserBusy)
		}}
	}
	call := alice.Dial(aor("bob"))
	bob.Incoming().Reject(sip.StatusBusyHere)
	forwarded(b, call, carol)
}

func forwardNoAnswer(b *siptest.Bench) {
	t := newTrio(b)
	s, alice, bob, carol := t.server, t.alice, t.bob, t.carol
	s.routes["bob"] = func(*b2bua.Question) b2bua.Route {
		return b2bua.Route{Account: aor("bob"), RingTime: 15 * time.Second, Then: func(b2bua.Outcome) b2bua.Route { return forward(b2bua.NoReply) }}
	}
	call := alice.Dial(aor("bob"))
	in := bob.Incoming()
	in.Ring()
	in.Await("Cancelled")
	forwarded(b, call, carol)
}

func threeWay(b *siptest.Bench) {
	t := newTrio(b)
	alice, bob, carol := t.alice, t.bob, t.carol
	call, in := talk(b, alice, bob)
	third := carol.DialJoining(aor("bob"), in.Replaces())
	third.Await("Answered")
	b.Wait(time.Second)
	third.Bye()
	third.Await("Ended BYE sent")
	b.Wait(2 * time.Second)
	call.HangUp(in)
}

func findMe(b *siptest.Bench) {
	t := newTrio(b)
	s, alice, bob, carol := t.server, t.alice, t.bob, t.carol
	s.routes["bob"] = func(*b2bua.Question) b2bua.Route {
		return b2bua.Route{Account: aor("bob"), RingTime: 10 * time.Second, Then: func(b2bua.Outcome) b2bua.Route {
			return b2bua.Route{Account: aor("carol"), RingTime: 10 * time.Second}
		}}
	}
	call := alice.Dial(aor("bob"))
	one := bob.Incoming()
	one.Ring()
	one.Await("Cancelled")
	forwarded(b, call, carol)
}

func screened(b *siptest.Bench) {
	t := newTrio(b)
	s, alice := t.server, t.alice
	s.routes["bob"] = func(*b2bua.Question) b2bua.Route { return b2bua.Route{Refuse: sip.StatusDecline} }
	alice.Dial(aor("bob")).Await("Rejected 603")
}

func screenedOutgoing(b *siptest.Bench) {
	t := newTrio(b)
	s, alice, bob := t.server, t.alice, t.bob
	s.routes["carol"] = func(*b2bua.Question) b2bua.Route { return b2bua.Route{Refuse: sip.StatusForbidden} }
	alice.Dial(aor("carol")).Await("Rejected 403")
	call, in := talk(b, alice, bob)
	in.Refer(aor("carol"))
	in.Await("Referred 403")
	b.Wait(time.Second)
	call.HangUp(in)
}

// parked is a call from alice that bob has transferred to a slot.
func parked(b *siptest.Bench, slot string, back time.Duration) (call, in *siptest.Call, carol *siptest.Phone) {
	t := newTrio(b)
	s, alice, bob, carol := t.server, t.alice, t.bob, t.carol
	s.park.Time = back
	call, in = talk(b, alice, bob)
	in.Refer(aor(slot))
	in.Await("Ended BYE received")
	b.Wait(time.Second)
	return call, in, carol
}

func park(b *siptest.Bench) {
	call, _, carol := parked(b, "*501", 0)
	taken := carol.Dial(aor("*501"))
	taken.Await("Answered")
	b.Wait(5 * time.Second)
	taken.HangUp(call)
}

func parkAnnounced(b *siptest.Bench) {
	t := newTrio(b)
	s, alice, bob, carol := t.server, t.alice, t.bob, t.carol
	call, in := talk(b, alice, bob)
	slot := bob.Dial(aor("*500"))
	slot.Await("Answered")
	taken := false
	for range 20 { // the ACK may have been lost, and the slot is given with it
		b.Wait(time.Second)
		if _, taken = s.park.Taken(aor("*501")); taken {
			break
		}
	}
	b.Check(taken, "no slot is kept for bob")
	in.Refer(aor("*500").WithHeader("Replaces", slot.Replaces().String()))
	in.Await("Ended BYE received")
	slot.Await("Ended BYE received")
	b.Wait(time.Second)
	got := carol.Dial(aor("*501"))
	got.Await("Answered")
	b.Wait(time.Second)
	got.HangUp(call)
}

func parkBack(b *siptest.Bench) {
	call, in, _ := parked(b, "*501", 5010*time.Millisecond) // between two beats of the music
	back := in.Phone.Incoming()
	back.Ring()
	b.Wait(2 * time.Second)
	back.Answer()
	back.Await("AckReceived")
	b.Wait(5 * time.Second)
	call.HangUp(back)
}

func parkTaken(b *siptest.Bench) {
	call, in, carol := parked(b, "*501", 0)
	carol.Dial(aor("*502")).Await("Rejected 404")
	second := carol.Dial(aor("bob"))
	other := in.Phone.Incoming()
	second.Talk(other)
	other.Refer(aor("*501"))
	other.Await("Referred 486")
	b.Wait(time.Second)
	second.HangUp(other)
	call.Bye()
	call.Await("Ended BYE sent")
}

func pickup(b *siptest.Bench) {
	t := newTrio(b)
	alice, bob, carol := t.alice, t.bob, t.carol
	call := alice.Dial(aor("bob"))
	in := bob.Incoming()
	in.Ring()
	b.Wait(3 * time.Second)
	taken := carol.Dial(aor("**bob"))
	taken.Await("Answered")
	call.Await("Answered")
	in.Await("Cancelled")
	b.Wait(5 * time.Second)
	call.HangUp(taken)
}

func redial(b *siptest.Bench) {
	t := newTrio(b)
	alice, bob, carol := t.alice, t.bob, t.carol
	other := carol.Dial(aor("bob"))
	in := bob.Incoming()
	other.Talk(in)
	vain := alice.Dial(aor("bob"))
	bob.Incoming().Reject(sip.StatusBusyHere)
	vain.Await("Rejected 486")
	wish := alice.Dial(aor("*37"))
	wish.Await("Answered")
	for range 20 { // the ACK may have been lost, and the wish is taken with it
		if b.Wait(time.Second); t.callbacks.Len() > 0 {
			break
		}
	}
	wish.Bye()
	wish.Await("Ended BYE sent")
	b.Check(t.callbacks.Len() == 1, "nobody is to be called back")
	b.Wait(20 * time.Second)
	other.HangUp(in)
	back := alice.Incoming()
	back.Ring()
	b.Wait(time.Second)
	back.Answer()
	back.Await("AckReceived")
	reached := bob.Incoming()
	reached.Ring()
	b.Wait(time.Second)
	reached.Answer()
	back.Await("Offer")
	b.Wait(5 * time.Second)
	back.HangUp(reached)
}

func clickToDial(b *siptest.Bench) {
	t := newTrio(b)
	s, alice, bob := t.server, t.alice, t.bob
	var click *dialog.Usage
	const stripe = 7
	s.stack.Do(stripe, func() {
		req := sip.NewRequest(sip.MethodInvite, aor("alice"))
		req.Set(sip.HeaderFrom, "<"+aor("bob").String()+">")
		req.SetBody("application/sdp", described("click").Bytes)
		out := dialog.Outgoing{Engine: s.stack, Stripe: stripe, Request: req, To: sip.Destination{Flow: s.stack.Inside()}}
		usage, err := s.dialogs.Invite(out, dialog.OwnerFunc(func(u *dialog.Usage, ev dialog.Event) {
			switch ev := ev.(type) {
			case dialog.Offer:
				_ = u.Accept(described("click"))
			case *dialog.Request:
				_ = u.Respond(ev, u.ReplyTo(ev.Request, sip.StatusOK))
			}
		}))
		b.Check(err == nil, "no call: %v", err)
		click = usage
	})
	call := alice.Incoming()
	b.Wait(time.Second)
	call.Answer()
	call.Await("AckReceived")
	b.Wait(time.Second)
	click.Do(func() {
		req := click.NewRequest(sip.MethodRefer)
		req.Set(sip.HeaderReferTo, "<"+aor("bob").String()+">")
		_ = click.SendRequest(req, func(*sip.Response, error) {})
	})
	in := bob.Incoming()
	in.Ring()
	b.Wait(time.Second)
	in.Answer()
	call.Await("Offer")
	b.Wait(40 * time.Second)
	call.HangUp(in)
}
