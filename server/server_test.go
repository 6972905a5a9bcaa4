// A whole server on loopback sockets, asked by telephones made of a socket and text.

package server

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sipwerk/sipwerk/server/config"
	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/server/store"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/digest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// configuration returns one for a test: a new data folder, the domain example.org, free ports on loopback.
func configuration(t *testing.T, set map[string]string) *config.Config {
	t.Helper()
	flags := map[string]string{"data": filepath.Join(t.TempDir(), "data"), "domain": "example.org", "listen": "udp://127.0.0.1:0", "http": "127.0.0.1:0", "turn.listen": "off", "drain": "0s"}
	for k, v := range set {
		flags[k] = v
	}
	cfg, err := config.Load(config.Input{Flags: flags})
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// start starts a server with the accounts alice and bob, whose secrets are "secret of" them, and stops it with the test.
func start(t *testing.T, set map[string]string) *Server {
	t.Helper()
	return startLogging(t, set, testLog(t))
}

// startLogging is start with a log of the test's own.
func startLogging(t *testing.T, set map[string]string, log *slog.Logger) *Server {
	t.Helper()
	s, err := Start(t.Context(), configuration(t, set), Options{Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Stop(context.Background()) })
	for _, u := range []string{"alice", "bob"} {
		if err := s.Store.AddAccount(t.Context(), store.Account{Domain: "example.org", User: u, Name: strings.ToUpper(u)}, "secret of "+u); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Store.AddDevice(t.Context(), "example.org", "alice", "alice-desk", "secret of alice-desk"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.directory.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// testLog writes the log of a server into that of its test, until the test ends.
func testLog(t *testing.T) *slog.Logger {
	w := &testWriter{t: t}
	t.Cleanup(w.end)
	return NewLog(config.Log{Level: "debug", Format: "text"}, w)
}

type testWriter struct {
	mu sync.Mutex
	t  *testing.T // nil after the end
}

func (w *testWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.t != nil {
		w.t.Log(strings.TrimSuffix(string(p), "\n"))
	}
	return len(p), nil
}

func (w *testWriter) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.t = nil
}

// handset is a telephone made of a UDP socket.
type handset struct {
	t    *testing.T
	conn net.Conn
	cseq int
}

func newHandset(t *testing.T, s *Server) *handset {
	t.Helper()
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(s.Listeners()[0].Addr))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &handset{t: t, conn: conn}
}

// request makes a request; lines are headers to add.
func (h *handset) request(method, uri, from string, lines ...string) *sip.Request {
	h.t.Helper()
	h.cseq++
	to := uri
	if method == "REGISTER" {
		to = from
	}
	id := fmt.Sprintf("%d-%s", h.cseq, rand.Text())
	text := fmt.Sprintf("%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;rport;branch=z9hG4bK%s\r\nMax-Forwards: 70\r\nFrom: <%s>;tag=f1\r\nTo: <%s>\r\nCall-ID: %s\r\nCSeq: %d %s\r\n",
		method, uri, h.conn.LocalAddr(), id, from, to, id, h.cseq, method)
	req, err := sip.ParseRequest([]byte(text + strings.Join(append(lines, "Content-Length: 0", "", ""), "\r\n")))
	if err != nil {
		h.t.Fatal(err)
	}
	return req
}

// ask sends req and returns its final response, nil if there is none in time.
func (h *handset) ask(req *sip.Request) *sip.Response {
	h.t.Helper()
	if _, err := h.conn.Write([]byte(req.String())); err != nil {
		h.t.Fatal(err)
	}
	h.conn.SetReadDeadline(time.Now().Add(time.Minute))
	buf := make([]byte, 65536)
	for {
		n, err := h.conn.Read(buf)
		if err != nil {
			h.t.Fatalf("%s %s: no answer: %v", req.Method, req.URI, err)
		}
		res, err := sip.ParseResponse(bytes.Clone(buf[:n]))
		if err != nil {
			h.t.Fatal(err)
		}
		if res.Status.Final() {
			return res
		}
	}
}

// prove asks, and asks again with the answer to the challenge.
func (h *handset) prove(req *sip.Request, user, secret string) *sip.Response {
	h.t.Helper()
	res := h.ask(req)
	if res.Status != sip.StatusUnauthorized && res.Status != sip.StatusProxyAuthRequired {
		return res
	}
	return h.ask(h.credentials(req, res, user, secret))
}

// credentials returns req again, with the answer to the challenge in res.
func (h *handset) credentials(req *sip.Request, res *sip.Response, user, secret string) *sip.Request {
	h.t.Helper()
	_, rest, _ := strings.Cut(res.Get(sip.HeaderWWWAuthenticate)+res.Get(sip.HeaderProxyAuthenticate), `realm="`)
	realm, _, _ := strings.Cut(rest, `"`)
	c := &digest.Client{User: user, Password: secret, Host: req.URI.Host, Realm: realm}
	req, ok := c.Authorize(req, res)
	if !ok {
		h.t.Fatalf("no answer to the challenge %s", res)
	}
	h.cseq++
	req.Set(sip.HeaderCSeq, fmt.Sprintf("%d %s", h.cseq, req.Method))
	via, err := req.Via()
	if err != nil {
		h.t.Fatal(err)
	}
	via.Params = via.Params.With("branch", fmt.Sprintf("z9hG4bKproof%d", h.cseq))
	req.SetFirst(sip.HeaderVia, via.String())
	return req
}

// notified answers the next NOTIFY and returns what it says.
func (h *handset) notified() string {
	h.t.Helper()
	_ = h.conn.SetReadDeadline(time.Now().Add(time.Minute))
	return string(h.notify().Body())
}

// notify answers the next NOTIFY and returns it.
func (h *handset) notify() *sip.Request {
	h.t.Helper()
	b := make([]byte, 65536)
	n, err := h.conn.Read(b)
	if err != nil {
		h.t.Fatal(err)
	}
	req, err := sip.ParseRequest(b[:n])
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.conn.Write([]byte(req.Reply(sip.StatusOK).String())); err != nil {
		h.t.Fatal(err)
	}
	return req
}

// TestReception: what is answered to a stranger.
func TestReception(t *testing.T) {
	h := newHandset(t, start(t, nil))
	for _, c := range []struct {
		method, uri string
		want        sip.Status
	}{
		{"OPTIONS", "sip:example.org", sip.StatusOK},
		{"OPTIONS", "sip:nobody@127.0.0.1", sip.StatusOK},
		{"OPTIONS", "sip:example.net", sip.StatusNotFound},
		{"OPTIONS", "http://example.org", sip.StatusUnsupportedURIScheme},
		{"REGISTER", "sip:example.org", sip.StatusUnauthorized},
		{"REGISTER", "sip:example.net", sip.StatusNotFound},
		{"INVITE", "sip:alice@example.org", sip.StatusUnauthorized},
		{"INVITE", "sip:nobody@example.org", sip.StatusUnauthorized},
		{"INVITE", "tel:+4930123456", sip.StatusUnauthorized},
		{"INVITE", "sip:alice@example.net", sip.StatusNotFound},
		{"SUBSCRIBE", "sip:alice@example.org", sip.StatusBadEvent},
		{"MESSAGE", "sip:alice@example.org", sip.StatusMethodNotAllowed},
		{"PUBLISH", "sip:alice@example.org", sip.StatusMethodNotAllowed},
		{"REFER", "sip:alice@example.org", sip.StatusMethodNotAllowed},
		{"BYE", "sip:alice@example.org", sip.StatusCallDoesNotExist},
		{"DANCE", "sip:alice@example.org", sip.StatusNotImplemented},
	} {
		if res := h.ask(h.request(c.method, c.uri, "sip:alice@example.org")); res.Status != c.want {
			t.Errorf("%s %s: %d, want %d", c.method, c.uri, res.Status, c.want)
		} else if c.want == sip.StatusMethodNotAllowed && !res.HasToken(sip.HeaderAllow, "INVITE") {
			t.Errorf("%s %s: 405 without Allow", c.method, c.uri)
		}
	}
}

// TestProof: who may do what once it has proved who it is.
func TestProof(t *testing.T) {
	s := start(t, nil)
	contact := "Contact: <sip:phone@127.0.0.1:9>;expires=300"
	for _, c := range []struct {
		name, method, uri, from, user, secret string
		want                                  sip.Status
	}{
		{"register", "REGISTER", "sip:example.org", "sip:bob@example.org", "bob", "secret of bob", sip.StatusOK},
		{"register at the address", "REGISTER", "sip:127.0.0.1", "sip:bob@127.0.0.1", "bob", "secret of bob", sip.StatusOK},
		{"register a device", "REGISTER", "sip:example.org", "sip:alice-desk@example.org", "alice-desk", "secret of alice-desk", sip.StatusOK},
		{"device for its account", "REGISTER", "sip:example.org", "sip:alice@example.org", "alice-desk", "secret of alice-desk", sip.StatusOK},
		{"register another", "REGISTER", "sip:example.org", "sip:bob@example.org", "alice", "secret of alice", sip.StatusForbidden},
		{"register nobody", "REGISTER", "sip:example.org", "sip:nobody@example.org", "alice", "secret of alice", sip.StatusNotFound},
		{"wrong secret", "REGISTER", "sip:example.org", "sip:bob@example.org", "bob", "wrong", sip.StatusUnauthorized},
		{"unknown user", "REGISTER", "sip:example.org", "sip:eve@example.org", "eve", "x", sip.StatusUnauthorized},
		{"call nobody", "INVITE", "sip:nobody@example.org", "sip:bob@example.org", "bob", "secret of bob", sip.StatusNotFound},
		{"call as another", "INVITE", "sip:alice@example.org", "sip:alice@example.org", "bob", "secret of bob", sip.StatusForbidden},
	} {
		h := newHandset(t, s)
		if res := h.prove(h.request(c.method, c.uri, c.from, contact), c.user, c.secret); res.Status != c.want {
			t.Errorf("%s: %d, want %d", c.name, res.Status, c.want)
		}
	}
	if got := s.registrar.Counts(); got.AORs != 2 {
		t.Errorf("bindings of %d accounts, want those of alice and bob", got.AORs)
	}
}

// TestDigest: a challenge offers what the operator named, in that order, and any of it proves.
func TestDigest(t *testing.T) {
	h := newHandset(t, start(t, map[string]string{"digest": "SHA-256,MD5"}))
	res := h.ask(h.request("REGISTER", "sip:example.org", "sip:bob@example.org"))
	var offered []string
	for v := range res.Values(sip.HeaderWWWAuthenticate) {
		c, err := sip.ParseChallenge(v)
		if err != nil {
			t.Fatal(err)
		}
		offered = append(offered, c.Algorithm)
	}
	if got := strings.Join(offered, " "); got != "SHA-256 MD5" {
		t.Errorf("offered %s", got)
	}
	if res := h.prove(h.request("REGISTER", "sip:example.org", "sip:bob@example.org"), "bob", "secret of bob"); res.Status != sip.StatusOK {
		t.Errorf("the proof was answered with %d", res.Status)
	}
}

// TestTrust: a trusted source is not challenged, and binds only accounts that exist.
func TestTrust(t *testing.T) {
	s := start(t, map[string]string{"trust": "127.0.0.0/8"})
	h := newHandset(t, s)
	for user, want := range map[string]sip.Status{"alice": sip.StatusOK, "nobody": sip.StatusNotFound} {
		res := h.ask(h.request("REGISTER", "sip:example.org", "sip:"+user+"@example.org", "Contact: <sip:x@127.0.0.1:9>"))
		if res.Status != want {
			t.Errorf("%s: %d, want %d", user, res.Status, want)
		}
	}
}

// TestFlowLost: who was reached over a connection that is gone is offline.
func TestFlowLost(t *testing.T) {
	s := start(t, map[string]string{"listen": "tcp://127.0.0.1:0", "trust": "127.0.0.0/8"})
	conn, err := net.Dial("tcp", s.Listeners()[0].Addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "REGISTER sip:example.org SIP/2.0\r\nVia: SIP/2.0/TCP %s;branch=z9hG4bKlost\r\nMax-Forwards: 70\r\nFrom: <sip:bob@example.org>;tag=1\r\n"+
		"To: <sip:bob@example.org>\r\nCall-ID: lost\r\nCSeq: 1 REGISTER\r\nContact: <sip:bob@%[1]s;transport=tcp>\r\nContent-Length: 0\r\n\r\n", conn.LocalAddr())
	conn.SetReadDeadline(time.Now().Add(time.Minute))
	if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || line != "SIP/2.0 200 OK\r\n" {
		t.Fatalf("%q, %v", line, err)
	}
	bindings := s.registrar.Lookup(sip.MustParseURI("sip:bob@example.org"))
	if len(bindings) != 1 {
		t.Fatalf("%d bindings", len(bindings))
	}
	s.stack.FlowLost.HandleEvent(&sip.Event{Kind: sip.EventFlowLost, Flow: bindings[0].Flow, Engine: s.stack})
	if got := s.registrar.Counts(); got.Bindings != 0 {
		t.Errorf("%d bindings without their connection", got.Bindings)
	}
}

// TestRestart: accounts, bindings and nonces survive a stop.
func TestRestart(t *testing.T) {
	set := map[string]string{"data": t.TempDir()}
	s := start(t, set)
	h := newHandset(t, s)
	if res := h.prove(h.request("REGISTER", "sip:example.org", "sip:bob@example.org", "Contact: <sip:bob@127.0.0.1:9>"), "bob", "secret of bob"); res.Status != sip.StatusOK {
		t.Fatal(res.Status)
	}
	s.Stop(t.Context())
	s, err := Start(t.Context(), configuration(t, set), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop(t.Context())
	if s.Made != (Made{}) {
		t.Errorf("made again: %+v", s.Made)
	}
	if got := s.registrar.Counts(); got.Bindings != 1 {
		t.Errorf("%d bindings", got.Bindings)
	}
	h = newHandset(t, s)
	if res := h.prove(h.request("REGISTER", "sip:example.org", "sip:bob@example.org"), "bob", "secret of bob"); res.Status != sip.StatusOK {
		t.Errorf("after the restart: %d", res.Status)
	}
}

// TestRefusedStart: a server that cannot start says one sentence with the cure, and holds nothing.
func TestRefusedStart(t *testing.T) {
	s := start(t, nil)
	udp, web := s.Listeners()[0].Addr.String(), s.Listeners()[1].Addr.String()
	notPEM := filepath.Join(t.TempDir(), "x.pem")
	if err := os.WriteFile(notPEM, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		set  map[string]string
		want string
	}{
		{"port in use", map[string]string{"listen": "tcp://127.0.0.1:0,udp://" + udp}, "--listen: udp://" + udp + ": another program uses this port; stop it, or name another port"},
		{"HTTP port in use", map[string]string{"http": web}, "--http: " + web + ": another program uses this port; stop it, name another port, or off"},
		{"second server", map[string]string{"data": s.Config.Data}, fmt.Sprintf("--data: the data folder %s is in use by another server (process %d); stop that server, or name another folder", s.Config.Data, os.Getpid())},
		{"foreign address", map[string]string{"listen": "udp://192.0.2.1:5060"}, "--listen: udp://192.0.2.1:5060: this machine has no such address; name one it has, or none for all"},
		{"no certificate", map[string]string{"tls.certificate": notPEM, "tls.key": notPEM}, "tls.certificate: tls: failed to find any PEM data in certificate input; name a PEM certificate and the key that belongs to it"},
	} {
		cfg := configuration(t, c.set)
		if err := Check(t.Context(), cfg); err == nil || err.Error() != c.want {
			t.Errorf("%s: check says %v\nwant %s", c.name, err, c.want)
		}
		if got, err := Start(t.Context(), cfg, Options{}); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v\nwant %s", c.name, err, c.want)
			if got != nil {
				got.Stop(t.Context())
			}
		}
		if _, err := os.Stat(cfg.Data); err == nil && c.name != "second server" {
			t.Errorf("%s: a data folder was made for nothing", c.name)
		}
	}
}

// TestAuthority: TLS works with the certificate that the server made, for everyone who has its authority.
func TestAuthority(t *testing.T) {
	s := start(t, map[string]string{"listen": "udp://127.0.0.1:0,tls://127.0.0.1:0"})
	b, err := os.ReadFile(s.Made.Authority)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(b)
	for _, name := range []string{"example.org", "127.0.0.1", "localhost"} {
		c, err := tls.Dial("tcp", s.Listeners()[1].Addr.String(), &tls.Config{RootCAs: roots, ServerName: name})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		c.Close()
	}
	for _, file := range []string{"tls/ca.key", "tls/server.key", "nonce.key"} {
		if st, err := os.Stat(filepath.Join(s.Config.Data, file)); err != nil || st.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", file, st, err)
		}
	}
}

// TestRenewal: a local certificate is kept while it is good, and made again shortly before its end or for another name.
func TestRenewal(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	a, made, err := openAuthority(dir, now)
	if err != nil || !made {
		t.Fatal(made, err)
	}
	serial := func(names []string, at time.Time) string {
		c, err := a.certificate(names, at)
		if err != nil {
			t.Fatal(err)
		}
		return c.Leaf.SerialNumber.String()
	}
	names := []string{"example.org", "192.0.2.1", "::1"}
	first := serial(names, now)
	if again := serial(names, now.Add(300*24*time.Hour)); again != first {
		t.Error("made again while it was good")
	}
	if again := serial(names, now.Add(380*24*time.Hour)); again == first {
		t.Error("not renewed before its end")
	}
	second := serial(names, now)
	if serial(append(names, "192.0.2.2"), now) == second {
		t.Error("not made again for a new address")
	}
	if b, made, err := openAuthority(dir, now); err != nil || made || !b.cert.Equal(a.cert) {
		t.Errorf("the authority was not kept: %v %v", made, err)
	}
}

// TestFollow: a running server knows of the accounts that another process adds.
func TestFollow(t *testing.T) {
	s := start(t, nil)
	other, err := store.Open(t.Context(), s.Config.Data)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := other.AddAccount(t.Context(), store.Account{Domain: "example.org", User: "carol"}, "x"); err != nil {
		t.Fatal(err)
	}
	h := newHandset(t, s)
	deadline := time.Now().Add(time.Minute)
	for {
		res := h.prove(h.request("REGISTER", "sip:example.org", "sip:carol@example.org"), "carol", "x")
		if res.Status == sip.StatusOK {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("carol is still unknown: %d", res.Status)
		}
		<-time.After(100 * time.Millisecond)
	}
}

func TestWeb(t *testing.T) {
	s := start(t, nil)
	get := func(path string) (int, string) {
		t.Helper()
		res, err := http.Get("http://" + s.Listeners()[1].Addr.String() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		defer http.DefaultClient.CloseIdleConnections()
		var b bytes.Buffer
		b.ReadFrom(res.Body)
		return res.StatusCode, b.String()
	}
	edit(t, s, func(set *object.Settings) {
		set.Queues = map[string]*object.Queue{"700": made[*object.Queue]("queue", "700")}
		trunk := made[*object.Trunk]("trunk", "peer")
		trunk.Kind, trunk.Server, trunk.OptionsInterval = object.TrunkAddress, []string{"127.0.0.1:9"}, object.Duration(-time.Second)
		set.Trunks = map[string]*object.Trunk{"peer": trunk}
	})
	newHandset(t, s).ask(newHandset(t, s).request("OPTIONS", "sip:example.org", "sip:alice@example.org"))
	code, body := get("/health")
	var h health
	if err := json.Unmarshal([]byte(body), &h); err != nil || code != 200 || h.Status != "ok" || h.Domain != "example.org" || h.Accounts != 3 {
		t.Errorf("health %d %s", code, body)
	}
	code, body = get("/metrics")
	for _, m := range metrics() {
		if !strings.Contains(body, "\n"+m.name) {
			t.Errorf("no metric %s", m.name)
		}
	}
	if code != 200 || !strings.Contains(body, `sipwerk_messages_received_total{transport="udp"} 1`) || !strings.Contains(body, "\nsipwerk_panics_total 0") {
		t.Errorf("metrics %d %s", code, body)
	}
	s.stopping.Store(true)
	if code, body := get("/health"); code != 503 || !strings.Contains(body, "stopping") {
		t.Errorf("health while stopping %d %s", code, body)
	}
}

func TestHosts(t *testing.T) {
	for _, c := range []struct {
		listen, advertise string
		own, foreign      string
	}{
		{"udp://127.0.0.1:5060", "", "127.0.0.1 localhost", "127.0.0.2 192.0.2.1 example.org [::1]"},
		{"udp://:5060", "", "127.0.0.1 127.0.0.9 [::1] localhost", "192.0.2.1 example.org"},
		{"udp://127.0.0.1:5060", "sip.example.org", "SIP.example.org 127.0.0.1", "example.org"},
		{"udp://127.0.0.1:5060?advertise=203.0.113.7:5062", "", "203.0.113.7", "203.0.113.8"},
	} {
		h := newHosts(&config.Config{Listen: strings.Split(c.listen, ","), Advertise: c.advertise})
		for _, name := range strings.Fields(c.own) {
			if !h.own(name) {
				t.Errorf("%s: %s is foreign", c.listen, name)
			}
		}
		for _, name := range strings.Fields(c.foreign) {
			if h.own(name) {
				t.Errorf("%s: %s is own", c.listen, name)
			}
		}
	}
}

func TestListenerURL(t *testing.T) {
	for addr, want := range map[string]string{"127.0.0.1:5060": "udp://127.0.0.1:5060", "[::]:5060": "udp://:5060", "0.0.0.0:1": "udp://:1", "[::1]:7": "udp://[::1]:7"} {
		if got := (Listener{"udp", netip.MustParseAddrPort(addr)}).URL(); got != want {
			t.Errorf("%s: %s, want %s", addr, got, want)
		}
	}
}

func TestListenError(t *testing.T) {
	s := &Server{Config: configuration(t, nil)}
	if got := s.listenError("listen", "udp://:80", fmt.Errorf("x: %w", syscall.EACCES)).Error(); !strings.Contains(got, "privileged") {
		t.Error(got)
	}
}

// TestHalfStarted: what fails late in a start gives everything back.
func TestHalfStarted(t *testing.T) {
	cfg := configuration(t, map[string]string{"listen": "udp://127.0.0.1:0,udp://127.0.0.1:0"})
	s := &Server{Config: cfg, log: testLog(t), life: life{started: time.Now()}}
	if err := s.openData(t.Context(), Options{}); err != nil {
		t.Fatal(err)
	}
	if err := s.openServices(t.Context(), Options{}); err != nil {
		t.Fatal(err)
	}
	cfg.Listen[1] = "udp://192.0.2.1:5060" // the first one is open by then
	if err := s.listen(t.Context(), Options{}); err == nil {
		t.Error("listens on an address of others")
	}
	s.close()
	lock, err := store.LockFolder(cfg.Data)
	if err != nil {
		t.Fatal(err)
	}
	lock.Release()
}
