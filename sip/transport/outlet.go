// Below TLS and WebSocket: writing does not wait, because what the system does not take at once is kept here, and reading notes how long what it brings has waited.

package transport

import (
	"net"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/network"
)

// outlet stands below TLS or WebSocket frames. Once open, a write never waits: what is left goes when flush is called.
type outlet struct {
	net.Conn // the TCP connection
	direct   network.Stream
	lag      lag           // lag and waited belong to who reads
	waited   time.Duration // what the last read has brought

	mu       sync.Mutex // guards all below
	open     bool       // the handshakes are over
	flushing bool
	left     []byte
}

// noLag is what need not be told: a record that came in two reads.
const noLag = time.Millisecond

// Read implements [net.Conn].
func (o *outlet) Read(b []byte) (int, error) {
	n, err := o.Conn.Read(b)
	if o.waited = o.lag.read(n, len(b), o.direct.Unread); o.waited < noLag {
		o.waited = 0
	}
	return n, err
}

// behind is how long what was read last has waited. It is for who reads.
func (o *outlet) behind() time.Duration {
	if o == nil {
		return 0
	}
	return o.waited
}

// Write implements [net.Conn].
func (o *outlet) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.open {
		return o.Conn.Write(b)
	}
	n := 0
	if len(o.left) == 0 && !o.flushing {
		n = o.direct.TryWrite(b)
	}
	o.left = append(o.left, b[n:]...)
	return len(b), nil
}

// pass ends the time in which writes wait.
func (o *outlet) pass() {
	if o != nil {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.open = true
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
