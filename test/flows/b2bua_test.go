// Calls through the server, which is a back-to-back user agent. RFC 3665 §3 as far as it does not speak of proxies.

package flows

import (
	"time"

	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
	"github.com/sipwerk/sipwerk/sip/siptest"
)

func serverFlows() []siptest.Flow {
	return []siptest.Flow{
		{Name: "b2bua-established", About: "A call through the server, with authentication. RFC 3665 §3.3.", Play: throughServer},
		{Name: "b2bua-tcp", About: "The same, both over TCP.", Play: overTCP},
		{Name: "b2bua-two-devices", About: "Two devices ring and one answers.", Play: twoDevices},
		{Name: "b2bua-two-answers", About: "Two devices answer at once: the second is hung up. RFC 3261 §13.2.2.4.", Play: twoAnswers},
		{Name: "b2bua-cancel", About: "The caller cancels. RFC 3665 §3.8.", Play: cancelled},
		{Name: "b2bua-busy", About: "Busy. RFC 3665 §3.9.", Play: busyDevice},
		{Name: "b2bua-no-answer", About: "Nobody answers.", Play: nobodyAnswers},
		{Name: "b2bua-no-response", About: "The device does not respond. RFC 3665 §3.10.", Play: deadDevice},
		{Name: "b2bua-offline", About: "The callee has no device.", Play: offline},
		{Name: "b2bua-unknown", About: "Nobody has that name.", Play: unknown},
		{Name: "b2bua-reinvite", About: "Hold and resume. RFC 3665 §3.7.", Play: holdThroughServer},
		{Name: "b2bua-glare", About: "Both sides hold at once. RFC 3261 §14.1.", Play: glareThroughServer},
		{Name: "b2bua-caller-vanishes", About: "The caller vanishes before its ACK. RFC 3261 §13.3.1.4.", Play: callerGone},
		{Name: "b2bua-flow-lost", About: "The callee's connection breaks while it rings. RFC 5626 §5.3.", Play: flowLost},
		{Name: "b2bua-reconnect", About: "The callee's connection breaks during the call: BYE opens a new one. RFC 3261 §12.2.1.1.", Play: reconnect},
		{Name: "b2bua-cancel-race", About: "CANCEL meets 200. RFC 3261 §9.1.", Play: cancelRaceThroughServer},
		{Name: "b2bua-bye-in-reinvite", About: "The answer to a re-INVITE is lost, and both hang up: what waits for it ends too. RFC 3261 §9.1.", Play: byeInReinvite},
		{Name: "b2bua-reliable-device", About: "One of two devices describes its session reliably before it answers, and not again. RFC 3262 §5.", Play: reliableDevice},
		{Name: "b2bua-bad-answer", About: "One of two devices answers without a description; the other still rings, and answers. RFC 3264 §5.", Play: badAnswer},
		{Name: "b2bua-transfer", About: "Alice transfers Bob to Carol, whose telephones know nothing of it. RFC 5589 §6.2; RFC 3515 §2.4.", Play: blindTransfer},
		{Name: "b2bua-transfer-fails", About: "Nobody answers the transferred call: it stays with Alice. RFC 5589 §6.3.2.", Play: transferFails},
		{Name: "b2bua-replaces", About: "Alice goes on with her call at her other telephone; Carol, who only knows how it is called, cannot take it. RFC 3891 §3, §8.", Play: replacedAtOwnTelephone},
		{Name: "b2bua-late-ack", About: "The ACK comes late: 200 is repeated until then. RFC 3261 §13.3.1.4.", Play: lateAck},
	}
}

// pair starts a server and a device of alice and one of bob.
func pair(b *siptest.Bench, transport string) (alice, bob *siptest.Phone) {
	alice = b.Phone("alice")
	newServer(b)
	alice.Login("sip:alice@"+domain, "alice")
	alice.Register(transport)
	return alice, device(b, "bob", "bob", transport)
}

// talk makes a call from alice to bob that everybody has seen answered.
func talk(b *siptest.Bench, alice, bob *siptest.Phone) (call, in *siptest.Call) {
	call = alice.Dial(aor("bob"))
	in = bob.Incoming()
	call.Talk(in)
	return call, in
}

func throughServer(b *siptest.Bench) {
	alice, bob := pair(b, "udp")
	call, in := talk(b, alice, bob)
	b.Check(call.Usage.SessionID().Local == in.Usage.SessionID().Remote, "the legs have different Session-IDs: %v, %v", call.Usage.SessionID(), in.Usage.SessionID())
	in.HangUp(call)
}

func overTCP(b *siptest.Bench) {
	alice, bob := pair(b, "tcp")
	to := aor("bob")
	to.Params = to.Params.With("transport", "tcp")
	call := alice.Dial(to)
	in := bob.Incoming()
	call.Talk(in)
	call.HangUp(in)
}

// threesome is a server with alice and two devices of bob.
func threesome(b *siptest.Bench) (alice, desk, mobile *siptest.Phone) {
	alice, desk = pair(b, "udp")
	return alice, desk, device(b, "mobile", "bob", "udp")
}

func twoDevices(b *siptest.Bench) {
	alice, desk, mobile := threesome(b)
	call := alice.Dial(aor("bob"))
	one, two := desk.Incoming(), mobile.Incoming()
	one.Ring()
	two.Ring()
	b.Wait(2 * time.Second)
	two.Answer()
	call.Await("Answered")
	one.Await("Cancelled")
	two.Await("AckReceived")
	b.Wait(time.Second)
	call.Bye()
	two.Await("Ended BYE received")
}

func twoAnswers(b *siptest.Bench) {
	alice, desk, mobile := threesome(b)
	call := alice.Dial(aor("bob"))
	one, two := desk.Incoming(), mobile.Incoming()
	one.Ring()
	two.Ring()
	b.Wait(2 * time.Second)
	one.Answer()
	two.Answer()
	call.Await("Answered")
	b.Wait(40 * time.Second)
	ended := 0
	for _, c := range []*siptest.Call{one, two} {
		if c.Usage.Over() {
			ended++
		}
	}
	b.Check(ended == 1, "%d of two answered legs have ended", ended)
	call.Bye()
	one.Await("Ended BYE received")
	two.Await("Ended BYE received")
}

func cancelled(b *siptest.Bench) {
	alice, bob := pair(b, "udp")
	call := alice.Dial(aor("bob"))
	in := bob.Incoming()
	in.Ring()
	b.Wait(5 * time.Second)
	call.Cancel()
	call.Await("Rejected 487")
	in.Await("Cancelled")
}

func busyDevice(b *siptest.Bench) {
	alice, bob := pair(b, "udp")
	call := alice.Dial(aor("bob"))
	bob.Incoming().Reject(sip.StatusBusyHere)
	call.Await("Rejected 486")
}

func nobodyAnswers(b *siptest.Bench) {
	alice, bob := pair(b, "udp")
	call := alice.Dial(aor("bob"))
	in := bob.Incoming()
	in.Ring()
	call.Await("Rejected 480")
	in.Await("Cancelled")
}

func deadDevice(b *siptest.Bench) {
	alice, bob := pair(b, "udp")
	bob.Crash()
	call := alice.Dial(aor("bob"))
	call.Await("Rejected 408")
}

func offline(b *siptest.Bench) {
	alice := b.Phone("alice")
	newServer(b)
	alice.Login("sip:alice@"+domain, "alice")
	alice.Dial(aor("bob")).Await("Rejected 480")
}

func unknown(b *siptest.Bench) {
	alice, _ := pair(b, "udp")
	alice.Dial(aor("nobody")).Await("Rejected 404")
}

func holdThroughServer(b *siptest.Bench) {
	alice, bob := pair(b, "udp")
	call, in := talk(b, alice, bob)
	call.Hold()
	call.Await("Modified 200")
	b.Check(siptest.Direction(in.Remote()) == "sendonly", "bob is not on hold: %s", in.Remote())
	b.Wait(10 * time.Second)
	call.Resume()
	call.Await("Modified 200")
	b.Check(siptest.Direction(in.Remote()) == "sendrecv", "bob is still on hold: %s", in.Remote())
	b.Wait(10 * time.Second)
	in.Hold()
	in.Await("Modified 200")
	b.Check(siptest.Direction(call.Remote()) == "sendonly", "alice is not on hold: %s", call.Remote())
	b.Wait(time.Second)
	call.HangUp(in)
}

func glareThroughServer(b *siptest.Bench) {
	alice, bob := pair(b, "udp")
	call, in := talk(b, alice, bob)
	call.Hold()
	in.Hold()
	call.Await("Modified 200")
	in.Await("Modified 200")
	b.Wait(time.Second)
	call.Bye()
	in.Await("Ended")
	call.Await("Ended BYE sent")
}

func callerGone(b *siptest.Bench) {
	alice, bob := pair(b, "udp")
	alice.Dial(aor("bob"))
	in := bob.Incoming()
	in.Ring()
	b.Wait(time.Second)
	alice.Crash()
	in.Answer()
	in.Await("Ended BYE received")
}

func flowLost(b *siptest.Bench) {
	alice, bob := pair(b, "tcp")
	call := alice.Dial(aor("bob"))
	in := bob.Incoming()
	in.Ring()
	b.Wait(time.Second)
	b.Note("bob", "connection lost")
	bob.Host.Cut()
	call.Await("Rejected 480")
	b.Wait(time.Second)
	in.Reject(sip.StatusBusyHere) // nobody waits for it any more
}

func reconnect(b *siptest.Bench) {
	alice, bob := pair(b, "tcp")
	call, in := talk(b, alice, bob)
	b.Note("bob", "connection lost")
	bob.Host.Cut()
	b.Wait(40 * time.Second)
	call.HangUp(in)
}

func cancelRaceThroughServer(b *siptest.Bench) {
	alice, bob := pair(b, "udp")
	call := alice.Dial(aor("bob"))
	in := bob.Incoming()
	in.Ring()
	b.Wait(time.Second)
	in.Answer()
	call.Cancel()
	call.Await("Rejected 487")
	in.Await("Ended BYE received")
}

func blindTransfer(b *siptest.Bench) {
	alice, bob := pair(b, "udp")
	carol := device(b, "carol", "carol", "tcp")
	call, in := talk(b, alice, bob)
	call.Hold()
	call.Await("Modified 200")
	call.Refer(aor("carol"))
	target := carol.Incoming()
	target.Ring()
	b.Wait(2 * time.Second)
	target.Answer()
	target.Await("AckReceived")
	call.Await("Ended BYE received")
	b.Wait(5 * time.Second)
	in.HangUp(target)
}

func transferFails(b *siptest.Bench) {
	alice, bob := pair(b, "udp")
	carol := device(b, "carol", "carol", "tcp")
	call, in := talk(b, alice, bob)
	call.Refer(aor("carol"))
	target := carol.Incoming()
	target.Ring()
	call.Await("Notified 480")
	target.Await("Cancelled")
	b.Wait(5 * time.Second)
	call.HangUp(in)
}

func replacedAtOwnTelephone(b *siptest.Bench) {
	alice, bob := pair(b, "udp")
	carol := device(b, "carol", "carol", "tcp")
	mobile := device(b, "mobile", "alice", "tcp")
	call, in := talk(b, alice, bob)
	b.Wait(time.Second)
	for _, which := range []sip.Replaces{call.Replaces(), in.Replaces()} {
		carol.DialReplacing(aor("bob"), which).Await("Rejected 403")
		b.Wait(time.Second)
	}
	moved := mobile.DialReplacing(aor("bob"), call.Replaces())
	moved.Await("Answered")
	call.Await("Ended BYE received")
	in.Await("Offer")
	b.Wait(5 * time.Second)
	moved.HangUp(in)
}

func lateAck(b *siptest.Bench) {
	alice, bob := pair(b, "udp")
	call := alice.Dial(aor("bob"))
	in := bob.Incoming()
	in.Ring()
	b.Wait(time.Second)
	in.Answer()
	b.Wait(15 * time.Millisecond) // the 200 is on its way to alice
	b.Note("server", "everything is lost from now on")
	b.Faults(siptest.Faults{Loss: 1})
	b.Wait(5 * time.Second)
	b.Note("server", "all is well again")
	b.Faults(siptest.Faults{})
	call.Await("Answered")
	b.Wait(5 * time.Second)
	call.HangUp(in)
}

func byeInReinvite(b *siptest.Bench) {
	alice, bob := pair(b, "udp")
	call, in := talk(b, alice, bob)
	bob.Host.SetConditions(&network.Conditions{Delay: 300 * time.Millisecond})
	call.Hold()
	b.Wait(500 * time.Millisecond) // the server has said 100
	b.Note("alice", "hears nothing")
	alice.Host.SetConditions(&network.Conditions{Loss: 1})
	b.Wait(200 * time.Millisecond)
	in.Bye()
	b.Wait(time.Second)
	b.Note("alice", "hears again")
	alice.Host.SetConditions(nil)
	bob.Host.SetConditions(nil)
	call.Bye()
	call.Await("Ended")
	in.Await("Ended BYE sent")
}

func reliableDevice(b *siptest.Bench) {
	alice, desk, mobile := threesome(b)
	call := alice.Dial(aor("bob"))
	one, two := desk.Incoming(), mobile.Incoming()
	one.Ring()
	b.Check(two.Do(func() error { return two.Usage.Provisional(sip.StatusSessionProgress, described("mobile")) }) == nil, "mobile cannot say 183")
	b.Wait(2 * time.Second)
	two.Answer()
	call.Await("Answered")
	one.Await("Cancelled")
	two.Await("AckReceived")
	b.Wait(time.Second)
	call.Bye()
	two.Await("Ended BYE received")
}

func badAnswer(b *siptest.Bench) {
	alice, desk, mobile := threesome(b)
	call := alice.Dial(aor("bob"))
	one, two := desk.Incoming(), mobile.Incoming()
	two.Ring()
	b.Wait(time.Second)
	b.Check(one.Do(func() error { return one.Usage.Answer(dialog.Body{}) }) == nil, "desk cannot answer")
	one.Await("Ended BYE received")
	b.Wait(time.Second)
	two.Answer()
	call.Await("Answered")
	two.Await("AckReceived")
	b.Wait(time.Second)
	call.Bye()
	two.Await("Ended BYE received")
}

// described is a description of nobody in particular.
func described(name string) dialog.Body {
	return dialog.SDP([]byte("v=0\r\no=" + name + " 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 49170 RTP/AVP 0\r\n"))
}
