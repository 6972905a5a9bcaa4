// A request inside a dialog that comes from somewhere else than the peer of the dialog. Its tags say that its sender knows the dialog, and RFC 3261 §12.2.2 asks for no more: telephones move. So does
// whoever has read the tags, and what changes a call may be asked to prove who it is. RFC 3261 §22.2, §26.1.4.

package dialog

import (
	"net/netip"
	"strings"

	"github.com/sipwerk/sipwerk/sip"
)

// admits reports whether a request may reach the usage; otherwise it has been answered. What ends a call (BYE, CANCEL), or answers what we have sent (ACK, PRACK, NOTIFY), passes from anywhere.
func (u *Usage) admits(ev *sip.Event, d *Dialog) bool {
	if u.table.Elsewhere == nil {
		return true
	}
	switch ev.Request.Method {
	case sip.MethodInvite, sip.MethodUpdate, sip.MethodRefer, sip.MethodInfo, sip.MethodMessage:
		return ev.Flow.Transport == sip.Inside || d.leadsTo(ev.Flow.Remote.Addr()) || u.table.Elsewhere(u, ev)
	}
	return true
}

// leadsTo reports whether our own requests go to an address, whatever the port: address translators change that.
func (d *Dialog) leadsTo(a netip.Addr) bool {
	a = a.Unmap()
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
