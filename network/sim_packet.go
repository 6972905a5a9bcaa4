// Hosts and datagrams of the simulated network.

package network

import (
	"context"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"
)

// simQueue is how many datagrams wait at a socket before more are dropped.
const simQueue = 4096

// SimHost is one host of a [Sim]. It implements [Network]. One whose addresses are all of IPv4 has no IPv6, not even on loopback: its sockets are refused with EAFNOSUPPORT.
type SimHost struct {
	sim   *Sim
	addrs []netip.Addr

	// Guarded by Sim.mu.
	down       bool
	conditions *Conditions // nil: those of the network
	nextPort   uint16
	tickets    uint64
	packets    map[netip.AddrPort]*simPacketConn
	listeners  map[netip.AddrPort]*simListener
	streams    map[link]*simConn
}

// Crash switches the host off: its sockets fail, and its peers hear nothing.
func (h *SimHost) Crash() {
	h.sim.mu.Lock()
	defer h.sim.mu.Unlock()
	h.crashLocked()
}

func (h *SimHost) crashLocked() {
	h.down = true
	for _, c := range h.packets {
		c.closeLocked()
	}
	for _, l := range h.listeners {
		l.closeLocked()
	}
	for _, c := range h.streams {
		c.breakLocked(net.ErrClosed)
	}
}

// SetConditions gives all that the host sends and gets from now on faults of its own; nil: those of the network. Of two hosts with faults of
// their own the sender's count.
func (h *SimHost) SetConditions(c *Conditions) {
	h.sim.mu.Lock()
	defer h.sim.mu.Unlock()
	h.conditions = c
}

// Restart switches a crashed host on again, with no socket open. Peers of its old streams are reset when they next write.
func (h *SimHost) Restart() {
	h.sim.mu.Lock()
	defer h.sim.mu.Unlock()
	h.down = false
}

// Cut resets every stream of the host, at both ends at once.
func (h *SimHost) Cut() {
	h.sim.mu.Lock()
	defer h.sim.mu.Unlock()
	for _, c := range h.streams {
		c.breakLocked(syscall.ECONNRESET)
		c.peer.breakLocked(syscall.ECONNRESET)
	}
}

// Open counts the UDP sockets, listeners and connections that are open: none on a host at rest.
func (h *SimHost) Open() int {
	h.sim.mu.Lock()
	defer h.sim.mu.Unlock()
	return len(h.packets) + len(h.listeners) + len(h.streams)
}

// LocalAddr implements [Network].
func (h *SimHost) LocalAddr(remote netip.Addr) (netip.Addr, error) {
	if (remote.IsLoopback() || slices.Contains(h.addrs, remote)) && h.speaks(remote) {
		return remote, nil
	}
	for _, a := range h.addrs {
		if a.Is4() == remote.Is4() {
			return a, nil
		}
	}
	return netip.Addr{}, &net.OpError{Op: "route", Net: "sim", Err: syscall.ENETUNREACH}
}

// owns reports whether addr can be bound on h.
func (h *SimHost) owns(addr netip.Addr) bool {
	return addr.IsUnspecified() || addr.IsLoopback() || slices.Contains(h.addrs, addr)
}

// speaks reports whether h has the family of addr. As on a kernel there is always IPv4, and IPv6 where an address has it; a host without any address has both.
func (h *SimHost) speaks(addr netip.Addr) bool {
	return addr.Is4() || len(h.addrs) == 0 || slices.ContainsFunc(h.addrs, netip.Addr.Is6)
}

// boundLocked finds what is bound to an address, or to the wildcard that covers it.
func boundLocked[T any](bound map[netip.AddrPort]T, at netip.AddrPort) (T, bool) {
	candidates := [...]netip.Addr{at.Addr(), netip.IPv4Unspecified(), netip.IPv6Unspecified()}
	for _, a := range candidates {
		if a == netip.IPv4Unspecified() && at.Addr().Is6() {
			continue
		}
		if s, ok := bound[netip.AddrPortFrom(a, at.Port())]; ok {
			return s, true
		}
	}
	var none T
	return none, false
}

// bindLocked checks an address to listen on and gives it a port if it has none.
func bindLocked[T any](h *SimHost, bound map[netip.AddrPort]T, addr netip.AddrPort) (netip.AddrPort, error) {
	switch {
	case h.down || h.sim.closed:
		return addr, &net.OpError{Op: "listen", Net: "sim", Err: syscall.ENETDOWN}
	case !h.speaks(addr.Addr()):
		return addr, &net.OpError{Op: "listen", Net: "sim", Err: os.NewSyscallError("socket", syscall.EAFNOSUPPORT)}
	case !h.owns(addr.Addr()):
		return addr, &net.OpError{Op: "listen", Net: "sim", Err: os.NewSyscallError("bind", syscall.EADDRNOTAVAIL)}
	case addr.Port() == 0:
		ip := addr.Addr()
		for addr = netip.AddrPortFrom(ip, h.portLocked()); inUse(bound, addr); {
			addr = netip.AddrPortFrom(ip, h.portLocked())
		}
	case inUse(bound, addr):
		return addr, &net.OpError{Op: "listen", Net: "sim", Err: os.NewSyscallError("bind", syscall.EADDRINUSE)}
	}
	return addr, nil
}

// inUse reports whether something bound stands in the way of addr.
func inUse[T any](bound map[netip.AddrPort]T, addr netip.AddrPort) bool {
	for other := range bound {
		same := other.Addr() == addr.Addr() || other.Addr().IsUnspecified() || addr.Addr().IsUnspecified()
		if other.Port() == addr.Port() && same {
			return true
		}
	}
	return false
}

// portLocked returns a port that was not chosen for anyone on the host yet, until the range is used up and begins again.
func (h *SimHost) portLocked() uint16 {
	p := h.nextPort
	if h.nextPort++; h.nextPort == 0 {
		h.nextPort = 49152
	}
	return p
}

// ListenPacket implements [Network]; it returns one socket.
func (h *SimHost) ListenPacket(_ context.Context, addr netip.AddrPort, _ int) ([]PacketConn, error) {
	h.sim.mu.Lock()
	defer h.sim.mu.Unlock()
	addr, err := bindLocked(h, h.packets, addr)
	if err != nil {
		return nil, err
	}
	c := &simPacketConn{host: h, local: addr, wake: sync.NewCond(&h.sim.mu)}
	h.packets[addr] = c
	return []PacketConn{c}, nil
}

// simDatagram is one that waits to be read.
type simDatagram struct {
	Datagram
	came time.Time
}

// Waited implements [Waiter].
func (c *simPacketConn) Waited(now time.Time) time.Duration {
	c.host.sim.mu.Lock()
	defer c.host.sim.mu.Unlock()
	return now.Sub(c.last)
}

// simPacketConn is a simulated UDP socket. Its fields are guarded by Sim.mu.
type simPacketConn struct {
	host   *SimHost
	local  netip.AddrPort
	queue  []simDatagram
	last   time.Time // when the datagram read last came
	wake   *sync.Cond
	closed bool
}

// LocalAddr implements [PacketConn].
func (c *simPacketConn) LocalAddr() netip.AddrPort { return c.local }

// Close implements [PacketConn].
func (c *simPacketConn) Close() error {
	c.host.sim.mu.Lock()
	defer c.host.sim.mu.Unlock()
	if c.closed {
		return net.ErrClosed
	}
	c.closeLocked()
	return nil
}

func (c *simPacketConn) closeLocked() {
	c.closed = true
	c.queue = nil
	delete(c.host.packets, c.local)
	c.wake.Broadcast()
}

// ReadBatch implements [PacketConn].
func (c *simPacketConn) ReadBatch(ms []Datagram) (int, error) {
	c.host.sim.mu.Lock()
	defer c.host.sim.mu.Unlock()
	for len(c.queue) == 0 && !c.closed {
		c.wake.Wait()
	}
	if c.closed {
		return 0, net.ErrClosed
	}
	n := min(len(ms), len(c.queue))
	for i, d := range c.queue[:n] {
		m := &ms[i]
		m.N, m.Peer, m.Local = copy(m.Buf, d.Buf), d.Peer, d.Local
		c.last = d.came
	}
	c.queue = slices.Delete(c.queue, 0, n)
	return n, nil
}

// WriteBatch implements [PacketConn].
func (c *simPacketConn) WriteBatch(ms []Datagram) (int, error) {
	var first error
	sent := 0
	for _, m := range ms {
		seen, err := c.send(m)
		if err != nil {
			if first == nil {
				first = err
			}
			continue
		}
		sent++
		if c.host.sim.Observe != nil {
			c.host.sim.Observe(seen)
		}
	}
	return sent, first
}

func (c *simPacketConn) send(m Datagram) (Transmission, error) {
	s := c.host.sim
	s.mu.Lock()
	defer s.mu.Unlock()
	from, err := c.sourceLocked(m)
	if err != nil {
		return Transmission{}, err
	}
	seen := newTransmission(link{from: from, to: m.Peer}, m.Buf)
	target := s.hostLocked(c.host, m.Peer.Addr())
	if target == nil || target.down {
		seen.Dropped = true
		return seen, nil
	}
	if _, ok := boundLocked(target.packets, m.Peer); !ok {
		seen.Dropped = true
		return seen, nil
	}
	data := slices.Clone(m.Buf)
	seen.Dropped = !s.sendDatagramLocked(link{from: from, to: m.Peer}, func() {
		if to, ok := boundLocked(target.packets, m.Peer); ok && len(to.queue) < simQueue {
			to.queue = append(to.queue, simDatagram{Datagram{Buf: data, Peer: from, Local: m.Peer.Addr()}, time.Now()})
			to.wake.Signal()
		}
	})
	return seen, nil
}

// sourceLocked chooses the address a datagram leaves from.
func (c *simPacketConn) sourceLocked(m Datagram) (netip.AddrPort, error) {
	from := c.local.Addr()
	if from.IsUnspecified() && m.Local.IsValid() && !m.Local.IsUnspecified() {
		from = m.Local
	}
	if from.IsUnspecified() {
		var err error
		if from, err = c.host.LocalAddr(m.Peer.Addr()); err != nil {
			return netip.AddrPort{}, err
		}
	}
	switch {
	case c.closed:
		return netip.AddrPort{}, net.ErrClosed
	case len(m.Buf) > 65507:
		return netip.AddrPort{}, os.NewSyscallError("sendmmsg", syscall.EMSGSIZE)
	case from.Is4() != m.Peer.Addr().Is4() || c.local.Addr().Is4() && m.Peer.Addr().Is6():
		return netip.AddrPort{}, os.NewSyscallError("sendmmsg", syscall.EAFNOSUPPORT)
	}
	return netip.AddrPortFrom(from, c.local.Port()), nil
}
