// What a proxy changes in a request. RFC 3261 §16.6 steps 1 to 5; RFC 3325 §5; RFC 5658 §3.

package proxy

import (
	"strconv"
	"unsafe"

	"github.com/sipwerk/sipwerk/sip"
)

// rewrite does to a request what is the same for all its targets.
func (p *Proxy) rewrite(ev *sip.Event, v verdict) {
	req := ev.Request
	req.Set(sip.HeaderMaxForwards, strconv.Itoa(int(v.hops)))
	if ev.Kind == sip.EventAck {
		return
	}
	if p.Realms != nil && req.Has(sip.HeaderProxyAuthorization) {
		p.consume(req)
	}
	p.border(ev)
}

// consume removes the credentials that were for us. RFC 3261 §22.3.
func (p *Proxy) consume(req *sip.Request) {
	var others []string
	for value := range req.Values(sip.HeaderProxyAuthorization) {
		c, err := sip.ParseCredentials(value)
		if err != nil || !p.Realms(c.Realm) {
			others = append(others, value)
		}
	}
	req.Remove(sip.HeaderProxyAuthorization)
	for _, value := range others {
		req.Add(sip.HeaderProxyAuthorization, value)
	}
}

// believed are the headers that only a trusted sender may set: who calls, on whose behalf, and what makes a phone answer by itself or fetch something.
var believed = [...]sip.Header{sip.HeaderPAssertedIdentity, sip.HeaderDiversion, sip.HeaderHistoryInfo, sip.HeaderAlertInfo, sip.HeaderCallInfo,
	sip.HeaderAnswerMode, sip.HeaderPrivAnswerMode, sip.HeaderResourcePriority}

// border applies the rules of the trust domain, whose border runs through us on both sides: telephones are outside. RFC 3325 §5, §6, §7.
func (p *Proxy) border(ev *sip.Event) {
	req := ev.Request
	if !ev.Trusted {
		for _, h := range believed {
			if req.Has(h) {
				req.Remove(h)
			}
		}
		if ev.User != "" && p.Identity != nil {
			if who := p.Identity.Identify(ev); who.URI.Host != "" {
				req.PrependAddress(sip.HeaderPAssertedIdentity, who)
			}
		}
	}
	if req.Has(sip.HeaderPPreferredIdentity) {
		req.Remove(sip.HeaderPPreferredIdentity)
	}
	if req.Has(sip.HeaderPrivacy) && req.HasPrivacy("id") {
		req.Remove(sip.HeaderPAssertedIdentity)
	}
}

// records reports whether we want to stay on the way of the dialog that a request of this method may set up. RFC 3261 §16.6 step 4.
func records(m sip.Method) bool {
	return m == sip.MethodInvite || m == sip.MethodSubscribe || m == sip.MethodRefer
}

// recordCaller writes the Record-Route for the side of the caller and keeps its token. It lies below the one for the other side; the stack leaves one out where they are
// the same.
func (f *fork) recordCaller(ev *sip.Event) {
	p, req := f.proxy, ev.Request
	flow := sip.Flow{}
	if f.tied = tied(ev); f.tied {
		flow = ev.Flow
	}
	f.token = p.keys.seal(f.token[:0], flow, req.CallID())
	host, port := p.Addresses.Advertised(ev.Flow)
	u := sip.URI{Scheme: scheme(&req.URI), User: text(f.token), Host: host, Port: port}
	u.Params = routeParams(u.Scheme, ev.Flow.Transport)
	req.PrependAddress(sip.HeaderRecordRoute, sip.Address{URI: u})
}

// recordCallee writes the Record-Route for the side of a target.
func (f *fork) recordCallee(req *sip.Request, t *Target) {
	token := f.token
	if f.tied || !t.To.Flow.IsZero() {
		l := &f.proxy.lanes[f.stripe]
		l.text = f.proxy.keys.seal(l.text[:0], t.To.Flow, req.CallID())
		token = l.text
	}
	u := sip.URI{Scheme: scheme(&t.URI), User: text(token), Host: sip.AnyHost, Params: ";lr"}
	req.PrependAddress(sip.HeaderRecordRoute, sip.Address{URI: u})
}

// scheme is that of our Record-Route toward a Request-URI. RFC 3261 §16.6 step 4; RFC 5630 §5.3.
func scheme(u *sip.URI) string {
	if u.Scheme == "sips" {
		return "sips"
	}
	return "sip"
}

// routeParams writes the parameters as the stack does for AnyHost. A sips URI says nothing of TLS.
func routeParams(scheme string, t sip.Transport) sip.Params {
	switch {
	case t == sip.UDP || t == sip.TLS && scheme == "sips":
		return ";lr"
	case t == sip.TCP:
		return ";lr;transport=tcp"
	case t == sip.TLS:
		return ";lr;transport=tls"
	}
	return ";lr;transport=ws"
}

// tied reports whether the sender of a request is reached by the flow of the request alone: it is a telephone of its own, not another proxy, and came over a
// connection, or a NAT stands before it. RFC 5626 §5.3.
func tied(ev *sip.Event) bool {
	if !ev.Request.Direct() {
		return false
	}
	if ev.Flow.Transport.Reliable() {
		return true
	}
	via, err := ev.Request.Via()
	if err != nil {
		return false
	}
	port := via.Port
	if port == 0 {
		port = 5060
	}
	own := via.Addr()
	return own.IsValid() && (own != ev.Flow.Remote.Addr().Unmap() || port != ev.Flow.Remote.Port())
}

// text is b as a string for a call that copies it.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// spread writes the Max-Breadth of a branch. RFC 5393 §5.3.3.
func spread(req *sip.Request, breadth uint32) {
	if have, ok := req.Uint(sip.HeaderMaxBreadth); !ok || have != breadth {
		req.Set(sip.HeaderMaxBreadth, strconv.Itoa(int(breadth)))
	}
}
