package dtls

// The packet connection that the handshake works on.

import (
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

// Limits of what is kept for the handshake.
const (
	maxQueue    = 32   // datagrams not yet read; further ones are dropped, the peer sends them again
	maxDatagram = 2048 // bytes
)

// inbox is a [net.PacketConn] with one peer: what it reads was put into it, what it writes is given to send.
type inbox struct {
	queue  chan []byte
	send   func([]byte) error
	closed chan struct{}
	once   sync.Once

	mu      sync.Mutex // guards what follows
	timer   *time.Timer
	expired chan struct{} // closed when the deadline has passed
}

func newInbox(send func([]byte) error) *inbox {
	return &inbox{queue: make(chan []byte, maxQueue), send: send, closed: make(chan struct{}), expired: make(chan struct{})}
}

// put queues a copy of b, or drops it.
func (i *inbox) put(b []byte) {
	select {
	case i.queue <- append([]byte(nil), b...):
	default:
	}
}

// ReadFrom implements net.PacketConn.
func (i *inbox) ReadFrom(b []byte) (int, net.Addr, error) {
	i.mu.Lock()
	expired := i.expired
	i.mu.Unlock()
	select {
	case <-expired:
		return 0, nil, os.ErrDeadlineExceeded
	default:
	}
	select {
	case d := <-i.queue:
		return copy(b, d), i.LocalAddr(), nil
	case <-expired:
		return 0, nil, os.ErrDeadlineExceeded
	case <-i.closed:
		return 0, nil, net.ErrClosed
	}
}

// WriteTo implements net.PacketConn. An error of the socket is a lost datagram: the handshake sends it again.
func (i *inbox) WriteTo(b []byte, _ net.Addr) (int, error) {
	select {
	case <-i.closed:
		return 0, net.ErrClosed
	default:
	}
	_ = i.send(b)
	return len(b), nil
}

// Close implements net.PacketConn.
func (i *inbox) Close() error {
	i.once.Do(func() { close(i.closed) })
	return i.SetReadDeadline(time.Time{})
}

// LocalAddr implements net.PacketConn. Which address it is does not matter: there is one peer.
func (i *inbox) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(netip.AddrPort{}) }

// SetDeadline implements net.PacketConn.
func (i *inbox) SetDeadline(t time.Time) error { return i.SetReadDeadline(t) }

// SetWriteDeadline implements net.PacketConn. Writing never waits.
func (i *inbox) SetWriteDeadline(time.Time) error { return nil }

// SetReadDeadline implements net.PacketConn.
func (i *inbox) SetReadDeadline(t time.Time) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.timer != nil && !i.timer.Stop() {
		<-i.expired // its function runs or has run: wait, so that it closes no later channel
	}
	i.timer = nil
	select {
	case <-i.expired:
		i.expired = make(chan struct{})
	default:
	}
	if t.IsZero() {
		return nil
	}
	expired := i.expired
	if d := time.Until(t); d > 0 {
		i.timer = time.AfterFunc(d, func() { close(expired) })
	} else {
		close(expired)
	}
	return nil
}
