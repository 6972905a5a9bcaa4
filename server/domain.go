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

// ownAddress returns the address by which this machine is probably known: the first a listener names, otherwise the one from which packets would leave
// for the Internet, otherwise loopback.
func ownAddress(listen []string) netip.Addr {
	for _, l := range listen {
		u, err := url.Parse(l)
		if err != nil {
			continue
		}
		if a, err := netip.ParseAddr(u.Hostname()); err == nil && !a.IsUnspecified() {
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
