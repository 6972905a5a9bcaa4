//go:build linux && (amd64 || arm64)

// What a hub reads at once and sends at once.

package mmsg

import (
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// A Round is what a hub reads at once and sends at once. It is for the thread of the hub.
type Round struct {
	At     time.Time // when it began; in a sweep, while something is taken: when that arrived
	Pinned bool      // what is taken came by a pin

	config   HubConfig
	events   [roundSize]unix.EpollEvent
	ready    []*HubConn
	flooded  []*HubConn
	memories [few][]byte // of the first datagrams of all sockets, the second ones, and so on: they lie close together
	used     int         // of the first memory, by Space
	arrived  []arrived
	handful  handful
	queue    []sending
	ring     *ring // nil: the system has none for us

	name    unix.RawSockaddrInet6 // of the datagram that is being read, and what follows
	message unix.Msghdr
	vector  unix.Iovec
	control control
}

// arrived is a datagram that was read.
type arrived struct {
	conn *HubConn
	b    []byte
	from netip.AddrPort
	at   time.Time // zero: with the round
}

// sending is a datagram that waits for the end of the round. Its socket is held.
type sending struct {
	conn *HubConn
	b    []byte
	to   netip.AddrPort
}

// newRound makes a round that reads up to depth datagrams of a socket at a time.
func newRound(cfg HubConfig, depth int) *Round {
	queue, _ := newRing(queueSize) // without one each datagram is a call
	r := &Round{
		config: cfg, ring: queue, ready: make([]*HubConn, 0, roundSize), flooded: make([]*HubConn, 0, roundSize),
		arrived: make([]arrived, 0, depth*roundSize), queue: make([]sending, 0, queueSize),
	}
	for i := range depth {
		r.memories[i] = make([]byte, roundSize*align(cfg.Room+cfg.Spare))
	}
	r.handful.prepare()
	return r
}

// align rounds up to whole cache lines.
func align(n int) int { return (n + 63) &^ 63 }

// read takes one datagram of each socket that is ready, with receive. A socket with more is ready again in the next round, when all others have had their turn.
func (r *Round) read(receive func(r *Round, c *HubConn, b []byte) (int, time.Time, bool)) {
	r.arrived = r.arrived[:0]
	memory, at := r.memories[0], 0
	for _, c := range r.ready {
		if !c.hold() {
			continue
		}
		n, when, ok := receive(r, c, memory[at:at+r.config.Room])
		c.release()
		if !ok { // an unreachable peer, or the datagram is gone
			continue
		}
		end := at + n
		r.arrived = append(r.arrived, arrived{conn: c, b: memory[at : end : end+r.config.Spare], from: getPeer(&r.name), at: when})
		at += align(n + r.config.Spare)
	}
	clear(r.ready)
}

func (r *Round) take() {
	for step := range NearSteps {
		for i := range r.arrived {
			r.arrived[i].conn.taker.Near(step)
		}
	}
	for i := range r.arrived {
		a := &r.arrived[i]
		if !a.at.IsZero() {
			r.At = a.at
		}
		r.Pinned = a.conn.peer.IsValid()
		a.conn.taker.Take(r, a.b, a.from)
	}
	clear(r.arrived)
}

// Send sends b from c when the round is over. b must lie in what Take got, and may not be changed any more. What the system refuses is lost.
func (r *Round) Send(c *HubConn, b []byte, to netip.AddrPort) {
	if c = c.holdFor(to); c == nil {
		return
	}
	if len(r.queue) == queueSize {
		r.flush()
	}
	r.queue = append(r.queue, sending{conn: c, b: b, to: to})
}

// Space returns n bytes, at most Room, with the Spare bytes behind them, for a datagram that the owner of a sweep sends in the round.
func (r *Round) Space(n int) []byte {
	size := align(n + r.config.Spare)
	if r.used+size > len(r.memories[0]) || len(r.queue) == queueSize {
		r.flush()
	}
	b := r.memories[0][r.used : r.used+n : r.used+n+r.config.Spare]
	r.used += size
	return b
}

// single is up to how many datagrams are sent one by one: so many calls cost no more than filling the ring.
const single = 2

func (r *Round) flush() {
	if r.ring == nil || len(r.queue) <= single {
		for i := range r.queue {
			_ = r.queue[i].conn.transmit(r.queue[i].b, r.queue[i].to)
		}
	} else {
		for i := range r.queue {
			r.ring.put(&r.queue[i])
		}
		if !r.ring.submit() {
			r.ring.close()
			r.ring = nil
		}
	}
	for i := range r.queue {
		r.queue[i].conn.release()
	}
	clear(r.queue)
	r.queue, r.used = r.queue[:0], 0
}

func (r *Round) close() {
	if r.ring != nil {
		r.ring.close()
	}
}
