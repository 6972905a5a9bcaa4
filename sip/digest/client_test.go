package digest

import (
	"errors"
	"testing"

	"github.com/sipwerk/sipwerk/sip"
)

// challenged returns a 401 with these challenges.
func challenged(req *sip.Request, challenges ...string) *sip.Response {
	res := req.Reply(sip.StatusUnauthorized)
	for _, c := range challenges {
		res.Add(sip.HeaderWWWAuthenticate, c)
	}
	return res
}

func TestClientAnswersOnlyAtHome(t *testing.T) {
	const ours = `Digest realm="example.org", nonce="n", qop="auth"`
	for _, tt := range []struct {
		name      string
		route     string
		uri       string
		realm     string
		challenge string
		want      error
	}{
		{name: "home", uri: "sip:bob@example.org", challenge: ours},
		{name: "home in other letters", uri: "sip:bob@EXAMPLE.org:5070", challenge: ours},
		{name: "by its proxy", uri: "sip:bob@example.com", route: "<sip:example.org;lr>", challenge: ours},
		{name: "a realm of its own", uri: "sip:bob@example.org", realm: "asterisk", challenge: `Digest realm="asterisk", nonce="n"`},
		{name: "any realm", uri: "sip:bob@example.org", realm: AnyRealm, challenge: `Digest realm="asterisk", nonce="n"`},
		{name: "any realm, but not anywhere", uri: "sip:bob@192.0.2.66", realm: AnyRealm, challenge: ours, want: ErrForeign},
		{name: "the callee's address", uri: "sip:bob@192.0.2.66", challenge: ours, want: ErrForeign},
		{name: "by a foreign proxy", uri: "sip:bob@example.org", route: "<sip:example.com;lr>", challenge: ours, want: ErrForeign},
		{name: "another realm", uri: "sip:bob@example.org", challenge: `Digest realm="example.com", nonce="n"`, want: ErrForeign},
		{name: "no challenge", uri: "sip:bob@example.org", want: ErrForeign},
		{name: "not digest", uri: "sip:bob@example.org", challenge: `Basic realm="example.org"`, want: ErrForeign},
		{name: "unknown algorithm", uri: "sip:bob@example.org", challenge: `Digest realm="example.org", nonce="n", algorithm=SHA-1`, want: ErrUnsupported},
		{name: "unknown qop", uri: "sip:bob@example.org", challenge: `Digest realm="example.org", nonce="n", qop="auth-conf"`, want: ErrUnsupported},
	} {
		req := request(t)
		req.URI = sip.MustParseURI(tt.uri)
		if tt.route != "" {
			req.Set(sip.HeaderRoute, tt.route)
		}
		res := challenged(req)
		if tt.challenge != "" {
			res = challenged(req, tt.challenge)
		}
		c := &Client{User: "alice", Password: "secret", Host: "example.org", Realm: tt.realm}
		err := c.Answer(req, res)
		if !errors.Is(err, tt.want) || req.Has(sip.HeaderAuthorization) != (tt.want == nil) {
			t.Errorf("%s: %v", tt.name, err)
		}
		c.Sign(req) // must not answer elsewhere either
		if req.Has(sip.HeaderAuthorization) != (tt.want == nil) {
			t.Errorf("%s: signed", tt.name)
		}
	}
}

func TestClientGivesUp(t *testing.T) {
	const first, other = `Digest realm="example.org", nonce="n1", qop="auth"`, `Digest realm="example.org", nonce="n2", qop="auth"`
	for _, tt := range []struct {
		name, second string
		want         error
	}{
		{"same nonce", first, ErrRefused},
		{"same nonce, stale", first + ", stale=true", ErrRefused},
		{"new nonce", other, ErrRefused},
		{"new nonce, stale", other + ", stale=true", nil},
	} {
		c := &Client{User: "alice", Password: "secret", Host: "example.org"}
		req := request(t)
		if err := c.Answer(req, challenged(req, first)); err != nil {
			t.Fatal(err)
		}
		again, ok := c.Authorize(req, challenged(req, tt.second))
		if ok != (tt.want == nil) {
			t.Errorf("%s: Authorize says %t", tt.name, ok)
		}
		if ok && again.Get(sip.HeaderAuthorization) == req.Get(sip.HeaderAuthorization) {
			t.Errorf("%s: the same answer again", tt.name)
		}
		if err := c.Answer(req, challenged(req, tt.second)); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	// A nonce that was used before may have expired without being called stale.
	c := &Client{User: "alice", Password: "secret", Host: "example.org"}
	req := request(t)
	if err := c.Answer(req, challenged(req, first)); err != nil {
		t.Fatal(err)
	}
	next := request(t)
	c.Sign(next)
	if err := c.Answer(next, challenged(next, other)); err != nil {
		t.Errorf("signed with an old nonce: %v", err)
	}
}
