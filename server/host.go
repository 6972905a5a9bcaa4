// Which hosts are ourselves: a telephone that knows the server only by an address is at home in the first domain. RFC 3261 §16.4, §10.3 step 1.

package server

import (
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/sipwerk/sipwerk/server/config"
)

// hostsAge is after how long the addresses of the machine are read again.
const hostsAge = 30 * time.Second

// hosts knows the names and addresses under which the server is reached. Safe for use by many goroutines.
type hosts struct {
	names []string     // advertised
	bound []netip.Addr // listeners on one address
	all   bool         // a listener is on all addresses

	machine atomic.Pointer[addresses]
}

// addresses are those of the machine at a time.
type addresses struct {
	list []netip.Addr
	read time.Time
}

// newHosts reads what the listeners say.
func newHosts(cfg *config.Config) *hosts {
	h := new(hosts)
	h.add(cfg.Advertise)
	if cfg.Media.Advertise.IsValid() {
		h.add(cfg.Media.Advertise.String())
	}
	for _, l := range cfg.Listen {
		u, err := url.Parse(l)
		if err != nil {
			continue
		}
		if advertised := u.Query().Get("advertise"); advertised != "" {
			if host, _, err := net.SplitHostPort(advertised); err == nil {
				advertised = host
			}
			h.add(advertised)
		}
		if a, err := netip.ParseAddr(u.Hostname()); err == nil && !a.IsUnspecified() {
			h.bound = append(h.bound, a.Unmap())
		} else {
			h.all = true
		}
	}
	return h
}

func (h *hosts) add(name string) {
	if name = strings.ToLower(strings.Trim(name, "[]")); name != "" && !slices.Contains(h.names, name) {
		h.names = append(h.names, name)
	}
}

// own reports whether host, as a URI writes it, is this server.
func (h *hosts) own(host string) bool {
	host = strings.Trim(host, "[]")
	if slices.ContainsFunc(h.names, func(n string) bool { return strings.EqualFold(n, host) }) {
		return true
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return strings.EqualFold(host, "localhost")
	}
	a = a.Unmap()
	return slices.Contains(h.bound, a) || h.all && (a.IsLoopback() || slices.Contains(h.local(), a))
}

// local returns the addresses of the machine, read a short time ago.
func (h *hosts) local() []netip.Addr {
	now := time.Now()
	known := h.machine.Load()
	if known != nil && now.Sub(known.read) < hostsAge {
		return known.list
	}
	fresh := &addresses{read: now}
	found, err := net.InterfaceAddrs()
	if err != nil && known != nil {
		fresh.list = known.list
	}
	for _, f := range found {
		if p, ok := f.(*net.IPNet); ok {
			if a, ok := netip.AddrFromSlice(p.IP); ok {
				fresh.list = append(fresh.list, a.Unmap())
			}
		}
	}
	h.machine.Store(fresh)
	return fresh.list
}

// certified returns the names that a certificate of ours is for: the domain first, then every host.
func (h *hosts) certified(domain string) []string {
	names := []string{domain}
	add := func(n string) {
		if !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	for _, n := range h.names {
		add(n)
	}
	add("localhost")
	list := append([]netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}, h.bound...)
	if h.all {
		list = append(list, h.local()...)
	}
	slices.SortFunc(list, netip.Addr.Compare)
	for _, a := range list {
		if !a.IsLinkLocalUnicast() {
			add(a.WithZone("").String())
		}
	}
	return names
}
