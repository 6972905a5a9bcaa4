package relay

// The sockets of a stream: served by a hub where the network has hubs, each by a goroutine of its own elsewhere.

import (
	"context"
	"errors"
	"net/netip"
	"runtime"
	"sync/atomic"

	"github.com/sipwerk/sipwerk/internal/mmsg"
	"github.com/sipwerk/sipwerk/network"
)

const (
	// maxHubs is how many threads read at most: one does a hundred thousand packets a second.
	maxHubs = 8
	// perHub is how many open streams ask for one more thread. A telephone needs but one, a server all it can have.
	perHub = 64
)

// component is one of the two sockets of a stream.
type component uint8

const (
	media   component = iota // RTP, and RTCP of peers that multiplex
	control                  // RTCP
)

// socket is one component of a stream. One of line and conn is set while it is open.
type socket struct {
	stream    *Stream
	component component
	line      *line
	conn      network.PacketConn
}

// line is a socket of a hub: of one stream after another.
type line struct {
	*mmsg.HubConn
	socket atomic.Pointer[socket] // that has it; nil: nobody, and what comes is dropped
}

// Near implements [mmsg.Taker].
func (l *line) Near(step int) {
	if step == 0 {
		mmsg.Fetch(l)
	} else if k := l.socket.Load(); k != nil {
		k.near(step)
	}
}

// Take implements [mmsg.Taker].
func (l *line) Take(r *mmsg.Round, b []byte, from netip.AddrPort) {
	if k := l.socket.Load(); k != nil {
		k.take(round{r}, b, arrival{from: from, at: r.At.Sub(k.stream.relay.started), pinned: r.Pinned})
	}
}

// hubMaker is a network whose sockets can have a hub.
type hubMaker interface {
	NewHub(room, spare int) (*mmsg.Hub, error)
}

// hub returns the thread that reads a new stream; nil if the network has none.
func (r *Relay) hub() (*mmsg.Hub, error) {
	maker, ok := r.Network.(hubMaker)
	if !ok {
		return nil, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.hubs) <= len(r.streams)/perHub && len(r.hubs) < min(runtime.NumCPU(), maxHubs) {
		h, err := maker.NewHub(room, spare)
		if errors.Is(err, errors.ErrUnsupported) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		r.hubs = append(r.hubs, h)
	}
	r.opened++
	return r.hubs[r.opened/2%len(r.hubs)], nil // the two streams of a call mostly share one
}

func (k *socket) listen(ctx context.Context, at netip.AddrPort) (err error) {
	if h := k.stream.hub; h != nil {
		l := new(line)
		l.socket.Store(k)
		l.HubConn, err = h.Listen(at, l)
		if err == nil {
			k.line = l
		}
		return err
	}
	conns, err := k.stream.relay.Network.ListenPacket(ctx, at, 1)
	if err == nil {
		k.conn = conns[0]
	}
	return err
}

func (k *socket) local() netip.AddrPort {
	if k.line != nil {
		return k.line.LocalAddr()
	}
	return k.conn.LocalAddr()
}

func (k *socket) close() {
	if k.line != nil {
		_ = k.line.Close()
	}
	if k.conn != nil {
		_ = k.conn.Close()
	}
}

// outlet is where packets leave.
type outlet interface {
	// send sends b from k. An unreachable peer is noticed by the silence it leaves; there is nobody to tell here.
	send(k *socket, b []byte, to netip.AddrPort)
}

// round is the outlet of a hub's thread.
type round struct{ *mmsg.Round }

func (r round) send(k *socket, b []byte, to netip.AddrPort) {
	if k.line == nil {
		k.stream.relay.sendNow(k, b, to)
		return
	}
	r.Send(k.line.HubConn, b, to)
}

// batch is the memory for one packet on its way, where there is no hub, and the outlet of everybody but a hub.
type batch struct {
	in, out [1]network.Datagram
	buf     [room + spare]byte
}

// batch returns memory that is given back with r.batches.Put.
func (r *Relay) batch() *batch {
	if b, ok := r.batches.Get().(*batch); ok {
		return b
	}
	return new(batch)
}

// sendNow sends b from k at once.
func (r *Relay) sendNow(k *socket, b []byte, to netip.AddrPort) {
	m := r.batch()
	m.send(k, b, to)
	r.batches.Put(m)
}

func (m *batch) send(k *socket, b []byte, to netip.AddrPort) { _ = m.sendTo(k, b, to) }

func (m *batch) sendTo(k *socket, b []byte, to netip.AddrPort) error {
	if k.line != nil {
		return k.line.Send(b, to)
	}
	m.out[0] = network.Datagram{Buf: b, Peer: to}
	_, err := k.conn.WriteBatch(m.out[:])
	return err
}

// read brings what comes to k where it belongs until k is closed. The system reports nothing else for a socket
// without a fixed peer; should it, the stream falls silent, which whoever watches its counters sees.
func (k *socket) read(conn network.PacketConn) {
	r := k.stream.relay
	defer r.readers.Done()
	b := r.batch()
	defer r.batches.Put(b)
	for {
		b.in[0].Buf = b.buf[:room]
		n, err := conn.ReadBatch(b.in[:])
		if err != nil {
			return
		}
		if n > 0 {
			k.take(b, b.buf[:b.in[0].N], arrival{from: b.in[0].Peer, at: r.now()})
		}
	}
}
