// A telephone that registers elsewhere through us is reached through us: Path with a token of its flow. RFC 3327 §5.2; RFC 5626 §5.1, §5.2.

package proxy

import "github.com/sipwerk/sipwerk/sip"

// addPath puts us into the Path of a REGISTER, if its sender understands that. One that we can reach by its flow alone gets the token of that flow, and the registrar learns by
// ob that we keep it.
func (p *Proxy) addPath(ev *sip.Event) {
	req := ev.Request
	if !req.HasToken(sip.HeaderSupported, "path") && !req.HasToken(sip.HeaderSupported, "outbound") {
		return
	}
	u := sip.URI{Scheme: scheme(&req.URI), Host: sip.AnyHost, Params: ";lr"}
	if tied(ev) {
		l := &p.lanes[ev.Stripe]
		l.text = p.keys.seal(l.text[:0], ev.Flow, "")
		u.User, u.Params = text(l.text), ";lr;ob"
	}
	req.PrependAddress(sip.HeaderPath, sip.Address{URI: u})
}
