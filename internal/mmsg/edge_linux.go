//go:build linux && (amd64 || arm64)

// Reading sockets that are told of once. epoll(7), EPOLLET; recvmmsg(2).

package mmsg

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// few is how many datagrams are read of one socket at a time. Mostly there is one, and two or three when the thread is behind; that there is no further one says that the socket is empty: to find
// that out here costs less than to be told of the socket once more.
const few = 4

// handful is what is read of one socket at a time. It stays where it is, for the system is given pointers into it.
type handful struct {
	headers [few]header
	iovecs  [few]unix.Iovec
	names   [few]unix.RawSockaddrInet6
}

func (p *handful) prepare() {
	for i := range p.headers {
		p.headers[i].Name, p.headers[i].Iov, p.headers[i].Iovlen = (*byte)(unsafe.Pointer(&p.names[i])), &p.iovecs[i], 1
	}
}

// receive reads datagrams of c, each into the next room bytes of one of the memories. It returns how many there were, and whether there may be more.
func (p *handful) receive(c *HubConn, into *[few][]byte, room int) (n int, more bool) {
	for i, b := range into {
		p.iovecs[i].Base = unsafe.SliceData(b)
		p.iovecs[i].SetLen(room)
		p.headers[i].Namelen = unix.SizeofSockaddrInet6
	}
	got, _, errno := syscall.RawSyscall6(unix.SYS_RECVMMSG, uintptr(c.fd), uintptr(unsafe.Pointer(&p.headers)), uintptr(len(p.headers)), unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return 0, errno != unix.EAGAIN
	}
	return int(got), int(got) == len(p.headers)
}

// readEdge takes up to few datagrams of each socket that is ready in s. A socket with more is ready again in a later round, when all others have had their turn.
func (r *Round) readEdge(s *set) {
	r.arrived = r.arrived[:0]
	rest := r.memories
	for _, c := range r.ready {
		Fetch(c)
	}
	for _, c := range r.ready {
		if !c.hold() {
			continue
		}
		n, more := r.handful.receive(c, &rest, r.config.Room)
		for i := range n {
			rest[i] = r.arrive(c, i, rest[i])
		}
		if more {
			s.rearm(c)
		}
		c.release()
	}
	clear(r.ready)
}

// arrive takes note of datagram i of the handful, which lies at the start of memory, and returns what is behind it.
func (r *Round) arrive(c *HubConn, i int, memory []byte) []byte {
	n := int(r.handful.headers[i].length)
	r.arrived = append(r.arrived, arrived{conn: c, b: memory[: n : n+r.config.Spare], from: getPeer(&r.handful.names[i])})
	return memory[align(n+r.config.Spare):]
}
