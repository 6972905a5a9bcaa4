package digest

import (
	"testing"

	"github.com/sipwerk/sipwerk/sip"
)

func TestResponse(t *testing.T) {
	mufasa := sip.Credentials{
		Username: "Mufasa", Realm: "http-auth@example.org", URI: "/dir/index.html", QOP: "auth", NC: "00000001",
		Nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", CNonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
	}
	tests := []struct {
		name, password string
		algorithm      Algorithm
		method         sip.Method
		body           string
		credentials    sip.Credentials
		want           string
	}{
		{name: "RFC 7616 §3.9.1 MD5", password: "Circle of Life", algorithm: MD5, method: "GET", credentials: mufasa,
			want: "8ca523f5e9506fed4657c9700eebdbec"},
		{name: "RFC 7616 §3.9.1 SHA-256", password: "Circle of Life", algorithm: SHA256, method: "GET", credentials: mufasa,
			want: "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"},
		// The RFC prints a value made with SHA-512 cut to 256 bits; this is its erratum 4897.
		{name: "RFC 7616 §3.9.2 SHA-512-256", password: "Secret, or not?", algorithm: SHA512256, method: "GET", credentials: sip.Credentials{
			Username: "Jäsøn Doe", Realm: "api@example.org", URI: "/doe.json", QOP: "auth", NC: "00000001",
			Nonce: "5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", CNonce: "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v"},
			want: "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5"},
		{name: "RFC 2617 §3.5", password: "Circle Of Life", algorithm: MD5, method: "GET", credentials: sip.Credentials{
			Username: "Mufasa", Realm: "testrealm@host.com", URI: "/dir/index.html", QOP: "auth", NC: "00000001",
			Nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093", CNonce: "0a4f113b"},
			want: "6629fae49393a05397450978507c4ef1"},
		{name: "RFC 2069 §2.4, without qop", password: "CircleOfLife", algorithm: MD5, method: "GET", credentials: sip.Credentials{
			Username: "Mufasa", Realm: "testrealm@host.com", URI: "/dir/index.html", Nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093"},
			want: "1949323746fe6a43ef61f9606e7febea"},
		{name: "auth-int", password: "zanzibar", algorithm: MD5, method: "INVITE", body: "v=0\r\n", credentials: sip.Credentials{
			Username: "bob", Realm: "biloxi.com", URI: "sip:bob@biloxi.com", QOP: "auth-int", NC: "00000001",
			Nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093", CNonce: "0a4f113b"},
			want: "77226bb823dc077c1ad3537415667bae"},
	}
	for _, tt := range tests {
		c := tt.credentials
		w := answer{algorithm: tt.algorithm, ha1: tt.algorithm.HA1(c.Username, c.Realm, tt.password), method: tt.method, body: []byte(tt.body), Credentials: &c}
		if got := string(w.appendResponse(nil)); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestProves(t *testing.T) {
	c := sip.Credentials{Username: "bob", Realm: "biloxi.com", URI: "sip:biloxi.com", Nonce: "n"}
	w := answer{algorithm: MD5, ha1: MD5.HA1("bob", "biloxi.com", "zanzibar"), method: sip.MethodRegister, Credentials: &c}
	right := string(w.appendResponse(nil))
	for response, want := range map[string]bool{
		right: true, right[:31]: false, right + "0": false, "": false, right[1:] + "0": false,
		right + "00000000000000000000000000000000": false, right + right + right: false,
	} {
		c.Response = response
		if w.proves() != want {
			t.Errorf("%q: proves is %t", response, !want)
		}
	}
}

func TestHA1Hex(t *testing.T) {
	for a := MD5; a <= SHA512256; a++ {
		h := a.HA1("alice", "example.org", "secret")
		back, err := ParseHA1(a, h.Hex(a))
		if err != nil || back != h {
			t.Errorf("%s: %v, %v", a, back, err)
		}
		for _, bad := range []string{"", h.Hex(a)[1:], "zz" + h.Hex(a)[2:]} {
			if _, err := ParseHA1(a, bad); err == nil {
				t.Errorf("%s: ParseHA1(%q) succeeded", a, bad)
			}
		}
	}
}

func BenchmarkResponse(b *testing.B) {
	c := sip.Credentials{Username: "bob", Realm: "example.org", URI: "sip:example.org", QOP: "auth", NC: "00000001", Nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c0", CNonce: "0a4f113b"}
	for a := MD5; a <= SHA512256; a++ {
		b.Run(a.String(), func(b *testing.B) {
			w := answer{algorithm: a, ha1: a.HA1("bob", "example.org", "x"), method: sip.MethodRegister, Credentials: &c}
			b.ReportAllocs()
			for b.Loop() {
				w.proves()
			}
		})
	}
}
