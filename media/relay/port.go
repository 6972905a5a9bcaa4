package relay

// One UDP port of many streams, for peers that ICE tells apart: who a check is for says its user name (RFC 8445 §7.2.2), and whose everything else is says the address that it comes from, once a check has
// passed there. RFC 7983 §7, RFC 8445 §12.1.

import (
	"context"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sipwerk/sipwerk/media/stun"
	"github.com/sipwerk/sipwerk/network"
)

const (
	// maxBerths is how many streams share a port; further ones get ports of their own.
	maxBerths = 1 << 14
	// fresh is how long a claim that was proven holds after the last check: so long may a peer go without one (RFC 7675 §5.1).
	fresh = 30 * time.Second
)

// port is a UDP port of many streams. Neither a check for nobody nor a packet of nobody is answered, and neither leaves anything behind.
type port struct {
	relay *Relay
	local netip.AddrPort
	conns []network.PacketConn // of the same address: the system spreads the peers over them
	stray atomic.Uint64        // datagrams that were nobody's

	mu     sync.RWMutex // guards what follows
	names  map[string]*Stream
	claims map[netip.AddrPort]*claim
	berths int
}

// claim says whose packets from an address are.
type claim struct {
	stream  *Stream
	checked bool          // a check has passed there; otherwise it is only described
	at      time.Duration // of the last check
	proven  atomic.Bool   // a packet from there has opened with the keys of the stream
}

// prove notes that a packet from there has opened. A nil claim is none.
func (c *claim) prove() {
	if c != nil && !c.proven.Load() {
		c.proven.Store(true)
	}
}

// yields tells whether c, which is of another stream, gives way to a new claim. Whoever has an account can send a check from the address of another: what was proven there stays as long as its owner
// goes on to check, and of two that prove nothing the honest one checks again.
func (c *claim) yields(checked bool, now time.Duration) bool {
	return checked && (!c.checked || !c.proven.Load() || now-c.at >= fresh)
}

// whose returns the stream that a datagram is for, and by which claim; nil: nobody.
func (p *port) whose(b []byte, from netip.AddrPort) (*Stream, *claim) {
	ufrag, named := stun.Ufrag(b)
	p.mu.RLock()
	defer p.mu.RUnlock()
	if named {
		return p.names[string(ufrag)], nil
	}
	if c := p.claims[from]; c != nil {
		return c.stream, c
	}
	return nil, nil
}

// sharing is the shared ports of a relay, by local address; nil: one that could not be opened.
type sharing struct {
	mu    sync.Mutex // guards what follows
	ports map[netip.Addr]*port
}

// shared returns the port of a local address, which is opened with the first stream; nil: there is none, or no room on it.
func (r *Relay) shared(ctx context.Context, ip netip.Addr) *port {
	if r.Shared == 0 {
		return nil
	}
	r.sharing.mu.Lock()
	defer r.sharing.mu.Unlock()
	if p, known := r.sharing.ports[ip]; known {
		return p
	}
	if r.sharing.ports == nil {
		r.sharing.ports = make(map[netip.Addr]*port)
	}
	p := r.openPort(ctx, ip)
	r.sharing.ports[ip] = p // nil too: what is taken now is not tried again for each call
	return p
}

func (r *Relay) openPort(ctx context.Context, ip netip.Addr) *port {
	conns, err := r.Network.ListenPacket(ctx, netip.AddrPortFrom(ip, r.Shared), 0)
	if err != nil {
		return nil
	}
	p := &port{relay: r, local: conns[0].LocalAddr(), conns: conns, names: make(map[string]*Stream), claims: make(map[netip.AddrPort]*claim)}
	r.mu.Lock()
	r.own.add(p.local)
	r.mu.Unlock()
	r.readers.Add(len(conns))
	for _, conn := range conns {
		go (&crowd{port: p, conn: conn}).read()
	}
	return p
}

// closeShared closes the ports that were shared.
func (r *Relay) closeShared() {
	r.sharing.mu.Lock()
	defer r.sharing.mu.Unlock()
	for _, p := range r.sharing.ports {
		if p != nil {
			for _, conn := range p.conns {
				_ = conn.Close()
			}
		}
	}
}

// Strays is how many datagrams came to shared ports and were nobody's.
func (r *Relay) Strays() (n uint64) {
	r.sharing.mu.Lock()
	defer r.sharing.mu.Unlock()
	for _, p := range r.sharing.ports {
		if p != nil {
			n += p.stray.Load()
		}
	}
	return n
}

// crowdSize is how many datagrams of a shared port are read at once.
const crowdSize = 32

// crowd reads one socket of a shared port, and is the outlet of what becomes of that: what leaves by the same port leaves at once.
type crowd struct {
	port *port
	conn network.PacketConn
	in   [crowdSize]network.Datagram
	out  []network.Datagram
}

// read brings what comes where it belongs until the socket is closed.
func (c *crowd) read() {
	r := c.port.relay
	defer r.readers.Done()
	memory := make([]byte, crowdSize*(room+spare))
	c.out = make([]network.Datagram, 0, crowdSize)
	for {
		for i := range c.in {
			c.in[i].Buf = memory[i*(room+spare):][: room : room+spare]
		}
		n, err := c.conn.ReadBatch(c.in[:])
		if err != nil {
			return
		}
		at := r.now()
		for i := range c.in[:n] {
			c.take(&c.in[i], at)
		}
		c.flush()
	}
}

func (c *crowd) take(d *network.Datagram, at time.Duration) {
	b := d.Buf[:d.N]
	s, claim := c.port.whose(b, d.Peer)
	if s == nil {
		c.port.stray.Add(1)
		return
	}
	s.sockets[media].take(c, b, arrival{from: d.Peer, at: at, claim: claim})
}

// send implements outlet.
func (c *crowd) send(k *socket, b []byte, to netip.AddrPort) {
	if k.stream.berth == nil || k.stream.berth.port != c.port {
		c.port.relay.sendNow(k, b, to)
		return
	}
	if len(c.out) == cap(c.out) {
		c.flush()
	}
	c.out = append(c.out, network.Datagram{Buf: b, Peer: to})
}

// flush sends what waits. An unreachable peer is noticed by the silence it leaves.
func (c *crowd) flush() {
	if len(c.out) > 0 {
		_, _ = c.conn.WriteBatch(c.out)
		clear(c.out)
		c.out = c.out[:0]
	}
}
