// What the transport does with the top Via: received and rport on the way in, the way back on the way out. RFC 3261 §18.2.1, §18.2.2; RFC 3581 §4.

package transport

import (
	"net/netip"
	"strconv"
	"unsafe"

	"github.com/sipwerk/sipwerk/sip"
)

// stamp writes where the request really came from into its top Via, and notes a wish for connection reuse.
func (p *Packet) stamp() {
	v, err := p.Request.Via()
	if err != nil {
		// RFC 4475 §3.1.2.1: the request is refused, by the way that can still be read.
		var ok bool
		if v, ok = sip.MendVia(p.Request.Get(sip.HeaderVia)); !ok {
			return
		}
		if p.Err == nil {
			p.Err = err
			p.layer.Stats.Malformed.Add(1)
		}
		p.Request.SetFirst(sip.HeaderVia, v.String())
	}
	if p.stream != nil && v.Params.Has("alias") {
		p.stream.alias(v)
	}
	p.scratch = appendStamped(p.scratch[:0], v, p.Flow.Remote)
	if len(p.scratch) > 0 {
		// SetFirst copies the value.
		p.Request.SetFirst(sip.HeaderVia, unsafe.String(&p.scratch[0], len(p.scratch)))
	}
}

// appendStamped appends the Via with received and rport as RFC 3261 §18.2.1 and RFC 3581 §4 want them, or nothing if it is right as it is.
// What the peer wrote there itself is replaced: it may not send our responses to a third party.
func appendStamped(b []byte, v sip.Via, source netip.AddrPort) []byte {
	_, wantsPort := v.RPort()
	claimed := v.Params.Has("received")
	if !wantsPort && !claimed && v.Addr() == source.Addr().WithZone("") {
		return b
	}
	bare := v
	bare.Params = ""
	b = bare.AppendTo(b)
	b = v.Params.AppendTo(b, "received", "rport")
	b = append(b, ";received="...)
	b = source.Addr().WithZone("").AppendTo(b)
	if wantsPort {
		b = append(b, ";rport="...)
		b = strconv.AppendUint(b, uint64(source.Port()), 10)
	}
	return b
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
