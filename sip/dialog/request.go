// Requests inside a dialog: sequence number, route set, target. RFC 3261 §12.2.1.1, §13.2.2.4.

package dialog

import (
	"strings"

	"github.com/sipwerk/sipwerk/sip"
)

// Request returns the next request inside the dialog, with the sequence number one up: complete but for Via, and for a body. Requests that
// refresh the target (INVITE, UPDATE, SUBSCRIBE, NOTIFY, REFER) carry our Contact.
func (d *Dialog) Request(method sip.Method) *sip.Request {
	d.LocalSeq++
	return d.request(method, d.LocalSeq)
}

// Ack returns the ACK to a 2xx of the INVITE with that sequence number. RFC 3261 §13.2.2.4.
func (d *Dialog) Ack(seq uint32) *sip.Request { return d.request(sip.MethodAck, seq) }

func (d *Dialog) request(method sip.Method, seq uint32) *sip.Request {
	r := new(sip.Request)
	d.write(r, method, seq)
	return r
}

// Destination says where requests of the dialog go: its flow if it has one, otherwise the first route or the target.
func (d *Dialog) Destination() sip.Destination {
	if d.flow != nil {
		return sip.Destination{Flow: *d.flow}
	}
	if d.strict() {
		// RFC 3261 §12.2.1.1: the first element of the route set stands in the Request-URI, and the rest must not choose the hop.
		return sip.Destination{URI: d.Routes[0]}
	}
	if len(d.Routes) == 0 && d.Hop != "" && d.Hop != d.Target {
		if _, gruu := uri(d.Target).GRUU(); gruu {
			return sip.Destination{URI: uri(d.Hop)}
		}
	}
	return sip.Destination{}
}

// strict reports whether the first hop is a strict router of RFC 2543.
func (d *Dialog) strict() bool { return len(d.Routes) > 0 && !d.Routes[0].Loose() }

// write makes r a request inside the dialog.
func (d *Dialog) write(r *sip.Request, method sip.Method, seq uint32) {
	target, routes := uri(d.Target), d.Routes
	if d.strict() {
		target, routes = d.Routes[0], append(append([]sip.URI(nil), d.Routes[1:]...), target)
		// RFC 3261 §19.1.1: neither a method parameter nor headers may stand in a Request-URI.
		target.Params, target.Headers = target.Params.Without("method"), ""
	}
	r.Reset(method, target)
	r.Set(sip.HeaderMaxForwards, "70")
	for _, route := range routes {
		r.Add(sip.HeaderRoute, "<"+route.String()+">")
	}
	r.Set(sip.HeaderFrom, d.Local)
	r.Set(sip.HeaderTo, d.Remote)
	r.Set(sip.HeaderCallID, d.CallID)
	r.SetCSeq(sip.CSeq{Number: seq, Method: method})
	if refreshes(method) {
		r.Set(sip.HeaderContact, d.Contact)
	}
	if d.Session.Known() {
		r.SetSessionID(d.Session)
	}
}

// refreshes reports whether a request of that method carries Contact and may change the remote target.
func refreshes(m sip.Method) bool {
	switch m {
	case sip.MethodInvite, sip.MethodUpdate, sip.MethodSubscribe, sip.MethodNotify, sip.MethodRefer:
		return true
	}
	return false
}

// routable reports whether a request can be sent to the first hop without a flow. Browsers write a Contact in .invalid (RFC 7118 §5.2).
func (d *Dialog) routable() bool {
	hop := uri(d.Target)
	if len(d.Routes) > 0 {
		hop = d.Routes[0]
	}
	return !strings.HasSuffix(strings.ToLower(hop.Host), ".invalid")
}
