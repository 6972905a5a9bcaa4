//go:build linux && (amd64 || arm64)

// A socket of a hub. Its descriptor stays open while somebody uses it.

package mmsg

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
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
	state atomic.Int32 // users, and the owner until Close; the last one closes fd
	shut  atomic.Bool
	alone atomic.Bool             // it can have no pin
	pin   atomic.Pointer[HubConn] // nil: none
	peer  netip.AddrPort          // of a pin

	mu   sync.Mutex // guards what follows
	set  *set       // in which it is waited for; nil: in none
	slot uint32     // in set
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

// holdFor is hold for what goes to an address; it returns the socket that is to be used, nil if c is closed.
func (c *HubConn) holdFor(to netip.AddrPort) *HubConn {
	if p := c.pin.Load(); p != nil && p.peer == to && p.hold() {
		return p
	}
	if c.hold() {
		return c
	}
	return nil
}

// Send sends b at once. An error is that of the system, or net.ErrClosed.
func (c *HubConn) Send(b []byte, to netip.AddrPort) error {
	if c = c.holdFor(to); c == nil {
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
	if c.peer.IsValid() {
		return c.transmitPinned(b)
	}
	var name unix.RawSockaddrInet6
	length := putPeer(&name, to, c.v6)
	_, _, errno := syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(c.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)),
		unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, uintptr(unsafe.Pointer(&name)), uintptr(length))
	return errno
}

// errElsewhere: a socket is not where it is to be taken from.
var errElsewhere = errors.New("mmsg: the socket is elsewhere")

// move makes to the set in which c is waited for, if it is in from or from is nil. What was found in the former one may still be read for that.
func (c *HubConn) move(from, to *set) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.shut.Load():
		return net.ErrClosed
	case from != nil && c.set != from:
		return errElsewhere
	case c.set == to:
		return nil
	}
	c.unpinLocked()
	former := c.set
	c.leaveLocked(true)
	err := c.enterLocked(to)
	if err != nil && former != nil {
		return errors.Join(err, c.enterLocked(former))
	}
	return err
}

func (c *HubConn) enterLocked(to *set) error {
	slot, key := to.enter(c)
	if err := to.watch(c.fd, key); err != nil {
		to.leave(slot)
		return err
	}
	c.set, c.slot = to, slot
	return nil
}

// leaveLocked ends the waiting; forget tells the system, which notices by itself when the last user closes the descriptor.
func (c *HubConn) leaveLocked(forget bool) {
	if c.set == nil {
		return
	}
	if forget {
		_ = unix.EpollCtl(c.set.poll, unix.EPOLL_CTL_DEL, c.fd, nil)
	}
	c.set.leave(c.slot)
	c.set = nil
}

// Close frees the socket as soon as nobody uses it any more, which is a matter of one round.
func (c *HubConn) Close() error {
	if c.shut.Swap(true) {
		return net.ErrClosed
	}
	c.mu.Lock()
	c.leaveLocked(c.state.Load() > 1)
	c.unpinLocked()
	c.mu.Unlock()
	c.release()
	return nil
}
