// TLS of both sides: whose certificate is good for which SIP domain, and connection reuse by certificate. RFC 3261 §26.3.1, RFC 5922, RFC 5923.

package transport

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/sipwerk/sipwerk/sip"
)

// acceptTLS runs the server's handshake.
func (s *stream) acceptTLS() error {
	cfg := s.layer.TLS
	if cfg == nil {
		return errors.New("transport: no TLS configuration")
	}
	if s.flow.Transport == sip.WSS {
		cfg = cfg.Clone()
		cfg.NextProtos = []string{"http/1.1"}
	}
	return s.handshake(tls.Server(s.carrier, cfg))
}

// connectTLS runs the client's handshake and checks that the certificate is good for the host of the URI, not for what DNS made of it.
func (s *stream) connectTLS(t Target) error {
	host := strings.Trim(t.Host, "[]")
	cfg := s.layer.clientTLS(host)
	cfg.ServerName = host
	skip, roots := cfg.InsecureSkipVerify, cfg.RootCAs
	cfg.InsecureSkipVerify = true // crypto/tls knows host names only; the check follows
	cfg.VerifyConnection = func(state tls.ConnectionState) error {
		if skip {
			return nil
		}
		return verify(state, roots, t)
	}
	return s.handshake(tls.Client(s.carrier, cfg))
}

// clientTLS returns a configuration of its own for a connection to a host.
func (l *Layer) clientTLS(host string) *tls.Config {
	if l.ClientTLS != nil {
		if cfg := l.ClientTLS(host); cfg != nil {
			return cfg.Clone()
		}
	}
	if l.TLS == nil {
		return new(tls.Config)
	}
	return l.TLS.Clone()
}

// handshake runs under the deadline of the connection.
func (s *stream) handshake(conn *tls.Conn) error {
	if err := conn.Handshake(); err != nil {
		return err
	}
	state := conn.ConnectionState()
	if len(state.PeerCertificates) > 0 && (!s.accepted || len(state.VerifiedChains) > 0) {
		s.peer = state.PeerCertificates[0]
	}
	s.carrier = conn
	return nil
}

// verify checks chain and identity of a server.
func verify(state tls.ConnectionState, roots *x509.CertPool, t Target) error {
	options := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
	for _, c := range state.PeerCertificates[1:] {
		options.Intermediates.AddCert(c)
	}
	cert := state.PeerCertificates[0]
	if _, err := cert.Verify(options); err != nil {
		return err
	}
	host := strings.Trim(t.Host, "[]")
	if t.Transport == sip.WSS {
		return cert.VerifyHostname(host)
	}
	if !speaksFor(cert, host) {
		return fmt.Errorf("transport: certificate is not for %q", host)
	}
	return nil
}

// speaksFor reports whether cert names the SIP domain: by a sip URI, or where there is none by a DNS name. Wildcards do not count. RFC 5922 §7.1, §7.2.
func speaksFor(cert *x509.Certificate, domain string) bool {
	if _, err := netip.ParseAddr(domain); err == nil {
		return cert.VerifyHostname(domain) == nil
	}
	domain = strings.TrimSuffix(domain, ".")
	named := false
	for _, u := range cert.URIs {
		if strings.EqualFold(u.Scheme, "sip") {
			named = true
			// "sip:example.org"; a user part would name a person, not a domain.
			if strings.EqualFold(u.Opaque, domain) {
				return true
			}
		}
	}
	if named {
		return false
	}
	for _, name := range cert.DNSNames {
		if strings.EqualFold(name, domain) {
			return true
		}
	}
	return len(cert.DNSNames) == 0 && len(cert.URIs) == 0 && strings.EqualFold(cert.Subject.CommonName, domain)
}

// AsksAlias reports whether our requests over f are to ask for requests back on the same connection: we have opened it and can show a certificate for what we
// listen on. RFC 5923 §4, §5.
func (l *Layer) AsksAlias(f sip.Flow) bool {
	if f.Transport != sip.TLS || l.TLS == nil || len(l.TLS.Certificates) == 0 && l.TLS.GetClientCertificate == nil || !l.listens(sip.TLS) {
		return false
	}
	s := l.flows.get(f.ID)
	return s != nil && !s.accepted
}

// alias lets requests to the sender of a request with the alias parameter go back on its connection, if its certificate is good for the
// host of sent-by. RFC 5923 §8.
func (s *stream) alias(v sip.Via) {
	host := strings.ToLower(strings.Clone(strings.Trim(v.Host, "[]"))) // outlives the message
	if !s.accepted || s.flow.Transport != sip.TLS || s.peer == nil || !speaksFor(s.peer, host) {
		return
	}
	s.layer.flows.alias(s, Target{Transport: sip.TLS, Addr: netip.AddrPortFrom(s.flow.Remote.Addr(), sentByPort(v, sip.TLS)), Host: host}.key())
}
