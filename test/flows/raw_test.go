// A phone and a peer that does what the test says: late ACKs, forks, requests of no dialog. RFC 3261 §12, §13.

package flows

import (
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/siptest"
)

// TestRawFlows plays the flows in which one side is scripted, on a good network only: a script repeats nothing.
func TestRawFlows(t *testing.T) {
	siptest.RunFlows(t, []siptest.Flow{
		{Name: "raw-late-ack", About: "The ACK comes with the third 200. RFC 3261 §13.3.1.4.", Play: rawLateAck},
		{Name: "raw-fork", About: "A fork answers twice: the second dialog is ended, and each 200 acknowledged. RFC 3261 §13.2.2.4.", Play: rawFork},
		{Name: "raw-fork-prack", About: "A fork answers twice, and the second dialog has had a PRACK: its BYE has the next number. RFC 3261 §12.2.1.1.", Play: rawForkPrack},
		{Name: "raw-no-dialog", About: "Requests of no dialog get 481, an ACK nothing. RFC 3261 §12.2.2.", Play: rawNoDialog},
		{Name: "raw-order", About: "A request whose CSeq is too low gets 500. RFC 3261 §12.2.2.", Play: rawOrder},
		{Name: "raw-require", About: "What we do not have gets 420. RFC 3261 §8.2.2.3.", Play: rawRequire},
		{Name: "raw-bye-early", About: "BYE inside the early dialog. RFC 3261 §15.1.2.", Play: rawByeEarly},
	})
}

const sdp = "v=0\no=alice 1 1 IN IP4 192.0.2.1\ns=-\nc=IN IP4 192.0.2.1\nt=0 0\nm=audio 49170 RTP/AVP 0\n"

// request is a request of alice to bob in the call "raw"; toTag may be empty.
func request(method, cseq, toTag string, more ...string) string {
	to := "To: <sip:bob@{bob}>"
	if toTag != "" {
		to += ";tag=" + toTag
	}
	lines := append([]string{method + " sip:bob@{bob} SIP/2.0", "Via: SIP/2.0/UDP {alice};branch={branch}", "Max-Forwards: 70",
		"From: <sip:alice@{alice}>;tag=a", to, "Call-ID: raw", "CSeq: " + cseq + " " + method, "Contact: <sip:alice@{alice}>"}, more...)
	return strings.Join(lines, "\n")
}

const withBody = "Content-Type: application/sdp\n\n" + sdp

// rawCall is a call of a raw alice to the phone of bob that has been answered; it returns the call and bob's tag.
func rawCall(b *siptest.Bench) (alice *siptest.Peer, in *siptest.Call, tag string) {
	alice = b.Peer("alice")
	bob := b.Phone("bob")
	alice.Send("bob", request("INVITE", "5", "", withBody))
	in = bob.Incoming()
	in.Answer()
	return alice, in, alice.Expect("SIP/2.0 200").Response.ToTag()
}

func rawForkPrack(b *siptest.Bench) {
	alice := b.Phone("alice", "udp")
	bob := b.Peer("bob")
	call := alice.Dial(b.URI("bob"))
	invite := bob.Expect("INVITE")
	description := []string{"Contact: <sip:bob@{bob}>", "Content-Type: application/sdp", "", sdp}
	bob.Reply(invite, sip.StatusSessionProgress, "one", append([]string{"Require: 100rel", "RSeq: 1"}, description...)...)
	prack := bob.Expect("PRACK")
	bob.Reply(prack, sip.StatusOK, "one")
	bob.Reply(invite, sip.StatusOK, "two", description...)
	call.Await("Answered")
	bob.Expect("ACK")
	bob.Reply(invite, sip.StatusOK, "one", description...)
	bob.Expect("ACK")
	bye := bob.Expect("BYE")
	cseq, err := bye.Request.CSeq()
	b.Check(err == nil && cseq.Number == 3, "the BYE is\n%s", bye.Text)
	bob.Reply(bye, sip.StatusOK, "one")
	call.Bye()
	bob.Reply(bob.Expect("BYE"), sip.StatusOK, "two")
	call.Await("Ended BYE sent")
}

func rawLateAck(b *siptest.Bench) {
	alice, in, tag := rawCall(b)
	b.Wait(2 * time.Second)
	alice.Send("bob", request("ACK", "5", tag))
	in.Await("AckReceived")
	alice.Silence(10 * time.Second)
	alice.Send("bob", request("BYE", "6", tag))
	alice.Expect("SIP/2.0 200")
	in.Await("Ended BYE received")
}

func rawFork(b *siptest.Bench) {
	alice, bob := b.Phone("alice"), b.Peer("bob")
	call := alice.Dial(b.URI("bob"))
	invite := bob.Expect("INVITE")
	contact, body := "Contact: <sip:bob@{bob}>", "\n"+sdp
	bob.Reply(invite, sip.StatusRinging, "one", contact)
	bob.Reply(invite, sip.StatusRinging, "two", contact)
	call.Await("Progress 180")
	call.Await("Progress 180")
	bob.Reply(invite, sip.StatusOK, "two", contact, body)
	bob.Expect("ACK")
	bob.Reply(invite, sip.StatusOK, "one", contact, body)
	bob.Expect("ACK")
	bob.Reply(bob.Expect("BYE"), sip.StatusOK, "")
	b.Wait(time.Second)
	bob.Reply(invite, sip.StatusOK, "one", contact, body)
	bob.Expect("ACK")
	bob.Reply(invite, sip.StatusOK, "two", contact, body)
	bob.Expect("ACK")
	b.Wait(time.Second)
	call.Bye()
	bye := bob.Expect("BYE")
	b.Check(bye.Request.ToTag() == "two", "BYE to %q", bye.Request.ToTag())
	bob.Reply(bye, sip.StatusOK, "")
	call.Await("Ended BYE sent")
}

func rawNoDialog(b *siptest.Bench) {
	alice := b.Peer("alice")
	b.Phone("bob")
	for _, method := range []string{"BYE", "INVITE", "INFO", "OPTIONS", "UPDATE"} {
		alice.Send("bob", request(method, "1", "nobody"))
		alice.Expect("SIP/2.0 481")
	}
	alice.Send("bob", request("ACK", "9", "nobody"))
	alice.Silence(5 * time.Second)
}

func rawOrder(b *siptest.Bench) {
	alice, in, tag := rawCall(b)
	alice.Send("bob", request("ACK", "5", tag))
	in.Await("AckReceived")
	alice.Send("bob", request("OPTIONS", "9", tag))
	alice.Expect("SIP/2.0 200")
	alice.Send("bob", request("OPTIONS", "8", tag))
	alice.Expect("SIP/2.0 500")
	alice.Send("bob", request("BYE", "10", tag))
	alice.Expect("SIP/2.0 200")
	in.Await("Ended BYE received")
}

func rawRequire(b *siptest.Bench) {
	alice := b.Peer("alice")
	b.Phone("bob")
	alice.Send("bob", request("INVITE", "1", "", "Require: precondition", "Supported: precondition", withBody))
	res := alice.Expect("SIP/2.0 420").Response
	b.Check(res.Get(sip.HeaderUnsupported) == "precondition", "Unsupported is %q", res.Get(sip.HeaderUnsupported))
	alice.Silence(5 * time.Second)
}

func rawByeEarly(b *siptest.Bench) {
	alice := b.Peer("alice")
	bob := b.Phone("bob")
	alice.Send("bob", request("INVITE", "5", "", withBody))
	in := bob.Incoming()
	in.Ring()
	ringing := alice.Expect("SIP/2.0 180").Response
	b.Check(!ringing.HasToken(sip.HeaderRequire, "100rel"), "a 180 that wants PRACK")
	alice.Send("bob", request("BYE", "6", ringing.ToTag()))
	alice.Expect("SIP/2.0 200")
	end := alice.Expect("SIP/2.0 487").Response
	branch, err := end.Via()
	if err != nil {
		b.T.Fatal(err)
	}
	alice.Send("bob", strings.Replace(request("ACK", "5", ringing.ToTag()), "{branch}", branch.Branch(), 1))
	in.Await("Cancelled")
}
