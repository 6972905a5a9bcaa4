// A mail server on loopback for the tests: STARTTLS, login, and whatever goes wrong.

package mail

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// taken is a mail that the server has taken.
type taken struct {
	from, to string
	text     []byte
}

// mailServer is a mail server.
type mailServer struct {
	t      *testing.T
	server *smtp.Server
	addr   string
	trust  string // PEM file of its certificate
	close  func() // ends it; may be called twice
	taken  func() // called when it has taken a mail, before it says so

	mu        sync.Mutex // guards what follows
	mails     []taken
	recipient error // answer to RCPT
	text      error // answer to the end of DATA, which it has taken nevertheless
	got       chan struct{}
}

// serveMail starts a mail server at addr, "127.0.0.1:0" for any port. implicit: TLS from the first byte.
func serveMail(t *testing.T, addr string, implicit bool) *mailServer {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return serveMailOn(t, l, implicit)
}

// serveMailOn starts a mail server on a listener.
func serveMailOn(t *testing.T, l net.Listener, implicit bool) *mailServer {
	t.Helper()
	m := &mailServer{t: t, got: make(chan struct{}, 100), taken: func() {}}
	certificate := m.certify()
	m.server = smtp.NewServer(m)
	m.server.Domain = "localhost"
	m.server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}}
	m.server.ErrorLog = quiet{}
	m.addr = l.Addr().String()
	if implicit {
		l = tls.NewListener(l, m.server.TLSConfig)
	}
	ended := make(chan struct{})
	go func() { m.server.Serve(l); close(ended) }()
	m.close = func() {
		l.Close() // by itself, for the server knows of it only when it serves
		<-ended
		m.server.Close()
	}
	t.Cleanup(m.close)
	return m
}

// quiet prints nothing.
type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

// certify makes a certificate for 127.0.0.1 that signs itself.
func (m *mailServer) certify() tls.Certificate {
	m.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		m.t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		m.t.Fatal(err)
	}
	m.trust = filepath.Join(m.t.TempDir(), "ca.pem")
	if err := os.WriteFile(m.trust, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		m.t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// settings are those by which it is reached.
func (m *mailServer) settings() Settings {
	host, port, _ := net.SplitHostPort(m.addr)
	n, _ := net.LookupPort("tcp", port)
	return Settings{Host: host, Port: n, User: "phone", Password: "secret", From: "phone@example.org", Trust: m.trust}
}

// received are the mails that it has taken so far.
func (m *mailServer) received() []taken {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]taken(nil), m.mails...)
}

// wait waits for the next mail.
func (m *mailServer) wait() taken {
	m.t.Helper()
	select {
	case <-m.got:
		all := m.received()
		return all[len(all)-1]
	case <-time.After(time.Minute):
		m.t.Fatal("no mail has come")
		return taken{}
	}
}

// answer sets the answers to RCPT and to the end of the text.
func (m *mailServer) answer(recipient, text error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.recipient, m.text = recipient, text
}

// NewSession implements smtp.Backend.
func (m *mailServer) NewSession(*smtp.Conn) (smtp.Session, error) {
	return &mailSession{server: m}, nil
}

// mailSession is one connection.
type mailSession struct {
	server *mailServer
	login  bool
	mail   taken
}

func (s *mailSession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *mailSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "phone" || password != "secret" {
			return smtp.ErrAuthFailed
		}
		s.login = true
		return nil
	}), nil
}

func (s *mailSession) Mail(from string, _ *smtp.MailOptions) error {
	if !s.login {
		return smtp.ErrAuthRequired
	}
	s.mail.from = from
	return nil
}

func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.mail.to = to
	return s.server.recipient
}

func (s *mailSession) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	m := s.server
	defer m.taken()
	m.mu.Lock()
	defer m.mu.Unlock()
	s.mail.text = bytes.Clone(b)
	m.mails = append(m.mails, s.mail)
	m.got <- struct{}{}
	return m.text
}

func (s *mailSession) Reset()        {}
func (s *mailSession) Logout() error { return nil }

// errBusy is an answer that says "later".
var errBusy = &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "later"}

// errUnknown is an answer that says "never".
var errUnknown = &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"}

// newQueue opens a queue in a folder, for the mail server that settings name.
func newQueue(t *testing.T, folder string, settings func(string) (Settings, error)) *Queue {
	t.Helper()
	q := &Queue{Folder: folder, Settings: settings, Log: slog.New(slog.DiscardHandler), Pauses: []time.Duration{10 * time.Millisecond}}
	if err := q.Open(); err != nil {
		t.Fatal(err)
	}
	return q
}

// of gives the settings of a mail server to a queue.
func of(m *mailServer) func(string) (Settings, error) {
	return func(string) (Settings, error) { return m.settings(), nil }
}

// until waits until something holds.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	for !holds() {
		select {
		case <-deadline:
			t.Fatal("never: " + what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}
