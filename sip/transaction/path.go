// A flow as plain bytes, the way a row keeps it.

package transaction

import (
	"net/netip"
	"slices"
	"sync/atomic"

	"github.com/sipwerk/sipwerk/sip"
)

// path is a [sip.Flow] without pointers. The zero path is the zero Flow.
type path struct {
	id                    uint64
	local, remote         [16]byte
	localPort, remotePort uint16
	form                  uint8  // transport and the families of both addresses
	zone                  uint8  // of the addresses that have one, in the table's list
	size                  uint16 // bytes of the request that came by it
}

// The families of addresses, in two bits each.
const (
	noAddress uint8 = iota
	ipv4
	ipv6
	zoned

	remoteBits    = 2
	transportBits = 4
	familyMask    = 3
)

func (p *path) transport() sip.Transport { return sip.Transport(p.form >> transportBits) }

// zones are the names of the interfaces that link-local addresses belong to: few, and never forgotten.
type zones struct{ names atomic.Pointer[[]string] }

// maxZones is how many zones a table knows; the addresses of more lose theirs.
const maxZones = 255

// number returns 1 + the place of a name in the list, or 0 if that is full.
func (z *zones) number(name string) uint8 {
	for {
		var names []string
		was := z.names.Load()
		if was != nil {
			names = *was
		}
		if i := slices.Index(names, name); i >= 0 {
			return uint8(i + 1)
		}
		if len(names) == maxZones {
			return 0
		}
		grown := append(slices.Clone(names), name)
		z.names.CompareAndSwap(was, &grown)
	}
}

// pack makes p the path of f.
func (z *zones) pack(p *path, f *sip.Flow) {
	local, remote := f.Local.Addr(), f.Remote.Addr()
	l, r := familyOf(local), familyOf(remote)
	p.id, p.local, p.remote, p.localPort, p.remotePort = f.ID, local.As16(), remote.As16(), f.Local.Port(), f.Remote.Port()
	p.form, p.zone = uint8(f.Transport)<<transportBits|r<<remoteBits|l, 0
	switch {
	case r == zoned: // both ends of a link are in the same zone
		p.zone = z.number(remote.Zone())
	case l == zoned:
		p.zone = z.number(local.Zone())
	}
}

func familyOf(a netip.Addr) uint8 {
	switch {
	case a.Is4():
		return ipv4
	case !a.IsValid():
		return noAddress
	case a.Zone() != "":
		return zoned
	}
	return ipv6
}

// flow undoes pack.
func (z *zones) flow(p *path) sip.Flow {
	return sip.Flow{
		ID: p.id, Transport: p.transport(),
		Local:  netip.AddrPortFrom(z.addr(&p.local, p.form&familyMask, p.zone), p.localPort),
		Remote: netip.AddrPortFrom(z.addr(&p.remote, p.form>>remoteBits&familyMask, p.zone), p.remotePort),
	}
}

func (z *zones) addr(b *[16]byte, family, zone uint8) netip.Addr {
	switch family {
	case noAddress:
		return netip.Addr{}
	case ipv4:
		return netip.AddrFrom4([4]byte(b[12:]))
	}
	a := netip.AddrFrom16(*b)
	if family == zoned && zone > 0 {
		a = a.WithZone((*z.names.Load())[zone-1])
	}
	return a
}
