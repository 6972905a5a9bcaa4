package srtp

// Master keys, and the session keys that are derived from them. RFC 3711 §4.3, RFC 7714 §11.

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
)

// A Key is what one side uses to protect what it sends.
type Key struct {
	Suite    Suite
	Secret   []byte // master key, then master salt
	MKI      []byte // stands in each packet if not empty (RFC 3711 §3.1); only in keys of peers
	Lifetime uint64 // how many packets it may protect; 0: as many as the suite allows
}

// How many packets a key may protect: RFC 3711 §9.2.
const (
	maxPackets = 1 << 48
	maxReports = 1 << 31
)

// ErrKey says that a key does not fit its suite.
var ErrKey = errors.New("key does not fit the suite")

// NewKey draws a key from random, whose error is returned.
func NewKey(s Suite, random io.Reader) (Key, error) {
	k := Key{Suite: s, Secret: make([]byte, s.KeySize()+s.SaltSize())}
	if _, err := io.ReadFull(random, k.Secret); err != nil {
		return Key{}, fmt.Errorf("srtp: new key: %w", err)
	}
	return k, nil
}

// Equal tells whether both are the same key of the same suite. It takes the same time wherever they differ.
func (k Key) Equal(o Key) bool {
	return k.Suite == o.Suite && subtle.ConstantTimeCompare(k.Secret, o.Secret) == 1 && bytes.Equal(k.MKI, o.MKI)
}

// check returns an error that wraps ErrKey unless the key can be used.
func (k Key) check() error {
	if s := k.Suite.shape(); !k.Suite.valid() || len(k.Secret) != s.key+s.salt || len(k.MKI) > maxMKI {
		return fmt.Errorf("srtp: suite %v, %d bytes: %w", k.Suite, len(k.Secret), ErrKey)
	}
	return nil
}

// The labels of derived keys; those of RTCP are labelControl further. RFC 3711 §4.3.2.
const (
	labelCipher = iota
	labelAuth
	labelSalt
	labelControl
)

// derive returns size bytes for a label. The salt of GCM is shorter and padded with zeros: RFC 7714 §11.
func (k Key) derive(label byte, size int) []byte {
	s := k.Suite.shape()
	block, err := aes.NewCipher(k.Secret[:s.key])
	if err != nil {
		return nil // check has seen to the size
	}
	iv := make([]byte, aes.BlockSize)
	copy(iv[:14], k.Secret[s.key:])
	iv[7] ^= label
	out := make([]byte, size)
	cipher.NewCTR(block, iv).XORKeyStream(out, out)
	return out
}
