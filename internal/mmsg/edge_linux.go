//go:build linux && (amd64 || arm64)

// Reading sockets that are told of once. epoll(7), EPOLLET; recvmmsg(2).

package mmsg

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// pair is what is read of one socket at a time. Mostly there is one datagram, and that there is no second one says that the socket is empty: to find that out here costs less than to be
// told of the socket once more. It stays where it is, for the system is given pointers into it.
type pair struct {
	headers [2]header
	iovecs  [2]unix.Iovec
	names   [2]unix.RawSockaddrInet6
}

func (p *pair) prepare() {
	for i := range p.headers {
		p.headers[i].Name, p.headers[i].Iov, p.headers[i].Iovlen = (*byte)(unsafe.Pointer(&p.names[i])), &p.iovecs[i], 1
	}
}

// receive reads up to two datagrams of c into the two buffers. It returns how many there were, and whether there may be more.
func (p *pair) receive(c *HubConn, first, second []byte) (n int, more bool) {
	for i, b := range [...][]byte{first, second} {
		p.iovecs[i].Base = unsafe.SliceData(b)
		p.iovecs[i].SetLen(len(b))
		p.headers[i].Namelen = unix.SizeofSockaddrInet6
	}
	got, _, errno := syscall.RawSyscall6(unix.SYS_RECVMMSG, uintptr(c.fd), uintptr(unsafe.Pointer(&p.headers)), uintptr(len(p.headers)), unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return 0, errno != unix.EAGAIN
	}
	return int(got), int(got) == len(p.headers)
}

// readEdge takes up to two datagrams of each socket that is ready in s. A socket with more is ready again in a later round, when all others have had their turn.
func (r *Round) readEdge(s *set) {
	r.arrived = r.arrived[:0]
	rest, restSeconds := r.memory, r.seconds
	for _, c := range r.ready {
		Fetch(c)
	}
	for _, c := range r.ready {
		if !c.hold() {
			continue
		}
		n, more := r.pair.receive(c, rest[:r.config.Room], restSeconds[:r.config.Room])
		if n > 0 {
			rest = r.arrive(c, 0, rest)
		}
		if n > 1 {
			restSeconds = r.arrive(c, 1, restSeconds)
		}
		if more {
			s.rearm(c)
		}
		c.release()
	}
	clear(r.ready)
}

// arrive takes note of datagram i of the pair, which lies at the start of memory, and returns what is behind it.
func (r *Round) arrive(c *HubConn, i int, memory []byte) []byte {
	n := int(r.pair.headers[i].length)
	r.arrived = append(r.arrived, arrived{conn: c, b: memory[: n : n+r.config.Spare], from: getPeer(&r.pair.names[i])})
	return memory[align(n+r.config.Spare):]
}
