// Where a 401 or 407 is built. RFC 3261 §22.2, §22.3; RFC 7616 §3.3; RFC 8760 §2.3.

package digest

import (
	"net/netip"

	"github.com/sipwerk/sipwerk/sip"
)

// challenge returns the 401 (a proxy's: 407) to req: one challenge for each algorithm, the preferred first, all with one nonce. There is no
// opaque: the nonce carries all the state there is.
func (s *server) challenge(req *sip.Request, source netip.Addr, stale bool) *sip.Response {
	status, header := sip.StatusUnauthorized, sip.HeaderWWWAuthenticate
	if s.proxy {
		status, header = sip.StatusProxyAuthRequired, sip.HeaderProxyAuthenticate
	}
	res := req.Reply(status)
	c := sip.Challenge{Scheme: "Digest", Realm: s.realm, Nonce: s.nonces.next(source), QOP: qopAuth, Stale: stale}
	for _, a := range s.algorithms {
		c.Algorithm = a.String()
		res.Add(header, c.String())
	}
	return res
}
