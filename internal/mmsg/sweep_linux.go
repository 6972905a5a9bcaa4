//go:build linux && (amd64 || arm64)

// Sockets that are read at a beat. recvmsg(2); socket(7), SO_TIMESTAMPNS.

package mmsg

import (
	"math"
	"slices"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// flood is how many datagrams of one socket are read at a time, and one more for each pace since the last time. One that gets more goes back to its hub, which does not wait for
	// a beat: the system holds but a few hundred of them.
	flood = 16
	pace  = 2 * time.Millisecond
	// calm is how long such a socket stays there.
	calm = 10 * time.Second
)

// A Sweep serves sockets of hubs when its owner asks for it, instead of whenever something comes: where many get one datagram in each beat, that is one wake of the processor
// instead of many. One goroutine reads and flushes; the other methods may be called from anywhere.
type Sweep struct {
	set    set
	lender *Hub      // of rounds
	last   time.Time // of Read

	mu      sync.Mutex // guards what follows
	strays  []*HubConn // with their hubs, until it is calm
	strayed time.Time
}

// NewSweep returns a sweep without sockets. Whoever made it closes it.
func (h *Hub) NewSweep() (*Sweep, error) {
	w := &Sweep{lender: h, last: time.Now()}
	return w, w.set.open()
}

// Enlist makes w the one that serves c, a socket of any hub.
func (w *Sweep) Enlist(c *HubConn) error {
	c.stamp(true)
	return c.move(nil, &w.set)
}

// Dismiss gives c back to its hub, if w serves it.
func (w *Sweep) Dismiss(c *HubConn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.strays = slices.DeleteFunc(w.strays, func(s *HubConn) bool { return s == c })
	w.send(c)
}

// send sends c home. It reports false if c was not here.
func (w *Sweep) send(c *HubConn) bool {
	if c.move(&w.set, &c.hub.watched) != nil {
		return false
	}
	c.stamp(false)
	return true
}

// Close gives all sockets back.
func (w *Sweep) Close() {
	for _, c := range w.set.conns() {
		w.send(c)
	}
	w.set.close()
}

// Read gives all that has come to the takers, and sends what they make of it. The round that it returns is for what else is to be sent, and ends with Flush.
func (w *Sweep) Read() *Round {
	now := time.Now()
	w.recall(now)
	w.set.begin()
	turns := uint16(flood + min(max(0, now.Sub(w.last)/pace), math.MaxUint16-flood))
	w.last = now
	r := w.lender.rounds.borrow(w.lender.config)
	for n := w.set.ask(r); n > 0; n = w.set.ask(r) {
		w.set.find(r, n, turns)
		r.At = now
		r.read((*Round).receiveStamped)
		r.take()
		r.flush()
		w.stray(r.flooded, now)
		if len(r.ready)+len(r.flooded) == 0 {
			break // who was ready has left
		}
	}
	r.At = now
	return r
}

// Flush sends what is queued and ends the round.
func (w *Sweep) Flush(r *Round) {
	r.flush()
	w.lender.rounds.giveBack(r)
}

// stray sends home who gets too much.
func (w *Sweep) stray(flooded []*HubConn, now time.Time) {
	if len(flooded) == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.strayed = now
	for _, c := range flooded {
		if w.send(c) {
			w.strays = append(w.strays, c)
		}
	}
	clear(flooded)
}

// recall takes the strays back when it has been calm.
func (w *Sweep) recall(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.strays) == 0 || now.Sub(w.strayed) < calm {
		return
	}
	for _, c := range w.strays {
		_ = w.Enlist(c) // or it is closed
	}
	clear(w.strays)
	w.strays = w.strays[:0]
}

// stamp makes the system say when a datagram arrived.
func (c *HubConn) stamp(on bool) {
	if !c.hold() {
		return
	}
	defer c.release()
	value := 0
	if on {
		value = 1
	}
	_ = unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, value) // without it all has arrived when it is read
}

// receiveStamped is receive that also says when the datagram arrived.
func (r *Round) receiveStamped(c *HubConn, b []byte) (int, time.Time, bool) {
	r.vector.Base = &b[0]
	r.vector.SetLen(len(b))
	r.message = unix.Msghdr{Name: (*byte)(unsafe.Pointer(&r.name)), Namelen: unix.SizeofSockaddrInet6, Iov: &r.vector, Iovlen: 1, Control: (*byte)(unsafe.Pointer(&r.control))}
	r.message.SetControllen(int(unsafe.Sizeof(r.control)))
	n, _, errno := syscall.RawSyscall(unix.SYS_RECVMSG, uintptr(c.fd), uintptr(unsafe.Pointer(&r.message)), unix.MSG_DONTWAIT)
	if errno != 0 {
		return 0, time.Time{}, false
	}
	return int(n), r.stamped(), true
}

// stamped is when the datagram arrived that was read last, by the clock of the round: not before the beat began, or the system's clock was set meanwhile.
func (r *Round) stamped() time.Time {
	h := (*unix.Cmsghdr)(unsafe.Pointer(&r.control))
	if r.message.Controllen < unix.SizeofCmsghdr || h.Level != unix.SOL_SOCKET || h.Type != unix.SO_TIMESTAMPNS {
		return r.At
	}
	at := (*unix.Timespec)(unsafe.Add(unsafe.Pointer(&r.control), unix.SizeofCmsghdr))
	return r.At.Add(-min(max(0, r.At.Sub(time.Unix(at.Sec, at.Nsec))), oldest))
}

// oldest is the most that a datagram can have waited; whatever else is said, a clock was set.
const oldest = time.Second

// rounds are lent to sweeps: one is enough for many that do not beat at once.
type rounds struct {
	mu    sync.Mutex // guards what follows
	free  []*Round
	ended bool
}

func (p *rounds) borrow(cfg HubConfig) *Round {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.free) - 1
	if last < 0 {
		return newRound(cfg, 1)
	}
	r := p.free[last]
	p.free = p.free[:last]
	return r
}

func (p *rounds) giveBack(r *Round) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		r.close()
		return
	}
	p.free = append(p.free, r)
}

// close ends the lending.
func (p *rounds) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.free {
		r.close()
	}
	p.free, p.ended = nil, true
}
