// Calls with the extensions of a dialog: reliable provisional responses, UPDATE, session timers. RFC 3262, RFC 3311, RFC 4028.

package flows

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
	"github.com/sipwerk/sipwerk/sip/siptest"
)

func extensionFlows() []siptest.Flow {
	return []siptest.Flow{
		{Name: "ua-early-media", About: "The answer goes in a reliable 183. RFC 3262 §3; RFC 3261 §13.2.1.", Play: earlyMedia},
		{Name: "ua-early-update", About: "Both sides change the session before the answer. RFC 3311 §5.", Play: earlyUpdate},
		{Name: "ua-early-cancel", About: "A call with early media is given up.", Play: earlyCancel},
		{Name: "ua-update-glare", About: "Two UPDATEs at once. RFC 3311 §5.2.", Play: updateGlare},
		{Name: "ua-session-timer", About: "The callee refreshes the session by UPDATE. RFC 4028 §7.4.", Play: refreshed},
		{Name: "ua-session-by-invite", About: "The callee's UPDATE is not wanted: the session is refreshed by re-INVITE. RFC 4028 §7.4.", Play: refreshedByInvite},
		{Name: "ua-session-lost", About: "The caller is gone: the refresh finds it out. RFC 4028 §10.", Play: sessionLost},
	}
}

// description is a session description of a phone.
func description(b *siptest.Bench, c *siptest.Call, version int) dialog.Body {
	addr := b.Addr(c.Phone.Name)
	return dialog.SDP(fmt.Appendf(nil, "v=0\r\no=%s 2 %d IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio 49170 RTP/AVP 0\r\n", c.Phone.Name, version, addr, addr))
}

// early is a call from alice to bob with the answer in a reliable 183.
func early(b *siptest.Bench) (call, in *siptest.Call) {
	alice, bob := b.Phone("alice"), b.Phone("bob")
	call = alice.Dial(bob.URI())
	in = bob.Incoming()
	in.Order("progress", func() error { return in.Usage.Provisional(sip.StatusSessionProgress, description(b, in, 1)) })
	call.Await("Progress 183")
	b.Wait(5 * time.Second)
	return call, in
}

// finishEarly answers and ends what early began.
func finishEarly(b *siptest.Bench, call, in *siptest.Call) {
	in.Answer()
	call.Await("Answered")
	in.Await("AckReceived")
	b.Wait(time.Second)
	call.HangUp(in)
}

func earlyMedia(b *siptest.Bench) {
	call, in := early(b)
	finishEarly(b, call, in)
}

func earlyUpdate(b *siptest.Bench) {
	call, in := early(b)
	call.Order("update", func() error { return call.Usage.Update(description(b, call, 2)) })
	call.Await("Modified 200")
	in.Await("Offer")
	in.Order("update", func() error { return in.Usage.Update(description(b, in, 3)) })
	in.Await("Modified 200")
	call.Await("Offer")
	finishEarly(b, call, in)
}

func earlyCancel(b *siptest.Bench) {
	call, in := early(b)
	call.Cancel()
	call.Await("Rejected 487")
	in.Await("Cancelled")
}

func updateGlare(b *siptest.Bench) {
	call, in := answered(b)
	call.Order("update", func() error { return call.Usage.Update(description(b, call, 2)) })
	in.Order("update", func() error { return in.Usage.Update(description(b, in, 2)) })
	call.Await("Modified 200")
	in.Await("Modified 200")
	b.Wait(5 * time.Second)
	call.HangUp(in)
}

func refreshed(b *siptest.Bench) {
	call, in := answered(b)
	b.Wait(40 * time.Minute)
	call.HangUp(in)
}

func refreshedByInvite(b *siptest.Bench) {
	alice, bob := b.Phone("alice"), b.Phone("bob")
	alice.Calls.Allow = "INVITE, ACK, CANCEL, BYE"
	call := alice.Dial(bob.URI())
	in := bob.Incoming()
	in.Answer()
	call.Await("Answered")
	in.Await("AckReceived")
	b.Wait(20 * time.Minute)
	in.Await("Refreshed")
	call.HangUp(in)
}

func sessionLost(b *siptest.Bench) {
	call, in := answered(b)
	call.Phone.Crash()
	b.Wait(16 * time.Minute)
	in.Await("Ended dialog gone")
}

// TestReliableByHand plays a phone against a script that acknowledges nothing, or what was never sent.
func TestReliableByHand(t *testing.T) {
	siptest.RunFlows(t, []siptest.Flow{
		{Name: "raw-no-prack", About: "No PRACK ever comes: 504 after 64*T1. RFC 3262 §3.", Play: rawNoPrack},
		{Name: "raw-prack", About: "Required: each 1xx waits for the PRACK to the one before; a wrong one gets 481. RFC 3262 §3.", Play: rawPrack},
		{Name: "raw-too-brief", About: "A session that lasts too short gets 422. RFC 4028 §9.", Play: rawTooBrief},
	})
}

// ackFinal acknowledges a final response other than 2xx to a raw INVITE.
func ackFinal(b *siptest.Bench, alice *siptest.Peer, cseq string, end *sip.Response) {
	b.T.Helper()
	via, err := end.Via()
	if err != nil {
		b.T.Fatal(err)
	}
	alice.Send("bob", strings.Replace(request("ACK", cseq, end.ToTag()), "{branch}", via.Branch(), 1))
}

func rawNoPrack(b *siptest.Bench) {
	alice := b.Peer("alice")
	bob := b.Phone("bob")
	alice.Send("bob", request("INVITE", "5", "", "Supported: 100rel", withBody))
	in := bob.Incoming()
	in.Order("progress", func() error { return in.Usage.Provisional(sip.StatusSessionProgress, description(b, in, 1)) })
	alice.Expect("SIP/2.0 183")
	b.Wait(31 * time.Second)
	ackFinal(b, alice, "5", alice.Expect("SIP/2.0 504").Response)
	in.Await("Cancelled")
}

func rawPrack(b *siptest.Bench) {
	alice := b.Peer("alice")
	bob := b.Phone("bob")
	alice.Send("bob", request("INVITE", "5", "", "Require: 100rel", withBody))
	in := bob.Incoming()
	in.Ring()
	in.Order("progress", func() error { return in.Usage.Provisional(sip.StatusSessionProgress, description(b, in, 1)) })
	ringing := alice.Expect("SIP/2.0 180").Response
	first, _ := ringing.Uint(sip.HeaderRSeq)
	b.Check(ringing.HasToken(sip.HeaderRequire, "100rel") && first > 0, "180 is not reliable:\n%s", ringing)
	alice.Send("bob", request("PRACK", "6", ringing.ToTag(), fmt.Sprintf("RAck: %d 5 INVITE", first+1)))
	alice.Expect("SIP/2.0 481")
	alice.Send("bob", request("PRACK", "7", ringing.ToTag(), fmt.Sprintf("RAck: %d 5 INVITE", first)))
	alice.Expect("SIP/2.0 200")
	second, _ := alice.Expect("SIP/2.0 183").Response.Uint(sip.HeaderRSeq)
	b.Check(second == first+1, "RSeq %d after %d", second, first)
	in.Answer()
	alice.Send("bob", request("PRACK", "8", ringing.ToTag(), fmt.Sprintf("RAck: %d 5 INVITE", second)))
	alice.Expect("SIP/2.0 200")
	ok := alice.Expect("SIP/2.0 200").Response
	b.Check(len(ok.Body()) == 0, "the answer comes twice:\n%s", ok)
	alice.Send("bob", request("ACK", "5", ringing.ToTag()))
	in.Await("AckReceived")
	alice.Send("bob", request("BYE", "9", ringing.ToTag()))
	alice.Expect("SIP/2.0 200")
	in.Await("Ended BYE received")
}

func rawTooBrief(b *siptest.Bench) {
	alice := b.Peer("alice")
	b.Phone("bob")
	alice.Send("bob", request("INVITE", "5", "", "Supported: timer", "Session-Expires: 30", withBody))
	res := alice.Expect("SIP/2.0 422").Response
	b.Check(res.Get(sip.HeaderMinSE) == "90", "Min-SE is %q", res.Get(sip.HeaderMinSE))
	alice.Silence(5 * time.Second)
}
