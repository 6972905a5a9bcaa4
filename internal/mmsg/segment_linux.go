//go:build linux && (amd64 || arm64)

// Neighbours in a batch that go to one peer and are equally long, handed to the system as one: it takes them apart again behind the stack, which they so pass
// once instead of one by one. udp(7), UDP_SEGMENT.

package mmsg

import (
	"math"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// mostSegments is how many the system takes as one.
	mostSegments = 64
	// longestSegment fits every link of IPv6, for the system does not fragment segments.
	longestSegment = 1280 - 48
)

// join makes units of the first n datagrams, of one each unless apart is false and neighbours fit together. It returns how many there are.
func (v *Vector) join(n int, apart bool) int {
	v.out, v.units = v.headers[:n], v.units[:0]
	if apart {
		return n
	}
	joined := false
	for i := 0; i < n; {
		next := v.run(i, n)
		v.units = append(v.units, i)
		joined = joined || next > i+1
		i = next
	}
	if !joined {
		v.units = v.units[:0]
		return n
	}
	if len(v.joined) == 0 {
		v.joined, v.options = make([]header, len(v.headers)), make([]control, len(v.headers))
	}
	v.out = v.joined[:len(v.units)]
	for u := range v.out {
		first, count := v.datagrams(u, n)
		v.out[u] = v.headers[first]
		if count > 1 {
			v.out[u].Iovlen = uint64(count)
			v.segment(u, v.iovecs[first].Len)
		}
	}
	return len(v.out)
}

// run returns the end of the datagrams from i on that make one unit: equally long ones for one peer, the last of which may be shorter.
func (v *Vector) run(i, n int) int {
	size, total := v.iovecs[i].Len, v.iovecs[i].Len
	next := i + 1
	if size == 0 || size > longestSegment {
		return next
	}
	for next < n && next-i < mostSegments && v.names[next] == v.names[i] && v.sameControl(i, next) {
		more := v.iovecs[next].Len
		if total += more; more == 0 || more > size || total > math.MaxUint16-48 {
			break
		}
		if next++; more < size {
			break
		}
	}
	return next
}

// sameControl reports whether two datagrams leave from one address.
func (v *Vector) sameControl(i, j int) bool {
	room := v.headers[i].Controllen
	return room == v.headers[j].Controllen && (room == 0 || v.controls[i] == v.controls[j])
}

// segment adds to unit u how long its segments are.
func (v *Vector) segment(u int, size uint64) {
	h, base := &v.out[u], unsafe.Pointer(&v.options[u])
	before := int(h.Controllen)
	v.options[u] = control{}
	if before > 0 {
		v.options[u] = *(*control)(unsafe.Pointer(h.Control))
	}
	c := (*unix.Cmsghdr)(unsafe.Add(base, before))
	c.Level, c.Type = unix.IPPROTO_UDP, unix.UDP_SEGMENT
	c.SetLen(unix.CmsgLen(2))
	*(*uint16)(unsafe.Add(base, before+unix.SizeofCmsghdr)) = uint16(size)
	h.Control = (*byte)(base)
	h.SetControllen(before + unix.CmsgSpace(2))
}

// datagrams returns the first datagram of unit u and how many it has; n is how many there are in all.
func (v *Vector) datagrams(u, n int) (first, count int) {
	switch {
	case len(v.units) == 0:
		return u, 1
	case u+1 < len(v.units):
		return v.units[u], v.units[u+1] - v.units[u]
	}
	return v.units[u], n - v.units[u]
}
