package transport_test

import (
	"crypto/tls"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/transport"
)

// RFC 5922 §7.1, §7.2: the certificate names the domain of the URI, by sip URI or DNS name, never by wildcard. WSS goes by the rules of HTTPS.
func TestCertificateNames(t *testing.T) {
	for _, tc := range []struct {
		host, names string
		transport   sip.Transport
		ok          bool
	}{
		{"example.org", "sip:example.org", sip.TLS, true},
		{"Example.ORG", "sip:example.org", sip.TLS, true},
		{"example.org", "sip:example.org other.example", sip.TLS, true},
		{"example.org", "example.org", sip.TLS, true},
		{"example.org", "sip:other.example example.org", sip.TLS, false}, // where there are URIs, DNS names do not count
		{"example.org", "sip:alice@example.org", sip.TLS, false},
		{"example.org", "sip.example.org", sip.TLS, false}, // the name that SRV gave is not what was asked for
		{"sip.example.org", "*.example.org", sip.TLS, false},
		{"sip.example.org", "*.example.org", sip.WSS, true},
		{"192.0.2.2", "192.0.2.2", sip.TLS, true},
		{"192.0.2.2", "example.org", sip.TLS, false},
		{"example.org", "example.org", sip.WSS, true},
		{"example.org", "other.example", sip.WSS, false},
	} {
		t.Run(tc.transport.String()+" "+tc.host+" "+tc.names, func(t *testing.T) {
			simulated(t, func(t *testing.T, _ *network.Sim, a, b *node) {
				ca := newAuthority(t)
				b.TLS, a.TLS = ca.config(t, strings.Fields(tc.names)...), ca.config(t)
				to := b.listen(t, tc.transport.Param()+"://192.0.2.2:0")
				f, err := a.Connect(t.Context(), transport.Target{Transport: tc.transport, Addr: to, Host: tc.host})
				if (err == nil) != tc.ok {
					t.Errorf("Connect: %v", err)
				}
				if _, ok := a.Flow(transport.Target{Transport: tc.transport, Addr: to, Host: tc.host}); ok != tc.ok {
					t.Errorf("Flow: %v", ok)
				}
				if tc.ok {
					if _, ok := a.Flow(transport.Target{Transport: tc.transport, Addr: to, Host: "else.example"}); ok {
						t.Error("a connection checked for one name is offered for another")
					}
					a.CloseFlow(f)
				}
			})
		})
	}
}

func TestUnknownAuthorityIsRefused(t *testing.T) {
	simulated(t, func(t *testing.T, _ *network.Sim, a, b *node) {
		b.TLS, a.TLS = newAuthority(t).config(t, "example.org"), newAuthority(t).config(t)
		to := b.listen(t, "tls://192.0.2.2:5061")
		if _, err := a.Connect(t.Context(), transport.Target{Transport: sip.TLS, Addr: to, Host: "example.org"}); err == nil {
			t.Error("connected")
		}
		synctest.Wait()
		if a.Stats.DialFailed.Load() != 1 {
			t.Error("not counted")
		}
	})
}

// The certificate in use is the one that GetCertificate returns now.
func TestCertificateIsReloaded(t *testing.T) {
	simulated(t, func(t *testing.T, _ *network.Sim, a, b *node) {
		ca := newAuthority(t)
		current := ca.config(t, "old.example")
		a.TLS = ca.config(t)
		b.TLS = &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &current.Certificates[0], nil }}
		to := b.listen(t, "tls://192.0.2.2:5061")
		target := transport.Target{Transport: sip.TLS, Addr: to, Host: "new.example"}
		if _, err := a.Connect(t.Context(), target); err == nil {
			t.Error("connected to the old certificate")
		}
		current = ca.config(t, "new.example")
		if _, err := a.Connect(t.Context(), target); err != nil {
			t.Error(err)
		}
	})
}

// A host that wants a certificate of its own kind gets it, and nobody else; its own is checked against its name and those who are believed for it. RFC 5922 §7.3.
func TestClientTLS(t *testing.T) {
	simulated(t, func(t *testing.T, _ *network.Sim, a, b *node) {
		ours, theirs, web := newAuthority(t), newAuthority(t), newAuthority(t)
		b.TLS = theirs.config(t, "provider.example", "other.example")
		b.TLS.ClientAuth, b.TLS.ClientCAs = tls.RequireAndVerifyClientCert, ours.config(t).RootCAs
		a.TLS = web.config(t)
		shown := ours.config(t, "customer.example")
		shown.RootCAs = theirs.config(t).RootCAs
		a.ClientTLS = func(host string) *tls.Config {
			if host == "provider.example" {
				return shown
			}
			return nil
		}
		to := b.listen(t, "tls://192.0.2.2:5061")
		if _, err := a.Connect(t.Context(), transport.Target{Transport: sip.TLS, Addr: to, Host: "other.example"}); err == nil {
			t.Error("connected to a host whose certificate nobody vouches for")
		}
		flow, err := a.Connect(t.Context(), transport.Target{Transport: sip.TLS, Addr: to, Host: "provider.example"})
		if err != nil {
			t.Fatal(err)
		}
		a.send(t, flow, request("SIP/2.0/TLS customer.example", 0))
		<-b.got
	})
}

// RFC 5923 §8: requests go back over the connection of a peer that asked for it and whose certificate names the host of its Via.
func TestAlias(t *testing.T) {
	for _, tc := range []struct {
		via string
		ok  bool
	}{
		{"SIP/2.0/TLS a.example:5061;alias", true},
		{"SIP/2.0/TLS a.example;alias", true},
		{"SIP/2.0/TLS a.example", false},
		{"SIP/2.0/TLS victim.example;alias", false},
	} {
		simulated(t, func(t *testing.T, _ *network.Sim, a, b *node) {
			ca := newAuthority(t)
			b.TLS, a.TLS = ca.config(t, "b.example"), ca.config(t, "a.example")
			to := b.listen(t, "tls://192.0.2.2:5061")
			a.send(t, a.flow(t, sip.TLS, to, "b.example"), request(tc.via, 0))
			came := <-b.got
			for _, host := range []string{"a.example", "victim.example"} {
				back, ok := b.Flow(transport.Target{Transport: sip.TLS, Addr: netip.AddrPortFrom(addrA, 5061), Host: host})
				if ok != (tc.ok && host == "a.example") || ok && back != came.flow {
					t.Errorf("%s: flow to %s: %v", tc.via, host, ok)
				}
			}
		})
	}
	simulated(t, func(t *testing.T, _ *network.Sim, a, b *node) {
		ca := newAuthority(t)
		b.TLS = ca.config(t, "b.example")
		a.TLS = &tls.Config{RootCAs: ca.config(t).RootCAs} // no certificate of its own
		a.send(t, a.flow(t, sip.TLS, b.listen(t, "tls://192.0.2.2:5061"), "b.example"), request("SIP/2.0/TLS a.example;alias", 0))
		<-b.got
		if _, ok := b.Flow(transport.Target{Transport: sip.TLS, Addr: netip.AddrPortFrom(addrA, 5061), Host: "a.example"}); ok {
			t.Error("alias without a certificate")
		}
	})
}
