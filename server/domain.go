// The first domain: the one whose users need not name it, and to which requests to the server's bare addresses belong.

package server

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"strings"

	"github.com/sipwerk/sipwerk/server/config"
	"github.com/sipwerk/sipwerk/server/store"
)

// FirstDomain returns the domain that the configuration names, otherwise the first that was ever made, and makes it if there is none: then it is called after
// the server's address, so that a telephone that knows only this address is at home. made tells whether it was.
func FirstDomain(ctx context.Context, st *store.Store, cfg *config.Config) (d store.Domain, made bool, err error) {
	name := cfg.Domain
	if name == "" {
		ds, err := st.Domains(ctx)
		if err != nil {
			return d, false, err
		}
		if len(ds) > 0 {
			return ds[0], false, nil
		}
		name = ownAddress(cfg.Listen).String()
	}
	if a, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil && a.Is6() {
		name = "[" + a.String() + "]" // as the host of a URI writes it
	}
	return st.EnsureDomain(ctx, name)
}

// listenAddress returns the address that a listener names; the zero value for one that names none, or a host.
func listenAddress(listen string) netip.Addr {
	u, err := url.Parse(listen)
	if err != nil {
		return netip.Addr{}
	}
	a, _ := netip.ParseAddr(u.Hostname())
	return a
}

// ownAddress returns the address by which this machine is probably known: the first a listener names, otherwise the one from which packets would leave
// for the Internet, otherwise loopback.
func ownAddress(listen []string) netip.Addr {
	for _, l := range listen {
		if a := listenAddress(l); a.IsValid() && !a.IsUnspecified() {
			return a
		}
	}
	// Connecting a UDP socket sends nothing; the system only picks the source address. 192.0.2.1 is reserved for examples and nobody's.
	if c, err := net.Dial("udp4", "192.0.2.1:9"); err == nil {
		defer c.Close()
		if a, ok := c.LocalAddr().(*net.UDPAddr); ok {
			return a.AddrPort().Addr().Unmap()
		}
	}
	return netip.AddrFrom4([4]byte{127, 0, 0, 1})
}
