// The hash algorithms and HA1, the hash that stands for a password. RFC 7616 §3.4.2, RFC 8760 §2.1.

package digest

import (
	"crypto/md5"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"strings"
)

// Algorithm is a hash algorithm of digest. A higher one is stronger.
type Algorithm uint8

// The algorithms. RFC 7616 §6.1.
const (
	MD5 Algorithm = iota + 1
	SHA256
	SHA512256
)

// String gives the token of the algorithm parameter.
func (a Algorithm) String() string {
	switch a {
	case MD5:
		return "MD5"
	case SHA256:
		return "SHA-256"
	case SHA512256:
		return "SHA-512-256"
	}
	return ""
}

// ParseAlgorithm returns the algorithm of a token in any case; "" is MD5 (RFC 7616 §3.3). ok is false for one that is not supported.
func ParseAlgorithm(token string) (a Algorithm, ok bool) {
	if token == "" {
		return MD5, true
	}
	for a := MD5; a <= SHA512256; a++ {
		if strings.EqualFold(token, a.String()) {
			return a, true
		}
	}
	return 0, false
}

// Size is the length of a hash in bytes.
func (a Algorithm) Size() int {
	if a == MD5 {
		return md5.Size
	}
	return sha256.Size
}

// appendSum appends the hash of data in lower-case hexadecimal.
func (a Algorithm) appendSum(b, data []byte) []byte {
	switch a {
	case MD5:
		sum := md5.Sum(data)
		return hex.AppendEncode(b, sum[:])
	case SHA256:
		sum := sha256.Sum256(data)
		return hex.AppendEncode(b, sum[:])
	default:
		sum := sha512.Sum512_256(data)
		return hex.AppendEncode(b, sum[:])
	}
}

// HA1 is the hash of user, realm and password that stands for the password: whoever holds it can log in with its algorithm. The hash
// of MD5 fills the first 16 bytes, the rest is zero.
type HA1 [sha256.Size]byte

// HA1 computes the hash that is stored for a user. RFC 7616 §3.4.2.
func (a Algorithm) HA1(user, realm, password string) HA1 {
	text := []byte(user + ":" + realm + ":" + password)
	var h HA1
	switch a {
	case MD5:
		sum := md5.Sum(text)
		copy(h[:], sum[:])
	case SHA256:
		h = sha256.Sum256(text)
	default:
		h = sha512.Sum512_256(text)
	}
	return h
}

// Hex returns the hash of algorithm a in hexadecimal, the form in which other programs store it.
func (h HA1) Hex(a Algorithm) string { return hex.EncodeToString(h[:a.Size()]) }

// ParseHA1 reads what [HA1.Hex] and other programs write.
func ParseHA1(a Algorithm, s string) (HA1, error) {
	var h HA1
	if len(s) != 2*a.Size() {
		return h, fmt.Errorf("digest: parse HA1: %d digits, %s has %d", len(s), a, 2*a.Size())
	}
	if _, err := hex.Decode(h[:], []byte(s)); err != nil {
		return HA1{}, fmt.Errorf("digest: parse HA1: %w", err)
	}
	return h, nil
}
