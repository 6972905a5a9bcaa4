// How the mail server of a domain is reached.

package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
)

// How the connection to a mail server is protected.
const (
	StartTLS = "starttls" // begins in clear and must become TLS before anything is said (RFC 3207)
	TLS      = "tls"      // TLS from the first byte (RFC 8314 §3)
	None     = "none"     // in clear; nobody logs in then
)

// Settings are those of one mail server. What must be set: Host and From.
type Settings struct {
	Host string
	Port int    // 0: 587 with STARTTLS, 465 with TLS, 25 with neither
	TLS  string // StartTLS, TLS or None; empty is StartTLS

	User, Password string // empty: nobody logs in
	From           string // address of the sender
	Trust          string // PEM file with who signs the server's certificate; empty: whom the system trusts

	Key Key // signs what is sent; the zero Key signs nothing

	// Dial opens the connection; nil: by the network of the system.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// port is the one that is meant.
func (s *Settings) port() int {
	switch {
	case s.Port != 0:
		return s.Port
	case s.TLS == TLS:
		return 465
	case s.TLS == None:
		return 25
	}
	return 587
}

// Address is where the server listens, host and port.
func (s *Settings) Address() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.port())) }

// domain is the part of From behind the "@".
func (s *Settings) domain() string { return s.From[strings.LastIndexByte(s.From, '@')+1:] }

// tls is the configuration of the connection.
func (s *Settings) tls() (*tls.Config, error) {
	c := &tls.Config{ServerName: s.Host, MinVersion: tls.VersionTLS12}
	if s.Trust == "" {
		return c, nil
	}
	pem, err := os.ReadFile(s.Trust)
	if err != nil {
		return nil, fmt.Errorf("mail: trust: %w", err)
	}
	c.RootCAs = x509.NewCertPool()
	if !c.RootCAs.AppendCertsFromPEM(pem) {
		return nil, errors.New("mail: trust: " + s.Trust + " holds no certificate in PEM")
	}
	return c, nil
}
