//go:build linux && (amd64 || arm64)

// A socket of a hub. Its descriptor stays open while somebody uses it.

package mmsg

import (
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// HubConn is a UDP socket of a [Hub]. Its methods may be called from anywhere.
type HubConn struct {
	hub   *Hub
	fd    int
	v6    bool
	local netip.AddrPort
	taker Taker
	key   uint64
	state atomic.Int32 // users, and the owner until Close; the last one closes fd
	shut  atomic.Bool
}

// LocalAddr is the address bound.
func (c *HubConn) LocalAddr() netip.AddrPort { return c.local }

// hold keeps the descriptor open until release; it reports false if it is closed.
func (c *HubConn) hold() bool {
	for {
		n := c.state.Load()
		if n == 0 || c.shut.Load() {
			return false
		}
		if c.state.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (c *HubConn) release() {
	if c.state.Add(-1) == 0 {
		unix.Close(c.fd)
	}
}

// Send sends b at once. An error is that of the system, or net.ErrClosed.
func (c *HubConn) Send(b []byte, to netip.AddrPort) error {
	if !c.hold() {
		return net.ErrClosed
	}
	defer c.release()
	if errno := c.transmit(b, to); errno != 0 {
		return os.NewSyscallError("sendto", errno)
	}
	return nil
}

// transmit gives b to the system; when the socket's send buffer is full b is lost, as it would be further on.
func (c *HubConn) transmit(b []byte, to netip.AddrPort) syscall.Errno {
	var name unix.RawSockaddrInet6
	length := putPeer(&name, to, c.v6)
	_, _, errno := syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(c.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)),
		unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, uintptr(unsafe.Pointer(&name)), uintptr(length))
	return errno
}

// Close frees the socket as soon as nobody uses it any more, which is a matter of one round.
func (c *HubConn) Close() error {
	if c.shut.Swap(true) {
		return net.ErrClosed
	}
	if c.state.Load() > 1 { // otherwise the descriptor is closed at once, and the system takes it out
		_ = unix.EpollCtl(c.hub.poll, unix.EPOLL_CTL_DEL, c.fd, nil)
	}
	c.hub.leave(c)
	c.release()
	return nil
}
