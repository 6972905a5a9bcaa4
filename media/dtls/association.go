package dtls

// One handshake, from the first datagram to the keys. RFC 5763 §5, RFC 5764 §4.

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/logging"

	"github.com/sipwerk/sipwerk/media/srtp"
)

const (
	// patience is how long a handshake may take from its first datagram on.
	patience = 30 * time.Second
	// flight is after which time the first repetition goes out; then it doubles. Less than the second of RFC 6347 §4.2.4.1, for
	// people wait.
	flight = 400 * time.Millisecond
	// budget is how many datagrams a handshake may take, and lateBudget how many unencrypted ones afterwards, which only a
	// peer sends that missed our last flight.
	budget, lateBudget = 500, 50
)

// Why a handshake failed.
var (
	ErrUntrusted = errors.New("the certificate does not fit the fingerprint")
	ErrProfile   = errors.New("no protection profile in common")
)

// Config is what an association needs. All fields but Failed are required.
type Config struct {
	Identity *Identity
	Active   bool                 // we are the client: a=setup:active on our side
	Send     func(b []byte) error // sends one datagram to the peer
	Secure   func(c *srtp.Cipher) // gets the cipher, once
	Failed   func(err error)      // told once that there will be none: time-out, or an error that wraps ErrUntrusted or ErrProfile
}

// An Association is one handshake. Its methods may be called from anywhere, but neither from Config.Secure nor from Config.Failed; those
// are called on a goroutine of the association, with no lock held.
type Association struct {
	config Config
	inbox  *inbox
	stop   context.CancelFunc
	ctx    context.Context

	mu       sync.Mutex // guards what follows
	state    state
	left     int // of the budget
	trust    []Fingerprint
	trusted  chan struct{} // closed when trust is set
	finished chan struct{} // closed when the goroutine has ended; nil: it was not started
}

// state is how far the association is.
type state uint8

const (
	idle state = iota
	shaking
	secure
	closed
)

// Start returns an association. It does nothing before [Association.Connect] or the first datagram. Whoever started it closes it.
func Start(c Config) *Association {
	a := &Association{config: c, inbox: newInbox(c.Send), left: budget, trusted: make(chan struct{})}
	a.ctx, a.stop = context.WithCancel(context.Background())
	return a
}

// Connect says that the peer can be reached. The active side begins.
func (a *Association) Connect() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.config.Active {
		a.beginLocked()
	}
}

// Trust says which certificates the peer has named, each hash of the strongest kind alone. Only the first call counts: other fingerprints
// are another association (RFC 5763 §6.6, RFC 8842 §5.1).
func (a *Association) Trust(named []Fingerprint) {
	a.mu.Lock()
	defer a.mu.Unlock()
	select {
	case <-a.trusted:
	default:
		a.trust = append([]Fingerprint(nil), named...)
		close(a.trusted)
	}
}

// Receive takes a datagram of the peer; b is not kept. What is no DTLS, too much, or unencrypted though it need not be, is dropped.
func (a *Association) Receive(b []byte) {
	r, ok := inspect(b)
	if !ok || len(b) > maxDatagram {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.state == closed || a.state == idle && (a.config.Active || r.sealed) {
		return
	}
	if a.state != secure || r.plain {
		if a.left == 0 {
			return
		}
		a.left--
	}
	a.beginLocked()
	a.inbox.put(b)
}

func (a *Association) beginLocked() {
	if a.state != idle {
		return
	}
	a.state = shaking
	a.finished = make(chan struct{})
	go a.run()
}

// Close ends the association, tells the peer so, and waits until nothing of it runs any more. Ciphers stay good. It may be called twice.
func (a *Association) Close() {
	a.mu.Lock()
	a.state = closed
	finished := a.finished
	a.mu.Unlock()
	a.stop()
	if finished != nil {
		<-finished
	}
	_ = a.inbox.Close()
}

func (a *Association) run() {
	defer close(a.finished)
	defer a.inbox.Close()
	ctx, cancel := context.WithTimeout(a.ctx, patience)
	defer cancel()
	conn, err := a.open()
	if err == nil {
		defer conn.Close()
		err = a.shake(ctx, conn)
	}
	if err != nil && a.ctx.Err() == nil && a.config.Failed != nil {
		a.config.Failed(fmt.Errorf("dtls: %w", err))
	}
	if err == nil {
		a.linger(conn)
	}
}

// open prepares the library.
func (a *Association) open() (*dtls.Conn, error) {
	quiet := logging.NewDefaultLoggerFactory()
	quiet.Writer, quiet.DefaultLogLevel, quiet.ScopeLevels = io.Discard, logging.LogLevelDisabled, nil
	options := []dtls.Option{
		dtls.WithCertificates(a.config.Identity.certificate),
		dtls.WithSRTPProtectionProfiles(profiles()...),
		dtls.WithFlightInterval(flight),
		dtls.WithLoggerFactory(quiet),
		dtls.WithVerifyPeerCertificate(a.verify),
		dtls.WithInsecureSkipVerify(true), // the fingerprint vouches for it, not a chain: RFC 5763 §5
	}
	if a.config.Active {
		all := make([]dtls.ClientOption, len(options))
		for i, o := range options {
			all[i] = o
		}
		return dtls.ClientWithOptions(a.inbox, a.inbox.LocalAddr(), all...)
	}
	all := []dtls.ServerOption{dtls.WithClientAuth(dtls.RequireAnyClientCert)}
	for _, o := range options {
		all = append(all, o)
	}
	return dtls.ServerWithOptions(a.inbox, a.inbox.LocalAddr(), all...)
}

// verify refuses a certificate as soon as it is known to be wrong.
func (a *Association) verify(raw [][]byte, _ [][]*x509.Certificate) error {
	select {
	case <-a.trusted:
		return a.check(raw)
	default:
		return nil
	}
}

// check tells whether the peer's certificate is one that it named; trusted is closed.
func (a *Association) check(raw [][]byte) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(raw) == 0 || !matches(raw[0], a.trust) {
		return ErrUntrusted
	}
	return nil
}

// shake runs the handshake, waits until the peer's fingerprint is known, and hands out the cipher.
func (a *Association) shake(ctx context.Context, conn *dtls.Conn) error {
	if err := conn.HandshakeContext(ctx); err != nil {
		return err
	}
	connection, ok := conn.ConnectionState()
	if !ok {
		return io.ErrUnexpectedEOF
	}
	cipher, err := a.cipher(conn, &connection)
	if err != nil {
		return err
	}
	select {
	case <-a.trusted:
	case <-a.ctx.Done():
		return a.ctx.Err()
	}
	if err := a.check(connection.PeerCertificates); err != nil {
		return err
	}
	a.mu.Lock()
	if a.state == shaking {
		a.state, a.left = secure, lateBudget
	}
	a.mu.Unlock()
	a.config.Secure(cipher)
	return nil
}

// linger answers a peer that missed our last flight, and drops the data it sends, until the association is closed or the peer ends it.
func (a *Association) linger(conn *dtls.Conn) {
	said := make(chan struct{})
	stop := context.AfterFunc(a.ctx, func() {
		defer close(said)
		_ = conn.Close()
	})
	defer func() {
		if !stop() {
			<-said // or the inbox closes before our close_notify has left
		}
	}()
	b := make([]byte, maxDatagram)
	for {
		if _, err := conn.Read(b); err != nil {
			return
		}
	}
}

// secured tells whether the keys are agreed.
func (a *Association) secured() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.state == secure
}
