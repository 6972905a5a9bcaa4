// Secrets of devices: made here, shown once, kept only as the hashes that digest authentication needs. RFC 7616 §3.4.2, RFC 8760 §2.

package store

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"strings"
)

// HA1 is H(user:realm:secret) for each algorithm a phone may choose. Whoever has it can log in: it never leaves the server and is never logged.
type HA1 struct {
	MD5       [md5.Size]byte
	SHA256    [sha256.Size]byte
	SHA512256 [sha512.Size256]byte
}

// Hash makes the HA1 of a device.
func Hash(user, realm, secret string) HA1 {
	b := []byte(user + ":" + realm + ":" + secret)
	return HA1{MD5: md5.Sum(b), SHA256: sha256.Sum256(b), SHA512256: sha512.Sum512_256(b)}
}

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
