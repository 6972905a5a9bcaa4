//go:build linux && (amd64 || arm64)

// Sockets that are waited for together. epoll(7).

package mmsg

import (
	"os"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// stopKey is the epoll key of what ends the thread of a hub; sockets have others.
const stopKey = ^uint64(0)

// set holds sockets, each in a slot.
type set struct {
	poll int
	edge bool // a socket is told of when something comes, not for as long as something is there: whoever leaves something behind calls rearm

	mu    sync.Mutex // guards what follows
	slots []slot
	free  []uint32
	turn  uint32 // distinguishes the users of a slot
}

// slot is a place in a set.
type slot struct {
	conn  *HubConn // nil: free
	key   uint64
	turns uint16 // taken since begin; of a sweep
}

func (s *set) open() (err error) {
	s.poll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	return os.NewSyscallError("epoll_create1", err)
}

func (s *set) close() {
	if s.poll >= 0 {
		unix.Close(s.poll)
	}
}

func (s *set) watch(fd int, key uint64) error {
	return os.NewSyscallError("epoll_ctl", s.control(unix.EPOLL_CTL_ADD, fd, key))
}

func (s *set) control(op, fd int, key uint64) error {
	event := unix.EpollEvent{Events: unix.EPOLLIN}
	if s.edge {
		event.Events |= unix.EPOLLET
	}
	*keyOf(&event) = key
	return unix.EpollCtl(s.poll, op, fd, &event)
}

// rearm makes c ready again in s, if it is there and has something to read.
func (s *set) rearm(c *HubConn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.set != s {
		return
	}
	s.mu.Lock()
	key := s.slots[c.slot].key
	s.mu.Unlock()
	_ = s.control(unix.EPOLL_CTL_MOD, c.fd, key)
}

// keyOf is the word of an event that is ours: x/sys calls it Fd and Pad.
func keyOf(e *unix.EpollEvent) *uint64 { return (*uint64)(unsafe.Pointer(&e.Fd)) }

// ask returns how many sockets have something to read now.
func (s *set) ask(r *Round) int {
	n, _, errno := syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(s.poll), uintptr(unsafe.Pointer(&r.events[0])), roundSize, 0, 0, 0)
	if errno != 0 {
		return 0
	}
	return int(n)
}

// begin gives each socket its turns anew.
func (s *set) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.slots {
		s.slots[i].turns = 0
	}
}

// find finds the sockets of the first n events. Those that have had so many turns are set apart; 0: there is no limit.
func (s *set) find(r *Round, n int, turns uint16) {
	r.ready, r.flooded = r.ready[:0], r.flooded[:0]
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range r.events[:n] {
		key := *keyOf(&r.events[i])
		if at := uint32(key); key != stopKey && int(at) < len(s.slots) {
			// A socket that has left since may have left its slot to another.
			if slot := &s.slots[at]; slot.conn != nil && slot.key == key {
				slot.find(r, turns)
			}
		}
	}
}

func (s *slot) find(r *Round, turns uint16) {
	switch {
	case turns == 0:
		r.ready = append(r.ready, s.conn)
	case s.turns < turns:
		s.turns++
		r.ready = append(r.ready, s.conn)
	default:
		r.flooded = append(r.flooded, s.conn)
	}
}

// enter gives c a slot.
func (s *set) enter(c *HubConn) (at uint32, key uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.free) == 0 {
		s.free = append(s.free, uint32(len(s.slots)))
		s.slots = append(s.slots, slot{})
	}
	last := len(s.free) - 1
	at = s.free[last]
	s.free = s.free[:last]
	s.turn = (s.turn + 1) & (1<<31 - 1) // never that of stopKey
	key = uint64(s.turn)<<32 | uint64(at)
	s.slots[at] = slot{conn: c, key: key}
	return at, key
}

func (s *set) leave(at uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slots[at] = slot{}
	s.free = append(s.free, at)
}

// conns returns who is in the set.
func (s *set) conns() []*HubConn {
	s.mu.Lock()
	defer s.mu.Unlock()
	var in []*HubConn
	for _, slot := range s.slots {
		if slot.conn != nil {
			in = append(in, slot.conn)
		}
	}
	return in
}
