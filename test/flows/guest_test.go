package flows

import (
	"context"
	"strings"
	"testing"
	"time"

	product "github.com/sipwerk/sipwerk/server"
	"github.com/sipwerk/sipwerk/server/store"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/siptest"
)

// meeting is a company with a conference room, to which alice invites.
const meeting = `
dialplan: {country: DE, area-code: "30", time-zone: Europe/Berlin}
accounts:
  alice: {devices: [alice], secrets: {alice: "env:ALICE"}, minutes-a-day: 2, caller-id: "+4930100"}
  bob: {devices: [bob], secrets: {bob: "env:BOB"}}
  carol: {devices: [carol], secrets: {carol: "env:CAROL"}}
groups:
  "600": {members: [bob]}
rooms:
  "4000": {owners: [alice], title: Sales}
  "4001": {}
trunks:
  provider: {kind: address, server: ["192.0.2.4:5060"], transport: udp, options-interval: -1s, numbers: ["+4930100"], country: "49"}
`

// TestGuests: a room calls numbers outside and groups on behalf of a member, who pays: when the minutes of that are used up, the guest is out, and a call of the room has one record. RFC 4579 §5.5.
func TestGuests(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		f := newFirmOf(b, meeting, nil)
		alice := f.alice.Dial(aor("4000"))
		alice.Await("Answered")
		invite := func(whom string, by *siptest.Phone) *siptest.Call {
			alice.Refer(aor(whom))
			guest := by.Incoming()
			guest.Ring()
			guest.Answer()
			guest.Await("AckReceived")
			alice.Await("Notified 200")
			return guest
		}
		guest := invite("030123456", f.provider)
		if from := guest.Usage.Invitation().Get(sip.HeaderFrom); !strings.Contains(from, "sip:+4930100@") {
			t.Errorf("the room calls as %s", from)
		}
		began := time.Now()
		colleague := invite("600", f.bob)
		for whom, want := range map[string]string{"4001": "Notified 404", "*43": "Notified 404", "0033123456789": "Notified 403"} {
			alice.Refer(aor(whom))
			alice.Await(want)
		}
		b.Wait(2*time.Minute - time.Since(began))
		if end := guest.Await("Ended"); !strings.Contains(end, "BYE received") {
			t.Errorf("the guest saw %s", end)
		}
		colleague.Bye()
		b.Wait(time.Second)
		alice.Bye()
		b.Wait(time.Second)
		outside := 0
		for c, err := range f.Store.CDRs(context.Background(), store.CDRFilter{}) {
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(c.Dialled, "30123456") {
				if outside++; c.Account != "alice" || c.Status != 200 || !strings.Contains(c.Reason, "Minutes") {
					t.Errorf("%+v", c)
				}
			}
		}
		if outside != 1 {
			t.Errorf("%d records of the call to the outside", outside)
		}
	})
}

// TestGuestOrdered: a command has a room call somebody: on behalf of its owner, or of who is named.
func TestGuestOrdered(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		f := newFirmOf(b, meeting, nil)
		ctx := context.Background()
		if err := f.Invite(ctx, product.InviteOrder{Room: "4000", Whom: "bob"}); err == nil || !strings.Contains(err.Error(), "nobody is in the room") {
			t.Errorf("an empty room calls: %v", err)
		}
		if err := f.Invite(ctx, product.InviteOrder{Room: "999", Whom: "bob"}); err == nil || !strings.Contains(err.Error(), "no room 999") {
			t.Errorf("a room that is none calls: %v", err)
		}
		bob := f.bob.Dial(aor("4001"))
		bob.Await("Answered")
		if err := f.Invite(ctx, product.InviteOrder{Room: "4001", Whom: honest}); err == nil || !strings.Contains(err.Error(), "403") {
			t.Errorf("nobody pays: %v", err)
		}
		done := make(chan error, 1)
		go func() { done <- f.Invite(ctx, product.InviteOrder{Room: "4001", Whom: honest, From: "bob"}) }()
		guest := f.provider.Incoming()
		guest.Answer()
		guest.Await("AckReceived")
		if err := <-done; err != nil {
			t.Error(err)
		}
		guest.Bye()
		bob.Bye()
		b.Wait(time.Second)
	})
}
