//go:build linux && (amd64 || arm64)

// What changes in the machine while streams are carried. rtnetlink(7); the policies of IPsec.

package kernel

import (
	"encoding/binary"
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

// Numbers of the system's interface, from linux/xfrm.h and linux/rtnetlink.h.
const (
	getPolicy    = 0x15
	policySize   = 64     // of the question, struct xfrm_userpolicy_id
	policyEvents = 1 << 3 // XFRMNLGRP_POLICY
	routeEvents  = unix.RTMGRP_LINK | unix.RTMGRP_IPV4_IFADDR | unix.RTMGRP_IPV4_ROUTE | unix.RTMGRP_IPV4_RULE
)

// errIPsec: the program would send on what the system would have encrypted.
var errIPsec = errors.New("kernel: IPsec policies are in force")

// errBlind: a route that is not right any more would not be noticed.
var errBlind = errors.New("kernel: changes of the machine's routes are not told any more")

// watch tells when routes, addresses, policies of IPsec, or interfaces in use change.
type watch struct {
	files   []*os.File
	changed chan struct{} // one waits at most
	done    sync.WaitGroup
	closed  atomic.Bool
	blind   atomic.Bool // what changes is told no more

	mu   sync.Mutex
	used map[int]bool // interfaces
}

func newWatch() (*watch, error) {
	w := &watch{changed: make(chan struct{}, 1), used: make(map[int]bool)}
	if err := w.listen(unix.NETLINK_ROUTE, routeEvents, w.matters); err != nil {
		return nil, err
	}
	if err := w.listen(unix.NETLINK_XFRM, policyEvents, func([]byte) bool { return true }); err != nil && !errors.Is(err, unix.EPROTONOSUPPORT) {
		w.close()
		return nil, err
	}
	return w, nil
}

func (w *watch) listen(family int, groups uint32, matters func([]byte) bool) error {
	s, err := netlink(family, groups)
	if err != nil {
		return err
	}
	if err = unix.SetNonblock(s, true); err != nil {
		unix.Close(s)
		return os.NewSyscallError("fcntl", err)
	}
	f := os.NewFile(uintptr(s), "netlink")
	w.files = append(w.files, f)
	w.done.Go(func() { w.read(f, matters) })
	return nil
}

// read tells of the changes that matter until w is closed, or nothing can be read any more.
func (w *watch) read(f *os.File, matters func([]byte) bool) {
	b := make([]byte, 8<<10)
	for !w.blind.Load() {
		switch n, err := f.Read(b); {
		case err == nil && !matters(b[:n]):
			continue
		case w.closed.Load():
			return
		case err != nil && !errors.Is(err, unix.ENOBUFS): // that: so much has changed that some of it was not told
			w.blind.Store(true)
		}
		select {
		case w.changed <- struct{}{}:
		default:
		}
	}
}

// matters tells whether events of rtnetlink are about more than interfaces that are not in use. A machine with containers makes and removes such all the time.
func (w *watch) matters(b []byte) bool {
	events, err := syscall.ParseNetlinkMessage(b)
	if err != nil || len(events) == 0 {
		return true // longer than what is read, or not understood
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range events {
		about := e.Header.Type == unix.RTM_NEWLINK || e.Header.Type == unix.RTM_DELLINK
		if !about || len(e.Data) < unix.SizeofIfInfomsg || w.used[int(int32(binary.NativeEndian.Uint32(e.Data[4:])))] {
			return true
		}
	}
	return false
}

// use tells from now on what changes about an interface.
func (w *watch) use(index int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.used[index] = true
}

// keep forgets all interfaces but those of links.
func (w *watch) keep(links map[uint32]link.Link) {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.used)
	for index := range links {
		w.used[int(index)] = true
	}
}

func (w *watch) close() {
	w.closed.Store(true)
	for _, f := range w.files {
		_ = f.Close()
	}
	w.done.Wait()
}

// encrypts returns errIPsec if there are policies of IPsec; other errors if that cannot be known.
func encrypts() error {
	s, err := netlink(unix.NETLINK_XFRM, 0)
	if errors.Is(err, unix.EPROTONOSUPPORT) {
		return nil // the system has no IPsec
	}
	if err != nil {
		return err
	}
	defer unix.Close(s)
	switch answer, err := request(s, getPolicy, unix.NLM_F_DUMP, make([]byte, policySize)); {
	case err != nil:
		return err
	case answer != nil:
		return errIPsec
	}
	return nil
}
