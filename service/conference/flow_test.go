// Conferences in virtual time. RFC 4579 §5, RFC 4353 §4.

package conference

import (
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/internal/lockout"
	"github.com/sipwerk/sipwerk/media/codec"
	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/siptest"
)

// The tones by which the speakers are told apart.
var tones = map[string]float64{"alice": 440, "bob": 650, "carol": 1000}

// wantHeard fails the test unless a line hears these speakers and nobody else.
func wantHeard(t *testing.T, l *line, speakers ...string) {
	t.Helper()
	for name, tone := range tones {
		want := strings.Contains(strings.Join(speakers, " "), name)
		if got := l.hears(tone); got != want {
			t.Errorf("%s hears %s: %t", l.phone.name, name, got)
		}
	}
}

// TestThree: each of three, with codecs of their own, hears the two others and not itself.
func TestThree(t *testing.T) {
	run(t, func(w *world) {
		formats := map[string]codec.Format{"alice": codec.PCMA(), "bob": codec.PCMU(), "carol": codec.G722()}
		lines := make(map[string]*line)
		for _, name := range []string{"alice", "bob", "carol"} {
			l := w.phone(name, formats[name]).dial("4000")
			l.want(200, false)
			l.say(tones[name])
			lines[name] = l
		}
		w.Wait(2 * time.Second)
		wantHeard(t, lines["alice"], "bob", "carol")
		wantHeard(t, lines["bob"], "alice", "carol")
		wantHeard(t, lines["carol"], "alice", "bob")
		if c := lines["alice"].contact; !strings.Contains(c, "4000@") || !strings.Contains(c, ";isfocus") {
			t.Errorf("Contact is %s", c)
		}
		lines["carol"].bye()
		w.Wait(time.Second)
		wantHeard(t, lines["alice"], "bob")
		if c := w.focus.Counts(); c.Rooms != 1 || c.Calls != 2 {
			t.Errorf("counts %+v", c)
		}
	})
}

// TestKinds: a telephone, one that protects its sound and a browser in one room, called in and called out. RFC 4568, RFC 5763, RFC 8835.
func TestKinds(t *testing.T) {
	run(t, func(w *world) {
		lines := make(map[string]*line)
		for name, kind := range map[string]session.Kind{"alice": session.Plain, "bob": session.SDES, "carol": session.WebRTC} {
			p := w.phone(name)
			p.kind = kind
			lines[name] = p.dial("4000")
		}
		w.Wait(2 * time.Second) // checks and handshakes
		for name, l := range lines {
			l.want(200, false)
			l.say(tones[name])
		}
		w.Wait(2 * time.Second)
		wantHeard(t, lines["alice"], "bob", "carol")
		wantHeard(t, lines["bob"], "alice", "carol")
		wantHeard(t, lines["carol"], "alice", "bob")
	})
}

// TestPIN: nobody is heard before the PIN, which is asked three times; moderators have one of their own.
func TestPIN(t *testing.T) {
	run(t, func(w *world) {
		pin, err := newPIN("4711", quick)
		moderator, err2 := newPIN("99887766", quick)
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		w.set["4000"] = Settings{PIN: pin, Moderator: moderator, Quiet: true}
		alice, bob := w.phone("alice").dial("4000"), w.phone("bob").dial("4000")
		alice.say(tones["alice"])
		bob.say(tones["bob"])
		w.Wait(2 * time.Second)
		wantHeard(t, alice)
		alice.press("4711#")
		bob.press("4712#")
		w.Wait(time.Second)
		wantHeard(t, alice)
		bob.press("4*4711") // and no more: the pause ends it
		w.Wait(6 * time.Second)
		wantHeard(t, alice, "bob")
		wantHeard(t, bob, "alice")
		bob.press("*7")
		w.Wait(time.Second)
		wantHeard(t, bob, "alice") // is no moderator
		bob.press("*099887766#")
		bob.press("*7")
		w.Wait(time.Second)
		wantHeard(t, bob)
		if n := w.focus.Counts().WrongPINs; n != 1 {
			t.Errorf("%d wrong PINs", n)
		}
	})
}

// TestLockout: three errors end the call, six close the door to who made them, and to nobody else.
func TestLockout(t *testing.T) {
	run(t, func(w *world) {
		pin, _ := newPIN("4711", quick)
		w.set["4000"] = Settings{PIN: pin}
		mallory, alice := w.phone("mallory"), w.phone("alice")
		for range 2 {
			l := mallory.dial("4000")
			for range 3 {
				l.want(200, false)
				l.press("1111#")
			}
			l.want(200, true)
		}
		mallory.dial("4000").want(403, true)
		l := alice.dial("4000")
		l.press("4711#")
		l.want(200, false)
		l.bye()
		w.Wait(lockout.Window) // nobody is there
		l = mallory.dial("4000")
		w.Wait(gateTime + time.Second)
		l.want(200, true) // nothing was dialled
	})
}

// TestGuessesInManyCalls: who has many calls has no more guesses than in one: not at the gate, and not for the PIN of moderators.
func TestGuessesInManyCalls(t *testing.T) {
	run(t, func(w *world) {
		pin, _ := newPIN("4711", quick)
		w.set["4000"], w.set["4001"] = Settings{PIN: pin}, Settings{Moderator: pin}
		mallory := w.phone("mallory")
		first, second, third := mallory.dial("4000"), mallory.dial("4000"), mallory.dial("4000")
		for _, l := range []*line{first, second} {
			for range gateTries {
				l.press("1111#")
			}
			l.want(200, true)
		}
		third.press("4711#")
		third.want(200, true)

		l := mallory.dial("4001")
		for m := range w.focus.live("sip:4001@example.org").members {
			m.do(func() {
				for range 2 * lockout.Guesses { // as INFO can say them: all at one instant
					m.claim("1111")
				}
			})
		}
		w.Wait(time.Second)
		if n := w.focus.Counts().WrongPINs; n != 2*gateTries+2 { // one of them by the third call, one of many claims is heard
			t.Errorf("%d wrong PINs", n)
		}
		l.want(200, false)
	})
}

// TestCommands: mute, lock, remove, end.
func TestCommands(t *testing.T) {
	run(t, func(w *world) {
		alice, bob, carol := w.phone("alice"), w.phone("bob"), w.phone("carol")
		w.set["4000"] = Settings{Owners: []string{alice.uri()}, Quiet: true}
		a, b := alice.dial("4000"), bob.dial("4000")
		a.say(tones["alice"])
		b.say(tones["bob"])
		b.press("*6")
		w.Wait(time.Second)
		wantHeard(t, a)
		wantHeard(t, b, "alice")
		b.press("*6")
		b.press("*5") // is no moderator
		c := carol.dial("4000")
		c.want(200, false)
		a.press("*8") // who came last
		c.want(200, true)
		a.press("*5")
		carol.dial("4000").want(403, true)
		a.press("*5")
		carol.dial("4000").want(200, false)
		a.press("**")
		w.Wait(time.Second)
		a.want(200, true)
		b.want(200, true)
		if all := w.observed.all(); !strings.Contains(all, "locked, ") || !strings.Contains(all, "unlocked, ") || !strings.HasSuffix(all, "closed") {
			t.Errorf("observed %s", all)
		}
	})
}

// TestWaitForModerator: nobody hears anything before the moderator is there.
func TestWaitForModerator(t *testing.T) {
	run(t, func(w *world) {
		alice, bob, carol := w.phone("alice"), w.phone("bob"), w.phone("carol")
		w.set["4000"] = Settings{Owners: []string{carol.uri()}, WaitForModerator: true, MuteOnEntry: true}
		a, b := alice.dial("4000"), bob.dial("4000")
		a.say(tones["alice"])
		b.say(tones["bob"])
		a.press("*6")
		w.Wait(time.Second)
		wantHeard(t, a)
		wantHeard(t, b)
		c := carol.dial("4000")
		c.say(tones["carol"])
		w.Wait(2 * time.Second)
		wantHeard(t, a, "carol")
		wantHeard(t, b, "alice", "carol")
	})
}

// TestLimits: of a room, of rooms, of calls.
func TestLimits(t *testing.T) {
	run(t, func(w *world) {
		alice, bob := w.phone("alice"), w.phone("bob")
		w.set["4000"] = Settings{MaxMembers: 1}
		w.set["4001"] = Settings{}
		w.set["4002"] = Settings{}
		w.focus.MaxRooms, w.focus.MaxCalls, w.focus.MaxDuration = 2, 3, 5*time.Second
		alice.dial("4000").want(200, false)
		bob.dial("4000").want(486, true)
		bob.dial("4001").want(200, false)
		bob.dial("4002").want(503, true)
		bob.dial("4001").want(200, false)
		bob.dial("4001").want(503, true)
		bob.dial("4003").want(404, true)
		w.Wait(6 * time.Second)
		if n := w.focus.Calls(); n != 0 {
			t.Errorf("%d calls when their time is over", n)
		}
	})
}

// TestWithoutOffer: the answer comes with the ACK.
func TestWithoutOffer(t *testing.T) {
	run(t, func(w *world) {
		p := w.phone("alice")
		l := p.dial("4000", func(req *sip.Request) { req.SetBody("", nil) })
		if _, over := l.state(); over {
			t.Error("an INVITE without offer is refused")
		}
	})
}

// TestFactory: each call to a factory makes a room, into which others come by its Contact. RFC 4579 §5.4.
func TestFactory(t *testing.T) {
	run(t, func(w *world) {
		w.set["make"] = Settings{Factory: true}
		alice, bob := w.phone("alice"), w.phone("bob")
		a, other := alice.dial("make"), bob.dial("make")
		contact, err := sip.ParseAddress(a.contact)
		if err != nil || !strings.HasPrefix(contact.URI.User, madePrefix) {
			t.Fatalf("Contact %s: %v", a.contact, err)
		}
		if w.focus.Counts().Rooms != 2 || a.contact == other.contact {
			t.Errorf("rooms %s and %s", a.contact, other.contact)
		}
		b := bob.dial(contact.URI.User)
		b.want(200, false)
		b.say(tones["bob"])
		w.Wait(2 * time.Second)
		wantHeard(t, a, "bob")
		wantHeard(t, other)
		a.press("**") // its maker is the moderator
		b.want(200, true)
		bob.dial(contact.URI.User).want(404, true)
	})
}

// TestUnderLoss: calls end in the right state, and nothing is left.
func TestUnderLoss(t *testing.T) {
	faults := siptest.Faults{Loss: 0.15, Duplicate: 0.1, Reorder: 0.1, Jitter: 30 * time.Millisecond}
	for faults.Seed = 1; faults.Seed <= 2; faults.Seed++ {
		t.Run(faults.String(), func(t *testing.T) {
			run(t, func(w *world) {
				a, b := w.phone("alice").dial("4000"), w.phone("bob").dial("4000")
				w.Wait(5 * time.Second)
				a.want(200, false)
				b.want(200, false)
				a.bye()
				b.bye()
				w.Wait(40 * time.Second)
			}, faults)
		})
	}
}

// proofs is an identity that believes nobody but those in it.
type proofs map[string]bool

func (p proofs) Identify(ev *sip.Event) sip.Address {
	from, err := ev.Request.From()
	if err != nil || !p[from.URI.User] {
		return sip.Address{}
	}
	return from
}

// TestForgedOwner: what From says gives no rights: not those of the owner, and not those of the moderator who is there.
func TestForgedOwner(t *testing.T) {
	run(t, func(w *world) {
		alice, mallory := w.phone("alice"), w.phone("mallory")
		pin, _ := newPIN("4711", quick)
		w.set["4000"] = Settings{Owners: []string{alice.uri()}, PIN: pin}
		w.focus.Identity = proofs{"alice": true}
		forge := func(req *sip.Request) { req.Set(sip.HeaderFrom, "<"+alice.uri()+">") }
		w.focus.Identity = proofs{}
		m := mallory.dial("4000", forge)
		m.press("*5")
		if status := m.refer(alice.uri() + ";method=BYE"); status != 403 {
			t.Errorf("REFER at the gate: %d", status)
		}
		w.focus.Identity = proofs{"alice": true}
		a := alice.dial("4000") // is let in
		a.press("*6")
		w.focus.Identity = proofs{}
		m.press("4711#")
		if status := m.refer(alice.uri() + ";method=BYE"); status != 403 {
			t.Errorf("REFER of a member: %d", status)
		}
		a.want(200, false)
		heard, _ := mallory.watch("4000")
		if len(heard.documents) != 1 || heard.documents[0] != "ended" {
			t.Errorf("mallory hears %v", heard.documents)
		}
	})
}
