//go:build linux && (amd64 || arm64)

// Sockets that receive with recvmmsg and send with sendmmsg.

package mmsg

import (
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// CanShare reports whether several sockets may share an address ([Config.Shared]).
const CanShare = true

// Conn is a UDP socket. One goroutine receives at a time; any may send.
type Conn struct {
	v6     bool
	wild   bool // bound to every address: the system says to which one a datagram came
	local  netip.AddrPort
	file   *os.File        // polled sockets only
	raw    syscall.RawConn // polled sockets only
	fd     int             // blocking sockets only
	closed atomic.Bool
	apart  atomic.Bool  // the system sends no segments by this socket
	use    sync.RWMutex // blocking sockets: held for reading by every system call, for writing by the one that closes fd
}

// Listen opens a socket. An address in use gives an error that wraps syscall.EADDRINUSE.
func Listen(cfg Config) (*Conn, error) {
	c, fd, err := open(cfg)
	if err != nil {
		return nil, err
	}
	if cfg.Blocking {
		c.fd = fd
		return c, nil
	}
	c.file = os.NewFile(uintptr(fd), "udp")
	c.raw, err = c.file.SyscallConn()
	if err != nil {
		c.file.Close()
		return nil, err
	}
	return c, nil
}

// open makes a socket and binds it. Where there is no IPv6 its wildcard becomes that of IPv4.
func open(cfg Config) (*Conn, int, error) {
	c, fd, err := openAt(cfg)
	if err == unix.EAFNOSUPPORT && cfg.Addr.Addr() == netip.IPv6Unspecified() {
		cfg.Addr = netip.AddrPortFrom(netip.IPv4Unspecified(), cfg.Addr.Port())
		c, fd, err = openAt(cfg)
	}
	if err != nil {
		return nil, -1, &net.OpError{Op: "listen", Net: "udp", Addr: net.UDPAddrFromAddrPort(cfg.Addr), Err: err}
	}
	return c, fd, nil
}

func openAt(cfg Config) (*Conn, int, error) {
	c := &Conn{v6: !cfg.Addr.Addr().Is4(), wild: cfg.Addr.Addr().IsUnspecified()}
	family, kind := unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC
	if c.v6 {
		family = unix.AF_INET6
	}
	if !cfg.Blocking {
		kind |= unix.SOCK_NONBLOCK
	}
	fd, err := unix.Socket(family, kind, 0)
	if err != nil {
		return nil, -1, err
	}
	if err := c.bind(fd, cfg); err != nil {
		unix.Close(fd)
		return nil, -1, err
	}
	return c, fd, nil
}

func (c *Conn) bind(fd int, cfg Config) error {
	level, option := unix.IPPROTO_IP, unix.IP_PKTINFO
	if c.v6 {
		level, option = unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO
		only := 1
		if c.wild {
			only = 0
		}
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, only); err != nil {
			return err
		}
	}
	if c.wild {
		if err := unix.SetsockoptInt(fd, level, option, 1); err != nil {
			return err
		}
	}
	if cfg.Shared {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
			return err
		}
	}
	if cfg.beside {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
			return err
		}
	}
	buffer(fd, cfg.Receive, unix.SO_RCVBUFFORCE, unix.SO_RCVBUF)
	buffer(fd, cfg.Send, unix.SO_SNDBUFFORCE, unix.SO_SNDBUF)
	sa, err := sockaddr(cfg.Addr)
	if err != nil {
		return err
	}
	if err := unix.Bind(fd, sa); err != nil {
		return err
	}
	if c.local = cfg.Addr; cfg.Addr.Port() == 0 || cfg.Addr.Addr().Zone() != "" {
		c.local, err = boundAddr(fd)
	}
	return err
}

// buffer sets a buffer size; beyond the system's limit only with privileges, and what is refused stays as it is.
func buffer(fd, size, force, plain int) {
	if size <= 0 {
		return
	}
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, force, size) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, plain, size)
	}
}

func sockaddr(a netip.AddrPort) (unix.Sockaddr, error) {
	if a.Addr().Is4() {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}, nil
	}
	sa := &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
	if zone := a.Addr().Zone(); zone != "" {
		id, err := zoneIndex(zone)
		if err != nil {
			return nil, err
		}
		sa.ZoneId = id
	}
	return sa, nil
}

func boundAddr(fd int) (netip.AddrPort, error) {
	sa, err := unix.Getsockname(fd)
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port)), nil
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr).WithZone(zoneName(sa.ZoneId)), uint16(sa.Port)), nil
	}
	return netip.AddrPort{}, err
}

// LocalAddr is the address bound.
func (c *Conn) LocalAddr() netip.AddrPort { return c.local }

// Receive waits for at least one datagram and takes up to n into the buffers of v; it returns how many came. After Close it
// returns net.ErrClosed.
func (c *Conn) Receive(v *Vector, n int) (int, error) {
	v.prepareRead(n)
	for {
		var errno syscall.Errno
		if c.raw != nil {
			if err := c.raw.Read(v.receive); err != nil {
				return 0, net.ErrClosed
			}
			n, errno = v.done, v.errno
		} else {
			n, errno = c.block(v, (*Vector).read, unix.MSG_WAITFORONE)
		}
		switch {
		case c.closed.Load():
			return 0, net.ErrClosed
		case errno == 0:
			v.dirty = n
			return n, nil
		case errno != unix.EINTR && errno != unix.ECONNREFUSED:
			return 0, os.NewSyscallError("recvmmsg", errno)
		}
	}
}

// Send sends the first n datagrams of v. It returns how many were handed to the system, and the first error of those that were
// refused: a refused one does not hold up the ones behind it.
func (c *Conn) Send(v *Vector, n int) (int, error) {
	var first error
	sent := 0
	v.from, v.to = 0, v.join(n, c.apart.Load())
	for v.from < v.to {
		done, errno := c.send(v)
		start, count := v.datagrams(v.from, n)
		switch {
		case c.closed.Load():
			return sent, net.ErrClosed
		case errno == 0:
			v.from += done
			next := n
			if v.from < v.to {
				next, _ = v.datagrams(v.from, n)
			}
			sent += next - start
		case errno == unix.EINTR:
		case count > 1: // perhaps each of them goes alone
			if errno == unix.EIO { // the device computes no checksums
				c.apart.Store(true)
			}
			v.from, v.to = start, v.join(n, true)
		default:
			if first == nil {
				first = os.NewSyscallError("sendmmsg", errno)
			}
			v.from++
		}
	}
	return sent, first
}

func (c *Conn) send(v *Vector) (int, syscall.Errno) {
	if c.raw == nil {
		return c.block(v, (*Vector).write, 0)
	}
	if err := c.raw.Write(v.transmit); err != nil {
		c.closed.Store(true)
		return 0, unix.EBADF
	}
	return v.done, v.errno
}

// block runs a system call on the calling thread.
func (c *Conn) block(v *Vector, call func(v *Vector, fd, flags uintptr) (int, syscall.Errno), flags uintptr) (int, syscall.Errno) {
	c.use.RLock()
	defer c.use.RUnlock()
	if c.closed.Load() {
		return 0, unix.EBADF
	}
	return call(v, uintptr(c.fd), flags)
}

// Close ends a blocked Receive, waits until no call is under way, and frees the socket.
func (c *Conn) Close() error {
	if c.closed.Swap(true) {
		return net.ErrClosed
	}
	if c.file != nil {
		return c.file.Close()
	}
	// Wakes the reader; a socket without a peer reports ENOTCONN and is shut down all the same.
	_ = unix.Shutdown(c.fd, unix.SHUT_RDWR)
	c.use.Lock()
	defer c.use.Unlock()
	return unix.Close(c.fd)
}
