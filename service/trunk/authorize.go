// Credentials, and to whom they are given: to the provider of a trunk and nobody behind it. RFC 3261 §22.1, RFC 7616 §5.

package trunk

import (
	"fmt"
	"net/netip"
	"strings"
	"sync"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/digest"
)

// keys answers the challenges of one provider: in requests that go to one of its hosts, and for its realm alone. Where that is not configured, it is the one in which the registrar
// challenges: a REGISTER is never handed on to somebody whom we call. It implements [dialog.Authorizer]. Safe for use by many goroutines.
type keys struct {
	login Login

	mu      sync.Mutex // guards what follows
	hosts   map[string]bool
	realm   string
	clients map[string]*digest.Client // by host
}

// maxClients bounds the hosts for which a nonce is remembered.
const maxClients = 128

func newKeys(s *Settings) *keys {
	k := &keys{login: s.Login, hosts: make(map[string]bool), realm: s.Login.Realm}
	for _, uri := range append(s.hops(), s.Servers...) {
		k.hosts[strings.ToLower(uri.Host)] = true
	}
	k.hosts[strings.ToLower(s.domain())] = true
	if k.realm == "" && !s.Register {
		k.realm = s.domain()
	}
	return k
}

// allow adds the addresses that the hosts stand for: requests inside a call go to one of them.
func (k *keys) allow(addresses []netip.AddrPort) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, a := range addresses {
		host := a.Addr().String()
		if a.Addr().Is6() {
			host = "[" + host + "]"
		}
		if len(k.hosts) < maxClients {
			k.hosts[host] = true
		}
	}
}

// Authorize implements [dialog.Authorizer].
func (k *keys) Authorize(req *sip.Request, res *sip.Response) (again *sip.Request, ok bool) {
	again, err := k.answer(req, res)
	return again, err == nil
}

// answer returns a copy of req with the answer to the challenge of res.
func (k *keys) answer(req *sip.Request, res *sip.Response) (*sip.Request, error) {
	if k.login.Password == "" {
		return nil, fmt.Errorf("%w: the trunk has no password", digest.ErrForeign)
	}
	k.mu.Lock()
	if k.realm == "" && req.Method == sip.MethodRegister {
		k.realm = realmOf(res)
	}
	c := k.clientLocked(nextHost(req))
	realm := k.realm
	k.mu.Unlock()
	if c == nil {
		return nil, fmt.Errorf("%w: %s is not the provider's", digest.ErrForeign, nextHost(req))
	}
	again := req.Clone()
	if err := c.Answer(again, res); err != nil {
		if asked := realmOf(res); asked != realm {
			return nil, fmt.Errorf("%w: it asks for realm %q, and %q is configured", err, asked, realm)
		}
		return nil, err
	}
	return again, nil
}

// sign puts credentials for the last challenge into req before it is sent.
func (k *keys) sign(req *sip.Request) {
	k.mu.Lock()
	c := k.clients[strings.ToLower(nextHost(req))]
	k.mu.Unlock()
	if c != nil {
		c.Sign(req)
	}
}

// clientLocked returns the client of a host, nil if that is a stranger's.
func (k *keys) clientLocked(host string) *digest.Client {
	host = strings.ToLower(host)
	if !k.hosts[host] || k.realm == "" {
		return nil
	}
	c := k.clients[host]
	if c == nil {
		c = &digest.Client{User: or(k.login.Name, k.login.User), Password: k.login.Password, Host: strings.Clone(host), Realm: k.realm}
		if k.clients == nil {
			k.clients = make(map[string]*digest.Client)
		}
		k.clients[c.Host] = c
	}
	return c
}

// realmOf is the realm of the first challenge of a response.
func realmOf(res *sip.Response) string {
	h := sip.HeaderWWWAuthenticate
	if res.Status == sip.StatusProxyAuthRequired {
		h = sip.HeaderProxyAuthenticate
	}
	for v := range res.Values(h) {
		if c, err := sip.ParseChallenge(strings.Clone(v)); err == nil && c.Realm != "" {
			return c.Realm
		}
	}
	return ""
}

// nextHost is where req goes. RFC 3261 §8.1.2.
func nextHost(req *sip.Request) string {
	for route, err := range req.Addresses(sip.HeaderRoute) {
		if err != nil {
			return ""
		}
		return route.URI.Host
	}
	return req.URI.Host
}
