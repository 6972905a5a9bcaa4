// Secrets that must be used toward others, of trunks and mail servers: sealed with a key that lies beside the database, so that a copy of the database alone gives nobody away.

package store

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/sipwerk/sipwerk/server/object"
)

const (
	secretsFile = "secrets.key"
	secretsKey  = 32             // bytes: AES-256
	sealPrefix  = "aes-256-gcm$" // of a sealed secret; behind it nonce and text in base64
)

// openSecrets reads the key of the secrets, or makes one. Only one process at a time may do so.
func (s *Store) openSecrets(dir string) error {
	path := filepath.Join(dir, secretsFile)
	key, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		key = make([]byte, secretsKey)
		rand.Read(key)
		err = writeKey(path, key)
	}
	if err != nil {
		return fmt.Errorf("store: the key of the secrets: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err == nil {
		s.secrets, err = cipher.NewGCM(block)
	}
	if err != nil || len(key) != secretsKey {
		return fmt.Errorf("store: the key of the secrets: %s has %d bytes, not %d; restore it from a backup, or delete it and set all secrets anew", path, len(key), secretsKey)
	}
	return nil
}

// writeKey writes a file that is complete or not there.
func writeKey(path string, key []byte) error {
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(key)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// Seal seals a secret; "" stays none.
func (s *Store) Seal(secret string) object.Secret {
	if secret == "" {
		return ""
	}
	nonce := make([]byte, s.secrets.NonceSize())
	rand.Read(nonce)
	return object.Secret(sealPrefix + base64.RawStdEncoding.EncodeToString(s.secrets.Seal(nonce, nonce, []byte(secret), nil)))
}

// Reveal returns a secret as it was before it was sealed. It fails if the key is not that with which it was.
func (s *Store) Reveal(sealed object.Secret) (string, error) {
	if sealed == "" {
		return "", nil
	}
	text, ok := strings.CutPrefix(string(sealed), sealPrefix)
	b, err := base64.RawStdEncoding.DecodeString(text)
	if n := s.secrets.NonceSize(); ok && err == nil && len(b) > n {
		b, err = s.secrets.Open(nil, b[:n], b[n:], nil)
		if err == nil {
			return string(b), nil
		}
	}
	return "", errors.New("store: a secret cannot be read with the key of this data folder; set it anew")
}
