// Where a target is.

package load

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"

	"github.com/sipwerk/sipwerk/sip"
)

// Resolve returns the addresses of a target written as host or host:port, by the operating system's resolver. Without a port it is that of the transport.
func Resolve(ctx context.Context, target string, transport sip.Transport) ([]netip.AddrPort, error) {
	host, port := target, uint16(5060)
	if transport.Secure() {
		port = 5061
	}
	if h, p, err := net.SplitHostPort(target); err == nil {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil || n == 0 {
			return nil, fmt.Errorf("%q is no port", p)
		}
		host, port = h, uint16(n)
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.AddrPort{netip.AddrPortFrom(a.Unmap(), port)}, nil
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	all := make([]netip.AddrPort, len(addrs))
	for i, a := range addrs {
		all[i] = netip.AddrPortFrom(a.Unmap(), port)
	}
	return all, nil
}

// HostOf returns the host of a target as it stands in a URI.
func HostOf(target string) string {
	host := target
	if h, _, err := net.SplitHostPort(target); err == nil {
		host = h
	}
	if a, err := netip.ParseAddr(host); err == nil && a.Is6() {
		return "[" + host + "]"
	}
	return host
}
