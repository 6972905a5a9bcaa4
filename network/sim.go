// The simulated network: hosts, links with faults, and the order of deliveries.

package network

import (
	"container/heap"
	"hash/fnv"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"
)

// Sim is a network in virtual time. Make one inside a testing/synctest bubble, then its hosts. It opens no socket and keeps no
// goroutine.
//
// The fate of each datagram depends on Seed, its link, and its place on that link only; and no two deliveries happen at the same instant, so
// that in a bubble everything that follows from one is done before the next. A seed that fails therefore fails again.
type Sim struct {
	Seed uint64
	// InTurn lets the users of the network run in an order that does not depend on the scheduler: see [Conductor]. Each turn takes a nanosecond.
	InTurn bool
	// Observe, if set, sees each datagram and each write to a stream as it is sent, on the sending goroutine. It must not use the connection.
	Observe func(Transmission)
	// Names is the zone of all hosts: &Names is their [Resolver].
	Names Zone

	mu         sync.Mutex // guards all below, and the state of every host, socket and stream
	conditions Conditions
	hosts      map[netip.Addr]*SimHost
	links      map[link]*linkState
	events     eventHeap
	timer      *time.Timer
	last       time.Time // of the latest delivery
	closed     bool
}

// Conditions are the faults of the network. Streams have delay and jitter only: they lose and reorder nothing.
type Conditions struct {
	Delay     time.Duration // one way
	Jitter    time.Duration // up to this much more, evenly spread
	Loss      float64       // share of datagrams that are lost, 0 to 1
	Duplicate float64       // share that arrives twice
	Reorder   float64       // share that is held back so that later ones overtake
}

// Transmission is one datagram or one write to a stream.
type Transmission struct {
	Time     time.Time
	Stream   bool
	From, To netip.AddrPort
	Data     []byte // valid during the call
	Dropped  bool   // lost, or sent where nobody listens
}

// link is one direction between two sockets; the state holds its own randomness.
type link struct {
	stream   bool
	from, to netip.AddrPort
}

type linkState struct {
	random *rand.Rand
	count  uint64
	free   time.Time // of a stream: nothing arrives before this
}

// SetConditions changes the faults for all that is sent from now on.
func (s *Sim) SetConditions(c Conditions) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conditions = c
}

// conditionsLocked returns the faults between two hosts.
func (s *Sim) conditionsLocked(l link) Conditions {
	for _, a := range [...]netip.Addr{l.from.Addr(), l.to.Addr()} {
		if h := s.hosts[a]; h != nil && h.conditions != nil {
			return *h.conditions
		}
	}
	return s.conditions
}

// Host adds a host with these addresses and returns it. Every host also has the loopback addresses to itself. An address that is taken panics.
func (s *Sim) Host(addrs ...netip.Addr) *SimHost {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hosts == nil {
		s.hosts = make(map[netip.Addr]*SimHost)
	}
	h := &SimHost{sim: s, addrs: addrs, packets: make(map[netip.AddrPort]*simPacketConn), listeners: make(map[netip.AddrPort]*simListener),
		streams: make(map[link]*simConn), nextPort: 49152}
	for _, a := range addrs {
		if s.hosts[a] != nil {
			panic("network: simulated address " + a.String() + " is taken")
		}
		s.hosts[a] = h
	}
	return h
}

// Close crashes every host and forgets what is under way. Nothing of the simulation runs afterwards.
func (s *Sim) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, h := range s.hosts {
		h.crashLocked()
	}
	for _, e := range s.events {
		if e.turn {
			e.deliver() // nobody waits for ever
		}
	}
	s.events = nil
	if s.timer != nil {
		s.timer.Stop()
	}
	return nil
}

// hostLocked finds who has addr, seen from host h.
func (s *Sim) hostLocked(h *SimHost, addr netip.Addr) *SimHost {
	if addr.IsLoopback() {
		return h
	}
	return s.hosts[addr]
}

func (s *Sim) linkLocked(l link) *linkState {
	st := s.links[l]
	if st == nil {
		sum := fnv.New64a()
		sum.Write([]byte(l.from.String() + ">" + l.to.String()))
		if s.links == nil {
			s.links = make(map[link]*linkState)
		}
		st = &linkState{random: rand.New(rand.NewPCG(s.Seed, sum.Sum64()))}
		s.links[l] = st
	}
	return st
}

// delay draws how long the next thing on a link travels: never zero, so that nothing arrives before the sender rests.
func delay(c Conditions, st *linkState) time.Duration {
	d := c.Delay
	if j := c.Jitter; j > 0 {
		d += time.Duration(st.random.Int64N(int64(j) + 1))
	}
	return max(d, 1)
}

// sendDatagramLocked decides the fate of a datagram and schedules its copies; it reports whether at least one will arrive at a host.
func (s *Sim) sendDatagramLocked(l link, deliver func()) bool {
	st, c := s.linkLocked(l), s.conditionsLocked(l)
	if c.Loss > 0 && st.random.Float64() < c.Loss {
		return false
	}
	copies := 1
	if c.Duplicate > 0 && st.random.Float64() < c.Duplicate {
		copies = 2
	}
	for range copies {
		d := delay(c, st)
		if c.Reorder > 0 && st.random.Float64() < c.Reorder {
			d += time.Duration(st.random.Int64N(int64(2*(c.Delay+c.Jitter)+time.Millisecond)) + 1)
		}
		s.scheduleLocked(l, time.Now().Add(d), deliver)
	}
	return true
}

// sendStreamLocked schedules something that keeps its place among all that went over this direction of a stream.
func (s *Sim) sendStreamLocked(l link, deliver func()) {
	st := s.linkLocked(l)
	at := time.Now().Add(delay(s.conditionsLocked(l), st))
	if !at.After(st.free) {
		at = st.free.Add(1)
	}
	st.free = at
	s.scheduleLocked(l, at, deliver)
}

// event is something that happens at an instant. Events of one instant are ordered by link, so that the order in which
// goroutines came to send does not matter.
type event struct {
	at      time.Time
	link    link
	count   uint64
	deliver func() // with Sim.mu held
	turn    bool   // it is nobody's message, but somebody's turn
}

func (a *event) before(b *event) bool {
	if !a.at.Equal(b.at) {
		return a.at.Before(b.at)
	}
	if c := a.link.from.Compare(b.link.from); c != 0 {
		return c < 0
	}
	if c := a.link.to.Compare(b.link.to); c != 0 {
		return c < 0
	}
	return a.count < b.count
}

type eventHeap []*event

func (h eventHeap) Len() int           { return len(h) }
func (h eventHeap) Less(i, j int) bool { return h[i].before(h[j]) }
func (h eventHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *eventHeap) Push(x any)        { *h = append(*h, x.(*event)) }
func (h *eventHeap) Pop() any {
	old := *h
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return e
}

func (s *Sim) scheduleLocked(l link, at time.Time, deliver func()) {
	if s.closed {
		return
	}
	st := s.linkLocked(l)
	st.count++
	s.pushLocked(&event{at: at, link: l, count: st.count, deliver: deliver})
}

func (s *Sim) pushLocked(e *event) {
	heap.Push(&s.events, e)
	if s.events[0] == e {
		s.armLocked()
	}
}

// armLocked sets the timer for the next event, at least 1 ns after the one before.
func (s *Sim) armLocked() {
	if len(s.events) == 0 {
		return
	}
	at := s.events[0].at
	if !at.After(s.last) {
		at = s.last.Add(1)
	}
	if s.timer == nil {
		s.timer = time.AfterFunc(time.Until(at), s.deliver)
		return
	}
	s.timer.Reset(time.Until(at))
}

// deliver runs one event that is due.
func (s *Sim) deliver() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if s.closed || len(s.events) == 0 {
		return
	}
	if !s.events[0].at.After(now) && now.After(s.last) {
		s.last = now
		heap.Pop(&s.events).(*event).deliver()
	}
	s.armLocked()
}
