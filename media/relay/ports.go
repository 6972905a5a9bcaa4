package relay

// Local ports: RTP on an even one and RTCP on the next, RFC 3550 §11.

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"syscall"

	"github.com/sipwerk/sipwerk/network"
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

// listen opens the two sockets of a stream and returns what frees their ports after they are closed.
func (r *Relay) listen(ctx context.Context, ip netip.Addr) (pair [2]network.PacketConn, free func(), err error) {
	if r.Ports.Min == 0 {
		pair, err = r.listenAny(ctx, ip)
		return pair, func() {}, err
	}
	for range r.Ports.pairs() {
		i, ok := r.pool.take(r.Ports.pairs())
		if !ok {
			break
		}
		pair, err = r.listenPair(ctx, ip, uint16(r.Ports.first()+2*i))
		if err == nil {
			return pair, func() { r.pool.put(i) }, nil
		}
		r.pool.put(i)
		if !errors.Is(err, syscall.EADDRINUSE) {
			return pair, nil, fmt.Errorf("relay: open media port: %w", err)
		}
	}
	return pair, nil, fmt.Errorf("relay: %w in %d-%d", ErrPorts, r.Ports.Min, r.Ports.Max)
}

// attempts is how often a pair is looked for among the ports the system chooses, before two that are no pair will do.
const attempts = 8

func (r *Relay) listenAny(ctx context.Context, ip netip.Addr) (pair [2]network.PacketConn, err error) {
	for range attempts {
		one, err := r.listenOne(ctx, ip, 0)
		if err != nil {
			return pair, fmt.Errorf("relay: open media port: %w", err)
		}
		port := one.LocalAddr().Port()
		mate, err := r.listenOne(ctx, ip, port^1)
		if err != nil {
			_ = one.Close()
			continue
		}
		if port&1 == 1 {
			one, mate = mate, one
		}
		return [2]network.PacketConn{one, mate}, nil
	}
	for i := range pair {
		if pair[i], err = r.listenOne(ctx, ip, 0); err != nil {
			closeAll(pair)
			return pair, fmt.Errorf("relay: open media port: %w", err)
		}
	}
	return pair, nil
}

func (r *Relay) listenPair(ctx context.Context, ip netip.Addr, port uint16) (pair [2]network.PacketConn, err error) {
	for i := range pair {
		if pair[i], err = r.listenOne(ctx, ip, port+uint16(i)); err != nil {
			closeAll(pair)
			return pair, err
		}
	}
	return pair, nil
}

func (r *Relay) listenOne(ctx context.Context, ip netip.Addr, port uint16) (network.PacketConn, error) {
	conns, err := r.Network.ListenPacket(ctx, netip.AddrPortFrom(ip, port), 1)
	if err != nil {
		return nil, err
	}
	return conns[0], nil
}

func closeAll(pair [2]network.PacketConn) {
	for _, c := range pair {
		if c != nil {
			_ = c.Close()
		}
	}
}
