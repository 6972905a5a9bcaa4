package ice

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/stun/v4"

	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/network"
)

// side is one end: a socket that stands for a stream, an agent, and what came of it.
type side struct {
	conn network.PacketConn
	*Agent

	mu    sync.Mutex // guards what follows
	aside relay.Aside
	record
}

// record is what came of an agent.
type record struct {
	fixed []netip.AddrPort
	dtls  []string
	told  []netip.AddrPort
	fail  []error
	found []Candidate

	called  [][]string
	checked []netip.AddrPort
}

// now returns what came so far.
func (s *side) now() record {
	s.mu.Lock()
	defer s.mu.Unlock()
	return record{slices.Clone(s.fixed), slices.Clone(s.dtls), slices.Clone(s.told), slices.Clone(s.fail), slices.Clone(s.found), slices.Clone(s.called), slices.Clone(s.checked)}
}

// inner returns what the agent has in mind: how many pairs, a generation before, the role.
func (s *side) inner() (pairs int, previous, controlling bool) {
	s.Agent.mu.Lock()
	defer s.Agent.mu.Unlock()
	return len(s.current.pairs), s.previous != nil, s.current.controlling
}

func (s *side) Aside(f relay.Aside) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.aside = f
}

func (s *side) SendTo(b []byte, to netip.AddrPort, _ bool) error {
	_, err := s.conn.WriteBatch([]network.Datagram{{Buf: bytes.Clone(b), Peer: to}})
	return err
}

func (s *side) Fix(to netip.AddrPort) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fixed = append(s.fixed, to)
}

func (s *side) Called(names ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.called = append(s.called, slices.Clone(names))
}

func (s *side) Checked(from netip.AddrPort) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.checked = append(s.checked, from)
}

// proven returns how often an address was shown to be the peer's.
func (s *side) proven() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.checked)
}

func (s *side) read() {
	ms := []network.Datagram{{Buf: make([]byte, 4096)}}
	for {
		if _, err := s.conn.ReadBatch(ms); err != nil {
			return
		}
		s.mu.Lock()
		f := s.aside
		s.mu.Unlock()
		if f != nil {
			f(ms[0].Buf[:ms[0].N], ms[0].Peer, false)
		}
	}
}

// pause waits in virtual time, and until all that is due then is done.
func pause(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// note returns a callback that keeps what it gets.
func note[T any](s *side, list *[]T) func(T) {
	return func(v T) {
		s.mu.Lock()
		defer s.mu.Unlock()
		*list = append(*list, v)
	}
}

var (
	here     = netip.MustParseAddrPort("192.0.2.1:4000")
	there    = netip.MustParseAddrPort("192.0.2.2:5000")
	stranger = netip.MustParseAddrPort("203.0.113.66:6000")
)

// bubble runs f in virtual time with a network.
func bubble(t *testing.T, c network.Conditions, f func(t *testing.T, sim *network.Sim)) {
	synctest.Test(t, func(t *testing.T) {
		sim := &network.Sim{Seed: 3}
		sim.SetConditions(c)
		f(t, sim)
		if err := sim.Close(); err != nil {
			t.Error(err)
		}
	})
}

func newSide(t *testing.T, sim *network.Sim, at netip.AddrPort, c Config) *side {
	t.Helper()
	conns, err := sim.Host(at.Addr()).ListenPacket(context.Background(), at, 1)
	if err != nil {
		t.Fatal(err)
	}
	s := &side{conn: conns[0]}
	c.Stream, c.Random = s, rand.NewChaCha8([32]byte{byte(at.Port() >> 8), byte(at.Port())})
	if c.Local == nil {
		c.Local = []netip.AddrPort{at}
	}
	dtls := note(s, &s.dtls)
	c.DTLS = func(b []byte) { dtls(string(b)) }
	c.Selected, c.Failed, c.Gathered = note(s, &s.told), note(s, &s.fail), note(s, &s.found)
	if s.Agent, err = New(c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	go s.read()
	return s
}

// learn gives s the description of o.
func (s *side) learn(t *testing.T, o *side, candidates ...Candidate) {
	t.Helper()
	if err := s.Remote(Remote{Credentials: o.Credentials(), Lite: o.config.Lite, Candidates: candidates, Complete: true}); err != nil {
		t.Fatal(err)
	}
}

// joined tells whether both have chosen each other, and nothing else.
func joined(t *testing.T, a, b *side) {
	t.Helper()
	pause(20 * time.Second)
	for _, s := range []*side{a, b} {
		want := there
		if s == b {
			want = here
		}
		if !slices.Equal(s.now().fixed, []netip.AddrPort{want}) || !slices.Equal(s.now().told, s.now().fixed) || len(s.now().fail) != 0 {
			t.Errorf("%v: fixed to %v, told %v, failed %v", s.config.Local, s.now().fixed, s.now().told, s.now().fail)
		}
	}
}

// TestFull: two full agents find each other, whatever the network loses. RFC 8445 §7, RFC 8445 §8.1.
func TestFull(t *testing.T) {
	for name, c := range map[string]network.Conditions{
		"quiet": {Delay: 30 * time.Millisecond},
		"lossy": {Delay: 30 * time.Millisecond, Jitter: 40 * time.Millisecond, Loss: 0.3, Duplicate: 0.1, Reorder: 0.1},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, c, func(t *testing.T, sim *network.Sim) {
				a, b := newSide(t, sim, here, Config{Offerer: true}), newSide(t, sim, there, Config{})
				b.learn(t, a, a.Candidates()...)
				pause(100 * time.Millisecond) // the answer is on its way, the checks of b come before it
				a.learn(t, b, b.Candidates()...)
				joined(t, a, b)
			})
		})
	}
}

// TestLite: the full side checks and chooses, the lite one answers, with neither timer nor candidates of the peer. RFC 8445 §2.5.
func TestLite(t *testing.T) {
	for _, offerer := range []bool{false, true} {
		bubble(t, network.Conditions{Delay: 30 * time.Millisecond, Loss: 0.2}, func(t *testing.T, sim *network.Sim) {
			full, lite := newSide(t, sim, here, Config{Offerer: offerer}), newSide(t, sim, there, Config{Lite: true, Offerer: !offerer})
			full.learn(t, lite, lite.Candidates()...)
			lite.learn(t, full)
			joined(t, full, lite)
			pause(10 * time.Minute)
			if len(full.now().fail)+len(lite.now().fail) != 0 {
				t.Errorf("lost: %v, %v", full.now().fail, lite.now().fail)
			}
		})
	}
}

// TestBothLite: nobody checks, the best candidate is taken. RFC 8445 §8.2.
func TestBothLite(t *testing.T) {
	bubble(t, network.Conditions{}, func(t *testing.T, sim *network.Sim) {
		a, b := newSide(t, sim, here, Config{Lite: true, Offerer: true}), newSide(t, sim, there, Config{Lite: true})
		worse := candidate(Host, stranger, stranger, 9)
		a.learn(t, b, worse, b.Candidates()[0])
		b.learn(t, a, a.Candidates()...)
		joined(t, a, b)
	})
}

// TestRoleConflict: both believe they control, or that they do not. RFC 8445 §7.3.1.1.
func TestRoleConflict(t *testing.T) {
	for _, offerer := range []bool{false, true} {
		bubble(t, network.Conditions{Delay: 20 * time.Millisecond}, func(t *testing.T, sim *network.Sim) {
			a, b := newSide(t, sim, here, Config{Offerer: offerer}), newSide(t, sim, there, Config{Offerer: offerer})
			a.learn(t, b, b.Candidates()...)
			b.learn(t, a, a.Candidates()...)
			joined(t, a, b)
			_, _, one := a.inner()
			if _, _, other := b.inner(); one == other {
				t.Error("both have the same role")
			}
		})
	}
}

// TestPeerReflexive: one side has only the other's checks to go by, as with mDNS names and NATs. RFC 8445 §7.3.1.3.
func TestPeerReflexive(t *testing.T) {
	bubble(t, network.Conditions{Delay: 20 * time.Millisecond}, func(t *testing.T, sim *network.Sim) {
		a, b := newSide(t, sim, here, Config{Offerer: true}), newSide(t, sim, there, Config{})
		a.learn(t, b)
		b.learn(t, a, a.Candidates()...)
		joined(t, a, b)
	})
}

// TestDeadCandidates: those that lead nowhere only cost time. RFC 8445 §6.1.4.
func TestDeadCandidates(t *testing.T) {
	bubble(t, network.Conditions{Delay: 20 * time.Millisecond}, func(t *testing.T, sim *network.Sim) {
		a, b := newSide(t, sim, here, Config{Offerer: true}), newSide(t, sim, there, Config{})
		var dead []Candidate
		for i := range uint16(10) {
			at := netip.AddrPortFrom(netip.MustParseAddr("203.0.113.9"), 7000+i)
			dead = append(dead, candidate(Host, at, at, 0))
		}
		other := dead[0]
		other.Component, other.Address = 2, stranger
		six := candidate(Host, netip.MustParseAddrPort("[2001:db8::9]:7000"), here, 0)
		begin := time.Now()
		a.learn(t, b, append(dead, b.Candidates()[0], other, six)...)
		b.learn(t, a, a.Candidates()...)
		for len(a.now().told) == 0 {
			pause(10 * time.Millisecond)
		}
		if took := time.Since(begin); took > 2*time.Second {
			t.Errorf("took %v", took)
		}
		joined(t, a, b)
		if n, _, _ := a.inner(); n != 11 {
			t.Errorf("%d pairs, want those of our component and family", n)
		}
	})
}

// TestTrickle: candidates come after the credentials, on either side. RFC 8838 §11, RFC 8838 §13.
func TestTrickle(t *testing.T) {
	bubble(t, network.Conditions{Delay: 20 * time.Millisecond}, func(t *testing.T, sim *network.Sim) {
		a, b := newSide(t, sim, here, Config{Offerer: true}), newSide(t, sim, there, Config{Lite: true})
		if err := a.Remote(Remote{Credentials: b.Credentials(), Lite: true}); err != nil {
			t.Fatal(err)
		}
		b.learn(t, a)
		pause(3 * time.Second)
		other := b.Credentials()
		other.Ufrag += "x"
		a.Trickled(Remote{Credentials: other, Candidates: []Candidate{candidate(Host, stranger, stranger, 0)}, Complete: true}) // of a generation that is over
		a.Trickled(Remote{Credentials: b.Credentials(), Candidates: b.Candidates()[:1], Complete: true})
		if n, _, _ := a.inner(); n != 1 {
			t.Errorf("%d pairs", n)
		}
		joined(t, a, b)
	})
}

// TestNoPath: all candidates are dead. RFC 8863 §4.
func TestNoPath(t *testing.T) {
	bubble(t, network.Conditions{Delay: 20 * time.Millisecond}, func(t *testing.T, sim *network.Sim) {
		for i, complete := range []bool{false, true} {
			a := newSide(t, sim, []netip.AddrPort{there, netip.MustParseAddrPort("192.0.2.3:1")}[i], Config{Offerer: true})
			r := Remote{Credentials: Credentials{"abcd", vectorPwd}, Candidates: []Candidate{candidate(Host, stranger, stranger, 0)}, Complete: complete}
			if err := a.Remote(r); err != nil {
				t.Fatal(err)
			}
			pause(3 * time.Minute)
			if len(a.now().fail) != 1 || !errors.Is(a.now().fail[0], ErrNoPath) || len(a.now().fixed) != 0 {
				t.Errorf("failed %v", a.now().fail)
			}
		}
		a := newSide(t, sim, here, Config{})
		if err := a.Remote(Remote{}); !errors.Is(err, ErrCredentials) {
			t.Errorf("error %v", err)
		}
		if err := a.Send([]byte{22}); err == nil {
			t.Error("sent to nobody")
		}
	})
}

// TestConsent: RFC 7675 §5.1: half a minute without an answer ends it, and an answer goes on for hours.
func TestConsent(t *testing.T) {
	bubble(t, network.Conditions{Delay: 20 * time.Millisecond, Loss: 0.03}, func(t *testing.T, sim *network.Sim) {
		a, b := newSide(t, sim, here, Config{Offerer: true}), newSide(t, sim, there, Config{})
		a.learn(t, b, b.Candidates()...)
		b.learn(t, a, a.Candidates()...)
		joined(t, a, b)
		pause(time.Hour)
		if len(a.now().fail)+len(b.now().fail) != 0 {
			t.Errorf("lost: %v, %v", a.now().fail, b.now().fail)
		}
		sim.SetConditions(network.Conditions{Loss: 1})
		pause(20 * time.Second)
		if len(a.now().fail) != 0 {
			t.Error("lost too soon")
		}
		pause(15 * time.Second)
		for _, s := range []*side{a, b} {
			if len(s.now().fail) != 1 || !errors.Is(s.now().fail[0], ErrConsent) {
				t.Errorf("failed %v", s.now().fail)
			}
		}
	})
}

// TestRestart: new credentials from either side; the old way stays until the new one is found. RFC 8445 §9.
func TestRestart(t *testing.T) {
	for _, lite := range []bool{false, true} {
		bubble(t, network.Conditions{Delay: 20 * time.Millisecond}, func(t *testing.T, sim *network.Sim) {
			a, b := newSide(t, sim, here, Config{Offerer: true}), newSide(t, sim, there, Config{Lite: lite})
			a.learn(t, b, b.Candidates()...)
			b.learn(t, a, a.Candidates()...)
			joined(t, a, b)
			before := [2]Credentials{a.Credentials(), b.Credentials()}
			if got := b.now().called; !slices.EqualFunc(got, [][]string{{before[1].Ufrag}}, slices.Equal) {
				t.Errorf("called %v", got)
			}
			if err := a.Restart(); err != nil {
				t.Fatal(err)
			}
			pause(20 * time.Second) // nobody answers the offer yet; the old way is alive
			if err := a.Send([]byte{22, 1}); err != nil || len(a.now().fail) != 0 {
				t.Error(err, a.now().fail)
			}
			b.learn(t, a, a.Candidates()...)
			a.learn(t, b, b.Candidates()...)
			if a.Credentials() == before[0] || b.Credentials() == before[1] {
				t.Error("old credentials after a restart")
			}
			a.learn(t, b, b.Candidates()...) // a re-INVITE that changes nothing
			pause(time.Minute)
			after := b.Credentials().Ufrag
			if got := b.now().called[1:]; !slices.EqualFunc(got, [][]string{{after, before[1].Ufrag}, {after}}, slices.Equal) {
				t.Errorf("called %v after a restart", got)
			}
			for _, s := range []*side{a, b} {
				if _, previous, _ := s.inner(); len(s.now().fixed) != 2 || previous || len(s.now().fail) != 0 {
					t.Errorf("fixed %v, failed %v, previous %v", s.now().fixed, s.now().fail, previous)
				}
			}
			if !slices.Equal(b.now().dtls, []string{"\x16\x01"}) {
				t.Errorf("DTLS %q", b.now().dtls)
			}
		})
	}
}

// TestStranger: without the password nobody gets an answer, is chosen, or reaches DTLS.
func TestStranger(t *testing.T) {
	bubble(t, network.Conditions{}, func(t *testing.T, sim *network.Sim) {
		a, b := newSide(t, sim, here, Config{Offerer: true}), newSide(t, sim, there, Config{Lite: true})
		mallory := newSide(t, sim, stranger, Config{Offerer: true})
		a.learn(t, b, b.Candidates()...)
		b.learn(t, a)
		joined(t, a, b)
		var answers atomic.Int32
		mallory.Aside(func([]byte, netip.AddrPort, bool) { answers.Add(1) })
		theft := &agenda{random: rand.NewChaCha8([32]byte{}), controlling: true, local: a.Credentials(), remote: Credentials{b.Credentials().Ufrag, vectorPwd}}
		for i := range 200 {
			forged := theft.request([stun.TransactionIDSize]byte{byte(i)}, true)
			for _, p := range [][]byte{forged, unhex(t, vectorRequest), unhex(t, vectorResponse), forged[:30], {22, 254, 253}, {0}, {}} {
				_ = mallory.SendTo(p, there, false)
				_ = mallory.SendTo(p, here, false)
			}
			synctest.Wait()
		}
		pause(time.Second)
		atA, _, _ := a.inner()
		atB, _, _ := b.inner()
		if seen := b.now().checked; slices.Contains(seen, stranger) || !slices.Contains(seen, here) {
			t.Errorf("checked: %v", seen)
		}
		if n := answers.Load(); n != 0 || len(b.now().fixed) != 1 || len(a.now().dtls)+len(b.now().dtls) != 0 || atA != 1 || atB != 1 {
			t.Errorf("%d answers, fixed %v, DTLS %q and %q, pairs %d and %d", n, b.now().fixed, a.now().dtls, b.now().dtls, atA, atB)
		}
		_ = a.SendTo([]byte{22, 254, 253}, there, false)
		pause(time.Second)
		if len(b.now().dtls) != 1 || b.Send([]byte{22, 1}) != nil {
			t.Error("the peer's DTLS is not heard, or not answered")
		}
		pause(time.Second)
		if len(a.now().dtls) != 1 {
			t.Errorf("DTLS %q", a.now().dtls)
		}
	})
}

// TestManyAddresses: a peer that checks from everywhere costs a bounded number of pairs, and keeps the chosen one.
func TestManyAddresses(t *testing.T) {
	for _, lite := range []bool{false, true} {
		g := &agenda{lite: lite, random: rand.NewChaCha8([32]byte{}), local: Credentials{"evtj", vectorPwd}}
		now := time.Unix(0, 0)
		g.heard(now, request{priority: 1, nominate: true}, here)
		for i := range 1000 {
			at := netip.AddrPortFrom(stranger.Addr(), uint16(i+1))
			g.heard(now.Add(time.Duration(i)*time.Second), request{priority: 1}, at)
		}
		if len(g.pairs) > maxPairs || g.find(here) == nil || lite != g.permitted(netip.AddrPortFrom(stranger.Addr(), 1000)) {
			t.Errorf("lite %v: %d pairs", lite, len(g.pairs))
		}
	}
}

// TestNominations: within the first seconds the best of several wins, later the last. RFC 8445 §8.1.1.
func TestNominations(t *testing.T) {
	g := &agenda{lite: true, random: rand.NewChaCha8([32]byte{}), local: Credentials{"evtj", vectorPwd}, localPriority: 100}
	begin := time.Unix(1000, 0)
	for _, step := range []struct {
		after    time.Duration
		from     netip.AddrPort
		priority uint32
		nominate bool
		want     netip.AddrPort
	}{
		{0, here, 50, false, netip.AddrPort{}},
		{time.Second, here, 50, true, here},
		{2 * time.Second, there, 40, true, here},
		{3 * time.Second, stranger, 60, true, stranger},
		{4 * time.Second, here, 50, true, stranger},
		{20 * time.Second, there, 40, false, stranger},
		{21 * time.Second, there, 40, true, there},
	} {
		g.heard(begin.Add(step.after), request{priority: step.priority, nominate: step.nominate}, step.from)
		got := netip.AddrPort{}
		if g.selected != nil {
			got = g.selected.remote
		}
		if got != step.want {
			t.Errorf("after %v: %v, want %v", step.after, got, step.want)
		}
	}
}

// TestCrookedAnswer: an answer from another address than was asked ends the check. RFC 8445 §7.2.5.2.1.
func TestCrookedAnswer(t *testing.T) {
	now := time.Unix(1000, 0)
	g := &agenda{controlling: true, random: rand.NewChaCha8([32]byte{}), local: Credentials{"evtj", vectorPwd}, remote: Credentials{"h6vY", vectorPwd}}
	for _, c := range []struct {
		from netip.AddrPort
		b    func(id [12]byte) []byte
		want pairState
	}{
		{here, func(id [12]byte) []byte { return success(id, there, vectorPwd) }, succeeded},
		{here, func(id [12]byte) []byte { return success(id, there, "another password") }, running},
		{here, func(id [12]byte) []byte { return conflict(id, vectorPwd) }, waiting},
		{here, func(id [12]byte) []byte {
			return build(stun.NewTransactionIDSetter(id), stun.BindingError, stun.CodeServerError, stun.NewShortTermIntegrity(vectorPwd))
		}, failed},
		{stranger, func(id [12]byte) []byte { return success(id, there, vectorPwd) }, failed},
	} {
		g.pairs = nil
		p := g.add(here, 7)
		g.start(now, p, false)
		if !g.answered(now, c.b(p.check.id), c.from) || p.state != c.want {
			t.Errorf("state %d, want %d", p.state, c.want)
		}
		if g.answered(now, success([12]byte{9}, there, vectorPwd), here) {
			t.Error("an answer to nothing is taken")
		}
	}
}

// TestGather: RFC 8445 §5.1.1.2.
func TestGather(t *testing.T) {
	bubble(t, network.Conditions{Delay: 20 * time.Millisecond, Loss: 0.3}, func(t *testing.T, sim *network.Sim) {
		var complete atomic.Int32
		a := newSide(t, sim, here, Config{Local: []netip.AddrPort{netip.MustParseAddrPort("10.0.0.1:4000")}, Complete: func() { complete.Add(1) }})
		server := newSide(t, sim, there, Config{})
		server.Aside(func(b []byte, from netip.AddrPort, _ bool) {
			m := stun.Message{Raw: b}
			if m.Decode() == nil {
				_ = server.SendTo(build(stun.NewTransactionIDSetter(m.TransactionID), stun.BindingSuccess, &stun.XORMappedAddress{IP: from.Addr().AsSlice(), Port: int(from.Port())}), from, false)
			}
		})
		a.Gather(stranger) // nobody there
		a.Gather(there)
		a.Gather(there)
		pause(2 * time.Second)
		if !a.Gathering() || complete.Load() != 0 {
			t.Errorf("complete %d times while one was silent", complete.Load())
		}
		pause(2 * time.Minute)
		if a.Gathering() || complete.Load() != 1 {
			t.Errorf("complete %d times", complete.Load())
		}
		if len(a.now().found) != 1 || a.now().found[0].Address != here || a.now().found[0].Kind != ServerReflexive || len(a.Candidates()) != 2 || len(a.inquiries) != 0 {
			t.Errorf("found %v, candidates %v, %d open", a.now().found, a.Candidates(), len(a.inquiries))
		}
	})
}
