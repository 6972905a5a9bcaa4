package relay

// The relay: opens streams and ends with all of them.

import (
	"context"
	"errors"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/internal/mmsg"
	"github.com/sipwerk/sipwerk/network"
)

// A Relay opens streams. Fill the exported fields before first use; after that its methods may be called from anywhere.
type Relay struct {
	Network network.Network
	// Ports is the range of local ports; the zero value lets the system choose.
	Ports Ports
	// Shared is the one port of each local address for streams whose peers ICE tells apart ([Relay.OpenShared]); 0: they have ports of their own too.
	Shared uint16
	// Strangers lets a stream learn a source whose address neither the description nor the signalling names, if no better
	// one speaks. It is for peers behind signalling proxies and NAT at once, and lets third parties be heard.
	Strangers bool

	pool    pool
	kept    kept
	express *express // nil: the kernel carries nothing
	sharing sharing
	started time.Time      // set before the first stream
	batches sync.Pool      // of *batch
	opening sync.WaitGroup // calls of Open
	readers sync.WaitGroup

	mu      sync.Mutex // guards what follows
	streams map[*Stream]struct{}
	own     portSets // sockets of all streams
	hubs    []*mmsg.Hub
	opened  int // streams ever
	closed  bool
}

// Open opens the sockets of one stream at a local address. The error wraps [ErrPorts] if the range is used up, and
// network errors otherwise. Whoever opened the stream closes it.
func (r *Relay) Open(ctx context.Context, local netip.Addr) (*Stream, error) {
	if !r.begin() {
		return nil, net.ErrClosed
	}
	defer r.opening.Done()
	s := &Stream{relay: r, ip: local}
	s.prepare()
	if err := s.listen(ctx, local); err != nil {
		return nil, err
	}
	r.add(s)
	if s.hub == nil {
		r.readers.Add(len(s.sockets))
		for c := range s.sockets {
			go s.sockets[c].read(s.sockets[c].conn)
		}
	}
	return s, nil
}

// prepare makes the sockets, which are not open yet, those of s.
func (s *Stream) prepare() {
	for c := range s.sockets {
		s.sockets[c] = socket{stream: s, component: component(c)}
		s.latches[c].strangers = s.relay.Strangers
	}
}

// begin keeps the relay from ending until r.opening.Done; it reports false if it has ended.
func (r *Relay) begin() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return false
	}
	if r.streams == nil {
		r.started = time.Now()
		r.streams = make(map[*Stream]struct{})
		r.own = make(portSets)
	}
	r.opening.Add(1)
	return true
}

// now is the time that latches and counters see.
func (r *Relay) now() time.Duration { return time.Since(r.started) }

func (r *Relay) add(s *Stream) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.streams[s] = struct{}{}
	for i := range s.sockets {
		r.own.add(s.sockets[i].local()) // that of a shared port is there already
	}
}

func (r *Relay) remove(s *Stream) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.streams, s)
	r.disownLocked(s)
}

// disown forgets that the sockets of s are ours.
func (r *Relay) disown(s *Stream) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.disownLocked(s)
}

func (r *Relay) disownLocked(s *Stream) {
	for i := range s.sockets {
		if s.berth == nil {
			r.own.remove(s.sockets[i].local())
		}
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
	return r.own.has(a) || r.own.has(netip.AddrPortFrom(wildcard, a.Port()))
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
	r.mu.Unlock()
	r.opening.Wait() // whoever opens a stream now has it among those that are closed
	for _, s := range r.all() {
		s.Close()
	}
	r.closeKept()
	r.closeShared()
	r.readers.Wait()
	err := r.closeExpress()
	for _, h := range r.hubs {
		err = errors.Join(err, h.Close())
	}
	r.hubs = nil
	return err
}

func (r *Relay) all() []*Stream {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Collect(maps.Keys(r.streams))
}
