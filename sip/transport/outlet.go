// Below TLS and WebSocket: writing does not wait, because what the system does not take at once is kept here, and what comes is read ahead.

package transport

import (
	"net"
	"sync"
	"sync/atomic"

	"github.com/sipwerk/sipwerk/network"
)

// outlet stands below TLS or WebSocket frames. Once open, a write never waits: what is left goes when flush is called.
type outlet struct {
	net.Conn // the TCP connection
	direct   network.Stream
	ahead    *ahead
	open     atomic.Bool // the handshakes are over

	mu       sync.Mutex // guards all below
	flushing bool
	left     []byte
}

// Read implements [net.Conn].
func (o *outlet) Read(b []byte) (int, error) {
	if !o.open.Load() {
		return o.Conn.Read(b) // nothing is kept for whoever has not even ended the handshakes
	}
	return o.ahead.Read(b)
}

// Write implements [net.Conn].
func (o *outlet) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.open.Load() {
		return o.Conn.Write(b)
	}
	n := 0
	if len(o.left) == 0 && !o.flushing {
		n = o.direct.TryWrite(b)
	}
	o.left = append(o.left, b[n:]...)
	return len(b), nil
}

// pass ends the time in which writes wait and nothing is read ahead.
func (o *outlet) pass() {
	if o != nil {
		o.open.Store(true)
	}
}

// waits reports whether something is left.
func (o *outlet) waits() bool {
	if o == nil {
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.left) > 0
}

// flush writes what is left, and waits for it.
func (o *outlet) flush() error {
	if o == nil {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flushing = true
	defer func() { o.flushing = false }()
	for len(o.left) > 0 {
		b := o.left
		o.left = nil
		o.mu.Unlock()
		_, err := o.Conn.Write(b)
		o.mu.Lock()
		if err != nil {
			return err
		}
	}
	return nil
}
