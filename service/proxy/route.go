// What the Route of a request says: whether it comes through us, and where it goes next. RFC 3261 §16.4, §16.6 step 6.

package proxy

import (
	"github.com/sipwerk/sipwerk/sip"
)

// maxOwnRoutes is how many values of Route may be ours: two for a dialog whose sides differ, and one that a telephone was told to use.
const maxOwnRoutes = 4

// way is what preprocessing has found.
type way struct {
	inside bool     // a token proves that the request belongs to a dialog set up through us, or is for a telephone that registered through us
	flow   sip.Flow // the one that the token names for the side it goes to
	edge   bool     // that is the flow of a registration: there is no other way (RFC 5626 §5.3.1)
}

// preprocess takes us off the Route of a request. RFC 3261 §16.4.
func (p *Proxy) preprocess(ev *sip.Event) way {
	var w way
	req := ev.Request
	if !req.Has(sip.HeaderRoute) {
		p.stripAddress(req)
		return w
	}
	p.unstrict(ev, &w)
	p.stripAddress(req)
	for range maxOwnRoutes {
		uri, ok := topRoute(req)
		if !ok || !p.ownRoute(ev, uri, &w) {
			break
		}
		req.PopFirst(sip.HeaderRoute)
	}
	return w
}

// topRoute returns the URI of the first Route.
func topRoute(req *sip.Request) (sip.URI, bool) {
	for a, err := range req.Addresses(sip.HeaderRoute) {
		return a.URI, err == nil
	}
	return sip.URI{}, false
}

// ownRoute reports whether a URI of Route is ours, and notes what its token says.
func (p *Proxy) ownRoute(ev *sip.Event, uri sip.URI, w *way) bool {
	if uri.User == "" {
		return p.ours(uri)
	}
	flow, ok := p.keys.open(uri.User, ev.Request.CallID())
	if !ok && uri.Outbound() {
		flow, w.edge = p.keys.open(uri.User, "")
		ok = w.edge
	}
	// RFC 5626 §5.3.1: a token of the flow that the request came by belongs to its sender's side. That it has registered lets nobody in.
	out := !flow.IsZero() && !sameFlow(flow, ev.Flow)
	if out {
		w.flow = flow
	}
	if ok && !w.inside {
		// Without a tag it is no request inside a dialog, whatever it shows.
		w.inside = w.edge && out || !w.edge && ev.Request.ToTag() != ""
	}
	return ok
}

func sameFlow(a, b sip.Flow) bool {
	return a.Transport == b.Transport && a.ID == b.ID && a.Remote == b.Remote
}

// unstrict undoes what a strict router did: our Record-Route stands in the Request-URI, and the Request-URI at the end of Route.
func (p *Proxy) unstrict(ev *sip.Event, w *way) {
	req := ev.Request
	if req.URI.User == "" || !req.URI.Loose() || !p.ownRoute(ev, req.URI, w) {
		return
	}
	var routes []string
	for r := range req.Values(sip.HeaderRoute) {
		routes = append(routes, r)
	}
	last, err := sip.ParseAddress(routes[len(routes)-1])
	if err != nil {
		return
	}
	req.URI = last.URI
	req.Remove(sip.HeaderRoute)
	for _, r := range routes[:len(routes)-1] {
		req.Add(sip.HeaderRoute, r)
	}
}

// stripAddress removes an maddr that names us, and what came with it. RFC 3261 §16.4.
func (p *Proxy) stripAddress(req *sip.Request) {
	if req.URI.Params == "" {
		return
	}
	maddr, ok := req.URI.Param("maddr")
	if !ok || !p.Addresses.Local(maddr, req.URI.Port) && !p.Locator.Serves(sip.URI{Scheme: "sip", Host: maddr}) {
		return
	}
	req.URI.Params = req.URI.Params.Without("maddr").Without("transport")
	req.URI.Port = 0
}

// ours reports whether a URI without user names this proxy.
func (p *Proxy) ours(uri sip.URI) bool {
	return uri.IsSIP() && (p.Addresses.Local(uri.Host, uri.Port) || p.serves(uri))
}

// serves reports whether the user of a URI is one of ours.
func (p *Proxy) serves(uri sip.URI) bool { return p.Locator.Serves(uri) }

// aim makes a target the goal of req: Request-URI, and Route from its Path. What is left is where the message is sent.
func (p *Proxy) aim(req *sip.Request, t *Target) sip.Destination {
	req.URI = t.URI
	for i := len(t.Path) - 1; i >= 0; i-- {
		req.Prepend(sip.HeaderRoute, t.Path[i])
	}
	if !t.To.Flow.IsZero() || t.To.URI != (sip.URI{}) {
		return t.To
	}
	// RFC 3261 §16.6 step 6: a strict router wants to find itself in the Request-URI.
	if next, ok := topRoute(req); ok && !next.Loose() {
		req.Add(sip.HeaderRoute, "<"+req.URI.String()+">")
		req.PopFirst(sip.HeaderRoute)
		req.URI = next
		return sip.Destination{URI: next}
	}
	return t.To
}
