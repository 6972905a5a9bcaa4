// As whom a command speaks to a server, and whom it trusts.

package main

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sipwerk/sipwerk/sip"
)

// login are the flags of a command that is a telephone.
type login struct{ user, password, server, authority string }

// define gives the flags to a command; where says what --server means.
func (l *login) define(p *program, c *cobra.Command, where string) {
	s := c.Flags()
	s.StringVar(&l.user, "user", "", p.tr("whose telephone this is: user@domain or a SIP URI; otherwise anonymous"))
	s.StringVar(&l.password, "password", "", p.tr("of the user; otherwise SIPWERK_PASSWORD, which other users of the machine cannot see"))
	s.StringVar(&l.server, "server", "", where)
	s.StringVar(&l.authority, "ca", "", p.tr("file with the certificates to trust, for TLS"))
}

// userPart returns the user part of a URI that was parsed before.
func userPart(uri string) string {
	u, err := sip.ParseURI(uri)
	if err != nil {
		return ""
	}
	return u.UserName()
}

// password is that of the flag, otherwise that of the environment.
func (p *program) password(flag string) string {
	if v, ok := p.env("SIPWERK_PASSWORD"); ok && flag == "" {
		return v
	}
	return flag
}

// authority reads a file of certificates to trust; without one those of the system are.
func (p *program) authority(file string) (*tls.Config, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, p.errorf("--ca: %s holds no certificate in PEM; name another file", file)
	}
	return &tls.Config{RootCAs: roots}, nil
}

// callerURI completes what people write for --user: a bare name belongs to the server, any of whose addresses stands for its domain.
func callerURI(user, server string) string {
	if u, err := sip.ParseURI(sipURI(server)); err == nil && user != "" && !strings.ContainsAny(user, "@:") {
		return sip.URI{Scheme: "sip", User: sip.EscapeUser(user), Host: u.Host}.String()
	}
	return sipURI(user)
}
