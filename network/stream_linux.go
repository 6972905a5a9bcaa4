// TCP connections that wait in the runtime's poller while they are quiet, and block a thread while they are busy. socket(7), tcp(7).

package network

import (
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// silence is after how long without a byte a busy connection is quiet again. Deadlines of a blocked read are looked at as often.
const silence = time.Second

// tcpConn is a [Stream].
type tcpConn struct {
	closed atomic.Bool

	use    sync.RWMutex // held for reading by each call on the connection, for writing by who changes the next three
	polled *net.TCPConn // nil while reads block
	raw    syscall.RawConn
	busy   *blocking // nil while reads do not block

	await func(fd uintptr) bool // of the reader; made once, with what it takes and leaves
	pool  *sync.Pool
	buf   *[]byte
	n     int
	fault error

	write *writer // made at the first write
}

// writer writes once to a connection in the poller.
type writer struct {
	try  func(fd uintptr) bool
	b    []byte
	sent int
}

// blocking is a connection outside of the poller.
type blocking struct {
	fd              int
	done            func()
	local, remote   net.Addr
	readBy, writeBy atomic.Pointer[time.Time] // deadlines
}

func newStream(c net.Conn) net.Conn {
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return c
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return c
	}
	return &tcpConn{polled: tcp, raw: raw}
}

// LocalAddr implements [net.Conn].
func (c *tcpConn) LocalAddr() net.Addr {
	c.use.RLock()
	defer c.use.RUnlock()
	if c.polled != nil {
		return c.polled.LocalAddr()
	}
	return c.busy.local
}

// RemoteAddr implements [net.Conn].
func (c *tcpConn) RemoteAddr() net.Addr {
	c.use.RLock()
	defer c.use.RUnlock()
	if c.polled != nil {
		return c.polled.RemoteAddr()
	}
	return c.busy.remote
}

// Read implements [net.Conn].
func (c *tcpConn) Read(b []byte) (int, error) {
	for {
		c.use.RLock()
		if c.polled != nil {
			n, err := c.polled.Read(b)
			c.use.RUnlock()
			return n, err
		}
		n, err := c.readBlocked(b)
		c.use.RUnlock()
		if err != unix.EAGAIN {
			return n, err
		}
		if err = c.quiet(); err != nil {
			return 0, err
		}
	}
}

// Await implements [Stream].
func (c *tcpConn) Await(pool *sync.Pool) (buf *[]byte, n int, err error) {
	c.use.RLock()
	if c.polled == nil {
		c.use.RUnlock()
		buf = pool.Get().(*[]byte)
		n, err = c.Read(*buf)
	} else {
		if c.await == nil {
			c.await = c.tryRead
		}
		c.pool = pool
		if err = c.raw.Read(c.await); err == nil {
			err = c.fault
		}
		buf, n, c.buf = c.buf, c.n, nil
		c.use.RUnlock()
	}
	if err != nil && buf != nil {
		pool.Put(buf)
		buf = nil
	}
	return buf, n, err
}

// tryRead reads what is there; it is false if nothing is.
func (c *tcpConn) tryRead(fd uintptr) bool {
	c.buf = c.pool.Get().(*[]byte)
	n, err := syscall.Read(int(fd), *c.buf)
	for err == syscall.EINTR {
		n, err = syscall.Read(int(fd), *c.buf)
	}
	switch {
	case err == syscall.EAGAIN:
		c.pool.Put(c.buf)
		c.buf = nil
		return false
	case err != nil:
		err = os.NewSyscallError("read", err)
	case n == 0:
		err = io.EOF
	}
	c.n, c.fault = n, err
	return true
}

// readBlocked reads on the calling thread. EAGAIN is a silence.
func (c *tcpConn) readBlocked(b []byte) (int, error) {
	for {
		if passed(&c.busy.readBy) {
			return 0, os.ErrDeadlineExceeded
		}
		n, err := unix.Read(c.busy.fd, b)
		switch {
		case c.closed.Load():
			return 0, net.ErrClosed
		case n > 0:
			return n, nil
		case err == nil && len(b) > 0:
			return 0, io.EOF
		case err == nil:
			return 0, nil
		case err == unix.EAGAIN:
			return 0, err
		case err != unix.EINTR:
			return 0, os.NewSyscallError("read", err)
		}
	}
}

func passed(deadline *atomic.Pointer[time.Time]) bool {
	t := deadline.Load()
	return t != nil && !t.IsZero() && time.Until(*t) <= 0
}

// TryRead implements [Stream].
func (c *tcpConn) TryRead(b []byte) (n int) {
	c.use.RLock()
	defer c.use.RUnlock()
	read := func(fd uintptr) {
		got, _, errno := unix.Syscall6(unix.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), unix.MSG_DONTWAIT, 0, 0)
		if errno == 0 {
			n = int(got)
		}
	}
	switch {
	case c.polled != nil:
		_ = c.raw.Control(read) // of a connection that is closed nothing is wanted
	case !c.closed.Load():
		read(uintptr(c.busy.fd))
	}
	return n
}

// Block implements [Stream].
func (c *tcpConn) Block(done func()) bool {
	if !c.use.TryLock() { // someone writes: later, then
		return false
	}
	defer c.use.Unlock()
	if c.closed.Load() || c.polled == nil {
		return false
	}
	fd := -1
	err := c.raw.Control(func(old uintptr) { fd, _ = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 0) })
	if err != nil || fd < 0 {
		return false
	}
	wait := unix.NsecToTimeval(int64(silence))
	if unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait) != nil {
		unix.Close(fd)
		return false
	}
	c.busy = &blocking{fd: fd, done: done, local: c.polled.LocalAddr(), remote: c.polled.RemoteAddr()}
	_ = c.polled.Close() // the copy is out of the poller's sight
	_ = unix.SetNonblock(fd, false)
	c.polled, c.raw = nil, nil
	return true
}

// quiet gives the connection back to the poller, unless someone writes: then it stays as it is.
func (c *tcpConn) quiet() error {
	if !c.use.TryLock() {
		return nil
	}
	defer c.use.Unlock()
	if c.closed.Load() {
		return net.ErrClosed
	}
	busy := c.busy
	file := os.NewFile(uintptr(busy.fd), "tcp")
	again, err := net.FileConn(file) // a copy that does not block
	_ = file.Close()
	busy.fd = -1
	if err != nil {
		return err
	}
	c.polled, c.busy = again.(*net.TCPConn), nil
	if c.raw, err = c.polled.SyscallConn(); err != nil {
		return err
	}
	if t := busy.readBy.Load(); t != nil {
		_ = c.polled.SetReadDeadline(*t)
	}
	if t := busy.writeBy.Load(); t != nil {
		_ = c.polled.SetWriteDeadline(*t)
	}
	busy.done()
	return nil
}

// TryWrite implements [Stream].
func (c *tcpConn) TryWrite(b []byte) int {
	c.use.RLock()
	defer c.use.RUnlock()
	if c.polled == nil {
		n, _ := c.sendOnce(b)
		return n
	}
	w := c.write
	if w == nil {
		w = new(writer)
		w.try = func(fd uintptr) bool {
			w.sent, _ = syscall.Write(int(fd), w.b)
			return true
		}
		c.write = w
	}
	w.b, w.sent = b, 0
	_ = c.raw.Write(w.try)
	w.b = nil
	return max(w.sent, 0)
}

// sendOnce writes what the system takes at once.
func (c *tcpConn) sendOnce(b []byte) (int, error) {
	if c.closed.Load() {
		return 0, net.ErrClosed
	}
	n, _, errno := unix.Syscall6(unix.SYS_SENDTO, uintptr(c.busy.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// Write implements [net.Conn].
func (c *tcpConn) Write(b []byte) (int, error) {
	c.use.RLock()
	defer c.use.RUnlock()
	if c.polled != nil {
		return c.polled.Write(b)
	}
	sent := 0
	for sent < len(b) {
		if passed(&c.busy.writeBy) {
			return sent, os.ErrDeadlineExceeded
		}
		n, err := c.sendOnce(b[sent:])
		sent += n
		switch {
		case err == unix.EAGAIN:
			if err = c.awaitRoom(); err != nil {
				return sent, err
			}
		case err != nil && err != unix.EINTR:
			return sent, os.NewSyscallError("write", err)
		}
	}
	return sent, nil
}

// awaitRoom waits until the peer has read something, the connection ends, or the deadline may have come.
func (c *tcpConn) awaitRoom() error {
	wait := silence
	if by := c.busy.writeBy.Load(); by != nil && !by.IsZero() {
		wait = min(wait, max(0, time.Until(*by)))
	}
	_, err := unix.Poll([]unix.PollFd{{Fd: int32(c.busy.fd), Events: unix.POLLOUT}}, int(wait/time.Millisecond)+1)
	if err == unix.EINTR {
		return nil
	}
	return err
}

// Close implements [net.Conn].
func (c *tcpConn) Close() error {
	if c.closed.Swap(true) {
		return net.ErrClosed
	}
	c.use.RLock()
	if c.polled != nil {
		defer c.use.RUnlock()
		return c.polled.Close()
	}
	_ = unix.Shutdown(c.busy.fd, unix.SHUT_RDWR) // wakes who is in a call
	c.use.RUnlock()
	c.use.Lock()
	defer c.use.Unlock()
	fd := c.busy.fd
	c.busy.fd = -1
	c.busy.done()
	return unix.Close(fd)
}

// SetDeadline implements [net.Conn].
func (c *tcpConn) SetDeadline(t time.Time) error {
	_ = c.SetReadDeadline(t)
	return c.SetWriteDeadline(t)
}

// SetReadDeadline implements [net.Conn].
func (c *tcpConn) SetReadDeadline(t time.Time) error {
	c.use.RLock()
	defer c.use.RUnlock()
	if c.polled != nil {
		return c.polled.SetReadDeadline(t)
	}
	c.busy.readBy.Store(&t)
	return nil
}

// SetWriteDeadline implements [net.Conn].
func (c *tcpConn) SetWriteDeadline(t time.Time) error {
	c.use.RLock()
	defer c.use.RUnlock()
	if c.polled != nil {
		return c.polled.SetWriteDeadline(t)
	}
	c.busy.writeBy.Store(&t)
	return nil
}
