package relay

// Local ports: RTP on an even one and RTCP on the next, RFC 3550 §11.

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"syscall"
)

// ErrPorts: every port of the range is taken. The error that wraps it names the range.
var ErrPorts = errors.New("no media port left")

// Ports is the range of local media ports, both ends included. The zero Ports lets the system choose.
type Ports struct {
	Min, Max uint16
	// Odd lets pairs begin at an odd Min: RTP is then on odd ports, which some peers do not expect.
	Odd bool
}

// Validate tells whether the range can hold a pair.
func (p Ports) Validate() error {
	switch {
	case p.Max < p.Min:
		return fmt.Errorf("relay: Ports.Max: %d is below Ports.Min %d", p.Max, p.Min)
	case p.Min == 0 && p.Max != 0:
		return errors.New("relay: Ports.Min: is missing")
	case p.Min != 0 && p.pairs() == 0:
		return fmt.Errorf("relay: Ports: %d-%d holds no pair of ports", p.Min, p.Max)
	}
	return nil
}

func (p Ports) first() int {
	if p.Odd {
		return int(p.Min)
	}
	return (int(p.Min) + 1) &^ 1
}

// pairs is how many streams can be open at once.
func (p Ports) pairs() int { return max(0, (int(p.Max)-p.first()+1)/2) }

// portSets says which ports of each local address are taken, a bit each: there are many ports and few addresses.
type portSets map[netip.Addr]*[1 << 16 / 64]uint64

func (p portSets) add(a netip.AddrPort) {
	if p[a.Addr()] == nil {
		p[a.Addr()] = new([1 << 16 / 64]uint64)
	}
	p[a.Addr()][a.Port()/64] |= 1 << (a.Port() % 64)
}

func (p portSets) remove(a netip.AddrPort) {
	if set := p[a.Addr()]; set != nil {
		set[a.Port()/64] &^= 1 << (a.Port() % 64)
	}
}

func (p portSets) has(a netip.AddrPort) bool {
	set := p[a.Addr()]
	return set != nil && set[a.Port()/64]>>(a.Port()%64)&1 == 1
}

// pool hands out the pairs of a range in turn, so that a port just freed is the last to be used again: late packets of an
// old call do not meet a new one.
type pool struct {
	mu    sync.Mutex
	used  []bool
	next  int
	taken int
}

func (p *pool) take(pairs int) (int, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.used == nil {
		p.used = make([]bool, pairs)
	}
	for range p.used {
		i := p.next
		p.next = (p.next + 1) % len(p.used)
		if !p.used[i] {
			p.used[i] = true
			p.taken++
			return i, true
		}
	}
	return 0, false
}

func (p *pool) put(i int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.used[i] = false
	p.taken--
}

// listen gives s its two sockets: a pair that was kept, or one that it opens.
func (s *Stream) listen(ctx context.Context, ip netip.Addr) (err error) {
	r := s.relay
	if r.kept.take(s, ip) {
		return nil
	}
	if s.hub, err = r.hub(); err != nil {
		return fmt.Errorf("relay: %w", err)
	}
	if r.Ports.Min == 0 {
		return s.listenAny(ctx, ip)
	}
	for range r.Ports.pairs() {
		i, ok := r.pool.take(r.Ports.pairs())
		if !ok && r.dropKept() {
			i, ok = r.pool.take(r.Ports.pairs())
		}
		if !ok {
			break
		}
		err = s.listenPair(ctx, ip, uint16(r.Ports.first()+2*i))
		if err == nil {
			s.pair = i
			return nil
		}
		r.pool.put(i)
		if !errors.Is(err, syscall.EADDRINUSE) {
			return fmt.Errorf("relay: open media port: %w", err)
		}
	}
	return fmt.Errorf("relay: %w in %d-%d", ErrPorts, r.Ports.Min, r.Ports.Max)
}

// attempts is how often a pair is looked for among the ports the system chooses, before two that are no pair will do.
const attempts = 8

func (s *Stream) listenAny(ctx context.Context, ip netip.Addr) error {
	for range attempts {
		if err := s.sockets[media].listen(ctx, netip.AddrPortFrom(ip, 0)); err != nil {
			return fmt.Errorf("relay: open media port: %w", err)
		}
		port := s.sockets[media].local().Port()
		if port&1 == 0 && s.sockets[control].listen(ctx, netip.AddrPortFrom(ip, port+1)) == nil {
			return nil
		}
		s.sockets[media].close()
		if port&1 == 1 && s.listenPair(ctx, ip, port-1) == nil {
			return nil
		}
	}
	for i := range s.sockets {
		if err := s.sockets[i].listen(ctx, netip.AddrPortFrom(ip, 0)); err != nil {
			s.closeSockets()
			return fmt.Errorf("relay: open media port: %w", err)
		}
	}
	return nil
}

func (s *Stream) listenPair(ctx context.Context, ip netip.Addr, port uint16) error {
	for i := range s.sockets {
		if err := s.sockets[i].listen(ctx, netip.AddrPortFrom(ip, port+uint16(i))); err != nil {
			s.closeSockets()
			return err
		}
	}
	return nil
}

func (s *Stream) closeSockets() {
	for i := range s.sockets {
		s.sockets[i].close()
	}
}
