package relay

// The relay: opens streams and ends with all of them.

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/network"
)

// A Relay opens streams. Fill the exported fields before first use; after that its methods may be called from anywhere.
type Relay struct {
	Network network.Network
	// Ports is the range of local ports; the zero value lets the system choose.
	Ports Ports
	// Strangers lets a stream learn a source whose address neither the description nor the signalling names, if no better
	// one speaks. It is for peers behind signalling proxies and NAT at once, and lets third parties be heard.
	Strangers bool

	pool    pool
	once    sync.Once
	started time.Time
	batches sync.Pool // of *batch: calls come and go

	mu      sync.Mutex
	streams map[*Stream]struct{}
	own     map[netip.AddrPort]struct{} // sockets of all streams
	closed  bool
	readers sync.WaitGroup
}

// Open opens the sockets of one stream at a local address. The error wraps [ErrPorts] if the range is used up, and
// network errors otherwise. Whoever opened the stream closes it.
func (r *Relay) Open(ctx context.Context, local netip.Addr) (*Stream, error) {
	r.once.Do(func() { r.started = time.Now() })
	pair, free, err := r.listen(ctx, local)
	if err != nil {
		return nil, err
	}
	s := &Stream{relay: r, free: free}
	for c := range s.sockets {
		s.sockets[c] = socket{stream: s, component: component(c), conn: pair[c]}
		s.latches[c].strangers = r.Strangers
	}
	if !r.add(s) {
		closeAll(pair)
		free()
		return nil, net.ErrClosed
	}
	for c := range s.sockets {
		go r.read(&s.sockets[c])
	}
	return s, nil
}

// now is the time that latches and counters see.
func (r *Relay) now() time.Duration { return time.Since(r.started) }

func (r *Relay) add(s *Stream) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return false
	}
	if r.streams == nil {
		r.streams = make(map[*Stream]struct{})
		r.own = make(map[netip.AddrPort]struct{})
	}
	r.streams[s] = struct{}{}
	for i := range s.sockets {
		r.own[s.sockets[i].conn.LocalAddr()] = struct{}{}
	}
	r.readers.Add(len(s.sockets))
	return true
}

func (r *Relay) remove(s *Stream) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.streams, s)
	for i := range s.sockets {
		delete(r.own, s.sockets[i].conn.LocalAddr())
	}
}

// owns tells whether a is one of our own sockets. Two descriptions that name them could send one packet round for ever.
func (r *Relay) owns(a netip.AddrPort) bool {
	wildcard := netip.IPv6Unspecified()
	if a.Addr().Is4() {
		wildcard = netip.IPv4Unspecified()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	_, bound := r.own[a]
	_, everywhere := r.own[netip.AddrPortFrom(wildcard, a.Port())]
	return bound || everywhere
}

// Streams returns how many streams are open.
func (r *Relay) Streams() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.streams)
}

// Close closes all streams and waits until nothing reads any more. It must not be called from a tap.
func (r *Relay) Close() error {
	r.mu.Lock()
	r.closed = true
	streams := make([]*Stream, 0, len(r.streams))
	for s := range r.streams {
		streams = append(streams, s)
	}
	r.mu.Unlock()
	for _, s := range streams {
		s.Close()
	}
	r.readers.Wait()
	return nil
}
