// Paging. RFC 5373 §4.

package conference

import (
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/siptest"
)

// pagers are three telephones of which the first may page the others.
func pagers(w *world, oneWay bool) (alice, bob, carol *phone) {
	alice, bob, carol = w.phone("alice"), w.phone("bob"), w.phone("carol")
	w.focus.Identity = proofs{"alice": true, "bob": true}
	w.set["700"] = Settings{Title: "Hall", Page: &Page{Members: []sip.URI{w.URI("alice"), w.URI("bob"), w.URI("carol")}, OneWay: oneWay, Callers: []string{alice.uri()}}}
	return alice, bob, carol
}

// TestPage: everybody is asked to answer by itself, hears who pages, is not heard, and is let go when that one goes.
func TestPage(t *testing.T) {
	run(t, func(w *world) {
		alice, bob, carol := pagers(w, true)
		a := alice.dial("700")
		a.say(tones["alice"])
		w.Wait(time.Second)
		b, c := <-bob.rang, <-carol.rang
		invite := b.usage.Invitation()
		if invite.Get(sip.HeaderAnswerMode) != "Auto" || invite.Get(sip.HeaderCallInfo) != "<sip:example.org>;answer-after=0" || !invite.Has(sip.HeaderAlertInfo) {
			t.Errorf("the INVITE does not ask to be answered:\n%s", invite)
		}
		b.say(tones["bob"])
		w.Wait(time.Second)
		wantHeard(t, c, "alice")
		wantHeard(t, a)
		b.press("*6") // nobody takes the word
		w.Wait(time.Second)
		wantHeard(t, a)
		a.bye()
		w.Wait(time.Second)
		b.want(0, true)
		c.want(0, true)
	})
}

// TestPageTwoWay: the members are heard; one that is busy is left alone.
func TestPageTwoWay(t *testing.T) {
	run(t, func(w *world) {
		alice, bob, carol := pagers(w, false)
		w.focus.Busy = func(uri sip.URI) bool { return uri.User == "carol" }
		a := alice.dial("700")
		b := <-bob.rang
		b.say(tones["bob"])
		w.Wait(time.Second)
		wantHeard(t, a, "bob")
		if len(carol.rang) > 0 {
			t.Error("somebody in a call is paged")
		}
		b.bye()
		a.bye()
	})
}

// TestPageRefused: whoever may not page, has not proved who it is, or would page nobody.
func TestPageRefused(t *testing.T) {
	run(t, func(w *world) {
		alice, bob, carol := pagers(w, true)
		bob.dial("700").want(sip.StatusForbidden, true)
		carol.dial("700").want(sip.StatusForbidden, true)
		w.focus.Busy = func(sip.URI) bool { return true }
		alice.dial("700").want(sip.StatusBusyHere, true)
	})
}

// TestPageUnderLoss: nobody is left alone with a loudspeaker.
func TestPageUnderLoss(t *testing.T) {
	faults := siptest.Faults{Loss: 0.15, Duplicate: 0.1, Reorder: 0.1, Jitter: 30 * time.Millisecond}
	for faults.Seed = 1; faults.Seed <= 2; faults.Seed++ {
		t.Run(faults.String(), func(t *testing.T) {
			run(t, func(w *world) {
				alice, bob, carol := pagers(w, true)
				a := alice.dial("700")
				w.Wait(8 * time.Second)
				a.bye()
				w.Wait(70 * time.Second)
				for _, p := range []*phone{bob, carol} {
					for _, l := range p.lines {
						if _, over := l.state(); !over {
							t.Errorf("%s is still in the page", p.name)
						}
					}
				}
			}, faults)
		})
	}
}
