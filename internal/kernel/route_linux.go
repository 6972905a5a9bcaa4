//go:build linux && (amd64 || arm64)

// By which interface packets come and go, as the system's routes say. rtnetlink(7).

package kernel

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// longest is the longest IP packet that is sent on: what the sockets take.
const longest = 2047 + 20 + 8

// route is by which interface a packet comes in, and by which it leaves; out is 0 if it comes from this machine and goes to it, and stays where it is.
type route struct{ in, out, limit uint32 }

// adapter is what is known of an interface until something changes.
type adapter struct {
	*net.Interface
	ours []netip.Addr
}

// adapter returns the interface of a number, at which is watched from then on.
func (t *Table) adapter(index int) (*adapter, error) {
	if a := t.adapters[index]; a != nil {
		return a, nil
	}
	t.watch.use(index) // first, so that a change after the look is told
	i, err := net.InterfaceByIndex(index)
	if err != nil {
		return nil, err
	}
	all, err := i.Addrs()
	if err != nil {
		return nil, err
	}
	a := &adapter{Interface: i}
	for _, one := range all {
		if prefix, err := netip.ParsePrefix(one.String()); err == nil {
			a.ours = append(a.ours, prefix.Addr())
		}
	}
	t.adapters[index] = a
	return a, nil
}

// routeFor finds the route of w. The error wraps [ErrUnusual] where there is none that the program can take.
func (t *Table) routeFor(w *Way) (route, error) {
	in, err := t.wayTo(w.At.Addr(), w.From.Addr())
	if err != nil {
		return route{}, err
	}
	out, err := t.wayTo(w.Via.Addr(), w.To.Addr())
	if err != nil {
		return route{}, err
	}
	r := route{in: uint32(in.Index), out: uint32(out.Index), limit: uint32(min(out.MTU, longest))}
	switch within := out.Flags & net.FlagLoopback; {
	case within != in.Flags&net.FlagLoopback:
		return route{}, fmt.Errorf("%w: between %s and %s", ErrUnusual, in.Name, out.Name)
	case within != 0:
		r.out = 0
	}
	return r, nil
}

// wayTo returns the interface by which packets of ours go to an address: the one of loopback, or one with the frames of Ethernet that has the address they come from. Where it has another, the
// machine's own translation of addresses may be what lets them out and in, and the program would send them past it.
func (t *Table) wayTo(from, to netip.Addr) (*adapter, error) {
	index, err := output(from, to)
	if err != nil {
		return nil, err
	}
	a, err := t.adapter(index)
	switch {
	case err != nil:
		return nil, err
	case a.Flags&net.FlagLoopback != 0:
	case len(a.HardwareAddr) != 6, a.Flags&net.FlagUp == 0: // it may have gone down before it was watched
		return nil, fmt.Errorf("%w: by %s", ErrUnusual, a.Name)
	case !slices.Contains(a.ours, from):
		return nil, fmt.Errorf("%w: by %s, which does not have the address %s", ErrUnusual, a.Name, from)
	}
	return a, nil
}

// output asks the system by which interface a packet would leave; that of loopback for addresses of this machine.
func output(from, to netip.Addr) (int, error) {
	s, err := netlink(unix.NETLINK_ROUTE, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(s)
	ask := unix.RtMsg{Family: unix.AF_INET, Dst_len: 32, Src_len: 32}
	b := append([]byte(nil), unsafe.Slice((*byte)(unsafe.Pointer(&ask)), unix.SizeofRtMsg)...)
	b = attribute(attribute(b, unix.RTA_DST, to.AsSlice()), unix.RTA_SRC, from.AsSlice())
	answer, err := request(s, unix.RTM_GETROUTE, 0, b)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrUnusual, err)
	}
	if len(answer) < unix.SizeofRtMsg {
		return 0, ErrUnusual
	}
	switch (*unix.RtMsg)(unsafe.Pointer(&answer[0])).Type {
	case unix.RTN_LOCAL, unix.RTN_UNICAST:
	default:
		return 0, ErrUnusual
	}
	for rest := answer[unix.SizeofRtMsg:]; len(rest) >= unix.SizeofRtAttr; {
		size, kind := int(binary.NativeEndian.Uint16(rest)), binary.NativeEndian.Uint16(rest[2:])
		if size < unix.SizeofRtAttr || size > len(rest) {
			break
		}
		if kind == unix.RTA_OIF && size == unix.SizeofRtAttr+4 {
			return int(binary.NativeEndian.Uint32(rest[4:])), nil
		}
		rest = rest[min((size+3)&^3, len(rest)):]
	}
	return 0, ErrUnusual
}

// attribute appends an attribute of a netlink message.
func attribute(b []byte, kind uint16, value []byte) []byte {
	b = binary.NativeEndian.AppendUint16(b, uint16(unix.SizeofRtAttr+len(value)))
	b = binary.NativeEndian.AppendUint16(b, kind)
	return append(b, value...)
}

// netlink opens a socket of a family that is told of some groups of events.
func netlink(family int, groups uint32) (int, error) {
	s, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, family)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	if err = unix.Bind(s, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups}); err != nil {
		unix.Close(s)
		return -1, os.NewSyscallError("bind", err)
	}
	return s, nil
}

// request asks the system something and returns the first answer without its header; nil if it is empty. The answer is there when the question was put.
func request(s int, kind, flags uint16, body []byte) ([]byte, error) {
	h := unix.NlMsghdr{Len: uint32(unix.NLMSG_HDRLEN + len(body)), Type: kind, Flags: unix.NLM_F_REQUEST | flags}
	b := append([]byte(nil), unsafe.Slice((*byte)(unsafe.Pointer(&h)), unix.NLMSG_HDRLEN)...)
	if err := unix.Sendto(s, append(b, body...), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return nil, os.NewSyscallError("sendto", err)
	}
	answer := make([]byte, 8<<10)
	n, _, err := unix.Recvfrom(s, answer, 0)
	if err != nil {
		return nil, os.NewSyscallError("recvfrom", err)
	}
	if n < unix.NLMSG_HDRLEN {
		return nil, os.ErrInvalid
	}
	got := (*unix.NlMsghdr)(unsafe.Pointer(&answer[0]))
	body = answer[unix.NLMSG_HDRLEN:min(n, max(int(got.Len), unix.NLMSG_HDRLEN))]
	switch got.Type {
	case unix.NLMSG_DONE:
		return nil, nil
	case unix.NLMSG_ERROR:
		if len(body) >= 4 {
			return nil, os.NewSyscallError("netlink", unix.Errno(-int32(binary.NativeEndian.Uint32(body))))
		}
		return nil, os.ErrInvalid
	}
	return body, nil
}
