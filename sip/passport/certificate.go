// Certificates of telephone numbers: the chain, and for which numbers one speaks. RFC 8226 §9, RFC 5280.

package passport

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"strings"
	"time"
)

// maxChain is how many certificates a file may hold.
const maxChain = 8

// errCertificate says that a certificate proves nothing.
var errCertificate = errors.New("passport: unusable certificate")

// parseChain reads certificates in PEM, or one in DER; the signer's comes first.
func parseChain(b []byte) ([]*x509.Certificate, error) {
	if !bytes.Contains(b, []byte("-----BEGIN")) {
		return readChain([][]byte{b})
	}
	var all [][]byte
	for block, rest := pem.Decode(b); block != nil && len(all) < maxChain; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			all = append(all, block.Bytes)
		}
	}
	return readChain(all)
}

func readChain(all [][]byte) ([]*x509.Certificate, error) {
	var chain []*x509.Certificate
	for _, der := range all {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errCertificate, err)
		}
		chain = append(chain, c)
	}
	if len(chain) == 0 {
		return nil, fmt.Errorf("%w: there is none", errCertificate)
	}
	return chain, nil
}

// ReadRoots reads a PEM file with the certificates of authorities.
func ReadRoots(file string) (*x509.CertPool, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(b) {
		return nil, fmt.Errorf("passport: %s holds no certificate; name a PEM file", file)
	}
	return roots, nil
}

// trust checks that a chain leads to a root and is valid now.
func trust(chain []*x509.Certificate, roots *x509.CertPool, now time.Time) error {
	options := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool(), CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}
	if roots == nil {
		options.Roots = x509.NewCertPool() // the roots of the web say nothing about numbers
	}
	for _, c := range chain[1:] {
		options.Intermediates.AddCert(c)
	}
	leaf := *chain[0] // RFC 8226 §9: the extension is understood here, should it be critical
	leaf.UnhandledCriticalExtensions = nil
	for _, id := range chain[0].UnhandledCriticalExtensions {
		if !id.Equal(tnAuthList()) {
			leaf.UnhandledCriticalExtensions = append(leaf.UnhandledCriticalExtensions, id)
		}
	}
	if _, err := leaf.Verify(options); err != nil {
		return fmt.Errorf("%w: %w", errCertificate, err)
	}
	if _, ok := leaf.PublicKey.(*ecdsa.PublicKey); !ok {
		return fmt.Errorf("%w: its key is none of ES256", errCertificate)
	}
	return nil
}

// tnAuthList is id-pe-TNAuthList. RFC 8226 §9.
func tnAuthList() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 26} }

// entry is one of a TNAuthList: a provider, or numbers.
type entry struct {
	provider    string
	first, last *big.Int // numbers of as many digits
	digits      int
}

// The tags of a TNEntry.
const (
	tagProvider = 0
	tagRange    = 1
	tagNumber   = 2
)

// maxEntries is how many entries of a certificate are looked at.
const maxEntries = 1024

// authority reads for what a certificate speaks.
func authority(c *x509.Certificate) ([]entry, error) {
	for _, x := range c.Extensions {
		if !x.Id.Equal(tnAuthList()) {
			continue
		}
		var list []asn1.RawValue
		if rest, err := asn1.Unmarshal(x.Value, &list); err != nil || len(rest) > 0 || len(list) == 0 || len(list) > maxEntries {
			return nil, fmt.Errorf("%w: malformed TNAuthList", errCertificate)
		}
		var all []entry
		for _, raw := range list {
			e, err := readEntry(raw)
			if err != nil {
				return nil, err
			}
			all = append(all, e)
		}
		return all, nil
	}
	return nil, fmt.Errorf("%w: it has no TNAuthList, so it speaks for no telephone number", errCertificate)
}

func readEntry(raw asn1.RawValue) (e entry, err error) {
	switch {
	case raw.Class != asn1.ClassContextSpecific:
		err = errCertificate
	case raw.Tag == tagProvider:
		_, err = asn1.UnmarshalWithParams(raw.Bytes, &e.provider, "ia5")
	case raw.Tag == tagRange:
		var numbers struct {
			Start string `asn1:"ia5"`
			Count int
		}
		if _, err = asn1.Unmarshal(raw.Bytes, &numbers); err == nil {
			e, err = block(numbers.Start, numbers.Count)
		}
	case raw.Tag == tagNumber:
		var number string
		if _, err = asn1.UnmarshalWithParams(raw.Bytes, &number, "ia5"); err == nil {
			e, err = block(number, 1)
		}
	}
	if err != nil {
		return entry{}, fmt.Errorf("%w: malformed TNAuthList", errCertificate)
	}
	return e, nil
}

// block are count numbers from first on.
func block(first string, count int) (entry, error) {
	n, ok := new(big.Int).SetString(first, 10)
	if !ok || count < 1 || len(first) > 15 || strings.Trim(first, "0123456789") != "" {
		return entry{}, errCertificate
	}
	return entry{first: n, last: new(big.Int).Add(n, big.NewInt(int64(count-1))), digits: len(first)}, nil
}

// speaksFor reports whether a certificate may sign for a party. One of a provider speaks for all its customers: which numbers these have is not said in it.
func speaksFor(c *x509.Certificate, p Party) error {
	entries, err := authority(c)
	if err != nil {
		return err
	}
	n, ok := new(big.Int).SetString(p.Number, 10)
	for _, e := range entries {
		if e.provider != "" || ok && e.first != nil && len(p.Number) == e.digits && n.Cmp(e.first) >= 0 && n.Cmp(e.last) <= 0 {
			return nil
		}
	}
	return fmt.Errorf("%w: it does not speak for %s%s", errCertificate, p.Number, p.URI)
}
