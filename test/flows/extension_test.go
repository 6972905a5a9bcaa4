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

func extensionFlows() []flow {
	return []flow{
		{"ua-early-media", "The answer goes in a reliable 183. RFC 3262 §3; RFC 3261 §13.2.1.", earlyMedia},
		{"ua-early-update", "Both sides change the session before the answer. RFC 3311 §5.", earlyUpdate},
		{"ua-early-cancel", "A call with early media is given up.", earlyCancel},
		{"ua-update-glare", "Two UPDATEs at once. RFC 3311 §5.2.", updateGlare},
		{"ua-session-timer", "The callee refreshes the session by UPDATE. RFC 4028 §7.4.", refreshed},
		{"ua-session-by-invite", "The callee's UPDATE is not wanted: the session is refreshed by re-INVITE. RFC 4028 §7.4.", refreshedByInvite},
		{"ua-session-lost", "The caller is gone: the refresh finds it out. RFC 4028 §10.", sessionLost},
	}
}

// description is a session description of a phone.
func description(b *siptest.Bench, c *siptest.Call, version int) dialog.Body {
	addr := b.Addr(c.Phone.Name)
	return dialog.SDP(fmt.Appendf(nil, "v=0\r\no=%s 2 %d IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio 49170 RTP/AVP 0\r\n", c.Phone.Name, version, addr, addr))
}

// order gives an order to a call.
func order(b *siptest.Bench, c *siptest.Call, what string, f func() error) {
	b.T.Helper()
	if err := c.Do(f); err != nil {
		b.T.Errorf("%s: %s: %v", c.Phone.Name, what, err)
	}
}

// early is a call from alice to bob with the answer in a reliable 183.
func early(b *siptest.Bench) (call, in *siptest.Call) {
	alice, bob := b.Phone("alice"), b.Phone("bob")
	call = alice.Dial(bob.URI())
	in = bob.Incoming()
	order(b, in, "progress", func() error { return in.Usage.Provisional(sip.StatusSessionProgress, description(b, in, 1)) })
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
	call.Bye()
	in.Await("Ended BYE received")
	call.Await("Ended BYE sent")
}

func earlyMedia(b *siptest.Bench) {
	call, in := early(b)
	finishEarly(b, call, in)
}

func earlyUpdate(b *siptest.Bench) {
	call, in := early(b)
	order(b, call, "update", func() error { return call.Usage.Update(description(b, call, 2)) })
	call.Await("Modified 200")
	in.Await("Offer")
	order(b, in, "update", func() error { return in.Usage.Update(description(b, in, 3)) })
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
	order(b, call, "update", func() error { return call.Usage.Update(description(b, call, 2)) })
	order(b, in, "update", func() error { return in.Usage.Update(description(b, in, 2)) })
	call.Await("Modified 200")
	in.Await("Modified 200")
	b.Wait(5 * time.Second)
	call.Bye()
	in.Await("Ended BYE received")
	call.Await("Ended BYE sent")
}

func refreshed(b *siptest.Bench) {
	call, in := answered(b)
	b.Wait(40 * time.Minute)
	call.Bye()
	in.Await("Ended BYE received")
	call.Await("Ended BYE sent")
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
	call.Bye()
	in.Await("Ended BYE received")
	call.Await("Ended BYE sent")
}

func sessionLost(b *siptest.Bench) {
	call, in := answered(b)
	call.Phone.Crash()
	b.Wait(16 * time.Minute)
	in.Await("Ended dialog gone")
}

// TestReliableByHand plays a phone against a script that acknowledges nothing, or what was never sent.
func TestReliableByHand(t *testing.T) {
	for _, f := range []flow{
		{"raw-no-prack", "No PRACK ever comes: 504 after 64*T1. RFC 3262 §3.", rawNoPrack},
		{"raw-prack", "Required: each 1xx waits for the PRACK to the one before; a wrong one gets 481. RFC 3262 §3.", rawPrack},
		{"raw-too-brief", "A session that lasts too short gets 422. RFC 4028 §9.", rawTooBrief},
	} {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			siptest.Run(t, func(b *siptest.Bench) {
				f.play(b)
				b.Golden(f.name, f.about)
			})
		})
	}
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
	order(b, in, "progress", func() error { return in.Usage.Provisional(sip.StatusSessionProgress, description(b, in, 1)) })
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
	order(b, in, "progress", func() error { return in.Usage.Provisional(sip.StatusSessionProgress, description(b, in, 1)) })
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
