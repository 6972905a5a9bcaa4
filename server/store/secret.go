// Secrets of devices: made here, shown once, kept only as the hashes that digest authentication needs. RFC 7616 §3.4.2, RFC 8760 §2.

package store

import (
	"crypto/rand"
	"errors"
	"strings"

	"github.com/sipwerk/sipwerk/sip/digest"
)

// HA1 is the hash of a device's secret for each algorithm a phone may choose. Whoever has it can log in: it never leaves the server and is never logged.
type HA1 [3]digest.HA1

// Hash makes the HA1 of a device.
func Hash(user, realm, secret string) (h HA1) {
	for _, a := range [...]digest.Algorithm{digest.MD5, digest.SHA256, digest.SHA512256} {
		h[a-digest.MD5] = a.HA1(user, realm, secret)
	}
	return h
}

// bytes returns the hash of one algorithm as it is stored.
func (h *HA1) bytes(a digest.Algorithm) []byte { return h[a-digest.MD5][:a.Size()] }

// NewSecret returns a fresh secret of 100 random bits, without letters that are easily taken for others.
func NewSecret() string {
	const alphabet = "abcdefghijkmnpqrstuvwxyz23456789" // 32 signs
	b := make([]byte, 20)
	rand.Read(b)
	for i := range b {
		b[i] = alphabet[b[i]%32]
	}
	return string(b)
}

// CheckSecret reports what is wrong with a secret that was chosen by someone.
func CheckSecret(secret string) error {
	switch {
	case secret == "":
		return errors.New("is empty; give one")
	case len(secret) > 256:
		return errors.New("is longer than 256 bytes; shorten it")
	case strings.ContainsFunc(secret, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return errors.New("holds a control character; leave it out")
	}
	return nil
}
