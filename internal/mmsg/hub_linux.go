//go:build linux && (amd64 || arm64)

// A thread that serves many sockets. epoll(7), recv(2), send(2).

package mmsg

import (
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// roundSize is how many sockets are read in one round. First all of them, then what is to be sent: the processor keeps the system's code for one thing in its cache that way.
	roundSize = 64
	// queueSize is how much is sent at once; a Take that fans out further has it sent meanwhile.
	queueSize = 256
	// restEvery is how often the thread goes through Go's scheduler, which otherwise takes its processor away whenever it waits.
	restEvery = 8 * time.Millisecond
	// stopKey is the epoll key of what ends the thread; sockets have others.
	stopKey = ^uint64(0)
)

// Hub serves many UDP sockets with one thread. It reads in rounds: one datagram of each socket that has some, then all are taken, then all that is to be sent is
// sent. Nothing is allocated for a datagram.
type Hub struct {
	config HubConfig
	poll   int
	wake   int // an eventfd
	done   chan struct{}
	stop   atomic.Bool

	mu    sync.Mutex
	conns []*HubConn // by slot; nil: free
	free  []uint32   // slots
	turn  uint32     // distinguishes the users of a slot
}

// NewHub starts a hub. Whoever made it closes it.
func NewHub(cfg HubConfig) (*Hub, error) {
	h := &Hub{config: cfg, poll: -1, wake: -1, done: make(chan struct{})}
	if err := h.open(); err != nil {
		h.release()
		return nil, err
	}
	go h.run()
	return h, nil
}

func (h *Hub) open() (err error) {
	if h.poll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return os.NewSyscallError("epoll_create1", err)
	}
	if h.wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return os.NewSyscallError("eventfd", err)
	}
	return h.watch(h.wake, stopKey)
}

func (h *Hub) watch(fd int, key uint64) error {
	event := unix.EpollEvent{Events: unix.EPOLLIN}
	*keyOf(&event) = key
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(h.poll, unix.EPOLL_CTL_ADD, fd, &event))
}

// keyOf is the word of an event that is ours: x/sys calls it Fd and Pad.
func keyOf(e *unix.EpollEvent) *uint64 { return (*uint64)(unsafe.Pointer(&e.Fd)) }

func (h *Hub) release() {
	for _, fd := range [...]int{h.poll, h.wake} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
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
	r := newRound(h.config)
	defer r.close()
	rested := time.Now()
	for !h.stop.Load() {
		n := h.wait(r)
		r.At = time.Now()
		h.find(r, n)
		r.read()
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
	n, _, _ := syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(h.poll), uintptr(unsafe.Pointer(&r.events[0])), roundSize, 0, 0, 0)
	if n > 0 && n <= roundSize {
		return int(n)
	}
	got, err := unix.EpollWait(h.poll, r.events[:], -1)
	if err != nil { // EINTR; nothing else can be wrong with it
		return 0
	}
	return got
}

// find finds the sockets of the first n events.
func (h *Hub) find(r *Round, n int) {
	r.ready = r.ready[:0]
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range r.events[:n] {
		key := *keyOf(&r.events[i])
		if slot := uint32(key); key != stopKey && int(slot) < len(h.conns) {
			// A socket closed since may have left its slot to another.
			if c := h.conns[slot]; c != nil && c.key == key {
				r.ready = append(r.ready, c)
			}
		}
	}
}

// Listen opens a socket whose datagrams go to t. An address in use gives an error that wraps syscall.EADDRINUSE.
func (h *Hub) Listen(addr netip.AddrPort, t Taker) (*HubConn, error) {
	socket, fd, err := open(Config{Addr: addr, Receive: h.config.Receive, Send: h.config.Send})
	if err != nil {
		return nil, err
	}
	c := &HubConn{hub: h, fd: fd, v6: socket.v6, local: socket.local, taker: t}
	c.state.Store(1)
	h.enter(c)
	if err := h.watch(fd, c.key); err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

// enter gives c a slot.
func (h *Hub) enter(c *HubConn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.free) == 0 {
		h.free = append(h.free, uint32(len(h.conns)))
		h.conns = append(h.conns, nil)
	}
	last := len(h.free) - 1
	slot := h.free[last]
	h.free = h.free[:last]
	h.turn = (h.turn + 1) & (1<<31 - 1) // never that of stopKey
	c.key = uint64(h.turn)<<32 | uint64(slot)
	h.conns[slot] = c
}

func (h *Hub) leave(c *HubConn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	slot := uint32(c.key)
	h.conns[slot] = nil
	h.free = append(h.free, slot)
}
