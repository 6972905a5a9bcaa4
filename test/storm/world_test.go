// One storm from its first to its last instant.

package storm

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/siptest"
)

// storm is a seed at work. It belongs to the test's goroutine.
type storm struct {
	*siptest.Bench
	plan    *plan
	start   time.Time
	server  *server
	parties []*party
	calm    atomic.Bool // nobody begins anything any more

	found     []string // what is wrong, as far as the audit at the end does not see it
	concerned []string // Call-IDs of the calls in which the audit has found something
	ladder    string   // of everything, if it is asked for
	history   bool
}

// play plays a seed with so many parties, 0 for as many as the seed says, and audits it.
func play(t *testing.T, seed uint64, parties int, history bool) *storm {
	s := &storm{plan: drawPlan(seed, parties), history: history}
	siptest.Run(t, func(b *siptest.Bench) {
		s.Bench, s.start = b, time.Now()
		s.Net.InTurn = true
		b.Report = s.report
		s.run()
	}, s.plan.faults)
	return s
}

func (s *storm) run() {
	s.server = newServer(s)
	for i := range s.plan.parties {
		s.parties = append(s.parties, newParty(s, i))
	}
	s.Watch(siptest.Watched{Name: "calls", Host: s.server.host, Left: s.contradictions})
	for _, p := range s.parties {
		s.Wait(p.moment(1, 50*time.Millisecond))
		p.register.want(true)
		synctest.Wait()
	}
	begin := time.Now()
	for _, a := range s.plan.acts {
		s.Wait(time.Until(begin.Add(a.at)))
		s.act(a)
		synctest.Wait()
	}
	s.Wait(5 * time.Second)
	s.subside()
	if s.history {
		s.ladder = s.Ladder().String()
	}
}

// act does what the plan says, if it can be done now.
func (s *storm) act(a act) {
	if a.who < 0 {
		s.server.crash()
		return
	}
	p := s.parties[a.who]
	if p.down {
		p.comeBack()
		return
	}
	switch a.kind {
	case callSomebody:
		p.call(s.somebody(a.n), a.n>>32)
	case sendMessage:
		p.say(sip.MethodMessage, s.somebody(a.n), a.n>>32)
	case askOptions:
		p.say(sip.MethodOptions, s.somebody(a.n), a.n>>32)
	case refresh:
		p.register.want(true)
	case deregister:
		p.register.want(false)
	case cut:
		s.Note(p.name, "loses its connections")
		p.host.Cut()
	case crash:
		p.crash()
	case partition:
		s.partition(p, 100*time.Millisecond+time.Duration(a.n%uint64(8*time.Second)))
	}
}

// somebody is an account, sometimes one that is not there.
func (s *storm) somebody(n uint64) sip.URI {
	if n%40 == 0 {
		return sip.URI{Scheme: "sip", User: "nobody", Host: domain}
	}
	return aor(int(n % uint64(s.plan.people)))
}

// partition cuts a party off for a while.
func (s *storm) partition(p *party, d time.Duration) {
	s.Note(p.name, fmt.Sprintf("hears and is heard no more for %v", d.Round(time.Millisecond)))
	faults := s.plan.faults
	dead := siptest.Faults{Loss: 1, Jitter: faults.Jitter}.Conditions()
	p.host.SetConditions(&dead)
	time.AfterFunc(d, func() {
		if !s.calm.Load() {
			p.host.SetConditions(p.link)
		}
	})
}

// subside ends the storm: the network is good again, everybody hangs up and says a last time whether it wants to be bound.
func (s *storm) subside() {
	s.Note("server", "the storm is over")
	s.calm.Store(true)
	s.Faults(siptest.Faults{Jitter: 3 * time.Millisecond}) // no two things at one instant: their order would be chance
	for _, p := range s.parties {
		p.host.SetConditions(nil)
	}
	s.Wait(45 * time.Second) // longer than a change of a session can take
	s.found = append(s.found, s.disagreements()...)
	s.hangUp()
	s.Wait(70 * time.Second) // what was under way in the storm has its outcome, or none
	s.hangUp()
	for i, p := range s.parties {
		if !p.down {
			s.Wait(time.Millisecond)
			p.register.settle(i%3 > 0)
		}
	}
	s.Wait(40 * time.Second)
	s.checkBindings()
	s.Wait(granted + 35*time.Second)
	s.server.drain()
	s.Wait(35 * time.Second)
}

// hangUp ends every call that there is.
func (s *storm) hangUp() {
	for _, p := range s.parties {
		for _, l := range p.calls() {
			if p.down || l.life != p.life || l.ended() {
				continue
			}
			s.Wait(time.Millisecond + 7*time.Microsecond)
			l.usage.Do(l.bye)
			synctest.Wait()
		}
	}
}
