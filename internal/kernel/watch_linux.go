//go:build linux && (amd64 || arm64)

// What changes in the machine while streams are carried. rtnetlink(7); the policies of IPsec.

package kernel

import (
	"errors"
	"os"
	"sync"

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

// watch tells when routes, addresses, interfaces or policies of IPsec change.
type watch struct {
	files   []*os.File
	changed chan struct{} // one waits at most
	done    sync.WaitGroup
}

func newWatch() (*watch, error) {
	w := &watch{changed: make(chan struct{}, 1)}
	if err := w.listen(unix.NETLINK_ROUTE, routeEvents); err != nil {
		return nil, err
	}
	if err := w.listen(unix.NETLINK_XFRM, policyEvents); err != nil && !errors.Is(err, unix.EPROTONOSUPPORT) {
		w.close()
		return nil, err
	}
	return w, nil
}

func (w *watch) listen(family int, groups uint32) error {
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
	w.done.Go(func() { w.read(f) })
	return nil
}

func (w *watch) read(f *os.File) {
	b := make([]byte, 8<<10)
	for {
		if _, err := f.Read(b); err != nil && !errors.Is(err, unix.ENOBUFS) { // so much has changed that some of it was not told
			return
		}
		select {
		case w.changed <- struct{}{}:
		default:
		}
	}
}

func (w *watch) close() {
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
