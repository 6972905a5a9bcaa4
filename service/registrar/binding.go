// A binding: one contact of an address-of-record and the way to reach it. RFC 3261 §10.2, RFC 3327 §5.3, RFC 5626 §6.

package registrar

import (
	"net/netip"
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// Binding is a contact held by the registrar. It is plain data: nothing in it points to anything alive.
type Binding struct {
	Contact   string    // the value as received, without its expires parameter
	Path      []string  // RFC 3327, topmost first
	Flow      sip.Flow  // by which the REGISTER came
	Bound     bool      // reachable over Flow only: a stream, or a peer behind a NAT
	Instance  string    // +sip.instance, unquoted (RFC 5626 §4.1); "" if none
	RegID     uint32    // reg-id (RFC 5626 §4.2); 0 if none
	Q         uint16    // preference in thousandths; 1000 if none was given
	CallID    string    // of the REGISTER
	CSeq      uint32    // of the REGISTER
	UserAgent string    // of the REGISTER, cut to a sane length
	Received  time.Time // when the REGISTER came, to the second
	Expires   time.Time // to the second
	Number    string    // the one that was called, of a bulk contact (RFC 6140); it is not stored
	Device    string    // the same: which telephone behind it is meant, if that is known
}

// Target returns the Request-URI by which the contact is addressed: without header fields and method, which a
// request must not take over from a registration (RFC 3261 §19.1.5), and without push parameters, unless there is a proxy on the Path that may want them.
func (b *Binding) Target() (sip.URI, error) {
	a, err := sip.ParseAddress(b.Contact)
	if err != nil {
		return sip.URI{}, err
	}
	a.URI.Headers = ""
	if a.URI.Params == "" {
		return a.URI, nil
	}
	if a.URI.Params = a.URI.Params.Without("method"); len(b.Path) == 0 {
		a.URI.Params = withoutPush(a.URI.Params)
	}
	if b.Number != "" {
		a.URI = a.URI.Expand(b.Number, b.Device)
	}
	return a.URI, nil
}

// Destination says where a request to the contact is sent. With a Path the zero Destination is right once Path has been put into Route
// (RFC 3327 §5.4); a flow that is lost fails at once.
func (b *Binding) Destination() sip.Destination {
	if b.Bound && len(b.Path) == 0 {
		return sip.Destination{Flow: b.Flow}
	}
	return sip.Destination{}
}

// bound reports whether the sender of a REGISTER is reached over its flow only: every stream (the far end may not listen, and a
// browser's contact is a name that does not exist, RFC 7118 §5), and a UDP peer that a NAT stands before: its Via names another address than the packet came
// from. A UDP peer without NAT may bind a contact of another socket or machine.
func bound(flow sip.Flow, via sip.Via, contact sip.URI) bool {
	if flow.Transport.Reliable() {
		return true
	}
	if strings.HasSuffix(strings.ToLower(contact.Host), ".invalid") {
		return true
	}
	port := via.Port
	if port == 0 {
		port = 5060
	}
	addr, err := netip.ParseAddr(strings.Trim(via.Host, "[]"))
	return err != nil || netip.AddrPortFrom(addr.Unmap(), port) != netip.AddrPortFrom(flow.Remote.Addr().Unmap(), flow.Remote.Port())
}

// expired reports whether the binding is over.
func (b *Binding) expired(now time.Time) bool { return !now.Before(b.Expires) }
