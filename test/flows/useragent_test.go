// Calls between two user agents without a server between them. RFC 3665 §3.

package flows

import (
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/siptest"
)

func userAgentFlows() []siptest.Flow {
	return []siptest.Flow{
		{Name: "ua-established", About: "Successful session establishment. RFC 3665 §3.1.", Play: established},
		{Name: "ua-answer-in-ack", About: "The answer goes with the ACK. RFC 3665 §3.6 (the part between user agents).", Play: answerInAck},
		{Name: "ua-reinvite", About: "Session with re-INVITE: hold, resume, hold by the other side. RFC 3665 §3.7.", Play: holdAndResume},
		{Name: "ua-no-answer", About: "Unsuccessful, no answer: the caller cancels. RFC 3665 §3.8.", Play: noAnswer},
		{Name: "ua-busy", About: "Unsuccessful, busy. RFC 3665 §3.9.", Play: busy},
		{Name: "ua-no-response", About: "Unsuccessful, no response. RFC 3665 §3.10.", Play: noResponse},
		{Name: "ua-unavailable", About: "Unsuccessful, temporarily unavailable. RFC 3665 §3.11.", Play: unavailable},
		{Name: "ua-glare", About: "Two re-INVITEs at once. RFC 3261 §14.1.", Play: glare},
		{Name: "ua-both-hang-up", About: "Two BYEs at once. RFC 3261 §15.", Play: bothHangUp},
		{Name: "ua-cancel-race", About: "CANCEL meets 200. RFC 3261 §9.1.", Play: cancelRace},
		{Name: "ua-caller-vanishes", About: "The caller vanishes, no ACK ever comes. RFC 3261 §13.3.1.4.", Play: callerVanishes},
		{Name: "ua-callee-hangs-up-early", About: "The callee hangs up at once, its BYE waits for the ACK. RFC 3261 §15.", Play: hangUpBeforeAck},
	}
}

// answered makes a call from alice to bob that both sides have seen answered.
func answered(b *siptest.Bench) (call, in *siptest.Call) {
	alice, bob := b.Phone("alice"), b.Phone("bob")
	call = alice.Dial(bob.URI())
	in = bob.Incoming()
	call.Talk(in)
	return call, in
}

func established(b *siptest.Bench) {
	call, in := answered(b)
	in.HangUp(call)
}

func answerInAck(b *siptest.Bench) {
	alice, bob := b.Phone("alice"), b.Phone("bob")
	call := alice.DialWithoutOffer(bob.URI())
	in := bob.Incoming()
	in.Ring()
	b.Wait(time.Second)
	in.Answer()
	call.Await("Answered")
	in.Await("AckReceived")
	b.Check(in.Remote() != "", "the ACK held no answer")
	b.Wait(time.Second)
	call.HangUp(in)
}

func holdAndResume(b *siptest.Bench) {
	call, in := answered(b)
	call.Hold()
	call.Await("Modified 200")
	b.Check(siptest.Direction(in.Remote()) == "sendonly", "bob is not on hold: %s", in.Remote())
	b.Check(siptest.Direction(call.Remote()) == "recvonly", "bob did not agree: %s", call.Remote())
	b.Wait(10 * time.Second)
	in.Await("Offer")
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

func noAnswer(b *siptest.Bench) {
	alice, bob := b.Phone("alice"), b.Phone("bob")
	call := alice.Dial(bob.URI())
	in := bob.Incoming()
	in.Ring()
	b.Wait(20 * time.Second)
	call.Cancel()
	call.Await("Rejected 487")
	in.Await("Cancelled")
}

func busy(b *siptest.Bench) { refused(b, sip.StatusBusyHere, "Rejected 486") }

func unavailable(b *siptest.Bench) {
	refused(b, sip.StatusTemporarilyUnavailable, "Rejected 480")
}

func refused(b *siptest.Bench, status sip.Status, want string) {
	alice, bob := b.Phone("alice"), b.Phone("bob")
	call := alice.Dial(bob.URI())
	bob.Incoming().Reject(status)
	call.Await(want)
}

func noResponse(b *siptest.Bench) {
	alice := b.Phone("alice")
	b.Peer("bob")
	call := alice.Dial(b.URI("bob"))
	call.Await("Rejected 408")
}

func glare(b *siptest.Bench) {
	call, in := answered(b)
	call.Hold()
	in.Resume()
	call.Await("Modified 200")
	in.Await("Modified 200")
	b.Wait(time.Second)
	call.Bye()
	in.Await("Ended")
	call.Await("Ended BYE sent")
}

func bothHangUp(b *siptest.Bench) {
	call, in := answered(b)
	call.Bye()
	in.Bye()
	call.Await("Ended BYE sent")
	in.Await("Ended BYE sent")
}

func cancelRace(b *siptest.Bench) {
	alice, bob := b.Phone("alice"), b.Phone("bob")
	call := alice.Dial(bob.URI())
	in := bob.Incoming()
	in.Ring()
	b.Wait(time.Second)
	in.Answer()
	call.Cancel()
	call.Await("Rejected 487")
	in.Await("Ended BYE received")
}

func callerVanishes(b *siptest.Bench) {
	alice, bob := b.Phone("alice"), b.Phone("bob")
	alice.Dial(bob.URI())
	in := bob.Incoming()
	in.Ring()
	b.Wait(time.Second)
	alice.Crash()
	in.Answer()
	in.Await("Ended no ACK")
}

func hangUpBeforeAck(b *siptest.Bench) {
	alice, bob := b.Phone("alice"), b.Phone("bob")
	call := alice.Dial(bob.URI())
	in := bob.Incoming()
	in.Answer()
	in.Bye()
	call.Await("Answered")
	call.Await("Ended BYE received")
	in.Await("Ended BYE sent")
}
