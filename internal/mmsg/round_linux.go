//go:build linux && (amd64 || arm64)

// What a hub reads at once and sends at once.

package mmsg

import (
	"net/netip"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A Round is what a hub reads at once and sends at once. It is for the thread of the hub.
type Round struct {
	At time.Time // when it began

	config  HubConfig
	events  [roundSize]unix.EpollEvent
	ready   []*HubConn
	memory  []byte // of one round: datagrams lie close together
	arrived []arrived
	queue   []sending
	ring    *ring // nil: the system has none for us
}

// arrived is a datagram that was read.
type arrived struct {
	conn *HubConn
	b    []byte
	from netip.AddrPort
}

// sending is a datagram that waits for the end of the round. Its socket is held.
type sending struct {
	conn *HubConn
	b    []byte
	to   netip.AddrPort
}

func newRound(cfg HubConfig) *Round {
	queue, _ := newRing(queueSize) // without one each datagram is a call
	return &Round{
		config: cfg, ring: queue, memory: make([]byte, roundSize*align(cfg.Room+cfg.Spare)), ready: make([]*HubConn, 0, roundSize),
		arrived: make([]arrived, 0, roundSize), queue: make([]sending, 0, queueSize),
	}
}

// align rounds up to whole cache lines.
func align(n int) int { return (n + 63) &^ 63 }

// read takes one datagram of each socket that is ready. A socket with more is ready again in the next round, when all others have had their turn.
func (r *Round) read() {
	r.arrived = r.arrived[:0]
	at := 0
	for _, c := range r.ready {
		if !c.hold() {
			continue
		}
		var name unix.RawSockaddrInet6
		length := uint32(unix.SizeofSockaddrInet6)
		n, _, errno := syscall.RawSyscall6(unix.SYS_RECVFROM, uintptr(c.fd), uintptr(unsafe.Pointer(&r.memory[at])), uintptr(r.config.Room),
			unix.MSG_DONTWAIT, uintptr(unsafe.Pointer(&name)), uintptr(unsafe.Pointer(&length)))
		c.release()
		if errno != 0 { // an unreachable peer, or the datagram is gone
			continue
		}
		end := at + int(n)
		r.arrived = append(r.arrived, arrived{conn: c, b: r.memory[at : end : end+r.config.Spare], from: getPeer(&name)})
		at += align(int(n) + r.config.Spare)
	}
	clear(r.ready)
}

func (r *Round) take() {
	for i := range r.arrived {
		a := &r.arrived[i]
		a.conn.taker.Take(r, a.b, a.from)
	}
	clear(r.arrived)
}

// Send sends b from c when the round is over. b must lie in what Take got, and may not be changed any more. What the system refuses is lost.
func (r *Round) Send(c *HubConn, b []byte, to netip.AddrPort) {
	if !c.hold() {
		return
	}
	if len(r.queue) == queueSize {
		r.flush()
	}
	r.queue = append(r.queue, sending{conn: c, b: b, to: to})
}

// few is up to how many datagrams are sent one by one: so many calls cost no more than filling the ring.
const few = 2

func (r *Round) flush() {
	if r.ring == nil || len(r.queue) <= few {
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
	r.queue = r.queue[:0]
}

func (r *Round) close() {
	if r.ring != nil {
		r.ring.close()
	}
}
