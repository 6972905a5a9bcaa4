// Streams of the simulated network: what TCP gives a program, without its segments.

package network

import (
	"context"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"
)

// simWindow is how many bytes may be under way and unread in one direction of a stream before a writer waits.
const simWindow = 64 << 10

// simConnectTimeout is how long a connection attempt waits for a host that does not answer, as Linux does.
const simConnectTimeout = 127 * time.Second

func newTransmission(l link, data []byte) Transmission {
	return Transmission{Time: time.Now(), Stream: l.stream, From: l.from, To: l.to, Data: data}
}

// simListener accepts simulated streams. Guarded by Sim.mu.
type simListener struct {
	host   *SimHost
	local  netip.AddrPort
	queue  []*simConn
	wake   *sync.Cond
	closed bool
}

// ListenStream implements [Network].
func (h *SimHost) ListenStream(_ context.Context, addr netip.AddrPort) (net.Listener, error) {
	h.sim.mu.Lock()
	defer h.sim.mu.Unlock()
	addr, err := bindLocked(h, h.listeners, addr)
	if err != nil {
		return nil, err
	}
	l := &simListener{host: h, local: addr, wake: sync.NewCond(&h.sim.mu)}
	h.listeners[addr] = l
	return l, nil
}

// Accept implements [net.Listener].
func (l *simListener) Accept() (net.Conn, error) {
	l.host.sim.mu.Lock()
	defer l.host.sim.mu.Unlock()
	for len(l.queue) == 0 && !l.closed {
		l.wake.Wait()
	}
	if l.closed {
		return nil, net.ErrClosed
	}
	c := l.queue[0]
	l.queue = l.queue[1:]
	return c, nil
}

// Close implements [net.Listener]. Connections that nobody accepted are reset.
func (l *simListener) Close() error {
	l.host.sim.mu.Lock()
	defer l.host.sim.mu.Unlock()
	if l.closed {
		return net.ErrClosed
	}
	l.closeLocked()
	return nil
}

func (l *simListener) closeLocked() {
	l.closed = true
	delete(l.host.listeners, l.local)
	for _, c := range l.queue {
		c.breakLocked(net.ErrClosed)
		c.peer.breakLocked(syscall.ECONNRESET)
	}
	l.queue = nil
	l.wake.Broadcast()
}

// Addr implements [net.Listener].
func (l *simListener) Addr() net.Addr { return net.TCPAddrFromAddrPort(l.local) }

// attempt is a connection being opened. Guarded by Sim.mu.
type attempt struct {
	conn *simConn
	err  error
	done bool
	wake *sync.Cond
}

func (a *attempt) finishLocked(err error) {
	if !a.done {
		a.done, a.err = true, err
		a.wake.Broadcast()
	}
}

// DialStream implements [Network].
func (h *SimHost) DialStream(ctx context.Context, local netip.Addr, remote netip.AddrPort) (net.Conn, error) {
	if !local.IsValid() || local.IsUnspecified() {
		var err error
		if local, err = h.LocalAddr(remote.Addr()); err != nil {
			return nil, err
		}
	}
	s := h.sim
	s.mu.Lock()
	defer s.mu.Unlock()
	if h.down || s.closed {
		return nil, dialError(remote, syscall.ENETDOWN)
	}
	out := link{stream: true, from: netip.AddrPortFrom(local, h.portLocked()), to: remote}
	a := &attempt{wake: sync.NewCond(&s.mu)}
	timer := time.AfterFunc(simConnectTimeout, func() { a.finish(s, syscall.ETIMEDOUT) })
	defer timer.Stop()
	stop := context.AfterFunc(ctx, func() { a.finish(s, ctx.Err()) })
	defer stop()
	s.sendStreamLocked(out, func() { h.knockLocked(a, out) })
	for !a.done {
		a.wake.Wait()
	}
	if a.err != nil {
		if a.conn != nil {
			a.conn.closeLocked()
		}
		return nil, dialError(remote, a.err)
	}
	return a.conn, nil
}

func (a *attempt) finish(s *Sim, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a.finishLocked(err)
}

func dialError(remote netip.AddrPort, err error) error {
	return &net.OpError{Op: "dial", Net: "tcp", Addr: net.TCPAddrFromAddrPort(remote), Err: err}
}

// knockLocked is the arrival of a connection request: an answer goes back, unless nobody is there.
func (h *SimHost) knockLocked(a *attempt, out link) {
	s := h.sim
	target := s.hostLocked(h, out.to.Addr())
	if target == nil || target.down {
		return
	}
	back := link{stream: true, from: out.to, to: out.from}
	l, ok := boundLocked(target.listeners, out.to)
	if !ok {
		s.sendStreamLocked(back, func() { a.finishLocked(syscall.ECONNREFUSED) })
		return
	}
	if a.done {
		return
	}
	near, far := newSimConn(h, out), newSimConn(target, back)
	near.peer, far.peer = far, near
	a.conn = near
	l.queue = append(l.queue, far)
	l.wake.Signal()
	s.sendStreamLocked(back, func() { a.finishLocked(nil) })
}

// simConn is one end of a stream. Guarded by Sim.mu.
type simConn struct {
	host    *SimHost
	link    link // from this end to the other
	peer    *simConn
	unread  []byte
	pending int   // bytes written to this end and not yet read: under way or unread
	eof     bool  // the other end has closed and all before that has arrived
	err     error // why the stream is dead: net.ErrClosed after our own Close
	read    deadline
	write   deadline
	wake    *sync.Cond
}

func newSimConn(h *SimHost, l link) *simConn {
	c := &simConn{host: h, link: l, wake: sync.NewCond(&h.sim.mu)}
	h.streams[l] = c
	return c
}

// Read implements [net.Conn].
func (c *simConn) Read(p []byte) (int, error) {
	c.host.sim.mu.Lock()
	defer c.host.sim.mu.Unlock()
	for {
		switch {
		case c.err == net.ErrClosed:
			return 0, c.err
		case c.read.passed():
			return 0, os.ErrDeadlineExceeded
		case len(c.unread) > 0:
			n := copy(p, c.unread)
			c.unread = slices.Delete(c.unread, 0, n)
			c.pending -= n
			c.peer.wake.Broadcast()
			return n, nil
		case c.err != nil:
			return 0, c.err
		case c.eof:
			return 0, io.EOF
		case len(p) == 0:
			return 0, nil
		}
		c.wake.Wait()
	}
}

// Write implements [net.Conn]. It waits while the other end does not read.
func (c *simConn) Write(p []byte) (int, error) {
	s := c.host.sim
	if s.Observe != nil {
		s.Observe(newTransmission(c.link, p))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	written := 0
	for {
		room := simWindow - c.peer.pending
		switch {
		case c.err != nil:
			return written, c.err
		case c.write.passed():
			return written, os.ErrDeadlineExceeded
		case written == len(p):
			return written, nil
		case room > 0:
			n := min(room, len(p)-written)
			c.sendLocked(slices.Clone(p[written : written+n]))
			written += n
			continue
		}
		c.wake.Wait()
	}
}

func (c *simConn) sendLocked(data []byte) {
	to := c.peer
	to.pending += len(data)
	c.host.sim.sendStreamLocked(c.link, func() {
		switch {
		case to.host.down:
		case to.err != nil: // RFC 9293 §3.10.7.1: a segment for a closed connection is answered with a reset.
			c.host.sim.sendStreamLocked(to.link, func() { c.breakLocked(syscall.ECONNRESET) })
		default:
			to.unread = append(to.unread, data...)
			to.wake.Broadcast()
		}
	})
}

// Close implements [net.Conn].
func (c *simConn) Close() error {
	c.host.sim.mu.Lock()
	defer c.host.sim.mu.Unlock()
	if c.err == net.ErrClosed {
		return c.err
	}
	c.closeLocked()
	return nil
}

func (c *simConn) closeLocked() {
	alive := c.err == nil
	c.breakLocked(net.ErrClosed)
	if !alive {
		return
	}
	to := c.peer
	c.host.sim.sendStreamLocked(c.link, func() {
		to.eof = true
		to.wake.Broadcast()
	})
}

// breakLocked ends this end of the stream for a reason; the first reason stays, but for our own Close.
func (c *simConn) breakLocked(reason error) {
	if c.err == nil || reason == net.ErrClosed {
		c.err = reason
	}
	c.read.stop()
	c.write.stop()
	delete(c.host.streams, c.link)
	c.wake.Broadcast()
}

// LocalAddr implements [net.Conn].
func (c *simConn) LocalAddr() net.Addr { return net.TCPAddrFromAddrPort(c.link.from) }

// RemoteAddr implements [net.Conn].
func (c *simConn) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.link.to) }

// SetDeadline implements [net.Conn].
func (c *simConn) SetDeadline(t time.Time) error {
	return c.setDeadline(t, &c.read, &c.write)
}

// SetReadDeadline implements [net.Conn].
func (c *simConn) SetReadDeadline(t time.Time) error { return c.setDeadline(t, &c.read) }

// SetWriteDeadline implements [net.Conn].
func (c *simConn) SetWriteDeadline(t time.Time) error { return c.setDeadline(t, &c.write) }

func (c *simConn) setDeadline(t time.Time, which ...*deadline) error {
	c.host.sim.mu.Lock()
	defer c.host.sim.mu.Unlock()
	if c.err != nil {
		return c.err
	}
	for _, d := range which {
		d.set(t, c.expire)
	}
	c.wake.Broadcast()
	return nil
}

// expire wakes those who wait, to look at their deadline.
func (c *simConn) expire() {
	c.host.sim.mu.Lock()
	defer c.host.sim.mu.Unlock()
	c.wake.Broadcast()
}

// deadline is the end of waiting in one direction.
type deadline struct {
	at    time.Time
	timer *time.Timer
}

func (d *deadline) set(t time.Time, wake func()) {
	d.stop()
	d.at = t
	if !t.IsZero() {
		d.timer = time.AfterFunc(time.Until(t), wake)
	}
}

func (d *deadline) stop() {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}

func (d *deadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }
