// Toll fraud: what is tried to telephone at the expense of others, with telephones and the whole product. Each attempt is refused with the right status, is an event in the log and
// counts in a metric.

package flows

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/server/store"
	"github.com/sipwerk/sipwerk/server/voicemail"
	"github.com/sipwerk/sipwerk/service/pbx"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/siptest"
)

// company is a firm in Berlin with a provider. Nobody has opened anything: the brakes are those of the start.
const company = `
dialplan: {country: DE, area-code: "30", time-zone: Europe/Berlin}
accounts:
  alice: {devices: [alice], secrets: {alice: "env:ALICE"}, max-calls: 1}
  bob: {devices: [bob], secrets: {bob: "env:BOB"}}
  carol: {devices: [carol], secrets: {carol: "env:CAROL"}, forward-always: "+4990012345678"}
mailboxes:
  alice: {}
rooms:
  "4000": {owners: [alice]}
trunks:
  provider: {kind: address, server: ["192.0.2.4:5060"], transport: udp, options-interval: -1s, numbers: ["+4930100"], country: "49"}
`

const (
	premium = "+4990012345678"
	honest  = "+4930123456"
)

// firm is the company at work: alice and bob are registered, the provider answers what comes out, and a stranger says that it is alice.
type firm struct {
	*house
	alice, bob, provider, stranger *siptest.Phone
}

func newFirm(b *siptest.Bench) firm { return newFirmOf(b, company, premiumMessage(b.T)) }

// newFirmOf is a firm with another document.
func newFirmOf(b *siptest.Bench, document string, before func(*store.Store, string)) firm {
	h := newHouse(b, document, before)
	f := firm{house: h, alice: device(b, "alice", "alice", "udp"), bob: device(b, "bob", "bob", "udp"), provider: b.Phone("provider", "udp"), stranger: b.Phone("mallory", "udp")}
	f.stranger.Identity = aor("alice")
	b.Check(b.Addr("provider").String() == "192.0.2.4", "the provider is at %s", b.Addr("provider"))
	h.log.take()
	return f
}

// premiumMessage puts a message into alice's box that came from a premium number.
func premiumMessage(t *testing.T) func(*store.Store, string) {
	return func(st *store.Store, data string) {
		ctx := context.Background()
		take, err := voicemail.Open(st, data).Record(ctx, pbx.Message{Box: voicemail.BoxName(domain, "alice"), From: premium, Received: time.Now()}, 8000)
		if err == nil {
			err = take.WriteSamples(make([]int16, 16000))
		}
		if err == nil {
			err = take.Keep(ctx, 2*time.Second)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// attempt is one row of the table.
type attempt struct {
	name   string
	play   func(b *siptest.Bench, f firm)
	event  string // that the log has
	metric string // that counts
}

var attempts = []attempt{
	{"unauthenticated", unauthenticated, `level=INFO msg="login refused" reason="no credentials" user="" source=192.0.2.5 method=INVITE to=sip:` + honest + "@example.org",
		`sipwerk_authentications_total{result="challenged"}`},
	{"guessed", guessed, `level=WARN msg="login refused" reason="wrong credentials" user=alice source=192.0.2.5 method=INVITE`, `sipwerk_authentications_total{result="failed"}`},
	{"foreign sender", foreignSender, `level=WARN msg="login refused" reason="foreign sender" user=bob source=192.0.2.3 method=INVITE`, `sipwerk_authentications_total{result="forbidden"}`},
	{"foreign identity", foreignIdentity, "reason=identity domain=example.org from=bob", `sipwerk_calls_refused_total{reason="identity"}`},
	{"REFER", referred, "reason=premium domain=example.org from=bob account=bob number=" + premium + " how=transferred", `sipwerk_calls_refused_total{reason="premium"}`},
	{"REFER outside", referredOutside, "reason=premium domain=example.org from=bob account=bob number=" + premium + " how=transferred", `sipwerk_calls_refused_total{reason="premium"}`},
	{"302", redirected, "reason=premium domain=example.org from=bob account=bob number=" + premium + " how=deflected", `sipwerk_calls_refused_total{reason="premium"}`},
	{"forward", forwardedOut, "reason=premium domain=example.org from=bob account=carol number=" + premium, `sipwerk_calls_refused_total{reason="premium"}`},
	{"voicemail", calledBack, "reason=premium domain=example.org from=alice account=alice number=" + premium, `sipwerk_calls_refused_total{reason="premium"}`},
	{"invitation", invitedOut, "reason=premium domain=example.org from=alice account=alice number=" + premium + " how=dialled", `sipwerk_calls_refused_total{reason="premium"}`},
	{"too many calls", tooMany, "reason=calls domain=example.org from=alice account=alice number=" + honest, `sipwerk_calls_refused_total{reason="calls"}`},
}

// TestTollFraud plays the table of attempts at one company, one after the other.
func TestTollFraud(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		f := newFirm(b)
		for _, a := range attempts {
			before := f.figure(a.metric)
			a.play(b, f)
			b.Wait(time.Second)
			if log := f.log.take(); strings.Count(log, a.event) != 1 {
				t.Errorf("%s: not one event %s in\n%s", a.name, a.event, log)
			}
			if after := f.figure(a.metric); after == before {
				t.Errorf("%s: %s is still %s", a.name, a.metric, before)
			}
		}
	})
}

func unauthenticated(_ *siptest.Bench, f firm) {
	f.stranger.Dial(aor(honest)).Await("Rejected 401")
}

func guessed(_ *siptest.Bench, f firm) {
	f.stranger.Login("sip:alice@"+domain, "123456")
	f.stranger.Dial(aor(honest)).Await("Rejected 401")
}

func foreignSender(_ *siptest.Bench, f firm) {
	f.bob.Identity = aor("alice")
	f.bob.Dial(aor(honest)).Await("Rejected 403")
	f.bob.Identity = aor("bob")
}

func foreignIdentity(_ *siptest.Bench, f firm) {
	f.bob.DialWith(aor(honest), sip.HeaderPAssertedIdentity.String()+": <sip:alice@"+domain+">").Await("Rejected 403")
}

func referred(b *siptest.Bench, f firm) {
	call, in := talk(b, f.alice, f.bob)
	in.Refer(aor(premium))
	in.Await("Referred 403")
	b.Wait(time.Second)
	call.HangUp(in)
}

func referredOutside(b *siptest.Bench, f firm) {
	call, in := talk(b, f.alice, f.bob)
	in.ReferOutside(aor(premium))
	in.Await("Referred 403")
	b.Wait(time.Second)
	call.HangUp(in)
}

func redirected(_ *siptest.Bench, f firm) {
	call := f.alice.Dial(aor("bob"))
	f.bob.Incoming().Redirect(aor(premium))
	call.Await("Rejected 480")
}

func forwardedOut(_ *siptest.Bench, f firm) {
	f.bob.Dial(aor("carol")).Await("Rejected 403")
}

func calledBack(b *siptest.Bench, f firm) {
	call := f.alice.Dial(aor("*97"))
	call.Await("Answered")
	b.Wait(time.Second)
	call.Press("1") // the new messages
	b.Wait(time.Second)
	call.Press("1") // enough of it
	b.Wait(time.Second)
	call.Press("3") // call back
	b.Wait(20 * time.Second)
	call.Bye()
	call.Await("Ended BYE sent")
}

func invitedOut(b *siptest.Bench, f firm) {
	call := f.alice.Dial(aor("4000"))
	call.Await("Answered")
	call.Refer(aor(premium))
	call.Await("Notified 403")
	call.Bye()
	call.Await("Ended BYE sent")
}

func tooMany(b *siptest.Bench, f firm) {
	call := f.alice.Dial(aor(honest))
	out := f.provider.Incoming()
	call.Talk(out)
	f.alice.Dial(aor(honest)).Await("Rejected 486")
	call.HangUp(out)
}
