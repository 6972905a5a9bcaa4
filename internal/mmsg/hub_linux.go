//go:build linux && (amd64 || arm64)

// A thread that serves many sockets. epoll(7), recv(2), send(2).

package mmsg

import (
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// roundSize is how many sockets are read in one round. First all of them, then what is to be sent: the processor keeps the system's code for one thing in its cache that way.
	roundSize = 64
	// queueSize is how much is sent at once; a Take that fans out further has it sent meanwhile.
	queueSize = 256
	// restEvery is how often the thread goes through Go's scheduler, which otherwise takes its processor away whenever it waits.
	restEvery = 8 * time.Millisecond
)

// Hub serves many UDP sockets with one thread. It reads in rounds: up to four datagrams of each socket that has some, then all are taken, then all that is to be sent is
// sent. Nothing is allocated for a datagram.
type Hub struct {
	config  HubConfig
	watched set
	wake    int // an eventfd
	done    chan struct{}
	stop    atomic.Bool
	rounds  rounds // for sweeps
	spare   int    // descriptors above it are not for pins
}

// NewHub starts a hub. Whoever made it closes it.
func NewHub(cfg HubConfig) (*Hub, error) {
	h := &Hub{config: cfg, watched: set{poll: -1, edge: true}, wake: -1, done: make(chan struct{})}
	if err := h.open(); err != nil {
		h.release()
		return nil, err
	}
	go h.run()
	return h, nil
}

func (h *Hub) open() (err error) {
	h.spare = spareDescriptor()
	if err := h.watched.open(); err != nil {
		return err
	}
	if h.wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return os.NewSyscallError("eventfd", err)
	}
	return h.watched.watch(h.wake, stopKey)
}

func (h *Hub) release() {
	h.watched.close()
	if h.wake >= 0 {
		unix.Close(h.wake)
	}
	h.rounds.close()
}

// Close ends the thread and waits for it. The sockets are to be closed before.
func (h *Hub) Close() error {
	if h.stop.Swap(true) {
		return net.ErrClosed
	}
	var one [8]byte
	binary.NativeEndian.PutUint64(one[:], 1)
	if _, err := unix.Write(h.wake, one[:]); err != nil {
		return os.NewSyscallError("write", err)
	}
	<-h.done
	h.release()
	return nil
}

func (h *Hub) run() {
	defer close(h.done)
	runtime.LockOSThread() // and never unlock: the thread ends with its short slices
	ShortenSlice()
	r := newRound(h.config, few)
	defer r.close()
	rested := time.Now()
	for !h.stop.Load() {
		n := h.wait(r)
		r.At = time.Now()
		h.watched.find(r, n, 0)
		r.readEdge(&h.watched)
		r.take()
		r.flush()
		if r.At.Sub(rested) > restEvery {
			rested = r.At
			runtime.Gosched()
		}
	}
}

// wait returns how many sockets have something to read. It asks first, without a word to Go's scheduler, and waits only if there is nothing.
func (h *Hub) wait(r *Round) int {
	if n := h.watched.ask(r); n > 0 {
		return n
	}
	got, err := unix.EpollWait(h.watched.poll, r.events[:], -1)
	if err != nil { // EINTR; nothing else can be wrong with it
		return 0
	}
	return got
}

// Listen opens a socket whose datagrams go to t. An address in use gives an error that wraps syscall.EADDRINUSE.
func (h *Hub) Listen(addr netip.AddrPort, t Taker) (*HubConn, error) {
	socket, fd, err := open(Config{Addr: addr, Receive: h.config.Receive, Send: h.config.Send})
	if err != nil {
		return nil, err
	}
	c := &HubConn{hub: h, fd: fd, v6: socket.v6, local: socket.local, taker: t}
	c.state.Store(1)
	if err := c.move(nil, &h.watched); err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}
