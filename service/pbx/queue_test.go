package pbx

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/siptest"
)

// support is a house with a queue called 700, whose telephones the test answers in place of a B2BUA.
type support struct {
	*house
	*Queues
	set  QueueSettings
	away map[string]bool

	mu       sync.Mutex // guards set, away and sessions
	sessions []string   // of the callers, in the order in which they came
}

const queueName = "sip:700@example.org"

func agentName(user string) string { return "sip:" + user + "@example.org" }

// change changes what the directory says.
func (s *support) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

func (s *support) Queue(name string) (QueueSettings, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.set, name == s.set.Name
}

func (s *support) Reachable(agent string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.away[agent]
}

// supportDirectory is the directory of a test.
type supportDirectory struct{ *support }

func (d supportDirectory) Queues() []QueueSettings {
	set, _ := d.Queue(queueName)
	return []QueueSettings{set}
}

func runQueue(t *testing.T, f func(s *support), faults ...siptest.Faults) {
	run(t, func(h *house) {
		s := &support{house: h, away: map[string]bool{}}
		s.set = QueueSettings{Name: queueName, URI: sip.MustParseURI(queueName), Agents: []string{agentName("ann"), agentName("ben")}, Strategy: RingInOrder, WrapUp: 10 * time.Second,
			RingTime: 15 * time.Second, MaxWait: 30 * time.Second, Exit: '0', Otherwise: sip.MustParseURI("sip:voicemail%3A200@example.org")}
		s.Queues = &Queues{Directory: supportDirectory{s}, Lamps: &Lamps{}, Turns: &Turns{}}
		s.Lamps.Listeners = []func(string, int){s.Turns.Changed, s.Queues.Changed}
		h.phone.Refers = true
		h.plays(Queue, func(ctx context.Context, l *Line) error {
			l.Object = sip.MustParseURI(queueName)
			s.mu.Lock()
			s.sessions = append(s.sessions, l.Session)
			s.mu.Unlock()
			return s.Queues.Play(ctx, l)
		})
		h.MaxCalls = 1000
		f(s)
	}, faults...)
}

// rings returns the agents whose telephones ring.
func (s *support) rings() (agents string) {
	s.Queues.mu.Lock()
	defer s.Queues.mu.Unlock()
	for _, set := range []QueueSettings{s.set} {
		for _, name := range set.Agents {
			if a := s.Queues.agents[name]; a != nil && a.offer != nil {
				agents += " " + strings.TrimSuffix(strings.TrimPrefix(name, "sip:"), "@example.org")
			}
		}
	}
	return strings.TrimSpace(agents)
}

// answer lets an agent answer the call of a caller, and ends it after a while.
func (s *support) answer(user string, caller int, call *siptest.Call) (over func()) {
	s.mu.Lock()
	leg := b2bua.LegState{ID: user, Call: s.sessions[caller], Phase: b2bua.LegConfirmed, Account: sip.MustParseURI(agentName(user))}
	s.mu.Unlock()
	s.Lamps.ObserveLeg(&leg)
	call.Report(sip.StatusOK)
	call.Await("Ended BYE received")
	return func() {
		leg.Phase = b2bua.LegOver
		s.Lamps.ObserveLeg(&leg)
	}
}

// want fails the test unless the telephones of these agents ring.
func (s *support) want(agents string) {
	s.T.Helper()
	s.Check(s.rings() == agents, "%q ring, want %q", s.rings(), agents)
}

// TestQueue: two callers, two agents; who does not answer is left in peace; who has ended a call wraps it up.
func TestQueue(t *testing.T) {
	runQueue(t, func(s *support) {
		s.change(func() { s.set.MaxWait = 10 * time.Minute })
		one := s.dial("100")
		one.Await("Request REFER")
		s.want("ann")
		two := s.dial("100")
		two.Await("Request REFER")
		s.want("ann ben")
		three := s.dial("100")
		three.Await("Answered")
		if list, d, ok := s.Ring(offered(s.Queues, "ann")); !ok || d != 15*time.Second || fmt.Sprint(list) != "[sip:ann@example.org]" {
			t.Errorf("%v for %s, %t", list, d, ok)
		}
		one.Report(sip.StatusTemporarilyUnavailable) // ann does not answer; ben rings for another
		s.Wait(time.Second)
		s.want("ben")
		two.Report(sip.StatusBusyHere)
		one.Await("Request REFER") // who came first is first: ben is left in peace, ann may be tried again before
		s.want("ann")
		annEnds := s.answer("ann", 0, one)
		st := s.Status()[0]
		if st.Waiting != 2 || st.Served != 1 || st.InTime != 1 && st.InTime != 0 || st.Agents[0].State != AgentTalking {
			t.Errorf("%+v", st)
		}
		two.Await("Request REFER")
		s.want("ben")
		benEnds := s.answer("ben", 1, two)
		s.Wait(20 * time.Second)
		annEnds()
		if st := s.Status()[0]; st.Agents[0].State != AgentWrapUp || st.Talk < 20*time.Second {
			t.Errorf("%+v", st)
		}
		three.Await("Request REFER")
		s.want("ann")
		three.Bye()
		three.Await("Ended")
		benEnds()
		s.Wait(15 * time.Second)
		st = s.Status()[0]
		if st.Waiting != 0 || st.Abandoned != 1 || st.Served != 2 || st.Agents[1].State != AgentFree || len(s.offers) != 0 {
			t.Errorf("%+v", st)
		}
	})
}

// offered is the address to which a caller is sent who is offered to an agent.
func offered(q *Queues, user string) sip.URI {
	q.mu.Lock()
	defer q.mu.Unlock()
	uri := sip.MustParseURI(queueName)
	uri.Params = sip.Params("").With(agentsParam, q.agents[agentName(user)].offer.token)
	return uri
}

// TestQueueAll: all agents ring at once, for one caller; those in a call, paused or without a telephone do not.
func TestQueueAll(t *testing.T) {
	runQueue(t, func(s *support) {
		s.set.Strategy = RingAll
		s.set.Agents = []string{agentName("ann"), agentName("ben"), agentName("cem"), agentName("dan")}
		s.Pause(agentName("cem"), true)
		s.away[agentName("dan")] = true
		call := s.dial("100")
		call.Await("Request REFER")
		s.want("ann ben")
		call.Report(sip.StatusTemporarilyUnavailable)
		s.Wait(time.Second)
		s.want("")
		s.Lamps.ObserveLeg(&b2bua.LegState{ID: "x", Phase: b2bua.LegEarly, Account: sip.MustParseURI(agentName("ben"))})
		s.change(func() { s.away[agentName("dan")] = false }) // registers, and nobody tells
		call.Await("Request REFER")
		s.want("dan")
		s.Pause(agentName("cem"), false)
		call.Report(sip.StatusTemporarilyUnavailable)
		call.Await("Request REFER")
		s.want("cem")
		call.Bye()
		call.Await("Ended")
		s.Lamps.ObserveLeg(&b2bua.LegState{ID: "x", Phase: b2bua.LegOver, Account: sip.MustParseURI(agentName("ben"))})
	})
}

// TestQueueLeaves: who cannot wait is sent on: nobody logged in, too many, too long, by a digit, and when the last agent goes.
func TestQueueLeaves(t *testing.T) {
	runQueue(t, func(s *support) {
		left := func(call *siptest.Call) {
			t.Helper()
			call.Await("Request REFER")
			s.Check(s.rings() == "", "%s ring", s.rings())
			call.Report(sip.StatusOK)
			call.Await("Ended BYE received")
		}
		s.Login(agentName("ann"), queueName, false)
		s.Login(agentName("ben"), queueName, false)
		if s.Login(agentName("eve"), queueName, true) || s.Login(agentName("ann"), "sip:701@example.org", true) {
			t.Error("somebody who is no agent has logged in")
		}
		left(s.dial("100"))
		s.Login(agentName("ann"), queueName, true)
		s.change(func() { s.away[agentName("ann")] = true })
		s.change(func() { s.set.MaxCallers = 1 })
		first := s.dial("100")
		first.Await("Answered")
		left(s.dial("100"))
		s.Wait(10 * time.Second)
		first.Press("70")
		left(first)
		began := time.Now()
		late := s.dial("100")
		left(late)
		if d := time.Since(began); d < s.set.MaxWait || d > s.set.MaxWait+10*time.Second {
			t.Errorf("waited for %s", d)
		}
		last := s.dial("100")
		s.Wait(20 * time.Second)
		s.Login(agentName("ann"), queueName, false)
		left(last)
		s.change(func() { s.set.Otherwise = sip.URI{} })
		s.dial("100").Await("Ended BYE received")
		if st := s.Status()[0]; st.Overflowed != 6 || st.Waiting != 0 {
			t.Errorf("%+v", st)
		}
	})
}

// TestQueueUnderLoss: nobody is forgotten in a queue.
func TestQueueUnderLoss(t *testing.T) {
	faults := siptest.Faults{Loss: 0.2, Duplicate: 0.1, Reorder: 0.1, Jitter: 30 * time.Millisecond}
	for faults.Seed = 1; faults.Seed <= 4; faults.Seed++ {
		t.Run(faults.String(), func(t *testing.T) {
			runQueue(t, func(s *support) {
				call := s.dial("100")
				call.Await("Request REFER")
				call.Report(sip.StatusBusyHere)
				call.Await("Request REFER")
				s.answer("ben", 0, call)()
				if st := s.Status()[0]; st.Waiting != 0 || st.Served != 1 {
					t.Errorf("%+v", st)
				}
			}, faults)
		})
	}
}

// TestQueuePriority: an agent of two queues takes the callers of the more important one first.
func TestQueuePriority(t *testing.T) {
	agents := []string{agentName("ann")}
	sets := map[string]QueueSettings{"a": {Name: "a", Agents: agents}, "b": {Name: "b", Agents: agents, Priority: 5}}
	q := &Queues{Directory: several(sets), Lamps: &Lamps{}, Turns: &Turns{}}
	q.Lamps.Show(agents[0], &b2bua.LegState{ID: "x", Phase: b2bua.LegConfirmed})
	first, _ := q.enter(sets["a"])
	second, _ := q.enter(sets["b"])
	third, _ := q.enter(sets["b"])
	place, wait := q.place(third)
	if place != 2 || wait != 2*firstGuess {
		t.Errorf("place %d, %s", place, wait)
	}
	q.Lamps.Show(agents[0], &b2bua.LegState{ID: "x", Phase: b2bua.LegOver})
	q.look()
	if first.offer != nil || third.offer != nil || second.offer == nil {
		t.Error("not who is first in the more important queue")
	}
	q.leave(second, abandoned)
	if third.offer == nil {
		t.Error("not the next")
	}
	q.leave(third, served)
	if st := q.Status(); st[1].Level() != 0.5 || st[0].Level() != 1 {
		t.Errorf("%+v", st)
	}
}

type several map[string]QueueSettings

func (s several) Queue(name string) (QueueSettings, bool) { set, ok := s[name]; return set, ok }
func (s several) Reachable(string) bool                   { return true }
func (s several) Queues() (all []QueueSettings) {
	for _, set := range s {
		all = append(all, set)
	}
	return all
}

// TestAgentJournal: who is logged in is what they were before a restart, even one in the middle of a line.
func TestAgentJournal(t *testing.T) {
	sets := several{"a": {Name: "a", Agents: []string{"ann", "ben"}}, "b": {Name: "b", Agents: []string{"ann"}}}
	file := filepath.Join(t.TempDir(), "agents")
	open := func() *Queues {
		q := &Queues{Directory: sets, Lamps: &Lamps{}, Turns: &Turns{}, Journal: file}
		if err := q.Open(); err != nil {
			t.Fatal(err)
		}
		return q
	}
	q := open()
	q.Login("ann", "a", false)
	q.Login("ann", "b", false)
	q.Login("ann", "b", true)
	q.Pause("ben", true)
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"agent":"ben","queue":"a`); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		q = open()
		all, in := q.Memberships("ann")
		if len(all) != 2 || fmt.Sprint(in) != "[b]" || !q.Paused("ben") || q.Paused("ann") {
			t.Errorf("ann is in %v of %v", in, all)
		}
		if err := q.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestAgentCodes: agents log in and out and pause by telephone; who is none is told so.
func TestAgentCodes(t *testing.T) {
	runQueue(t, func(s *support) {
		s.Numbers = agentNumbers()
		s.PBX.Players = s.Queues.Players()
		ann := agentName("ann")
		who := ann
		for feature, player := range s.PBX.Players {
			s.PBX.Players[feature] = PlayerFunc(func(ctx context.Context, l *Line) error {
				l.Account = sip.MustParseURI(who)
				return player.Play(ctx, l)
			})
		}
		dial := func(code string) {
			call := s.dial(code)
			call.Await("Ended BYE received")
		}
		in := func() bool { _, in := s.Memberships(ann); return len(in) == 1 }
		dial("*45")
		s.Check(!in(), "still in")
		dial("*45701") // not a queue of hers
		s.Check(!in(), "in by another queue")
		dial("*45700")
		s.Check(in(), "not in")
		dial("*46")
		s.Check(s.Paused(ann), "no pause")
		dial("*46")
		s.Check(!s.Paused(ann), "still a pause")
		who = agentName("eve")
		dial("*45")
		dial("*46")
		s.Check(!s.Paused(who) && in(), "somebody who is no agent")
	})
}
