package sip

import (
	"errors"
	"testing"
)

func goodCredentials() map[string]Credentials {
	return map[string]Credentials{
		// RFC 7616 §3.9.1.
		`Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", algorithm=SHA-256, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001, cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth, response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`: {
			Scheme: "Digest", Username: "Mufasa", Realm: "http-auth@example.org", URI: "/dir/index.html", Algorithm: "SHA-256",
			Nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", NC: "00000001", QOP: "auth",
			CNonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", Response: "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
			Opaque: "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS",
		},
		"digest Username = \"a\\\"b\" ,\r\n realm=\"\",, nonce=n==,uri=sip:x@y;lr,response=\"00\",x=\"y\",": {
			Scheme: "digest", Username: `a"b`, Nonce: "n==", URI: "sip:x@y;lr", Response: "00",
		},
		`Bearer abc.def`: {Scheme: "Bearer"},
	}
}

func TestParseCredentials(t *testing.T) {
	for text, want := range goodCredentials() {
		got, err := ParseCredentials(text)
		if err != nil || got != want {
			t.Errorf("%s:\n got %+v, %v\nwant %+v", text, got, err, want)
		}
	}
}

func TestParseCredentialsRefuses(t *testing.T) {
	for _, text := range []string{
		"", "=", `Digest`, `Digest username="a"`, `Digest username="a" realm="b"`, `Digest username="a`, `Digest username`, `Digest username=`,
		`Digest username="a", username="b", realm="r", nonce="n", uri="u", response="x"`,
		`Digest username="a\`, `Digest "a"`, `Digest username="a"b, realm="r", nonce="n", uri="u", response="x"`,
		"Digest username=\"a\", realm=\"\n\", nonce=\"n\", uri=\"u\", response=\"x\"",
	} {
		c, err := ParseCredentials(text)
		if pe := new(ParseError); !errors.As(err, &pe) {
			t.Errorf("%q: got %+v, %v", text, c, err)
		}
	}
}

func TestParseChallenge(t *testing.T) {
	for text, want := range map[string]Challenge{
		// RFC 3261 §20.44.
		`Digest realm="atlanta.com", domain="sip:boxesbybob.com", qop="auth", nonce="f84f1cec41e6cbe5aea9c8e88d359", opaque="", stale=FALSE, algorithm=MD5`: {
			Scheme: "Digest", Realm: "atlanta.com", Domain: "sip:boxesbybob.com", QOP: "auth", Nonce: "f84f1cec41e6cbe5aea9c8e88d359", Algorithm: "MD5"},
		`Digest realm="a", nonce="b", stale="TRUE", qop="auth,auth-int"`: {Scheme: "Digest", Realm: "a", Nonce: "b", Stale: true, QOP: "auth,auth-int"},
		`NTLM x="y"`: {Scheme: "NTLM"},
	} {
		got, err := ParseChallenge(text)
		if err != nil || got != want {
			t.Errorf("%s:\n got %+v, %v\nwant %+v", text, got, err, want)
		}
	}
	if c, err := ParseChallenge("Digest realm=\"\x00\", nonce=\"n\""); err == nil {
		t.Errorf("a zero byte was accepted: %+v", c)
	}
	if _, err := ParseChallenge(`Digest realm="x"`); err == nil {
		t.Error("a challenge without nonce was accepted")
	}
}

func FuzzAuth(f *testing.F) {
	for text := range goodCredentials() {
		for i := range len(text) + 1 {
			f.Add(text[:i])
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		if c, err := ParseCredentials(text); err == nil && c.Username != "" {
			again, err := ParseCredentials(c.String())
			if c.Scheme = again.Scheme; err != nil || again != c {
				t.Errorf("%q: printed as %q, which reads %+v, %v", text, c.String(), again, err)
			}
		}
		if c, err := ParseChallenge(text); err == nil && c.Nonce != "" {
			if again, err := ParseChallenge(c.String()); err != nil || again != c {
				t.Errorf("%q: printed as %q, which reads %+v, %v", text, c.String(), again, err)
			}
		}
	})
}
