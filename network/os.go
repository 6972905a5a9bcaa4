// The network of the operating system.

package network

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/sipwerk/sipwerk/internal/mmsg"
)

// OS is the real network. The zero value works.
type OS struct {
	ReceiveBuffer int // of UDP sockets, bytes, as far as the system allows; 0: 8 MiB for shared sockets, the system's default for a single one
	SendBuffer    int // the same for sending
}

const sharedBuffer = 8 << 20

// ListenPacket implements [Network].
func (o OS) ListenPacket(_ context.Context, addr netip.AddrPort, n int) ([]PacketConn, error) {
	cfg := mmsg.Config{Addr: addr, Receive: o.ReceiveBuffer, Send: o.SendBuffer}
	if n == 1 || !mmsg.CanShare {
		return listenPackets(cfg, 1)
	}
	if n == 0 {
		n = runtime.NumCPU()
	}
	probe, err := mmsg.Listen(mmsg.Config{Addr: addr})
	if err != nil {
		return nil, err
	}
	cfg.Addr = probe.LocalAddr()
	if err := probe.Close(); err != nil {
		return nil, err
	}
	cfg.Shared, cfg.Blocking = true, true
	if cfg.Receive == 0 {
		cfg.Receive = sharedBuffer
	}
	if cfg.Send == 0 {
		cfg.Send = sharedBuffer
	}
	return listenPackets(cfg, n)
}

// NewHub starts a thread that serves many UDP sockets, for datagrams of up to room bytes behind which spare bytes may be written. It is an error that wraps
// errors.ErrUnsupported where the system has none; whoever made it closes it.
func (o OS) NewHub(room, spare int) (*mmsg.Hub, error) {
	return mmsg.NewHub(mmsg.HubConfig{Room: room, Spare: spare, Receive: o.ReceiveBuffer, Send: o.SendBuffer})
}

func listenPackets(cfg mmsg.Config, n int) ([]PacketConn, error) {
	var conns []PacketConn
	wrap := func(c *mmsg.Conn) PacketConn { return &packetConn{Conn: c} }
	if cfg.Blocking {
		wrap = func(c *mmsg.Conn) PacketConn { return &dedicatedConn{packetConn{Conn: c}} }
	}
	for range n {
		c, err := mmsg.Listen(cfg)
		if err != nil {
			for _, open := range conns {
				err = errors.Join(err, open.Close())
			}
			return nil, err
		}
		conns = append(conns, wrap(c))
	}
	return conns, nil
}

// ListenStream implements [Network].
func (OS) ListenStream(ctx context.Context, addr netip.AddrPort) (net.Listener, error) {
	var lc net.ListenConfig
	network := "tcp"
	switch {
	case addr.Addr().Is4():
		network = "tcp4"
	case !addr.Addr().IsUnspecified():
		network = "tcp6"
	}
	l, err := lc.Listen(ctx, network, addr.String())
	if err != nil {
		return nil, err
	}
	return streamListener{l}, nil
}

// streamListener makes a [Stream] of each connection, where that can be.
type streamListener struct{ net.Listener }

// Accept implements [net.Listener].
func (l streamListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return newStream(c), nil
}

// DialStream implements [Network].
func (OS) DialStream(ctx context.Context, local netip.Addr, remote netip.AddrPort) (net.Conn, error) {
	var d net.Dialer
	if local.IsValid() && !local.IsUnspecified() {
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(local, 0))
	}
	c, err := d.DialContext(ctx, "tcp", remote.String())
	if err != nil {
		return nil, err
	}
	return newStream(c), nil
}

// LocalAddr implements [Network]. It asks the system's routing table through a connected socket that sends nothing.
func (OS) LocalAddr(remote netip.Addr) (netip.Addr, error) {
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(remote, 9)))
	if err != nil {
		return netip.Addr{}, err
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap(), nil
}

// packetConn joins a socket with the vectors of its calls.
type packetConn struct {
	*mmsg.Conn
	read *mmsg.Vector // of the one reader

	busy  atomic.Bool  // write is in use
	write *mmsg.Vector // owned by who set busy

	mu   sync.Mutex
	more []*mmsg.Vector // guarded by mu: of writers that came while write was in use, and have finished
}

// dedicatedConn is one that blocks its reader in the system.
type dedicatedConn struct{ packetConn }

// Dedicate implements [Dedicated].
func (c *dedicatedConn) Dedicate() {
	runtime.LockOSThread() // for good: the end of the goroutine ends the thread
	mmsg.ShortenSlice()
}

// ReadBatch implements [PacketConn].
func (c *packetConn) ReadBatch(ms []Datagram) (int, error) {
	c.read = c.grown(c.read, len(ms))
	for i := range ms {
		c.read.SetRead(i, ms[i].Buf)
	}
	n, err := c.Receive(c.read, len(ms))
	for i := range n {
		m := &ms[i]
		m.N, m.Peer, m.Local = c.read.Received(i)
	}
	return n, err
}

// WriteBatch implements [PacketConn].
func (c *packetConn) WriteBatch(ms []Datagram) (int, error) {
	if c.busy.CompareAndSwap(false, true) {
		c.write = c.grown(c.write, len(ms))
		n, err := c.send(c.write, ms)
		c.busy.Store(false)
		return n, err
	}
	v := c.grown(c.spare(), len(ms))
	n, err := c.send(v, ms)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.more = append(c.more, v)
	return n, err
}

func (c *packetConn) send(v *mmsg.Vector, ms []Datagram) (int, error) {
	for i := range ms {
		v.SetWrite(i, ms[i].Buf, ms[i].Peer, ms[i].Local)
	}
	return c.Send(v, len(ms))
}

// spare returns a vector that nobody uses, or nil.
func (c *packetConn) spare() *mmsg.Vector {
	c.mu.Lock()
	defer c.mu.Unlock()
	last := len(c.more) - 1
	if last < 0 {
		return nil
	}
	v := c.more[last]
	c.more = c.more[:last]
	return v
}

// grown returns v if it has room for n datagrams, otherwise a new one.
func (c *packetConn) grown(v *mmsg.Vector, n int) *mmsg.Vector {
	if v != nil && v.Len() >= n {
		return v
	}
	if v != nil {
		n = max(n, 2*v.Len())
	}
	return c.NewVector(n)
}
