package dtls

// The hash of a certificate in a description. RFC 8122 §5.

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// A Fingerprint is the value of one a=fingerprint attribute.
type Fingerprint struct {
	Hash  string // "sha-256", in lower case
	Value string // "4A:AD:…", in upper case
}

// maxFingerprint is the length of the longest value, that of SHA-512.
const maxFingerprint = 3*sha512.Size - 1

// ErrFingerprint says that an attribute is malformed or its hash is not taken.
var ErrFingerprint = errors.New("malformed or unknown fingerprint")

// strength orders the hashes that we take. MD5 and MD2 are none: RFC 8122 §5. SHA-1 is taken because telephones in the field
// know nothing else.
func strength(hash string) int {
	switch hash {
	case "sha-1":
		return 1
	case "sha-224":
		return 2
	case "sha-256":
		return 3
	case "sha-384":
		return 4
	case "sha-512":
		return 5
	}
	return 0
}

// ParseFingerprint reads the value of an a=fingerprint attribute. The error wraps [ErrFingerprint].
func ParseFingerprint(value string) (Fingerprint, error) {
	hash, digits, _ := strings.Cut(strings.TrimSpace(value), " ")
	f := Fingerprint{Hash: strings.ToLower(hash), Value: strings.ToUpper(strings.TrimSpace(digits))}
	if strength(f.Hash) == 0 || len(f.Value) > maxFingerprint {
		return Fingerprint{}, fmt.Errorf("dtls: parse fingerprint: %w", ErrFingerprint)
	}
	raw, err := hex.DecodeString(strings.ReplaceAll(f.Value, ":", ""))
	if err != nil || len(raw) != len(digest(f.Hash, nil)) || colons(raw) != f.Value {
		return Fingerprint{}, fmt.Errorf("dtls: parse fingerprint: %w", ErrFingerprint)
	}
	return f, nil
}

// String returns the value of the attribute.
func (f Fingerprint) String() string { return f.Hash + " " + f.Value }

// digest hashes a certificate.
func digest(hash string, certificate []byte) []byte {
	switch hash {
	case "sha-1":
		d := sha1.Sum(certificate)
		return d[:]
	case "sha-224":
		d := sha256.Sum224(certificate)
		return d[:]
	case "sha-256":
		d := sha256.Sum256(certificate)
		return d[:]
	case "sha-384":
		d := sha512.Sum384(certificate)
		return d[:]
	case "sha-512":
		d := sha512.Sum512(certificate)
		return d[:]
	}
	return nil
}

func colons(raw []byte) string {
	var b strings.Builder
	for i, x := range raw {
		if i > 0 {
			b.WriteByte(':')
		}
		fmt.Fprintf(&b, "%02X", x)
	}
	return b.String()
}

// fingerprintOf returns the fingerprint of a certificate.
func fingerprintOf(hash string, certificate []byte) Fingerprint {
	return Fingerprint{Hash: hash, Value: colons(digest(hash, certificate))}
}

// matches tells whether a certificate is one of those that the peer named: of several hashes the strongest counts alone. RFC 8122 §5.
func matches(certificate []byte, named []Fingerprint) bool {
	best := 0
	for _, f := range named {
		best = max(best, strength(f.Hash))
	}
	for _, f := range named {
		if best == 0 || strength(f.Hash) != best {
			continue
		}
		if subtle.ConstantTimeCompare([]byte(fingerprintOf(f.Hash, certificate).Value), []byte(f.Value)) == 1 {
			return true
		}
	}
	return false
}
