// Tokens made and judged: what holds, and each way in which it does not. RFC 8224 §6.2.2, RFC 8588, RFC 8946.

package passport

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// office issues certificates.
type office struct {
	t    testing.TB
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newOffice(t testing.TB) *office {
	o := &office{t: t, key: newKey(t)}
	o.cert = o.issue(&o.key.PublicKey, nil, func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
	})
	return o
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (o *office) roots() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(o.cert)
	return p
}

// issue makes a certificate; list is its TNAuthList in DER.
func (o *office) issue(key *ecdsa.PublicKey, list []byte, more func(*x509.Certificate)) *x509.Certificate {
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "SHAKEN 1234"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	if list != nil {
		c.ExtraExtensions = []pkix.Extension{{Id: tnAuthList(), Value: list}}
	}
	if more != nil {
		more(c)
	}
	parent := o.cert
	if parent == nil {
		parent = c
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key, o.key)
	if err != nil {
		o.t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		o.t.Fatal(err)
	}
	return made
}

// authList writes a TNAuthList of one entry.
func authList(t testing.TB, tag int, inner any, params string) []byte {
	b, err := asn1.MarshalWithParams(inner, params)
	if err != nil {
		t.Fatal(err)
	}
	list, err := asn1.Marshal([]asn1.RawValue{{Class: asn1.ClassContextSpecific, Tag: tag, IsCompound: true, Bytes: b}})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// shelf holds certificates by URL.
type shelf map[string][]*x509.Certificate

func (s shelf) Chain(_ context.Context, url string) ([]*x509.Certificate, error) {
	if c, ok := s[url]; ok {
		return c, nil
	}
	return nil, errFetch
}

const where = "https://certs.example.org/1.pem"

// party are a signer and a verifier that believes it.
func couple(t testing.TB, list []byte) (*Signer, *Verifier, *office) {
	o, key := newOffice(t), newKey(t)
	leaf := o.issue(&key.PublicKey, list, nil)
	return &Signer{Key: key, URL: where}, &Verifier{Roots: o.roots(), Certificates: shelf{where: {leaf}}}, o
}

func provider(t testing.TB) []byte { return authList(t, tagProvider, "1234", "ia5") }

func invite(from, to string) *sip.Request {
	req := sip.NewRequest(sip.MethodInvite, sip.MustParseURI(to))
	req.Set(sip.HeaderFrom, "<"+from+">;tag=1")
	req.Set(sip.HeaderTo, "<"+to+">")
	return req
}

const (
	berlin = "sip:+4930123@example.org;user=phone"
	paris  = "sip:+331456@example.net;user=phone"
	lisbon = "sip:+351789@example.net;user=phone"
)

// Certificates are those of RFC 8226, checked as RFC 5280 §6 says.
func TestVerify(t *testing.T) {
	signer, verifier, office := couple(t, provider(t))
	stranger := newOffice(t)
	key := newKey(t)
	attest := func(req *sip.Request) error { return signer.Attest(req, Full, "id-1") }
	edit := func(req *sip.Request, old, now string) {
		req.Set(sip.HeaderIdentity, strings.Replace(req.Get(sip.HeaderIdentity), old, now, 1))
	}
	for _, c := range []struct {
		name    string
		arrange func(req *sip.Request, v *Verifier)
		status  sip.Status
		verstat string
	}{
		{"proven", func(*sip.Request, *Verifier) {}, 0, "TN-Validation-Passed"},
		{"no Identity", func(req *sip.Request, _ *Verifier) { req.Remove(sip.HeaderIdentity) }, sip.StatusUseIdentityHeader, "No-TN-Validation"},
		{"another type", func(req *sip.Request, _ *Verifier) { edit(req, "ppt=shaken", "ppt=rph") }, sip.StatusUseIdentityHeader, "No-TN-Validation"},
		{"another algorithm", func(req *sip.Request, _ *Verifier) { edit(req, "alg=ES256", "alg=none") }, sip.StatusUseIdentityHeader, "No-TN-Validation"},
		{"another caller", func(req *sip.Request, _ *Verifier) { req.Set(sip.HeaderFrom, "<"+paris+">;tag=1") }, sip.StatusInvalidIdentityHeader, "TN-Validation-Failed"},
		{"another callee", func(req *sip.Request, _ *Verifier) { req.Set(sip.HeaderTo, "<"+lisbon+">") }, sip.StatusInvalidIdentityHeader, "TN-Validation-Failed"},
		{"another certificate", func(req *sip.Request, _ *Verifier) { edit(req, where, "https://evil.example/") }, sip.StatusInvalidIdentityHeader, "TN-Validation-Failed"},
		{"a changed claim", func(req *sip.Request, _ *Verifier) {
			edit(req, base64.RawURLEncoding.EncodeToString([]byte(`{"attest":"A","`)), base64.RawURLEncoding.EncodeToString([]byte(`{"attest":"B","`)))
		}, sip.StatusInvalidIdentityHeader, "TN-Validation-Failed"},
		{"no token", func(req *sip.Request, _ *Verifier) { req.Set(sip.HeaderIdentity, "a.b.c;info=<x>;alg=ES256") }, sip.StatusInvalidIdentityHeader, "TN-Validation-Failed"},
		{"a certificate that is not there", func(_ *sip.Request, v *Verifier) { v.Certificates = shelf{} }, sip.StatusBadIdentityInfo, "TN-Validation-Failed"},
		{"a certificate of strangers", func(_ *sip.Request, v *Verifier) { v.Roots = stranger.roots() }, sip.StatusUnsupportedCredential, "TN-Validation-Failed"},
		{"no roots", func(_ *sip.Request, v *Verifier) { v.Roots = nil }, sip.StatusUnsupportedCredential, "TN-Validation-Failed"},
		{"another key", func(_ *sip.Request, v *Verifier) {
			v.Certificates = shelf{where: {office.issue(&key.PublicKey, provider(t), nil)}}
		}, sip.StatusInvalidIdentityHeader, "TN-Validation-Failed"},
		{"a certificate of the web", func(_ *sip.Request, v *Verifier) {
			v.Certificates = shelf{where: {office.issue(&signer.Key.PublicKey, nil, nil)}}
		}, sip.StatusUnsupportedCredential, "TN-Validation-Failed"},
		{"a certificate for others", func(_ *sip.Request, v *Verifier) {
			v.Certificates = shelf{where: {office.issue(&signer.Key.PublicKey, authList(t, tagNumber, "4930124", "ia5"), nil)}}
		}, sip.StatusUnsupportedCredential, "TN-Validation-Failed"},
		{"a certificate for a block", func(_ *sip.Request, v *Verifier) {
			block := struct {
				Start string `asn1:"ia5"`
				Count int
			}{"4930100", 100}
			v.Certificates = shelf{where: {office.issue(&signer.Key.PublicKey, authList(t, tagRange, block, ""), nil)}}
		}, 0, "TN-Validation-Passed"},
		{"a certificate that is over", func(_ *sip.Request, v *Verifier) {
			v.Certificates = shelf{where: {office.issue(&signer.Key.PublicKey, provider(t), func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })}}
		}, sip.StatusUnsupportedCredential, "TN-Validation-Failed"},
		{"an extension that is critical", func(_ *sip.Request, v *Verifier) {
			v.Certificates = shelf{where: {office.issue(&signer.Key.PublicKey, provider(t), func(c *x509.Certificate) { c.ExtraExtensions[0].Critical = true })}}
		}, 0, "TN-Validation-Passed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			req, v := invite(berlin, paris), *verifier
			if err := attest(req); err != nil {
				t.Fatal(err)
			}
			c.arrange(req, &v)
			verdict := v.Verify(t.Context(), req)
			if verdict.Status != c.status || verdict.Verstat() != c.verstat {
				t.Errorf("%d %s (%v), want %d %s", verdict.Status, verdict.Verstat(), verdict.Err, c.status, c.verstat)
			}
			if c.status == 0 && (verdict.Attest != Full || verdict.OrigID != "id-1" || verdict.Orig.Number != "4930123") {
				t.Errorf("it says %+v", verdict)
			}
		})
	}
}

// RFC 8224 §6.2.2: a proof that is too old is 403 with a phrase of its own.
func TestStale(t *testing.T) {
	signer, verifier, _ := couple(t, provider(t))
	req := invite(berlin, paris)
	id, err := signer.Sign(Token{Type: Shaken, Attest: Full, OrigID: "1", Orig: Party{Number: "4930123"}, Dest: []Party{{Number: "331456"}}, Issued: time.Now().Add(-2 * time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	req.Set(sip.HeaderIdentity, id.String())
	if v := verifier.Verify(t.Context(), req); v.Status != sip.StatusForbidden || v.Reason() != "Stale Date" {
		t.Errorf("%d %s, %v", v.Status, v.Reason(), v.Err)
	}
}

// RFC 8224 §4.1: what the request says anyway need not be said again.
func TestCompact(t *testing.T) {
	signer, verifier, _ := couple(t, provider(t))
	req := invite("sip:Alice@EXAMPLE.org;x=1", paris)
	now := time.Now()
	req.Set(sip.HeaderDate, sip.FormatDate(now))
	id, err := signer.Sign(Token{Orig: Party{URI: "sip:Alice@example.org"}, Dest: []Party{{Number: "331456"}}, Issued: now})
	if err != nil {
		t.Fatal(err)
	}
	id.Token = ".." + id.Token[strings.LastIndexByte(id.Token, '.')+1:]
	req.Set(sip.HeaderIdentity, id.String())
	if v := verifier.Verify(t.Context(), req); v.Status != 0 {
		t.Error(v.Status, v.Err)
	}
	req.Remove(sip.HeaderDate)
	if v := verifier.Verify(t.Context(), req); v.Status != sip.StatusInvalidIdentityHeader {
		t.Error("without Date:", v.Status, v.Err)
	}
}

// RFC 8946 §3, §4.2: a call that was sent on is proven by a chain, and one link that is missing breaks it.
func TestDiverted(t *testing.T) {
	signer, verifier, _ := couple(t, provider(t))
	req := invite(berlin, paris)
	if err := signer.Attest(req, Partial, "id-2"); err != nil {
		t.Fatal(err)
	}
	for _, hop := range []struct{ by, to string }{{paris, lisbon}, {lisbon, "sip:+441234@example.com"}} {
		req.Set(sip.HeaderTo, "<"+hop.to+">")
		by, err := sip.ParseURI(hop.by)
		if err != nil {
			t.Fatal(err)
		}
		token, err := signer.about(req, Div)
		if err != nil {
			t.Fatal(err)
		}
		token.Diverter = PartyOf(by)
		if err := signer.add(req, token); err != nil {
			t.Fatal(err)
		}
	}
	if v := verifier.Verify(t.Context(), req); v.Status != 0 || !v.Diverted || v.Attest != Partial {
		t.Errorf("%+v", v)
	}
	broken := req.Clone()
	broken.Remove(sip.HeaderIdentity)
	i := 0
	for value := range req.Values(sip.HeaderIdentity) {
		if i++; i != 2 {
			broken.Add(sip.HeaderIdentity, value)
		}
	}
	if v := verifier.Verify(t.Context(), broken); v.Status != sip.StatusInvalidIdentityHeader {
		t.Errorf("without the link in the middle: %+v", v)
	}
}

// RFC 8946 §4.1, §4.2: who sends a call on says so, if the call was for a number of its own, and shows the caller of the token that it follows upon.
func TestDivert(t *testing.T) {
	signer, verifier, _ := couple(t, provider(t))
	attested := func() *sip.Request {
		req := invite(berlin, paris)
		if err := signer.Attest(req, Full, "id-3"); err != nil {
			t.Fatal(err)
		}
		return req
	}
	french := func(p Party) bool { return strings.HasPrefix(p.Number, "33") }
	sendOn := func(req *sip.Request, to string) *sip.Request {
		req.Set(sip.HeaderTo, "<"+to+">")
		req.URI = sip.MustParseURI(to)
		return req
	}
	on := sendOn(attested(), lisbon)
	if err := signer.Divert(on, french); err != nil {
		t.Fatal(err)
	}
	if v := verifier.Verify(t.Context(), on); v.Status != 0 || !v.Diverted || v.Attest != Full {
		t.Errorf("sent on: %+v", v)
	}
	on.Set(sip.HeaderTo, "<"+paris+">") // as those do who leave To alone
	if v := verifier.Verify(t.Context(), on); v.Status != 0 || !v.Diverted {
		t.Errorf("sent on, with the To of the caller: %+v", v)
	}
	same := attested()
	if err := signer.Divert(same, french); err != nil || len(slices.Collect(same.Values(sip.HeaderIdentity))) != 1 {
		t.Errorf("a call that was not sent on: %v\n%s", err, same)
	}
	other := sendOn(attested(), lisbon)
	other.Set(sip.HeaderFrom, "<"+paris+">;tag=1")
	for what, req := range map[string]*sip.Request{"without a token": sendOn(invite(berlin, paris), lisbon), "with another caller": other} {
		if err := signer.Divert(req, french); !errors.Is(err, ErrNotDiverted) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := signer.Divert(sendOn(attested(), lisbon), func(Party) bool { return false }); !errors.Is(err, ErrNotDiverted) {
		t.Errorf("of a number that is not ours: %v", err)
	}
}

// RFC 8225 §9: the members in order and without blanks, so that every implementation signs the same.
func TestDeterministic(t *testing.T) {
	token := Token{URL: "https://cert.example.org/passport.cer", Orig: Party{Number: "12155551212"}, Dest: []Party{{URI: "sip:alice@example.com"}}, Issued: time.Unix(1471375418, 0)}
	head, claims, _ := strings.Cut(token.input(), ".")
	for part, want := range map[string]string{
		head:   `{"alg":"ES256","typ":"passport","x5u":"https://cert.example.org/passport.cer"}`,
		claims: `{"dest":{"uri":["sip:alice@example.com"]},"iat":1471375418,"orig":{"tn":"12155551212"}}`,
	} {
		if got, err := base64.RawURLEncoding.DecodeString(part); err != nil || string(got) != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// RFC 8225 appendix A: the example token is read, and written as it stands there.
func TestExample(t *testing.T) {
	const token = "eyJhbGciOiJFUzI1NiIsInR5cCI6InBhc3Nwb3J0IiwieDV1IjoiaHR0cHM6Ly9jZXJ0LmV4YW1wbGUub3JnL3Bhc3Nwb3J0LmNlciJ9." +
		"eyJkZXN0Ijp7InVyaSI6WyJzaXA6YWxpY2VAZXhhbXBsZS5jb20iXX0sImlhdCI6MTQ3MTM3NTQxOCwib3JpZyI6eyJ0biI6IjEyMTU1NTUxMjEyIn19." +
		"VLBCIVDCaeK6M4hLJb6SHQvacAQVvoiiEOWQ_iUkqk79UD81fHQ0E1b3_GluIkba7UWYRM47ZbNFdOJquE35cw"
	s, err := parse(token)
	if err != nil {
		t.Fatal(err)
	}
	if s.Orig.Number != "12155551212" || len(s.Dest) != 1 || s.Dest[0].URI != "sip:alice@example.com" || s.Issued.Unix() != 1471375418 {
		t.Errorf("it says %+v", s.Token)
	}
	if got := s.Token.input(); got != s.input {
		t.Errorf("written as %s", got)
	}
}

// RFC 7515 appendix A.3, RFC 7518 §3.4: an ES256 signature that somebody else has made.
func TestSignature(t *testing.T) {
	point := []byte{4}
	for _, half := range []string{"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"} {
		b, err := base64.RawURLEncoding.DecodeString(half)
		if err != nil {
			t.Fatal(err)
		}
		point = append(point, b...)
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		t.Fatal(err)
	}
	made, err := signature("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q")
	if err != nil {
		t.Fatal(err)
	}
	s := &signed{input: "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ", signature: made}
	if !s.by(key) {
		t.Error("it is wrong")
	}
	s.input += "x"
	if s.by(key) {
		t.Error("it is over something else too")
	}
}

// RFC 8224 §8.3: how a number is written does not matter.
func TestPartyOf(t *testing.T) {
	for uri, want := range map[string]Party{
		"sip:+1-215-555-1212@a.example;user=phone":  {Number: "12155551212"},
		"tel:+1(215)5551212":                        {Number: "12155551212"},
		"sip:+4930123@a.example":                    {Number: "4930123"},
		"sip:110@a.example;user=phone":              {Number: "110"},
		"sip:200@A.example":                         {URI: "sip:200@a.example"},
		"sip:alice@A.EXAMPLE:5070;transport=tcp":    {URI: "sip:alice@a.example:5070"},
		"sip:+49%3Bverstat=x@a.example;user=phone":  {URI: "sip:+49%3Bverstat=x@a.example"},
		"sip:*21*5%23@a.example;user=phone":         {Number: "*21*5#"},
		"sip:+4930;verstat=x@a.example;user=phone":  {Number: "4930"},
		"sip:not-a-number@a.example;user=phone":     {URI: "sip:not-a-number@a.example"},
		"sips:bob@b.example?subject=hello":          {URI: "sips:bob@b.example"},
		"sip:+123456789012345678@a.example":         {URI: "sip:+123456789012345678@a.example"},
		"sip:0301234@a.example;user=phone;phone-x=": {Number: "0301234"},
	} {
		u, err := sip.ParseURI(uri)
		if err != nil {
			continue // not this package's to judge
		}
		if got := PartyOf(u); got != want {
			t.Errorf("%s: %+v, want %+v", uri, got, want)
		}
	}
}

// RFC 8226 §9: a certificate without a TNAuthList signs for no number.
func TestNewSigner(t *testing.T) {
	o, key := newOffice(t), newKey(t)
	good := tls.Certificate{Certificate: [][]byte{o.issue(&key.PublicKey, provider(t), nil).Raw}, PrivateKey: key}
	if _, err := NewSigner(good, where); err != nil {
		t.Error(err)
	}
	for name, bad := range map[string]tls.Certificate{
		"no TNAuthList": {Certificate: [][]byte{o.issue(&key.PublicKey, nil, nil).Raw}, PrivateKey: key},
		"over":          {Certificate: [][]byte{o.issue(&key.PublicKey, provider(t), func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }).Raw}, PrivateKey: key},
		"no key":        {Certificate: good.Certificate},
		"no chain":      {PrivateKey: key},
		"malformed":     {Certificate: [][]byte{o.issue(&key.PublicKey, []byte{0x30, 0x01}, nil).Raw}, PrivateKey: key},
	} {
		if _, err := NewSigner(bad, where); err == nil {
			t.Error(name, "makes a signer")
		}
	}
}

// The URL is a stranger's: what it may make us do is bounded. RFC 8224 §7.
func TestFetch(t *testing.T) {
	o, key := newOffice(t), newKey(t)
	leaf := o.issue(&key.PublicKey, provider(t), nil)
	asked := 0
	web := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		switch r.URL.Path {
		case "/1.pem":
			w.Header().Set("Cache-Control", "public, max-age=600")
			_ = pem.Encode(w, &pem.Block{Type: "CERTIFICATE", Bytes: leaf.Raw})
			_ = pem.Encode(w, &pem.Block{Type: "CERTIFICATE", Bytes: o.cert.Raw})
		case "/1.der":
			_, _ = w.Write(leaf.Raw)
		case "/long":
			fmt.Fprint(w, strings.Repeat("x", fetchBytes+1))
		case "/elsewhere":
			http.Redirect(w, r, "/1.pem", http.StatusFound)
		case "/noise":
			fmt.Fprint(w, "<html>")
		default:
			http.NotFound(w, r)
		}
	}))
	defer web.Close()
	f := &Fetcher{Private: true, TLS: web.Client().Transport.(*http.Transport).TLSClientConfig}
	defer f.Close()
	for path, want := range map[string]struct {
		chain int
		err   error
	}{"/1.pem": {2, nil}, "/1.der": {1, nil}, "/long": {0, errFetch}, "/elsewhere": {0, errFetch}, "/noise": {0, errCertificate}, "/none": {0, errFetch}} {
		for range 2 {
			chain, err := f.Chain(t.Context(), web.URL+path)
			if len(chain) != want.chain || !errors.Is(err, want.err) {
				t.Errorf("%s: %d certificates, %v", path, len(chain), err)
			}
		}
	}
	if asked != 6 {
		t.Errorf("asked %d times for 6 URLs", asked)
	}
	for _, url := range []string{"http://a.example/1", "https://", "ftp://a/", "https://u:p@a.example/", "https://a.example/" + strings.Repeat("x", maxURL), "::"} {
		if _, err := f.Chain(t.Context(), url); !errors.Is(err, errFetch) {
			t.Errorf("%s: %v", url, err)
		}
	}
	public := &Fetcher{TLS: f.TLS}
	defer public.Close()
	if _, err := public.Chain(t.Context(), web.URL+"/1.pem"); !errors.Is(err, errFetch) {
		t.Errorf("a private address: %v", err)
	}
}

// RFC 9111 §5.2.2.1.
func TestKeepFor(t *testing.T) {
	for header, want := range map[string]time.Duration{"": time.Hour, "max-age=3": time.Minute, "max-age=7200": 2 * time.Hour, "max-age=99999999": 24 * time.Hour, "max-age=x": time.Hour} {
		if got := keepFor(http.Header{"Cache-Control": {header}}); got != want {
			t.Errorf("%q: %v", header, got)
		}
	}
}

// FuzzParse holds that no token, certificate or list of numbers makes the parsers panic, and that what is read is written as it was.
func FuzzParse(f *testing.F) {
	signer, _, o := couple(f, provider(f))
	id, err := signer.Sign(Token{Type: Shaken, Attest: Full, OrigID: "1", Orig: Party{Number: "49"}, Dest: []Party{{Number: "33"}, {URI: "sip:a@b"}}, Issued: time.Now()})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(id.Token, provider(f))
	f.Add(id.Token[:40], o.cert.Raw)
	f.Add("..x", []byte("-----BEGIN CERTIFICATE-----"))
	f.Fuzz(func(t *testing.T, token string, der []byte) {
		if s, err := parse(token); err == nil {
			again, err := parse(s.Token.input() + "." + token[strings.LastIndexByte(token, '.')+1:])
			if err != nil || again.Orig != s.Orig || len(again.Dest) != len(s.Dest) {
				t.Errorf("%+v is written as %+v, %v", s.Token, again, err)
			}
		}
		if chain, err := parseChain(der); err == nil {
			_, _ = authority(chain[0])
		}
		_, _ = authority(&x509.Certificate{Extensions: []pkix.Extension{{Id: tnAuthList(), Value: der}}})
	})
}
