package ice

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/stun/v4"

	"github.com/sipwerk/sipwerk/network"
)

// TestIndications: an indication shows that the peer is there if it comes from where a check has passed, before a restart or since, and is not answered. RFC 8445 §11.
func TestIndications(t *testing.T) {
	bubble(t, network.Conditions{Delay: 20 * time.Millisecond}, func(t *testing.T, sim *network.Sim) {
		full, lite := newSide(t, sim, here, Config{Offerer: true}), newSide(t, sim, there, Config{Lite: true})
		other := newSide(t, sim, stranger, Config{})
		full.learn(t, lite, lite.Candidates()...)
		lite.learn(t, full)
		joined(t, full, lite)
		full.Close() // and its checks end
		answers := make(chan netip.AddrPort, 1)
		for _, s := range []*side{full, other} {
			s.Aside(func(_ []byte, from netip.AddrPort, _ bool) { answers <- from })
		}
		heard := func(when string, from *side, want bool) {
			t.Helper()
			pause(time.Minute)
			sent, before := time.Now(), lite.proven()
			_ = from.SendTo(build(stun.TransactionID, stun.NewType(stun.MethodBinding, stun.ClassIndication), stun.Fingerprint), there, false)
			pause(time.Second)
			if last, _ := lite.Heard(); last.After(sent) != want {
				t.Errorf("%s: heard last %v, sent %v", when, last, sent)
			}
			if proven := lite.proven() > before; proven != want {
				t.Errorf("%s: the address stays its own: %v", when, proven)
			}
		}
		steady := func(when string, want bool) {
			t.Helper()
			if _, got := lite.Heard(); (got == Steady) != want {
				t.Errorf("%s: habit %v, steady: want %v", when, got, want)
			}
		}
		steady("joined", true)
		heard("a stranger", other, false)
		if err := lite.Restart(); err != nil {
			t.Fatal(err)
		}
		steady("the old way after a restart", true)
		lite.learn(t, full)
		steady("the old way after a description of the new one", true)
		heard("the peer after a restart", full, true)
		steady("the old way without checks", false)
		if len(answers) > 0 {
			t.Errorf("an indication is answered to %v", <-answers)
		}
	})
}

// TestVigil: who checks the chosen way all the time is told from who does so at the beginning, over other ways, seldom, or repeats a check whose answer is lost. RFC 7675 §5.1.
func TestVigil(t *testing.T) {
	type row struct {
		checks int
		every  time.Duration
		from   netip.AddrPort
		same   bool // the check is sent again
	}
	nobody := netip.AddrPort{} // an indication, no check
	for name, c := range map[string]struct {
		rows []row
		want Habit
	}{
		"consent":            {[]row{{4, 5 * time.Second, here, false}}, Steady},
		"consent, two lost":  {[]row{{2, 5 * time.Second, here, false}, {1, 14 * time.Second, here, false}}, Steady},
		"at the beginning":   {[]row{{20, 100 * time.Millisecond, here, false}}, Unknown},
		"too short":          {[]row{{3, 5 * time.Second, here, false}}, Unknown},
		"seldom":             {[]row{{10, 15 * time.Second, here, false}}, Seldom},
		"seldom after all":   {[]row{{10, 5 * time.Second, here, false}, {1, 20 * time.Second, here, false}}, Seldom},
		"another way":        {[]row{{10, 5 * time.Second, there, false}}, Unknown},
		"sent again":         {[]row{{10, 5 * time.Second, here, true}}, Unknown},
		"a way that is new":  {[]row{{10, 5 * time.Second, there, false}, {2, 5 * time.Second, here, false}}, Unknown},
		"without in the end": {[]row{{10, 5 * time.Second, here, false}, {1, 20 * time.Second, nobody, false}}, Seldom},
		"consent in between": {[]row{{2, 15 * time.Second, here, false}, {4, 5 * time.Second, here, false}}, Steady},
	} {
		g := &agenda{lite: true, random: rand.NewChaCha8([32]byte{}), local: Credentials{"evtj", vectorPwd}}
		now, id := time.Unix(1000, 0), byte(1)
		g.heard(now, request{id: [stun.TransactionIDSize]byte{id}, priority: 1, nominate: true}, here)
		for _, r := range c.rows {
			id++
			for range r.checks {
				now = now.Add(r.every)
				if r.from == nobody {
					g.vigil.pause(now)
					continue
				}
				g.heard(now, request{id: [stun.TransactionIDSize]byte{id}, priority: 1}, r.from)
				if !r.same {
					id++
				}
			}
		}
		if got := g.vigil.habit(); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
