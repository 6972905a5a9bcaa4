// What the tests of this package share: nodes, each a layer that records what it got, on the simulated or the real network.

package transport_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// got is one packet, copied.
type got struct {
	flow     sip.Flow
	request  *sip.Request
	response *sip.Response
	err      error
}

// node is a layer that answers every good request with 200 if echo is set, and records what it got.
type node struct {
	*transport.Layer
	echo bool
	got  chan got
	lost chan sip.Flow

	mu     sync.Mutex
	traces []string
}

func newNode(t *testing.T, n network.Network) *node {
	x := &node{Layer: &transport.Layer{Network: n}, got: make(chan got, 10000), lost: make(chan sip.Flow, 10000)}
	x.Handle = func(p *transport.Packet) {
		g := got{flow: p.Flow, err: p.Err}
		if p.Request != nil {
			g.request = p.Request.Clone()
			if x.echo && p.Err == nil {
				if err := x.Send(p.Out, p.Flow, p.Request.Reply(sip.StatusOK).AppendTo(nil)); err != nil {
					t.Errorf("reply: %v", err)
				}
			}
			if x.echo && p.Err != nil {
				x.Send(p.Out, p.Flow, p.Request.Reply(sip.StatusBadRequest).AppendTo(nil))
			}
		} else {
			g.response = p.Response.Clone()
		}
		p.Release()
		x.got <- g
	}
	x.FlowLost = func(f sip.Flow) { x.lost <- f }
	return x
}

func (x *node) listen(t *testing.T, url string) netip.AddrPort {
	t.Helper()
	addr, err := x.Listen(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

func (x *node) close(t *testing.T) {
	t.Helper()
	if err := x.Close(); err != nil {
		t.Error(err)
	}
	if n := x.Stats.Connections.Load(); n != 0 {
		t.Errorf("%d connections left", n)
	}
	if n := x.Stats.Panics.Load(); n != 0 {
		t.Errorf("%d panics", n)
	}
}

var (
	addrA  = netip.MustParseAddr("192.0.2.1")
	addrB  = netip.MustParseAddr("192.0.2.2")
	addrB6 = netip.MustParseAddr("2001:db8::2")
)

// simulated runs f in a bubble with two nodes on hosts of their own.
func simulated(t *testing.T, f func(t *testing.T, s *network.Sim, a, b *node)) {
	synctest.Test(t, func(t *testing.T) {
		s := &network.Sim{Seed: 1}
		s.SetConditions(network.Conditions{Delay: 10 * time.Millisecond})
		a, b := newNode(t, s.Host(addrA)), newNode(t, s.Host(addrB, addrB6))
		a.Resolver, b.Resolver = &s.Names, &s.Names
		defer s.Close()
		defer a.close(t)
		defer b.close(t)
		f(t, s, a, b)
	})
}

// request returns an OPTIONS with a body of size bytes.
func request(via string, size int) []byte {
	return []byte(fmt.Sprintf("OPTIONS sip:b@192.0.2.2 SIP/2.0\r\nVia: %s;branch=z9hG4bKx\r\nFrom: <sip:a@a>;tag=1\r\nTo: <sip:b@b>\r\n"+
		"Call-ID: 1\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: %d\r\n\r\n%s", via, size, strings.Repeat("x", size)))
}

func (x *node) send(t *testing.T, f sip.Flow, b []byte) {
	t.Helper()
	if err := x.Send(nil, f, b); err != nil {
		t.Fatal(err)
	}
}

func (x *node) flow(t *testing.T, tr sip.Transport, addr netip.AddrPort, host string) sip.Flow {
	t.Helper()
	target := transport.Target{Transport: tr, Addr: addr, Host: host}
	f, ok := x.Flow(target)
	if !ok {
		var err error
		if f, err = x.Connect(t.Context(), target); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

// authority makes certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(1000 * time.Hour), KeyUsage: x509.KeyUsageCertSign}
	a.cert, a.key = a.sign(t, tmpl)
	return a
}

func (a *authority) sign(t *testing.T, tmpl *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = tmpl, key
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

// config returns a configuration for both sides with a certificate for names: addresses, "sip:" URIs or host names.
func (a *authority) config(t *testing.T, names ...string) *tls.Config {
	t.Helper()
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(2), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(1000 * time.Hour)}
	for _, name := range names {
		u, _ := url.Parse(name)
		if ip := net.ParseIP(name); ip != nil {
			tmpl.IPAddresses = append(tmpl.IPAddresses, ip)
		} else if u != nil && u.Scheme == "sip" {
			tmpl.URIs = append(tmpl.URIs, u)
		} else {
			tmpl.DNSNames = append(tmpl.DNSNames, name)
		}
	}
	cert, key := a.sign(t, tmpl)
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{cert.Raw}, PrivateKey: key}}, RootCAs: pool, ClientCAs: pool,
		ClientAuth: tls.VerifyClientCertIfGiven}
}
