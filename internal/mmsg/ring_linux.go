//go:build linux && (amd64 || arm64)

// A batch of datagrams, each from a socket of its own, sent with one system call. io_uring_setup(2), io_uring_enter(2); x/sys has no wrapper.

package mmsg

import (
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Numbers of the system's interface, from linux/io_uring.h.
const (
	ringSQEs         = 0x10000000 // offset at which the entries are mapped
	ringSingleMap    = 1 << 0     // feature: one mapping holds both rings
	ringOpSend       = 26
	ringQuietSuccess = 1 << 6 // an entry that succeeds is not reported
	ringResultSize   = 16     // struct io_uring_cqe
)

// ringParams is struct io_uring_params.
type ringParams struct {
	entries, completions, flags, cpu, idle, features, queue uint32
	_                                                       [3]uint32
	sq                                                      struct {
		head, tail, mask, entries, flags, dropped, array, _ uint32
		_                                                   uint64
	}
	cq struct {
		head, tail, mask, entries, overflow, cqes, flags, _ uint32
		_                                                   uint64
	}
}

// ringEntry is struct io_uring_sqe as a send reads it.
type ringEntry struct {
	op, flags uint8
	_         uint16
	fd        int32
	name      uint64
	buf       uint64
	length    uint32
	message   uint32 // flags of the call
	user      uint64
	_         uint32
	nameSize  uint16
	_         uint16
	_         [2]uint64
}

// ring is the system's queue of one thread.
type ring struct {
	fd                     int
	memory, entryMemory    []byte
	tail, heard, heardTail *uint32 // what we have queued, read, and what there is to read
	mask, pending          uint32
	entries                []ringEntry
	names                  []unix.RawSockaddrInet6 // of the entries
}

// newRing returns a queue for n entries. Systems and containers that do not allow one give an error.
func newRing(n int) (*ring, error) {
	var p ringParams
	fd, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, uintptr(n), uintptr(unsafe.Pointer(&p)), 0)
	if errno != 0 {
		return nil, os.NewSyscallError("io_uring_setup", errno)
	}
	q := &ring{fd: int(fd), names: make([]unix.RawSockaddrInet6, p.entries)}
	if err := q.mapMemory(&p); err != nil {
		q.close()
		return nil, err
	}
	return q, nil
}

func (q *ring) mapMemory(p *ringParams) (err error) {
	if p.features&ringSingleMap == 0 {
		return os.NewSyscallError("io_uring_setup", unix.ENOSYS)
	}
	size := max(int(p.cq.cqes)+int(p.completions)*ringResultSize, int(p.sq.array)+int(p.entries)*4)
	const access, kind = unix.PROT_READ | unix.PROT_WRITE, unix.MAP_SHARED | unix.MAP_POPULATE
	if q.memory, err = unix.Mmap(q.fd, 0, size, access, kind); err != nil {
		return os.NewSyscallError("mmap", err)
	}
	if q.entryMemory, err = unix.Mmap(q.fd, ringSQEs, int(p.entries)*int(unsafe.Sizeof(ringEntry{})), access, kind); err != nil {
		return os.NewSyscallError("mmap", err)
	}
	base := unsafe.Pointer(&q.memory[0])
	word := func(offset uint32) *uint32 { return (*uint32)(unsafe.Add(base, offset)) }
	q.tail, q.mask = word(p.sq.tail), *word(p.sq.mask)
	q.heard, q.heardTail = word(p.cq.head), word(p.cq.tail)
	q.entries = unsafe.Slice((*ringEntry)(unsafe.Pointer(&q.entryMemory[0])), p.entries)
	for i, array := 0, unsafe.Slice(word(p.sq.array), p.entries); i < len(array); i++ {
		array[i] = uint32(i)
	}
	return nil
}

func (q *ring) close() {
	for _, m := range [...][]byte{q.memory, q.entryMemory} {
		if m != nil {
			_ = unix.Munmap(m)
		}
	}
	unix.Close(q.fd)
}

// put queues a datagram, which must stay as it is until submit has returned. There must be room for it.
func (q *ring) put(s *sending) {
	slot := (*q.tail + q.pending) & q.mask
	var name *unix.RawSockaddrInet6
	var size uint32
	if !s.conn.peer.IsValid() {
		name = &q.names[slot]
		size = putPeer(name, s.to, s.conn.v6)
	}
	q.entries[slot] = ringEntry{
		op: ringOpSend, flags: ringQuietSuccess, fd: int32(s.conn.fd), buf: uint64(uintptr(unsafe.Pointer(unsafe.SliceData(s.b)))), length: uint32(len(s.b)),
		message: unix.MSG_DONTWAIT | unix.MSG_NOSIGNAL, name: uint64(uintptr(unsafe.Pointer(name))), nameSize: uint16(size),
	}
	q.pending++
}

// submit sends what is queued; the system does so before it returns, for no entry may wait. What it refuses is lost. It reports false if the queue does not work.
func (q *ring) submit() bool {
	atomic.StoreUint32(q.tail, *q.tail+q.pending)
	n, _, errno := unix.RawSyscall6(unix.SYS_IO_URING_ENTER, uintptr(q.fd), uintptr(q.pending), 0, 0, 0, 0)
	ok := errno == 0 && uint32(n) == q.pending
	q.pending = 0
	atomic.StoreUint32(q.heard, atomic.LoadUint32(q.heardTail))
	return ok
}
