// Which certificate the tls and wss listeners show: the configured one, or one of the local authority. Both are looked at again every hour, so that a
// renewed file or a new address needs no restart.

package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/sipwerk/sipwerk/server/config"
)

// certificateCheck is how often the certificate is looked at again.
const certificateCheck = time.Hour

// certificates holds the certificate in force.
type certificates struct {
	files config.TLS // both empty: the local authority
	local *authority // nil with files
	names func() []string
	now   func() time.Time
	made  bool // the authority was made by this start

	current atomic.Pointer[tls.Certificate]
}

// openCertificates finds the certificate; names are those a local one is made for, and the first may be shown to people.
func openCertificates(cfg *config.Config, names func() []string) (*certificates, error) {
	c := &certificates{files: cfg.TLS, names: names, now: time.Now}
	if c.files.Certificate == "" {
		var err error
		if c.local, c.made, err = openAuthority(filepath.Join(cfg.Data, "tls"), c.now()); err != nil {
			return nil, err
		}
	}
	return c, c.load()
}

// load reads the files, or asks the local authority.
func (c *certificates) load() error {
	var cert *tls.Certificate
	if c.local != nil {
		var err error
		if cert, err = c.local.certificate(c.names(), c.now()); err != nil {
			return err
		}
	} else {
		pair, err := tls.LoadX509KeyPair(c.files.Certificate, c.files.Key)
		if err != nil {
			return certificateError(err)
		}
		cert = &pair
	}
	c.current.Store(cert)
	return nil
}

// certificateError says that the configured files are no certificate.
func certificateError(err error) error {
	return &config.Error{Field: "tls.certificate", Problem: fmt.Sprintf("%v; name a PEM certificate and the key that belongs to it", err)}
}

// follow looks again from time to time until ctx ends.
func (c *certificates) follow(ctx context.Context, log *slog.Logger) {
	tick := time.NewTicker(certificateCheck)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		before := c.current.Load().Leaf
		if err := c.load(); err != nil {
			log.Error("the certificate cannot be renewed; the old one stays", "err", err)
		} else if leaf := c.current.Load().Leaf; !slices.Equal(leaf.Raw, before.Raw) {
			log.Info("the certificate was renewed", "until", leaf.NotAfter)
		}
	}
}

// config is for both sides of TLS: we show the certificate in force, and believe the system's authorities and our own.
func (c *certificates) config() *tls.Config {
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool() // a system without any
	}
	if c.local != nil {
		roots.AddCert(c.local.cert)
	}
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		RootCAs:        roots,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current.Load(), nil },
	}
}
