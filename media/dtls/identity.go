package dtls

// Our certificate. RFC 5763 §5, RFC 8827 §6.5.

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"time"
)

// An Identity is a certificate that nobody signed but itself: its fingerprint in our descriptions vouches for it. One is made at each
// start and used for all streams.
type Identity struct {
	certificate tls.Certificate
}

// NewIdentity makes a certificate with a key on the curve P-256. The error is that of the system's randomness.
func NewIdentity() (*Identity, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("dtls: new identity: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 64))
	if err != nil {
		return nil, fmt.Errorf("dtls: new identity: %w", err)
	}
	// Nobody looks at the name or the dates, but some check that there are such.
	template := x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "media"},
		NotBefore: time.Now().AddDate(0, 0, -1), NotAfter: time.Now().AddDate(10, 0, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("dtls: new identity: %w", err)
	}
	return &Identity{tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}}, nil
}

// Fingerprint is what our descriptions say of the certificate, by SHA-256.
func (i *Identity) Fingerprint() Fingerprint {
	return fingerprintOf("sha-256", i.certificate.Certificate[0])
}
