package digest

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// desk is an engine that keeps the answers, and the handler behind the authenticator.
type desk struct {
	sip.Engine
	answer *sip.Response
	passed *sip.Event
}

func (d *desk) HandleEvent(ev *sip.Event) { d.passed = ev }
func (d *desk) RespondOnce(_ sip.TransactionID, res *sip.Response) error {
	d.answer = res.Clone()
	return nil
}

// people has alice, whose password is "secret".
type people struct{}

func (people) HA1(user, realm string, a Algorithm) (HA1, bool) {
	return a.HA1("alice", realm, "secret"), user == "alice"
}
func (people) MaySendAs(user string, from sip.URI) bool { return from.UserName() == user }

// lab is an authenticator with a client before it.
type lab struct {
	desk
	*Authenticator
	client *Client
	source netip.AddrPort
}

func newLab() *lab {
	l := &lab{source: netip.MustParseAddrPort("192.0.2.1:5060"), client: &Client{User: "alice", Password: "secret", Host: "example.org"}}
	l.Authenticator = &Authenticator{Realm: "example.org", Accounts: people{}, Next: &l.desk, Failures: 3, Algorithms: []Algorithm{SHA512256, SHA256, MD5}}
	return l
}

// request returns an INVITE by alice, unless edits of its text make another.
func request(t testing.TB, edits ...string) *sip.Request {
	t.Helper()
	text := "INVITE sip:bob@example.org SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n" +
		"From: <sip:alice@example.org>;tag=1\r\nTo: <sip:bob@example.org>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"
	r, err := sip.ParseRequest([]byte(strings.NewReplacer(edits...).Replace(text)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// send gives a request to the authenticator and says what came: the status, or 0 if it passed.
func (l *lab) send(req *sip.Request) sip.Status {
	l.answer, l.passed = nil, nil
	l.Authenticator.HandleEvent(&sip.Event{Kind: sip.EventRequest, Request: req, Flow: sip.Flow{Transport: sip.UDP, Remote: l.source}, Engine: &l.desk})
	if l.answer != nil {
		return l.answer.Status
	}
	return 0
}

// login sends a request, answers the challenge, and sends it again.
func (l *lab) login(t *testing.T, req *sip.Request) sip.Status {
	t.Helper()
	if s := l.send(req); s != sip.StatusUnauthorized {
		t.Fatalf("first request: %d", s)
	}
	if err := l.client.Answer(req, l.answer); err != nil {
		t.Fatal(err)
	}
	return l.send(req)
}

func (l *lab) isStale(t *testing.T) bool {
	t.Helper()
	for value := range l.answer.Values(sip.HeaderWWWAuthenticate) {
		c, err := sip.ParseChallenge(value)
		if err != nil {
			t.Fatal(err)
		}
		return c.Stale
	}
	t.Fatal("no challenge")
	return false
}

func TestChallengeAndProof(t *testing.T) {
	l := newLab()
	req := request(t)
	if l.login(t, req) != 0 || l.passed == nil || l.passed.User != "alice" {
		t.Fatalf("not let through: %v", l.answer)
	}
	if got := req.Get(sip.HeaderAuthorization); !strings.Contains(got, "algorithm=SHA-512-256") {
		t.Errorf("the strongest algorithm was not chosen: %s", got)
	}
	// The very same request is a retransmission, anything else with its credentials a replay.
	if s := l.send(req.Clone()); s != 0 || l.passed.User != "alice" {
		t.Errorf("sent again: %d", s)
	}
	here := l.source
	l.source = netip.AddrPortFrom(here.Addr(), here.Port()+1)
	if s := l.send(req.Clone()); s != sip.StatusUnauthorized || !l.isStale(t) {
		t.Errorf("sent again from another port: %d", s)
	}
	l.source = here
	other := req.Clone()
	other.Set(sip.HeaderContact, "<sip:mallory@203.0.113.1>")
	if s := l.send(other); s != sip.StatusUnauthorized || !l.isStale(t) {
		t.Errorf("replayed: %d", s)
	}
	// The nonce is good for more: no challenge before the second request.
	second := request(t, "CSeq: 1", "CSeq: 2")
	l.client.Sign(second)
	if s := l.send(second); s != 0 {
		t.Errorf("second request: %d", s)
	}
	if c := l.Counts(); c != (Counts{Proved: 3, Challenged: 1, Stale: 2}) {
		t.Errorf("counts: %+v", c)
	}
}

// RFC 8760 §2.3: one challenge an algorithm, in the order of preference.
func TestChallengeForm(t *testing.T) {
	l := newLab()
	l.send(request(t))
	var algorithms, nonces []string
	for value := range l.answer.Values(sip.HeaderWWWAuthenticate) {
		c, err := sip.ParseChallenge(value)
		if err != nil || c.Realm != "example.org" || c.QOP != "auth" || c.Stale {
			t.Errorf("%s: %v", value, err)
		}
		algorithms, nonces = append(algorithms, c.Algorithm), append(nonces, c.Nonce)
	}
	if got := fmt.Sprint(algorithms); got != "[SHA-512-256 SHA-256 MD5]" || nonces[0] != nonces[2] {
		t.Errorf("algorithms %s, nonces %v", got, nonces)
	}
	l = newLab()
	l.Proxy, l.Algorithms = true, nil
	req := request(t)
	if s := l.send(req); s != sip.StatusProxyAuthRequired {
		t.Fatalf("a proxy answers %d", s)
	}
	if err := l.client.Answer(req, l.answer); err != nil || l.send(req) != 0 || !strings.Contains(req.Get(sip.HeaderProxyAuthorization), "MD5") {
		t.Errorf("not let through: %v, %v", err, l.answer)
	}
}

func TestWhatIsRefused(t *testing.T) {
	for _, tt := range []struct {
		name  string
		edit  func(*lab, *sip.Request)
		want  sip.Status
		stale bool
	}{
		{name: "wrong password", edit: func(l *lab, _ *sip.Request) { l.client.Password = "guess" }, want: 401},
		{name: "unknown user", edit: func(l *lab, _ *sip.Request) { l.client.User = "mallory" }, want: 401},
		{name: "From of somebody else", edit: func(_ *lab, r *sip.Request) { r.Set(sip.HeaderFrom, "<sip:bob@example.org>;tag=1") }, want: 403},
		{name: "anonymous From", edit: func(_ *lab, r *sip.Request) {
			r.Set(sip.HeaderFrom, `"Anonymous" <sip:anonymous@anonymous.invalid>;tag=1`)
		}, want: 0},
	} {
		l, req := newLab(), request(t)
		tt.edit(l, req)
		if got := l.login(t, req); got != tt.want || got == 401 && l.isStale(t) != tt.stale {
			t.Errorf("%s: %d", tt.name, got)
		}
	}
}

// TestEditedCredentials changes right credentials.
func TestEditedCredentials(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(*sip.Credentials)
		want sip.Status
	}{
		{"unchanged", func(*sip.Credentials) {}, 0},
		{"response", func(c *sip.Credentials) { c.Response = strings.Repeat("0", len(c.Response)) }, 401},
		{"short response", func(c *sip.Credentials) { c.Response = c.Response[:10] }, 401},
		{"realm", func(c *sip.Credentials) { c.Realm = "example.com" }, 401},
		{"unknown algorithm", func(c *sip.Credentials) { c.Algorithm = "SHA-1" }, 401},
		{"weaker algorithm, same response", func(c *sip.Credentials) { c.Algorithm = "MD5" }, 401},
		{"nonce", func(c *sip.Credentials) { c.Nonce = flip(c.Nonce) }, 401},
		{"nc zero", func(c *sip.Credentials) { c.NC = "00000000" }, 401},
		{"nc malformed", func(c *sip.Credentials) { c.NC = "1" }, 401},
		{"qop unknown", func(c *sip.Credentials) { c.QOP = "auth-conf" }, 401},
		{"no cnonce", func(c *sip.Credentials) { c.CNonce = "" }, 401},
		{"scheme in lower case", func(c *sip.Credentials) { c.Scheme = "digest" }, 0},
	} {
		l, req := newLab(), request(t)
		l.send(req)
		if err := l.client.Answer(req, l.answer); err != nil {
			t.Fatal(err)
		}
		c, err := sip.ParseCredentials(req.Get(sip.HeaderAuthorization))
		if err != nil {
			t.Fatal(err)
		}
		tt.edit(&c)
		req.Set(sip.HeaderAuthorization, c.String())
		if got := l.send(req); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}

// TestTarget proves for one Request-URI and asks for another.
func TestTarget(t *testing.T) {
	for uri, want := range map[string]sip.Status{
		"sip:bob@192.0.2.9:5070;transport=tcp": 0,
		"sip:b%6fb@example.org":                0,
		"sip:example.org":                      0,
		"sip:carol@example.org":                400,
	} {
		l, req := newLab(), request(t)
		l.send(req)
		if err := l.client.Answer(req, l.answer); err != nil {
			t.Fatal(err)
		}
		req.URI = sip.MustParseURI(uri)
		if got := l.send(req); got != want {
			t.Errorf("%s: %d, want %d", uri, got, want)
		}
	}
}

func TestWithoutQOP(t *testing.T) {
	l, req := newLab(), request(t)
	l.Algorithms = []Algorithm{MD5}
	l.send(req)
	old := strings.Replace(l.answer.Get(sip.HeaderWWWAuthenticate), `, qop="auth"`, "", 1)
	l.answer.Set(sip.HeaderWWWAuthenticate, old)
	if err := l.client.Answer(req, l.answer); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(req.Get(sip.HeaderAuthorization), "cnonce") {
		t.Error("cnonce without qop")
	}
	if s := l.send(req); s != 0 {
		t.Errorf("first use: %d", s)
	}
	req.Set(sip.HeaderSubject, "another one")
	if s := l.send(req); s != 401 || !l.isStale(t) {
		t.Errorf("second use: %d", s)
	}
}

func TestAuthInt(t *testing.T) {
	l, req := newLab(), request(t)
	req.SetBody("text/plain", []byte("hello"))
	l.send(req)
	l.answer.Set(sip.HeaderWWWAuthenticate, strings.Replace(l.answer.Get(sip.HeaderWWWAuthenticate), `qop="auth"`, `qop="auth-int"`, 1))
	if err := l.client.Answer(req, l.answer); err != nil {
		t.Fatal(err)
	}
	if s := l.send(req); s != 0 {
		t.Errorf("auth-int: %d", s)
	}
	forged := req.Clone()
	forged.SetBody("text/plain", []byte("other"))
	if s := l.send(forged); s != 401 || l.isStale(t) {
		t.Errorf("another body: %d", s)
	}
}

func TestWhatPasses(t *testing.T) {
	l := newLab()
	l.Trust = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	if s := l.send(request(t)); s != 0 || !l.passed.Trusted || l.passed.User != "" {
		t.Errorf("trusted source: %d, %+v", s, l.passed)
	}
	l.source = netip.MustParseAddrPort("[::ffff:192.0.2.7]:1")
	if s := l.send(request(t)); s != 0 {
		t.Errorf("trusted source, mapped address: %d", s)
	}
	l.source = netip.MustParseAddrPort("198.51.100.1:1")
	if s := l.send(request(t)); s != 401 {
		t.Errorf("other source: %d", s)
	}
	if s := l.send(request(t, "INVITE", "ACK")); s != 0 {
		t.Errorf("ACK: %d", s)
	}
	if s := l.send(request(t, "To: <sip:bob@example.org>", "To: <sip:bob@example.org>;tag=x", "INVITE", "MESSAGE")); s != 401 {
		t.Errorf("MESSAGE that claims a dialog: %d", s)
	}
	l.passed = nil
	l.Authenticator.HandleEvent(&sip.Event{Kind: sip.EventAck, Request: request(t, "INVITE", "ACK")})
	if l.passed == nil {
		t.Error("an event other than a request did not pass")
	}
}

func TestGuessing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab()
		guess := func(password string) sip.Status {
			l.client.Password = password
			return l.login(t, request(t))
		}
		for range 3 {
			if s := guess("guess"); s != 401 {
				t.Fatalf("guess: %d", s)
			}
		}
		if s := guess("secret"); s != 503 || l.answer.Get(sip.HeaderRetryAfter) == "" {
			t.Errorf("right after three guesses: %d", s)
		}
		here := l.source
		l.source = netip.MustParseAddrPort("192.0.2.2:5060")
		if s := guess("secret"); s != 0 {
			t.Errorf("another source: %d", s)
		}
		l.source = here
		time.Sleep(DefaultRefill + time.Second)
		if s := guess("secret"); s != 0 {
			t.Errorf("after a pause: %d", s)
		}
	})
}

// TestGuessingFromManyPlaces: many sources that try one user exhaust what that user has in stock, and hear the same whether there is such a user or not. Whoever has proved to be the user is not
// locked out by them, and others are let in when the guessing has stopped.
func TestGuessingFromManyPlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab()
		try := func(host, user, password string) sip.Status {
			l.source = netip.AddrPortFrom(netip.MustParseAddr(host), 5060)
			l.client.User, l.client.Password = user, password
			return l.login(t, request(t))
		}
		if s := try("198.51.100.1", "alice", "secret"); s != 0 {
			t.Fatalf("alice's telephone: %d", s)
		}
		for _, user := range []string{"alice", "nobody"} {
			for i := range userFailures * 3 {
				if s := try(fmt.Sprintf("192.0.2.%d", i), user, "guess"); s != 401 {
					t.Fatalf("%s, guess %d: %d", user, i, s)
				}
			}
			if s := try("203.0.113.9", user, "guess"); s != 503 || l.answer.Get(sip.HeaderRetryAfter) == "" {
				t.Errorf("%s, one guess more: %d", user, s)
			}
		}
		if s := try("203.0.113.8", "alice", "secret"); s != 503 {
			t.Errorf("a stranger who knows the password: %d", s)
		}
		if s := try("198.51.100.1", "alice", "secret"); s != 0 {
			t.Errorf("alice's telephone during the guessing: %d", s)
		}
		time.Sleep(DefaultRefill + time.Second)
		if s := try("203.0.113.8", "alice", "secret"); s != 0 {
			t.Errorf("a new telephone of alice's after a pause: %d", s)
		}
	})
}

// TestForeignNonceIsNotVerified: neither a nonce of one's own nor one given to another source makes the server look at the password.
func TestForeignNonceIsNotVerified(t *testing.T) {
	l, req := newLab(), request(t)
	l.send(req)
	if err := l.client.Answer(req, l.answer); err != nil {
		t.Fatal(err)
	}
	l.source = netip.MustParseAddrPort("192.0.2.99:5060")
	if s := l.send(req); s != 401 || !l.isStale(t) {
		t.Errorf("nonce of another source: %d", s)
	}
	l.client.Password = "guess"
	if s := l.login(t, request(t)); s != 401 || l.isStale(t) {
		t.Errorf("wrong password: %d", s)
	}
	if c := l.Counts(); c.Failed != 1 {
		t.Errorf("failures: %d, want 1", c.Failed)
	}
}

func TestNonceExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, req := newLab(), request(t)
		l.send(req)
		if err := l.client.Answer(req, l.answer); err != nil {
			t.Fatal(err)
		}
		time.Sleep(DefaultLifetime)
		if s := l.send(req); s != 401 || !l.isStale(t) {
			t.Fatalf("old nonce: %d", s)
		}
		if err := l.client.Answer(req, l.answer); err != nil {
			t.Fatalf("stale challenge: %v", err)
		}
		if s := l.send(req); s != 0 {
			t.Errorf("new nonce: %d", s)
		}
	})
}

// TestAmplification: three times the bytes of the shortest request that is one.
func TestAmplification(t *testing.T) {
	l := newLab()
	for _, edits := range [][]string{nil, {"sip:alice@example.org", "sip:a@example.org", "INVITE", "REGISTER"}} {
		req := request(t, edits...)
		l.send(req)
		if in, out := len(req.String()), len(l.answer.String()); out > 3*in {
			t.Errorf("%d bytes get %d", in, out)
		}
	}
}

// sink is an engine and a handler that forget everything.
type sink struct{ sip.Engine }

func (sink) RespondOnce(sip.TransactionID, *sip.Response) error { return nil }
func (sink) HandleEvent(*sip.Event)                             {}

// registration returns an authenticator, and a REGISTER without and one with credentials for it.
func registration(t testing.TB) (a *Authenticator, bare, proof *sip.Event) {
	t.Helper()
	l := newLab()
	l.Algorithms = []Algorithm{MD5}
	l.Failures = 100
	bareReq := request(t, "INVITE", "REGISTER")
	l.send(bareReq)
	req := bareReq.Clone()
	if err := l.client.Answer(req, l.answer); err != nil {
		t.Fatal(err)
	}
	l.Next = sink{}
	event := func(r *sip.Request) *sip.Event {
		r, err := sip.ParseRequest(r.AppendTo(nil))
		if err != nil {
			t.Fatal(err)
		}
		return &sip.Event{Kind: sip.EventRequest, Request: r, Flow: sip.Flow{Transport: sip.UDP, Remote: l.source}, Engine: sink{}}
	}
	return l.Authenticator, event(bareReq), event(req)
}

func BenchmarkChallenge(b *testing.B) {
	a, bare, _ := registration(b)
	b.ReportAllocs()
	for b.Loop() {
		a.HandleEvent(bare)
	}
}

func BenchmarkVerify(b *testing.B) {
	a, _, proof := registration(b)
	b.ReportAllocs()
	for b.Loop() {
		a.HandleEvent(proof)
	}
}

// FuzzVerify: whatever stands in Authorization, nobody gets in who does not know the password.
func FuzzVerify(f *testing.F) {
	l, req := newLab(), request(f)
	l.client.Password = "guess"
	l.send(req)
	if err := l.client.Answer(req, l.answer); err != nil {
		f.Fatal(err)
	}
	good := req.Get(sip.HeaderAuthorization)
	for i := range len(good) + 1 {
		f.Add(good[:i])
	}
	f.Fuzz(func(t *testing.T, value string) {
		req := request(t)
		req.Set(sip.HeaderAuthorization, value)
		if s := l.send(req); s != 401 && s != 503 {
			t.Errorf("%q: %d", value, s)
		}
	})
}

// TestAdmit: by other accounts another may stand in From, and what has proved a request to Next proves no second one. RFC 7616 §5.4.
func TestAdmit(t *testing.T) {
	l := newLab()
	admit := func(req *sip.Request) bool {
		return l.Admit(&sip.Event{Kind: sip.EventRequest, Request: req, Flow: sip.Flow{Transport: sip.UDP, Remote: l.source}, Engine: &l.desk}, crowd{})
	}
	other := []string{"<sip:alice@", "<sip:carol@"}
	l.send(request(t))
	proved, _ := l.client.Authorize(request(t), l.answer)
	if status := l.send(proved); status != 0 {
		t.Fatalf("refused: %d", status)
	}
	again := request(t, other...)
	again.Set(sip.HeaderAuthorization, proved.Get(sip.HeaderAuthorization))
	if admit(again) || l.answer.Status != sip.StatusUnauthorized {
		t.Errorf("proved twice by one count: %v", l.answer)
	}
	fresh, _ := l.client.Authorize(request(t, other...), l.answer)
	if !admit(fresh) {
		t.Errorf("refused: %s", l.answer)
	}
	if c := l.Counts(); c.Proved != 2 {
		t.Errorf("%d proved", c.Proved)
	}
}

// crowd are people who may all be named in From.
type crowd struct{ people }

func (crowd) MaySendAs(string, sip.URI) bool { return true }
