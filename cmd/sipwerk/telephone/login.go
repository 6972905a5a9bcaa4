// As whom a command speaks to a server, and whom it trusts.

package telephone

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/sipwerk/sipwerk/sip"
)

// login are the flags of a command that is a telephone.
type login struct{ user, password, server, authority string }

// define gives the flags to a command; where says what --server means.
func (l *login) define(p *program, c *cobra.Command, where string) {
	s := c.Flags()
	s.StringVar(&l.user, "user", "", p.Text("whose telephone this is: user@domain or a SIP URI; otherwise anonymous"))
	s.StringVar(&l.password, "password", "", p.Text("of the user; otherwise SIPWERK_PASSWORD, which other users of the machine cannot see"))
	s.StringVar(&l.server, "server", "", where)
	s.StringVar(&l.authority, "ca", "", p.Text("file with the certificates to trust, for TLS"))
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
	if v, ok := p.Env("SIPWERK_PASSWORD"); ok && flag == "" {
		return v
	}
	return flag
}

// callerURI completes what people write for --user: a bare name belongs to the server, any of whose addresses stands for its domain.
func callerURI(user, server string) string {
	if u, err := sip.ParseURI(sipURI(server)); err == nil && user != "" && !strings.ContainsAny(user, "@:") {
		return sip.URI{Scheme: "sip", User: sip.EscapeUser(user), Host: u.Host}.String()
	}
	return sipURI(user)
}
