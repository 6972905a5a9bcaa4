package ice

// User name fragment and password. RFC 8839 §5.4, RFC 8445 §5.3.

import (
	"encoding/base64"
	"fmt"
	"io"
)

// Credentials are what one side's checks are protected with.
type Credentials struct {
	Ufrag string // a=ice-ufrag, 4 to 256 characters
	Pwd   string // a=ice-pwd, 22 to 256 characters
}

// Valid tells whether both have the size and the characters of RFC 8839 §5.4.
func (c Credentials) Valid() bool {
	return len(c.Ufrag) >= 4 && len(c.Pwd) >= 22 && token(c.Ufrag, 256) && token(c.Pwd, 256)
}

// newCredentials draws 48 and 192 bits: more than the 24 and 128 of RFC 8445 §5.3, for the fragment alone tells streams of a shared port apart.
func newCredentials(random io.Reader) (Credentials, error) {
	var raw [6 + 24]byte
	if _, err := io.ReadFull(random, raw[:]); err != nil {
		return Credentials{}, fmt.Errorf("ice: credentials: %w", err)
	}
	return Credentials{base64.StdEncoding.EncodeToString(raw[:6]), base64.StdEncoding.EncodeToString(raw[6:])}, nil
}
