// The local certificate authority: until a certificate is given, TLS runs with one that the data folder signs for itself. RFC 5922 §7.1.

package server

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// How long certificates live. 397 days is the most that browsers take of a server.
const (
	authorityLife = 10 * 365 * 24 * time.Hour
	serverLife    = 397 * 24 * time.Hour
	renewBefore   = 30 * 24 * time.Hour
)

// authority is the certificate authority of one data folder. Its files are ca.pem, which may be given to telephones, and ca.key, which is for nobody.
type authority struct {
	dir  string
	cert *x509.Certificate
	key  crypto.Signer
}

// openAuthority reads the authority in dir, or makes one; made tells which.
func openAuthority(dir string, now time.Time) (a *authority, made bool, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, false, fmt.Errorf("tls: %w", err)
	}
	a = &authority{dir: dir}
	pair, err := tls.LoadX509KeyPair(a.file("ca.pem"), a.file("ca.key"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return a, true, a.create(now)
	case err != nil:
		return nil, false, fmt.Errorf("tls: read the local authority: %w", err)
	}
	key, ok := pair.PrivateKey.(crypto.Signer)
	if !ok {
		return nil, false, errors.New("tls: the key of the local authority cannot sign")
	}
	a.cert, a.key = pair.Leaf, key
	return a, false, nil
}

func (a *authority) file(name string) string { return filepath.Join(a.dir, name) }

// create makes key and certificate of the authority.
func (a *authority) create(now time.Time) error {
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "Sipwerk local authority on " + host},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.Add(authorityLife),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLenZero:        true,
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("tls: %w", err)
	}
	a.key = key
	if a.cert, err = a.sign(template, template, key.Public()); err != nil {
		return err
	}
	return a.write("ca", key, a.cert)
}

// sign gives template a serial number and signs it.
func (a *authority) sign(template, parent *x509.Certificate, public crypto.PublicKey) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("tls: %w", err)
	}
	template.SerialNumber = serial
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, a.key)
	if err != nil {
		return nil, fmt.Errorf("tls: sign: %w", err)
	}
	return x509.ParseCertificate(der)
}

// write stores a key and its chain as name.key and name.pem: the key first, so that a certificate without its key never stays behind.
func (a *authority) write(name string, key *ecdsa.PrivateKey, chain ...*x509.Certificate) error {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("tls: %w", err)
	}
	if err := writeFile(a.file(name+".key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})); err != nil {
		return err
	}
	var text []byte
	for _, c := range chain {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return writeFile(a.file(name+".pem"), text)
}

// writeFile replaces a file as a whole; only its owner may read it.
func writeFile(path string, b []byte) error {
	if err := os.WriteFile(path+".new", b, 0o600); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

// certificate returns the server's certificate for names (host names and addresses): the stored one, or a new one if that ends soon or was made for others.
func (a *authority) certificate(names []string, now time.Time) (*tls.Certificate, error) {
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: names[0]},
		NotBefore:   now.Add(-time.Hour),
		NotAfter:    now.Add(serverLife),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for _, n := range names {
		if ip, err := netip.ParseAddr(strings.Trim(n, "[]")); err == nil {
			template.IPAddresses = append(template.IPAddresses, net.IP(ip.AsSlice()))
		} else if !slices.Contains(template.DNSNames, n) {
			template.DNSNames = append(template.DNSNames, n)
		}
	}
	old, err := tls.LoadX509KeyPair(a.file("server.pem"), a.file("server.key"))
	if err == nil && a.fits(old.Leaf, template, now) {
		return &old, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("tls: %w", err)
	}
	cert, err := a.sign(template, a.cert, key.Public())
	if err != nil {
		return nil, err
	}
	if err := a.write("server", key, cert, a.cert); err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{cert.Raw, a.cert.Raw}, PrivateKey: key, Leaf: cert}, nil
}

// fits reports whether a stored certificate will do for what template asks.
func (a *authority) fits(old, template *x509.Certificate, now time.Time) bool {
	return old.CheckSignatureFrom(a.cert) == nil && now.After(old.NotBefore) && now.Before(old.NotAfter.Add(-renewBefore)) &&
		slices.Equal(old.DNSNames, template.DNSNames) &&
		slices.EqualFunc(old.IPAddresses, template.IPAddresses, net.IP.Equal)
}
