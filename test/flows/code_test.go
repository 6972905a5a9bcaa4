// Codes that change something, in the whole product: they are for whoever dials them, and nobody is led there.

package flows

import (
	"context"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/siptest"
)

// office is a company whose hours alice alone may switch, for which it has a short number, and in which carol forwards every call to the switch.
const office = `
dialplan:
  country: DE
  area-code: "30"
  time-zone: Europe/Berlin
  short-numbers: {"7": "*481*2"}
accounts:
  alice: {devices: [alice], secrets: {alice: "env:ALICE"}}
  bob: {devices: [bob], secrets: {bob: "env:BOB"}}
  carol: {devices: [carol], secrets: {carol: "env:CAROL"}, forward-always: "*481*2"}
hours:
  office: {open: [daily 0-24], code: "1", switch-by: [alice]}
`

// closes and forwards are what bob would have alice order.
var (
	closes   = aor("*481*2")
	forwards = aor("*21*0301234567")
)

// TestLedToCode: nobody orders anything with the name of another who is led to the code, on whatever way.
func TestLedToCode(t *testing.T) {
	for _, tt := range []struct {
		name string
		play func(b *siptest.Bench, f firm)
	}{
		{"REFER", ledByTransfer}, {"REFER after a talk with an application", ledByConsultation}, {"302", ledByRedirection}, {"forward", ledByForward},
	} {
		t.Run(tt.name, func(t *testing.T) {
			siptest.Run(t, func(b *siptest.Bench) {
				f := newFirmOf(b, office, nil)
				tt.play(b, f)
				b.Wait(5 * time.Second)
				f.ordered(b, "auto", "")
			})
		})
	}
}

// ordered checks how the hours of the office stand, and where alice's calls are forwarded.
func (f firm) ordered(b *siptest.Bench, state, forward string) {
	b.T.Helper()
	set, err := f.Store.Settings(context.Background(), domain)
	if err != nil {
		b.T.Fatal(err)
	}
	own, _ := set.Account("alice")
	if got := set.Hours["office"].State; got != state || own.ForwardAlways != forward {
		b.T.Errorf("the hours are %s and alice is forwarded to %q; want %s and %q", got, own.ForwardAlways, state, forward)
	}
}

func ledByTransfer(b *siptest.Bench, f firm) {
	call, in := talk(b, f.alice, f.bob)
	for _, code := range []sip.URI{closes, forwards, aor("*45"), aor("*37")} {
		in.Refer(code)
		in.Await("Referred 403")
		b.Wait(time.Second)
	}
	call.HangUp(in)
}

func ledByConsultation(b *siptest.Bench, f firm) {
	call, in := talk(b, f.alice, f.bob)
	echo := f.bob.Dial(aor("echo"))
	echo.Await("Answered")
	b.Wait(time.Second)
	for _, params := range []sip.Params{"", ";user=dialstring"} {
		to := closes
		to.Params = params
		in.Refer(to.WithHeader("Replaces", echo.Replaces().String()))
		in.Await("Referred 403")
		b.Wait(time.Second)
	}
	echo.Bye()
	echo.Await("Ended BYE sent")
	call.HangUp(in)
}

func ledByRedirection(_ *siptest.Bench, f firm) {
	for _, code := range []sip.URI{closes, forwards} {
		call := f.alice.Dial(aor("bob"))
		f.bob.Incoming().Redirect(code)
		call.Await("Rejected 480")
	}
}

func ledByForward(_ *siptest.Bench, f firm) {
	f.alice.Dial(aor("carol")).Await("Rejected 403")
}

// TestDialledCode: whoever dials the code is obeyed, by a short number, too.
func TestDialledCode(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		f := newFirmOf(b, office, nil)
		for _, tt := range []struct{ code, state, forward string }{{"7", "closed", ""}, {"*481*0", "auto", ""}, {"*21*bob", "auto", "bob"}} {
			call := f.alice.Dial(aor(tt.code))
			call.Await("Answered")
			call.Await("Ended BYE received") // it has been said what has become of it
			f.ordered(b, tt.state, tt.forward)
		}
	})
}

// TestForeignConsultation: a transfer names no talk of somebody else with an application: the slot that is kept for carol is not for whom alice talks to. RFC 4538 §1.
func TestForeignConsultation(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		f := newFirmOf(b, office, nil)
		carol := device(b, "carol", "carol", "tcp")
		call, in := talk(b, f.alice, f.bob)
		for _, tt := range []struct {
			by   *siptest.Phone
			want []string
		}{{carol, []string{"Referred 403"}}, {f.alice, []string{"Referred 202", "Ended BYE received"}}} {
			slot := tt.by.Dial(aor("*500"))
			slot.Await("Answered")
			b.Wait(time.Second)
			call.Refer(aor("*500").WithHeader("Replaces", slot.Replaces().String()))
			for _, word := range tt.want {
				call.Await(word)
			}
			if tt.by == carol {
				b.Wait(time.Second)
				slot.Bye()
				slot.Await("Ended BYE sent")
			}
		}
		b.Wait(5 * time.Second)
		in.Bye()
		in.Await("Ended BYE sent")
	})
}
