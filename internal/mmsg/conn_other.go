//go:build !linux || !(amd64 || arm64)

// Sockets of systems without recvmmsg: one datagram a call, through package net.

package mmsg

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// CanShare reports whether several sockets may share an address ([Config.Shared]).
const CanShare = false

// Conn is a UDP socket. One goroutine receives at a time; any may send.
type Conn struct {
	udp   *net.UDPConn
	local netip.AddrPort
}

// Listen opens a socket. An address in use gives an error that wraps syscall.EADDRINUSE.
func Listen(cfg Config) (*Conn, error) {
	var lc net.ListenConfig
	pc, err := lc.ListenPacket(context.Background(), "udp", cfg.Addr.String())
	if err != nil {
		return nil, err
	}
	c := &Conn{udp: pc.(*net.UDPConn)}
	bound := c.udp.LocalAddr().(*net.UDPAddr).AddrPort()
	c.local = netip.AddrPortFrom(bound.Addr(), bound.Port())
	if cfg.Receive > 0 {
		_ = c.udp.SetReadBuffer(cfg.Receive)
	}
	if cfg.Send > 0 {
		_ = c.udp.SetWriteBuffer(cfg.Send)
	}
	return c, nil
}

// LocalAddr is the address bound.
func (c *Conn) LocalAddr() netip.AddrPort { return c.local }

// Receive waits for one datagram. After Close it returns an error that wraps net.ErrClosed.
func (c *Conn) Receive(v *Vector, n int) (int, error) {
	if n == 0 {
		return 0, nil
	}
	d := &v.datagrams[0]
	length, peer, err := c.udp.ReadFromUDPAddrPort(d.buf)
	if err != nil {
		return 0, err
	}
	d.n, d.peer = length, netip.AddrPortFrom(peer.Addr().Unmap(), peer.Port())
	if !c.local.Addr().IsUnspecified() {
		d.local = c.local.Addr()
	}
	return 1, nil
}

// Send sends the first n datagrams of v. It returns how many were handed to the system, and the first error of those that were
// refused: a refused one does not hold up the ones behind it.
func (c *Conn) Send(v *Vector, n int) (int, error) {
	var first error
	sent := 0
	for i := range n {
		if _, err := c.udp.WriteToUDPAddrPort(v.datagrams[i].buf, v.datagrams[i].peer); err == nil {
			sent++
		} else if first == nil {
			first = err
		}
	}
	return sent, first
}

// Close ends a blocked Receive and frees the socket.
func (c *Conn) Close() error { return c.udp.Close() }

// Vector holds a batch. Not for use by two calls at once.
type Vector struct{ datagrams []datagram }

type datagram struct {
	buf   []byte
	n     int
	peer  netip.AddrPort
	local netip.Addr
}

// NewVector returns a Vector for up to n datagrams on c.
func (c *Conn) NewVector(n int) *Vector { return &Vector{datagrams: make([]datagram, n)} }

// Len is how many datagrams v can hold.
func (v *Vector) Len() int { return len(v.datagrams) }

// SetRead says where to put datagram i.
func (v *Vector) SetRead(i int, buf []byte) { v.datagrams[i].buf = buf }

// Received returns length, sender and local address of datagram i after Receive. IPv4 addresses are never IPv6-mapped.
func (v *Vector) Received(i int) (n int, peer netip.AddrPort, local netip.Addr) {
	d := &v.datagrams[i]
	return d.n, d.peer, d.local
}

// SetWrite makes datagram i carry buf to peer. The system chooses the source address.
func (v *Vector) SetWrite(i int, buf []byte, peer netip.AddrPort, _ netip.Addr) {
	v.datagrams[i] = datagram{buf: buf, peer: peer}
}

// Waited is 0: the system does not tell how long the datagram received last lay in the socket.
func (c *Conn) Waited(time.Time) time.Duration { return 0 }
