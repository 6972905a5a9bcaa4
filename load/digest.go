// Answers to challenges. RFC 3261 §22.2, §22.3; RFC 7616 §3.4.

package load

import (
	"strings"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/digest"
)

// challengeOf returns the first challenge of res that can be answered, and the header that takes the answer.
func challengeOf(res *sip.Response) (ch sip.Challenge, v variant, ok bool) {
	ask, v := sip.HeaderWWWAuthenticate, proven
	if res.Status == sip.StatusProxyAuthRequired {
		ask, v = sip.HeaderProxyAuthenticate, provenProxy
	}
	for value := range res.Values(ask) {
		ch, err := sip.ParseChallenge(value)
		if err != nil || !strings.EqualFold(ch.Scheme, "Digest") {
			continue
		}
		if _, known := digest.ParseAlgorithm(ch.Algorithm); known && (ch.QOP == "" || offersAuth(ch.QOP)) {
			return ch, v, true
		}
	}
	return ch, v, false
}

func offersAuth(qop string) bool {
	for q := range strings.SplitSeq(qop, ",") {
		if strings.EqualFold(strings.TrimSpace(q), "auth") {
			return true
		}
	}
	return false
}

// appendProof appends the credentials that answer ch for a request of a user; uri is its Request-URI. A run talks to the one server that its owner chose, so every realm
// of it is answered.
func appendProof(b []byte, ch *sip.Challenge, u *User, method sip.Method, uri string) []byte {
	a, _ := digest.ParseAlgorithm(ch.Algorithm)
	c := sip.Credentials{Scheme: "Digest", Username: u.Name, Realm: ch.Realm, Nonce: ch.Nonce, URI: uri, Algorithm: ch.Algorithm, Opaque: ch.Opaque}
	if ch.QOP != "" {
		// A cnonce that everybody uses weakens nothing here: the passwords are those of a load test.
		c.QOP, c.NC, c.CNonce = "auth", "00000001", "0a4f113b"
	}
	c.Response = digest.Response(a, a.HA1(u.Name, ch.Realm, u.Password), method, &c)
	return c.AppendTo(b)
}
