//go:build linux && (amd64 || arm64)

// A second socket on the port of another, for one peer alone. connect(2), udp(7), SO_REUSEADDR.

package mmsg

import (
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Pin lets what comes to c from peer, and what goes there, pass by a second socket on the same port, which is connected: the system then finds the way of a datagram once and not each
// time. Everybody else is heard as before, for c itself stays as it is; its taker gets what comes to either. A pin to another peer takes the place of the former one. Where none can be had (all local addresses, a
// sweep, few descriptors left) everything works without.
func (c *HubConn) Pin(peer netip.AddrPort) {
	if c.alone.Load() {
		return
	}
	if p := c.pin.Load(); p != nil && p.peer == peer {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shut.Load() || c.set != &c.hub.watched {
		return
	}
	c.unpinLocked()
	if p := c.openPinLocked(peer); p != nil {
		c.pin.Store(p)
		return
	}
	c.alone.Store(true)
}

// Unpin ends that.
func (c *HubConn) Unpin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unpinLocked()
	c.alone.Store(false)
}

// unpinLocked closes the pin; what has come to it and was not read yet is lost.
func (c *HubConn) unpinLocked() {
	if p := c.pin.Swap(nil); p != nil {
		_ = p.Close()
	}
}

// openPinLocked opens a pin; nil: there is none to be had.
func (c *HubConn) openPinLocked(peer netip.AddrPort) *HubConn {
	name, err := sockaddr(peer)
	if err != nil || c.local.Addr().IsUnspecified() || peer.Addr().Is4() == c.v6 {
		return nil
	}
	// Only while it is bound: otherwise any program could have a socket on this port, and hear what comes to it.
	if c.share(1) != nil {
		return nil
	}
	defer func() { _ = c.share(0) }()
	_, fd, err := open(Config{Addr: c.local, beside: true, Receive: c.hub.config.Receive, Send: c.hub.config.Send})
	if err != nil {
		return nil
	}
	p := &HubConn{hub: c.hub, fd: fd, v6: c.v6, local: c.local, taker: c.taker, peer: peer}
	p.state.Store(1)
	// What comes before it is connected may be from anybody, and is read with its address like everything.
	if fd >= c.hub.spare || unix.Connect(fd, name) != nil || p.share(0) != nil || p.move(nil, &c.hub.watched) != nil {
		_ = p.Close()
		return nil
	}
	return p
}

// share lets another socket that wants so have the same address, or not.
func (c *HubConn) share(on int) error {
	return unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, on)
}

// transmitPinned is transmit by a pin. The system tells a connected socket of earlier datagrams that nobody took, once each, in the place of sending the next one: that one is sent all the same.
func (c *HubConn) transmitPinned(b []byte) (errno syscall.Errno) {
	for range 2 {
		_, _, errno = syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(c.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
		if errno != unix.ECONNREFUSED {
			break
		}
	}
	return errno
}

// FetchPin is [Fetch] for the pin of c, if it has one.
func (c *HubConn) FetchPin() {
	if p := c.pin.Load(); p != nil {
		Fetch(p)
	}
}

// spareDescriptor is the first descriptor that is not for a pin: half of all are for what cannot do without.
func spareDescriptor() int {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) != nil {
		return 0
	}
	return int(min(limit.Cur/2, 1<<30))
}
