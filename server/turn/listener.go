package turn

// Clients over TCP and TLS. RFC 8656 §3.1.

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"sync"
	"time"
)

const (
	// silence is how long a connection may say nothing. A client refreshes its relay more often: RFC 8656 §3.2.
	silence = 15 * time.Minute
	// greeting is how soon the first bytes must come, and the handshake of TLS be over.
	greeting = 10 * time.Second
)

// listener takes so many connections, of all and of one source, closes those that stay silent, and all of them with itself.
type listener struct {
	net.Listener
	limits Limits
	tls    *tls.Config // nil: plain
	ready  chan net.Conn
	done   chan struct{}

	mu      sync.Mutex // guards what follows
	open    map[*connection]bool
	sources map[netip.Addr]int
	closed  bool
}

func newListener(l net.Listener, limits Limits) *listener {
	return &listener{Listener: l, limits: limits, ready: make(chan net.Conn), done: make(chan struct{}), open: make(map[*connection]bool), sources: make(map[netip.Addr]int)}
}

// run accepts until the listener is closed.
func (l *listener) run() {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			_ = l.Close()
			return
		}
		if client := l.take(c); client != nil {
			go l.greet(client)
		} else {
			_ = c.Close()
		}
	}
}

// greet brings a connection as far as its first byte of STUN may come.
func (l *listener) greet(c *connection) {
	_ = c.SetDeadline(time.Now().Add(greeting))
	var client net.Conn = c
	if l.tls != nil {
		secured := tls.Server(c, l.tls)
		if secured.HandshakeContext(context.Background()) != nil {
			_ = c.Close()
			return
		}
		client = secured
	}
	_ = c.SetDeadline(time.Time{})
	_ = c.SetReadDeadline(time.Now().Add(greeting))
	select {
	case l.ready <- client:
	case <-l.done:
		_ = c.Close()
	}
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.ready:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener. It closes the connections too.
func (l *listener) Close() error {
	l.mu.Lock()
	closed := l.closed
	l.closed = true
	clients := make([]*connection, 0, len(l.open))
	for c := range l.open {
		clients = append(clients, c)
	}
	l.mu.Unlock()
	if closed {
		return nil
	}
	close(l.done)
	for _, c := range clients {
		_ = c.Close()
	}
	return l.Listener.Close()
}

// take counts a connection; nil: there are too many.
func (l *listener) take(c net.Conn) *connection {
	t, ok := c.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return nil
	}
	source := t.AddrPort().Addr().Unmap()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || len(l.open) >= l.limits.Connections || l.sources[source] >= l.limits.PerSource {
		return nil
	}
	client := &connection{Conn: c, listener: l, source: source}
	l.open[client] = true
	l.sources[source]++
	return client
}

// connection is one client.
type connection struct {
	net.Conn
	listener *listener
	source   netip.Addr
}

// Read implements net.Conn.
func (c *connection) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err == nil {
		_ = c.Conn.SetReadDeadline(time.Now().Add(silence))
	}
	return n, err
}

// Close implements net.Conn. It may be called twice.
func (c *connection) Close() error {
	l := c.listener
	l.mu.Lock()
	if l.open[c] {
		delete(l.open, c)
		if l.sources[c.source]--; l.sources[c.source] == 0 {
			delete(l.sources, c.source)
		}
	}
	l.mu.Unlock()
	return c.Conn.Close()
}
