// Where a 401 or 407 is built. RFC 3261 §22.2, §22.3; RFC 7616 §3.3; RFC 8760 §2.3.

package digest

import (
	"net/netip"

	"github.com/sipwerk/sipwerk/sip"
)

// challenge makes res the 401 (a proxy's: 407) to req: one challenge for each algorithm, the preferred first, all with one nonce. There is no
// opaque: the nonce carries all the state there is.
func (s *server) challenge(res *sip.Response, req *sip.Request, source netip.Addr, stale bool) {
	status, header := sip.StatusUnauthorized, sip.HeaderWWWAuthenticate
	if s.proxy {
		status, header = sip.StatusProxyAuthRequired, sip.HeaderProxyAuthenticate
	}
	res.ReplyTo(req, status)
	nonce := s.nonces.next(source)
	c := sip.Challenge{Scheme: "Digest", Realm: s.realm, Nonce: string(nonce[:]), QOP: qopAuth, Stale: stale}
	for _, a := range s.algorithms {
		c.Algorithm = a.String()
		res.AddChallenge(header, &c)
	}
}
