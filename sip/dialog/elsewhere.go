// A request inside a dialog that comes from somewhere else than the peer of the dialog. Its tags say that its sender knows the dialog, and RFC 3261 §12.2.2 asks for no more: telephones move. So does
// whoever has read the tags, and what changes a call may be asked to prove who it is. RFC 3261 §22.2, §26.1.4.

package dialog

import (
	"net/netip"
	"strings"

	"github.com/sipwerk/sipwerk/sip"
)

// admits reports whether a request inside d may go on; otherwise it has been answered. peer says whether it comes from the peer as far as anybody can tell: by where our own requests go, by where
// the peer was heard from, or because [Table.Elsewhere] lets it pass. Only such a request may change where ours go. What ends a call (BYE), or answers what we have sent (PRACK, NOTIFY), goes on from anywhere.
func (u *Usage) admits(ev *sip.Event, d *Dialog) (peer, ok bool) {
	if u.table.Elsewhere == nil || ev.Flow.Transport == sip.Inside || u.leadsTo(d, ev.Flow.Remote.Addr()) {
		return true, true
	}
	switch ev.Request.Method {
	case sip.MethodBye, sip.MethodPrack, sip.MethodNotify:
		return false, true
	}
	ok = u.table.Elsewhere(u, ev)
	return ok, ok
}

// leadsTo reports whether the peer is at an address: our own requests in d go there, or it was heard from there last.
func (u *Usage) leadsTo(d *Dialog, a netip.Addr) bool {
	a = a.Unmap()
	return d.leadsTo(a) || u.extra != nil && u.extra.source == a
}

// came remembers the address from which the peer was heard, where d does not lead there as it is written: a proxy that records its route by a name, or sends from another address than it is sent to.
func (u *Usage) came(d *Dialog, from sip.Flow) {
	if a := from.Remote.Addr().Unmap(); u.table.Elsewhere != nil && from.Transport != sip.Inside && a.IsValid() && !u.leadsTo(d, a) {
		u.rare().source = a
	}
}

// leadsTo reports whether our own requests go to an address, whatever the port: address translators change that.
func (d *Dialog) leadsTo(a netip.Addr) bool {
	if d.flow != nil && d.flow.Remote.Addr().Unmap() == a {
		return true
	}
	is := func(next sip.URI) bool {
		n, err := netip.ParseAddr(strings.Trim(next.Host, "[]"))
		return err == nil && n.Unmap() == a
	}
	if len(d.Routes) > 0 {
		return is(d.Routes[0])
	}
	return is(uri(d.Target)) || is(uri(d.Hop))
}
