// What the transport does with the top Via: received and rport on the way in, the way back on the way out. RFC 3261 §18.2.1, §18.2.2; RFC 3581 §4; RFC 7339 §5.3.

package transport

import (
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"github.com/sipwerk/sipwerk/sip"
)

// stamp writes where the request really came from into its top Via, and what a neighbour has asked there. The error is that of a Via which had to be mended.
func (p *Packet) stamp() error {
	v, err := p.Request.Via()
	if err != nil {
		// RFC 4475 §3.1.2.1: the request is refused, by the way that can still be read.
		var ok bool
		if v, ok = sip.MendVia(p.Request.Get(sip.HeaderVia)); !ok {
			return nil
		}
		p.Request.SetVia(v)
	}
	if p.Via = p.Complete(v); len(p.stamped) > 0 {
		p.Request.SetVia(p.Via)
	}
	return err
}

// Complete returns the top Via of p with received and rport as answers carry it; it is valid as long as p.
func (p *Packet) Complete(v sip.Via) sip.Via {
	if p.layer == nil {
		return v // made by its user, who has done so
	}
	p.stamped = appendStamped(p.stamped[:0], v, p.Flow.Remote, p.layer.Feedback)
	if len(p.stamped) > 0 {
		v.Params = sip.Params(unsafe.String(&p.stamped[0], len(p.stamped)))
	}
	return v
}

// asked is what parameters of a Via ask the transport for, or claim in its place.
type asked struct {
	port, overload bool   // a bare rport (RFC 3581 §3), a bare oc (RFC 7339 §4.1)
	algorithm      string // oc-algo
	received       bool   // a claim
	plain          bool   // nothing but a bare rport is to be replaced, and no quotes are about
}

func askedBy(p sip.Params) asked {
	a := asked{algorithm: "loss", plain: true}
	for name, value := range p.All() {
		switch {
		case len(name) == 5 && strings.EqualFold(name, "rport"):
			a.port = true
			a.plain = a.plain && value == ""
		case len(name) == 8 && strings.EqualFold(name, "received"):
			a.received, a.plain = true, false
		case len(name) == 2 && strings.EqualFold(name, "oc"):
			a.overload, a.plain = value == "", false
		case len(name) == 7 && strings.EqualFold(name, "oc-algo"):
			a.algorithm = value
		}
	}
	return a
}

// appendStamped appends the parameters of a Via with received and rport as RFC 3261 §18.2.1 and RFC 3581 §4 want them, and the answer of feedback to a bare oc, or nothing if they
// are right as they are. What the peer wrote there itself is replaced: it may not send our responses to a third party.
func appendStamped(b []byte, v sip.Via, source netip.AddrPort, feedback func([]byte, time.Time) []byte) []byte {
	a := askedBy(v.Params)
	tells := a.overload && feedback != nil && offersLoss(a.algorithm)
	if !a.port && !a.received && !tells && v.Addr() == source.Addr().WithZone("") {
		return b
	}
	switch before, after, ok := strings.Cut(string(v.Params), ";rport"); {
	case a.plain && ok && (after == "" || after[0] == ';') && strings.IndexByte(string(v.Params), '"') < 0:
		b = append(append(b, before...), after...)
	case tells:
		b = v.Params.AppendTo(b, "received", "rport", "oc", "oc-algo")
	default:
		b = v.Params.AppendTo(b, "received", "rport")
	}
	b = append(b, ";received="...)
	b = source.Addr().WithZone("").AppendTo(b)
	if a.port {
		b = append(b, ";rport="...)
		b = strconv.AppendUint(b, uint64(source.Port()), 10)
	}
	if tells {
		b = feedback(b, time.Now())
	}
	return b
}

// offersLoss reports whether a list of algorithms names the one that everybody knows. RFC 7339 §4.2.
func offersLoss(list string) bool {
	for one := range strings.SplitSeq(list, ",") {
		if strings.EqualFold(strings.TrimSpace(one), "loss") {
			return true
		}
	}
	return false
}

// ResponseFlow returns the flow on which the response to a request that came by f goes back; via is the request's top Via. Streams
// answer on their connection. A datagram goes to the source address: to its port if the request has rport (RFC 3581 §4), otherwise to the port of sent-by (RFC 3261 §18.2.2).
//
// Deviates: where sent-by is another address than the source, a NAT stands between, and the port of sent-by means nothing on its outside: the source port is
// taken though the request has no rport. A name in sent-by says nothing about that, so its port holds.
func ResponseFlow(f sip.Flow, via sip.Via) sip.Flow {
	if f.Transport != sip.UDP {
		return f
	}
	if _, ok := via.RPort(); ok {
		return f
	}
	if own := via.Addr(); own.IsValid() && own != f.Remote.Addr().WithZone("") {
		return f
	}
	f.Remote = netip.AddrPortFrom(f.Remote.Addr(), sentByPort(via, sip.UDP))
	return f
}

// ResponseTarget returns where to open a connection for a response whose own is gone: the source address and the port of sent-by. RFC 3261 §18.2.2.
func ResponseTarget(f sip.Flow, via sip.Via) Target {
	return Target{Transport: f.Transport, Addr: netip.AddrPortFrom(f.Remote.Addr(), sentByPort(via, f.Transport)), Host: via.Host}
}

func sentByPort(via sip.Via, t sip.Transport) uint16 {
	if via.Port != 0 {
		return via.Port
	}
	return defaultPort(t)
}
