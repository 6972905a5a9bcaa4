// The key of the nonces: kept, so that telephones need not log in anew after a restart. RFC 7616 §3.3.

package server

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

const keySize = 32

// loadKey reads the key in a file, or makes one.
func loadKey(path string) ([]byte, error) {
	b, err := os.ReadFile(path)
	if err == nil && len(b) == keySize {
		return b, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the key of the nonces: %w", err)
	}
	key := make([]byte, keySize)
	rand.Read(key)
	return key, writeFile(path, key)
}
