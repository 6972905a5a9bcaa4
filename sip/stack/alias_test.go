package stack_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/siptest"
	"github.com/sipwerk/sipwerk/sip/stack"
)

// certified returns a configuration with a certificate for some addresses, which whoever has it trusts and shows.
func certified(t *testing.T, addrs ...net.IP) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: addrs,
		IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, RootCAs: roots, ClientCAs: roots,
		ClientAuth: tls.VerifyClientCertIfGiven}
}

// RFC 5923 §5: a request over a connection that we opened with a certificate asks for requests back on it, and they come there; one over a connection of the
// peer does not ask.
func TestAliasBothWays(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		type seen struct {
			alias bool
			flow  sip.Flow
		}
		var asked []seen
		config := certified(t, net.IPv4(192, 0, 2, 1), net.IPv4(192, 0, 2, 2)) // the first two hosts
		secured := func(name string) *stack.Stack {
			s := serve(b, name, on{sip.EventRequest: func(ev *sip.Event) {
				via, _ := ev.Request.Via()
				asked = append(asked, seen{via.Params.Has("alias"), ev.Flow})
				reply(sip.StatusOK)(ev)
			}}, func(s *stack.Stack) { s.TLS = config })
			return s
		}
		alice, bob := secured("alice"), secured("bob")
		for _, s := range []struct {
			stack *stack.Stack
			name  string
		}{{alice, "alice"}, {bob, "bob"}} {
			if err := s.stack.Listen(context.Background(), "tls://"+b.Addr(s.name).String()+":5061"); err != nil {
				t.Fatal(err)
			}
		}
		got, err := send(b.T.Context(), alice, request(sip.MethodOptions, "sip:"+b.Addr("bob").String()+";transport=tls"))
		expect(t, got, err, sip.StatusOK)
		got, err = send(b.T.Context(), bob, request(sip.MethodOptions, "sip:"+b.Addr("alice").String()+";transport=tls"))
		expect(t, got, err, sip.StatusOK)
		if len(asked) != 2 || !asked[0].alias || asked[1].alias || asked[0].flow.Remote != asked[1].flow.Local {
			t.Errorf("%+v", asked)
		}
		if n := bob.Transport().Stats.Dialed.Load(); n != 0 {
			t.Errorf("bob opened %d connections", n)
		}
	})
}
