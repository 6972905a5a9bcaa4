package flows

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/server/store"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/siptest"
)

// thrifty is a company in Berlin where people may talk four minutes a day to the outside.
const thrifty = `
dialplan: {country: DE, area-code: "30", time-zone: Europe/Berlin, minutes-a-day: 4, max-calls: 3}
accounts:
  alice: {devices: [alice], secrets: {alice: "env:ALICE"}}
  bob: {devices: [bob], secrets: {bob: "env:BOB"}}
  carol: {devices: [carol], secrets: {carol: "env:CAROL"}, forward-always: "` + honest + `"}
trunks:
  provider: {kind: address, server: ["192.0.2.4:5060"], transport: udp, options-interval: -1s, numbers: ["+4930100"], country: "49"}
`

// ends waits for the end of a call to the outside, which is to come within five minutes, and says when it was after a time.
func ends(b *siptest.Bench, call, out *siptest.Call, began time.Time) (at time.Duration) {
	for range 300 {
		if slices.ContainsFunc(call.Events(), func(e string) bool { return strings.HasPrefix(e, "Ended") }) {
			break
		}
		b.Wait(time.Second)
	}
	at = time.Since(began).Round(time.Second)
	for _, side := range []*siptest.Call{call, out} {
		if end := side.Await("Ended"); !strings.Contains(end, "BYE received") {
			b.T.Errorf("a side of the call saw %s", end)
		}
	}
	return at
}

// outside connects a telephone with somebody outside, by a number of the house or outside.
func (f *firm) outside(from *siptest.Phone, to string) (call, out *siptest.Call) {
	call = from.Dial(aor(to))
	out = f.provider.Incoming()
	call.Talk(out)
	return call, out
}

// TestMinutes: a call that uses up the minutes of who pays is ended, calls at the same time share them, and who forwards pays. An emergency call goes on.
func TestMinutes(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		f := newFirmOf(b, thrifty, nil)
		first, firstOut := f.outside(f.alice, honest)
		b.Wait(2 * time.Minute)
		began := time.Now()
		second, secondOut := f.outside(f.alice, honest)
		if at := ends(b, first, firstOut, began); at != time.Minute {
			t.Errorf("two calls have talked four minutes after %s", at)
		}
		ends(b, second, secondOut, began)
		b.Wait(time.Second)
		if log := f.log.take(); strings.Count(log, `msg="call cut off" reason=minutes domain=example.org account=alice number=`+honest+" minutes=4") != 2 ||
			strings.Count(log, "by=system") != 2 || strings.Count(log, `reason="SIP;cause=403;text=\"Minutes of the day used up\""`) != 2 {
			t.Errorf("not told:\n%s", log)
		}
		if n := f.figure("sipwerk_calls_cut_total"); n != "2" {
			t.Errorf("%s calls are counted", n)
		}
		f.alice.Dial(aor(honest)).Await("Rejected 403")
		help, helpOut := f.outside(f.alice, "112")
		b.Wait(270 * time.Second)
		help.HangUp(helpOut)

		began = time.Now()
		forwarded, forwardedOut := f.outside(f.bob, "carol")
		if at := ends(b, forwarded, forwardedOut, began); at < 4*time.Minute || at > 4*time.Minute+2*time.Second {
			t.Errorf("the forwarded call was ended after %s", at)
		}
		f.bob.Dial(aor("carol")).Await("Rejected 403")
		own, ownOut := f.outside(f.bob, honest) // it was carol who has paid
		own.HangUp(ownOut)
		b.Wait(2 * time.Second)
		if payers := f.payers(t); !slices.Equal(payers, []string{"alice", "alice", "", "carol", "bob"}) {
			t.Errorf("the records say that %q have paid", payers)
		}
	})
}

// payers are who has paid for the calls to the outside, as the records say, in the order of the calls: for that to the emergency service nobody.
func (f *firm) payers(t *testing.T) (all []string) {
	for c, err := range f.Store.CDRs(context.Background(), store.CDRFilter{}) {
		if err != nil {
			t.Error(err)
		}
		for _, l := range c.Legs {
			if l.Trunk != "" {
				all = append(all, l.Payer)
			} else if l.Payer != "" {
				all = append(all, "inside: "+l.Payer)
			}
		}
	}
	return all
}

// TestMinutesSecondTrunk: a call that the first trunk refuses and the second takes is one of the calls of its payer, and its minutes count.
func TestMinutesSecondTrunk(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		document := strings.Replace(thrifty, "max-calls: 3", "max-calls: 1", 1) +
			`  second: {kind: address, server: ["192.0.2.6:5060"], transport: udp, options-interval: -1s, priority: 9, country: "49"}
`
		f := newFirmOf(b, document, nil)
		second := b.Phone("second", "udp")
		b.Check(b.Addr("second").String() == "192.0.2.6", "the second provider is at %s", b.Addr("second"))
		call := f.alice.Dial(aor(honest))
		f.provider.Incoming().Reject(sip.StatusServiceUnavailable)
		out := second.Incoming()
		began := time.Now()
		call.Talk(out)
		f.alice.Dial(aor(honest)).Await("Rejected 486")
		if at := ends(b, call, out, began); at < 4*time.Minute || at > 4*time.Minute+2*time.Second {
			t.Errorf("the call was ended after %s", at)
		}
		f.alice.Dial(aor(honest)).Await("Rejected 403")
	})
}

// TestMinutesAtMidnight: a new day gives new minutes, and what a call has talked before is none of them.
func TestMinutesAtMidnight(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		f := newFirmOf(b, strings.Replace(thrifty, "Europe/Berlin", "Atlantic/Azores", 1), nil) // an hour before midnight
		zone, err := time.LoadLocation("Atlantic/Azores")
		if err != nil {
			t.Fatal(err)
		}
		now := time.Now().In(zone)
		midnight := time.Date(now.Year(), now.Month(), now.Day()+1, 0, 0, 0, 0, zone)
		b.Wait(time.Until(midnight) - 5*time.Minute)
		for _, p := range []*siptest.Phone{f.alice, f.bob} {
			p.Register("udp")
		}
		alices, alicesOut := f.outside(f.alice, honest)
		ends(b, alices, alicesOut, midnight)
		f.alice.Dial(aor(honest)).Await("Rejected 403")
		bobs, bobsOut := f.outside(f.bob, honest) // a few seconds before midnight
		b.Wait(time.Until(midnight) + time.Second)
		alices, alicesOut = f.outside(f.alice, honest)
		alices.HangUp(alicesOut)
		if at := ends(b, bobs, bobsOut, midnight); at != 4*time.Minute {
			t.Errorf("what was talked before midnight counts after it: the call ended %s later", at)
		}
	})
}

// TestMinutesKept: a restart gives nobody new minutes, however the server has ended; what a call under way has used counts, too.
func TestMinutesKept(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		f := newFirmOf(b, thrifty, nil)
		alices, alicesOut := f.outside(f.alice, honest)
		b.Wait(3 * time.Minute)
		alices.HangUp(alicesOut)
		bobs, bobsOut := f.outside(f.bob, honest)
		b.Wait(2 * time.Minute)
		left := b.T.TempDir() // what kill -9 would leave: nobody has closed anything
		if err := os.CopyFS(left, os.DirFS(f.Config.Data)); err != nil {
			t.Fatal(err)
		}
		bobs.HangUp(bobsOut)
		f.restart(left)
		for _, p := range []*siptest.Phone{f.alice, f.bob} {
			p.Register("udp")
		}
		for phone, minutes := range map[*siptest.Phone]time.Duration{f.alice: time.Minute, f.bob: 2 * time.Minute} {
			call, out := f.outside(phone, honest)
			if at := ends(b, call, out, time.Now()); at < minutes-2*time.Second || at > minutes+16*time.Second {
				t.Errorf("%s has %s left", phone.Name, at)
			}
		}
	})
}
