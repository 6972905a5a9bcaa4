// Where credentials are verified. RFC 3261 §22.4, RFC 7616 §3.4.6.

package digest

import (
	"encoding/binary"
	"hash/maphash"
	"strconv"
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// Accounts is where the server finds who may log in. Its methods are called on the goroutine that reads the network and must not block.
type Accounts interface {
	// HA1 returns the hash of user in realm; ok is false if there is no such user or no hash of algorithm a for it.
	HA1(user, realm string, a Algorithm) (h HA1, ok bool)
	// MaySendAs reports whether user, who has proved the password, may put from into the From of a request.
	MaySendAs(user string, from sip.URI) bool
}

// verdict is what became of the credentials of a request.
type verdict uint8

const (
	absent    verdict = iota // none for this realm, or none that can be read
	stale                    // the nonce is old, foreign or used: try again with a new one
	wrong                    // user unknown or password wrong: nobody is told which
	throttled                // too many failures from this source, or of this user from strangers: not verified
	mismatch                 // proved for another Request-URI
	proved
)

// credentials returns the credentials of req for this realm that can be verified.
func (s *server) credentials(req *sip.Request) (c sip.Credentials, a Algorithm, ok bool) {
	header := sip.HeaderAuthorization
	if s.proxy {
		header = sip.HeaderProxyAuthorization
	}
	for value := range req.Values(header) {
		c, err := sip.ParseCredentials(value)
		if err != nil || c.Realm != s.realm || !strings.EqualFold(c.Scheme, "Digest") {
			continue
		}
		if a, ok := s.offered(c.Algorithm); ok {
			return c, a, true
		}
	}
	return sip.Credentials{}, 0, false
}

func (s *server) offered(token string) (Algorithm, bool) {
	a, ok := ParseAlgorithm(token)
	for _, o := range s.algorithms {
		if ok && o == a {
			return a, true
		}
	}
	return 0, false
}

// verify judges the credentials of req. An unknown user costs what a wrong password costs. The password is looked at only under a
// nonce that was given to this source and is still good: no nonce of the sender's choice, no answer that helps to guess.
//
// A copy of a request that proved itself proves itself again, for a while: see [replay]. The user is the one that the credentials name, proved or not.
func (s *server) verify(req *sip.Request, flow *sip.Flow, accounts Accounts) (user string, v verdict) {
	source := flow.Remote.Addr()
	c, a, ok := s.credentials(req)
	if !ok {
		return "", absent
	}
	count, ok := nonceCount(&c)
	if !ok {
		return "", absent
	}
	now := time.Now()
	stamp, ok := s.nonces.open(c.Nonce, source, now)
	if !ok {
		return "", stale
	}
	from, who := s.sources.source(source), s.users.user(c.Username)
	if s.sources.wait(from, now) > 0 || s.users.wait(who, now) > 0 && !s.familiar.knows(who, from) {
		return c.Username, throttled
	}
	ha1, known := accounts.HA1(c.Username, s.realm, a)
	if !known {
		ha1 = s.nobody
	}
	w := answer{algorithm: a, ha1: ha1, method: req.Method, body: req.Body(), Credentials: &c}
	if right := w.proves(); !right || !known {
		s.sources.fail(from)
		s.users.fail(who)
		return c.Username, wrong
	}
	s.familiar.note(who, from)
	if s.replay.use(stamp, count, newPrint(s.hash(req, flow), now)) == used {
		return "", stale
	}
	if !sameTarget(c.URI, req.URI) {
		return c.Username, mismatch
	}
	return c.Username, proved
}

// hash hashes all of a request, as it would be sent on, and where it came from, with a key of this process.
func (s *server) hash(req *sip.Request, flow *sip.Flow) uint64 {
	room := s.texts.Get().(*[]byte)
	b := binary.BigEndian.AppendUint64((*room)[:0], flow.ID)
	b, _ = flow.Remote.AppendBinary(append(b, byte(flow.Transport)))
	*room = req.AppendTo(b)
	h := maphash.Bytes(s.seed, *room)
	s.texts.Put(room)
	return h
}

// nonceCount returns the nc of credentials with qop. Without qop (RFC 2069, RFC 3261 §22.4) there is no count: such a nonce is good once.
func nonceCount(c *sip.Credentials) (uint32, bool) {
	if c.QOP == "" {
		return 1, true
	}
	c.QOP = strings.ToLower(c.QOP)
	if c.QOP != qopAuth && c.QOP != qopAuthInt || c.CNonce == "" || len(c.NC) != 8 {
		return 0, false
	}
	n, err := strconv.ParseUint(c.NC, 16, 32)
	return uint32(n), err == nil
}

// sameTarget reports whether the uri parameter can stand for the Request-URI: the same user, or none in one of the two.
// Deviates: RFC 7616 §3.4.6 asks for the same resource. Hops may rewrite host, port and parameters (RFC 3261 §22.4), and phones
// write their domain where the Request-URI has an address; a proof cannot be replayed toward another target all the same, because its count is used up.
func sameTarget(uri string, target sip.URI) bool {
	u, err := sip.ParseURI(uri)
	if err != nil {
		return true // clients that write an IPv6 address without brackets; no other target can be read into it
	}
	said, asked := u.UserName(), target.UserName()
	return said == asked || said == "" || asked == ""
}
