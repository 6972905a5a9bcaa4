// The side that is challenged: answers, and to whom they are given. RFC 3261 §22.1 to §22.3, RFC 7616 §3.4, RFC 8760 §2.4.

package digest

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/sipwerk/sipwerk/sip"
)

// What keeps a client from answering a challenge.
var (
	// ErrForeign: the challenge or the request's next hop is none for which the credentials are meant.
	ErrForeign = errors.New("digest: challenge from a host or realm without credentials")
	// ErrRefused: the credentials were given and refused.
	ErrRefused = errors.New("digest: credentials refused")
	// ErrUnsupported: no algorithm or qop in common.
	ErrUnsupported = errors.New("digest: no supported challenge")
)

// AnyRealm stands in [Client.Realm] for whatever realm the host names: for credentials that a person gives for one server.
const AnyRealm = "*"

// Client answers challenges with one user's password. It does so only for requests that go to Host (by their top Route, otherwise by
// their Request-URI) and only for challenges of Realm, so that neither a callee nor a redirect makes it talk to a stranger.
// Give it only to requests and dialogs that this side began.
//
// Fill the fields and leave them alone. Safe for use by many goroutines.
type Client struct {
	User     string
	Password string
	Host     string    // where the requests go, without port
	Realm    string    // "" means Host; AnyRealm every realm that Host names
	Rand     io.Reader // for cnonce; nil: crypto/rand

	mu    sync.Mutex
	known map[sip.Header]*grant // the last challenge answered, by header to answer in: two at most
}

// grant is a challenge that was answered and can be used again.
type grant struct {
	challenge sip.Challenge
	algorithm Algorithm
	qop       string
	count     uint32
}

// Sign puts credentials for the last challenge into req before it is sent the first time, and saves the round trip of being challenged. It
// does nothing if there was none or req goes elsewhere.
func (c *Client) Sign(req *sip.Request) {
	if !c.goesHome(req) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for header, g := range c.known {
		if g.qop != "" {
			req.Set(header, c.answerLocked(g, req))
		}
	}
}

// Authorize returns a copy of req with the answer to the challenges of res, a 401 or 407 to req; ok is false where [Client.Answer] fails.
func (c *Client) Authorize(req *sip.Request, res *sip.Response) (again *sip.Request, ok bool) {
	again = req.Clone()
	return again, c.Answer(again, res) == nil
}

// Answer puts the answer to the challenges of res, a 401 or 407 to req, into req. The caller gives req the next CSeq and sends it
// again. The error is ErrForeign, ErrRefused or ErrUnsupported, wrapped; req is unchanged then. A caller should stop after three rounds
// for one request: a server may call every nonce stale.
func (c *Client) Answer(req *sip.Request, res *sip.Response) error {
	if !c.goesHome(req) {
		return fmt.Errorf("%w: request to %s", ErrForeign, nextHost(req))
	}
	ask, answer := sip.HeaderWWWAuthenticate, sip.HeaderAuthorization
	if res.Status == sip.StatusProxyAuthRequired {
		ask, answer = sip.HeaderProxyAuthenticate, sip.HeaderProxyAuthorization
	}
	g, err := c.choose(res, ask)
	if err != nil {
		return err
	}
	if refused(req, answer, &g.challenge) {
		return ErrRefused
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil {
		c.known = make(map[sip.Header]*grant, 2)
	}
	c.known[answer] = g
	req.Set(answer, c.answerLocked(g, req))
	return nil
}

func (c *Client) goesHome(req *sip.Request) bool {
	return c.Host != "" && strings.EqualFold(nextHost(req), c.Host)
}

// nextHost is where req goes: RFC 3261 §8.1.2.
func nextHost(req *sip.Request) string {
	for route, err := range req.Addresses(sip.HeaderRoute) {
		if err != nil {
			return ""
		}
		return route.URI.Host
	}
	return req.URI.Host
}

// choose returns the strongest challenge of our realm that we can answer.
func (c *Client) choose(res *sip.Response, ask sip.Header) (*grant, error) {
	realm, err := c.Realm, ErrForeign
	if realm == "" {
		realm = c.Host
	}
	var best *grant
	for value := range res.Values(ask) {
		ch, parseErr := sip.ParseChallenge(strings.Clone(value))
		if parseErr != nil || !strings.EqualFold(ch.Scheme, "Digest") || realm != AnyRealm && ch.Realm != realm {
			continue
		}
		a, known := ParseAlgorithm(ch.Algorithm)
		qop, usable := chooseQOP(ch.QOP)
		if err = ErrUnsupported; known && usable && (best == nil || a > best.algorithm) {
			best = &grant{challenge: ch, algorithm: a, qop: qop}
		}
	}
	if best == nil {
		return nil, fmt.Errorf("%w (realm %q)", err, realm)
	}
	return best, nil
}

// chooseQOP prefers auth, takes auth-int, and none from servers of RFC 2069.
func chooseQOP(offer string) (qop string, ok bool) {
	if strings.TrimSpace(offer) == "" {
		return "", true
	}
	for q := range strings.SplitSeq(offer, ",") {
		switch q = strings.ToLower(strings.TrimSpace(q)); q {
		case qopAuth:
			return q, true
		case qopAuthInt:
			qop, ok = q, true
		}
	}
	return qop, ok
}

// refused reports whether req already carried an answer that the new challenge declares wrong. A first use of a nonce is wrong unless
// called stale; a nonce that was used before may just have expired. The same nonce is never answered twice.
func refused(req *sip.Request, header sip.Header, ch *sip.Challenge) bool {
	for value := range req.Values(header) {
		c, err := sip.ParseCredentials(value)
		if err != nil || c.Realm != ch.Realm {
			continue
		}
		first := c.NC == "" || c.NC == "00000001"
		return c.Nonce == ch.Nonce || first && !ch.Stale
	}
	return false
}

// answerLocked returns the value of the header that answers g for req.
func (c *Client) answerLocked(g *grant, req *sip.Request) string {
	cred := sip.Credentials{
		Scheme: "Digest", Username: c.User, Realm: g.challenge.Realm, Nonce: g.challenge.Nonce, Opaque: g.challenge.Opaque,
		URI: req.URI.String(), Algorithm: g.challenge.Algorithm, QOP: g.qop,
	}
	if g.count++; g.qop != "" {
		cred.NC = fmt.Sprintf("%08x", g.count)
		cred.CNonce = c.cnonce()
	}
	w := answer{
		algorithm: g.algorithm, ha1: g.algorithm.HA1(c.User, cred.Realm, c.Password),
		method: req.Method, body: req.Body(), Credentials: &cred,
	}
	cred.Response = string(w.appendResponse(nil))
	return cred.String()
}

func (c *Client) cnonce() string {
	var b [12]byte
	if c.Rand == nil {
		rand.Read(b[:])
	} else {
		// A failure leaves zeros: the cnonce only makes chosen-nonce attacks harder.
		_, _ = io.ReadFull(c.Rand, b[:])
	}
	return hex.EncodeToString(b[:])
}
