//go:build linux && (amd64 || arm64)

// The streams that the kernel carries. bpf(2); interfaces by tcx links, which end with their descriptor.

package kernel

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

// Room is how many streams are carried at most: both ways of 8,192 calls.
const Room = 1 << 14

// Table is a program, the streams that it carries, and the interfaces at which it waits. One goroutine at a time calls its methods; Running and Changed, and the methods of its entries, may be
// called from anywhere.
type Table struct {
	ways, slots *ebpf.Map
	program     *ebpf.Program
	links       map[uint32]link.Link // by interface
	adapters    map[int]*adapter     // that were looked at since the last review
	watch       *watch
	clock       clock
	memory      *memory
	free        []uint32
	used        atomic.Uint32 // slots that were ever used
}

// memory is the slots. It is given back when no table and no entry needs it any more.
type memory struct{ slots []slot }

// Entry is a place in a [Table], for one way.
type Entry struct {
	table  *Table
	memory *memory
	index  uint32
	key    [keySize]byte
	known  bool // the program finds it
}

// Open loads the program. Its error says what the system lacks, or does not allow.
func Open() (*Table, error) {
	t := &Table{links: make(map[uint32]link.Link), adapters: make(map[int]*adapter)}
	if err := t.open(); err != nil {
		_ = t.Close()
		return nil, err
	}
	return t, nil
}

func (t *Table) open() (err error) {
	t.ways, err = ebpf.NewMap(&ebpf.MapSpec{Name: programName, Type: ebpf.Hash, KeySize: keySize, ValueSize: 4, MaxEntries: Room})
	if err != nil {
		return fmt.Errorf("kernel: %w", err)
	}
	t.slots, err = ebpf.NewMap(&ebpf.MapSpec{Name: programName, Type: ebpf.Array, KeySize: 4, ValueSize: slotSize, MaxEntries: Room, Flags: unix.BPF_F_MMAPABLE})
	if err != nil {
		return fmt.Errorf("kernel: %w", err)
	}
	if t.program, err = newProgram(t.ways, t.slots); err != nil {
		return fmt.Errorf("kernel: %w", err)
	}
	if t.memory, err = mapSlots(t.slots); err != nil {
		return err
	}
	if err = encrypts(); err != nil {
		return err
	}
	if err = t.attach(loopback); err != nil { // so that what the system does not allow is known at once
		return err
	}
	var now unix.Timespec
	if err = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return os.NewSyscallError("clock_gettime", err)
	}
	t.clock = clock{at: time.Now(), ticks: uint64(now.Nano())}
	t.watch, err = newWatch()
	return err
}

// loopback is the number of its interface on every system.
const loopback = 1

func mapSlots(m *ebpf.Map) (*memory, error) {
	b, err := unix.Mmap(m.FD(), 0, Room*int(slotSize), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, os.NewSyscallError("mmap", err)
	}
	all := &memory{slots: unsafe.Slice((*slot)(unsafe.Pointer(&b[0])), Room)}
	runtime.AddCleanup(all, func(b []byte) { _ = unix.Munmap(b) }, b)
	return all, nil
}

// attach lets the program see what comes in by an interface.
func (t *Table) attach(index uint32) error {
	if t.links[index] != nil {
		return nil
	}
	l, err := link.AttachTCX(link.TCXOptions{Interface: int(index), Program: t.program, Attach: ebpf.AttachTCXIngress})
	if err != nil {
		return fmt.Errorf("kernel: %w", err)
	}
	t.links[index] = l
	return nil
}

// Close ends the program. Entries count no more, and may still be stopped and asked.
func (t *Table) Close() (err error) {
	for _, l := range t.links {
		err = errors.Join(err, l.Close())
	}
	if t.watch != nil {
		t.watch.close()
	}
	for _, c := range [...]interface{ Close() error }{t.program, t.slots, t.ways} {
		err = errors.Join(err, c.Close()) // nil ones take it
	}
	return err
}

// Changed tells that routes, addresses, interfaces in use or policies of the machine have changed: all entries are to be stopped, and [Table.Review] called before others begin.
func (t *Table) Changed() <-chan struct{} { return t.watch.changed }

// Review forgets interfaces that are gone, and what is known of the others, and returns why no stream may be carried now, if that is so. An error lasts until the next change; that changes can be
// seen no more, for ever.
func (t *Table) Review() error {
	clear(t.adapters)
	for index, l := range t.links {
		info, err := l.Info()
		if err == nil && info.TCX() != nil && info.TCX().Ifindex == index {
			continue
		}
		_ = l.Close()
		delete(t.links, index)
	}
	t.watch.keep(t.links)
	if t.watch.blind.Load() {
		return errBlind
	}
	return encrypts()
}

// Reserve returns an entry that has not begun, which is given back with [Table.Release]. The error is [ErrFull].
func (t *Table) Reserve() (*Entry, error) {
	index := t.used.Load()
	switch last := len(t.free) - 1; {
	case last >= 0:
		index = t.free[last]
		t.free = t.free[:last]
	case index == Room:
		return nil, ErrFull
	default:
		t.used.Store(index + 1)
	}
	e := &Entry{table: t, memory: t.memory, index: index}
	e.slot().hold()
	return e, nil
}

// Start lets e carry w, if it was not stopped before. The error wraps [ErrUnusual], or is [ErrStopped], or one of the system.
func (t *Table) Start(e *Entry, w Way) error {
	for _, a := range [...]interface{ Is4() bool }{w.From.Addr(), w.At.Addr(), w.Via.Addr(), w.To.Addr()} {
		if !a.Is4() {
			return ErrUnusual
		}
	}
	r, err := t.routeFor(&w)
	if err != nil {
		return err
	}
	if err := t.attach(r.in); err != nil {
		return err
	}
	s := e.slot()
	s.fill(&w, &r, &t.clock)
	e.key = s.key
	if err := t.ways.Put(e.key[:], e.index); err != nil {
		return fmt.Errorf("kernel: %w", err)
	}
	e.known = true
	if !atomic.CompareAndSwapUint32(&s.state, stateHeld, stateOn) {
		return ErrStopped
	}
	return nil
}

// Release stops e and gives its place back. It waits for a packet that is on its way: its owner calls it a while after [Entry.Stop].
func (t *Table) Release(e *Entry) {
	e.Stop()
	if e.known {
		var index uint32
		if t.ways.Lookup(e.key[:], &index) == nil && index == e.index { // another entry may have the same way by now
			_ = t.ways.Delete(e.key[:])
		}
	}
	t.free = append(t.free, e.index)
}

// Running returns how many entries carry packets.
func (t *Table) Running() (n int) {
	for i := range t.used.Load() {
		if atomic.LoadUint32(&t.memory.slots[i].state) == stateOn {
			n++
		}
	}
	return n
}

func (e *Entry) slot() *slot { return &e.memory.slots[e.index] }

// Stop gives the packets back to the sockets: the next one that comes is read there. It may be called twice. Who calls it after Release may stop the next entry in the place: the packets of that one come
// to the sockets, as if something about it had changed, and it has to begin anew. Nothing is carried that should not be.
func (e *Entry) Stop() { atomic.StoreUint32(&e.slot().state, stateOff) }

// Running tells whether e has begun and was not stopped.
func (e *Entry) Running() bool { return atomic.LoadUint32(&e.slot().state) == stateOn }

// Count returns what was carried since Start; nothing of what is in the place before.
func (e *Entry) Count() Count { return e.slot().count(&e.table.clock) }
