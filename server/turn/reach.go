package turn

// Where a relay may send. An open relay is a way around every firewall that trusts this machine.

import (
	"net/netip"
	"slices"
)

// Range is UDP ports, first and last.
type Range struct{ First, Last uint16 }

// Contains tells whether p is one of them.
func (r Range) Contains(p uint16) bool { return r.First <= p && p <= r.Last }

// Reach says which peers a relay may have.
type Reach struct {
	Private []netip.Prefix      // opened though they are private, of this link or of this machine
	Own     func() []netip.Addr // the addresses of this machine, and those it is known by
	Media   []Range             // ports of this machine that carry media; no other is reached
}

// closed are networks that lead inside, whether as they are or wrapped into IPv6. RFC 6890 §2.2; RFC 8656 §21.
var closed = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("::/96"), netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("100::/64"), netip.MustParsePrefix("2001::/32"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("fec0::/10"),
}

// Host tells whether any port of a host may be reached.
func (r *Reach) Host(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	in := func(p netip.Prefix) bool { return p.Contains(a) }
	switch {
	case !a.IsValid() || a.IsUnspecified() || a.IsMulticast():
		return false
	case slices.ContainsFunc(r.Private, in):
		return true
	case a.IsLoopback() || a.IsLinkLocalUnicast():
		return false
	case r.own(a):
		return true // Peer looks at the port
	}
	return !a.IsPrivate() && !slices.ContainsFunc(closed, in)
}

// Peer tells whether a relay may send to a peer.
func (r *Reach) Peer(p netip.AddrPort) bool {
	a := p.Addr().Unmap().WithZone("")
	if !r.Host(a) {
		return false
	}
	return !r.own(a) || slices.ContainsFunc(r.Media, func(m Range) bool { return m.Contains(p.Port()) })
}

// own tells whether an address is of this machine. All of 127.0.0.0/8 is.
func (r *Reach) own(a netip.Addr) bool {
	return a.IsLoopback() || r.Own != nil && slices.Contains(r.Own(), a)
}
