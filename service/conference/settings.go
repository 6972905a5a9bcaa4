// What a room is set to, and its PINs.

package conference

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/sip"
)

// Settings are a room as it is kept: what is in force for the conferences in it.
type Settings struct {
	URI       sip.URI // by which it is called, and the name of the conference (RFC 4575 §5.2)
	Title     string
	PIN       PIN      // asked of who comes; "" for none
	Moderator PIN      // makes a moderator of who knows it; "" for none
	Owners    []string // the URIs of accounts that are moderators without a PIN, and need none

	MaxMembers       int            // members at once; 0: [Conference.MaxMembers]
	WaitForModerator bool           // nobody hears anything before a moderator is there
	MuteOnEntry      bool           // whoever comes is muted, but for moderators
	Quiet            bool           // no tones when somebody comes or goes
	Record           bool           // recorded from the first member on
	Encoding         audio.Encoding // how it is recorded
	// Factory makes a room of its own of each call: RFC 4579 §5.4. The room has a random name, its caller is the moderator.
	Factory bool
	Page    *Page // each call to it calls these; nil: a room like any other
}

// PIN is the hash of a PIN: "pbkdf2-sha256$iterations$salt$hash". It is text, so that it can be stored. The zero PIN is none.
type PIN string

const (
	pinScheme     = "pbkdf2-sha256"
	pinIterations = 20_000 // some ms: so few digits are guessed by whoever has stolen the database, but not in passing
	minPIN        = 4
	maxPIN        = 16
)

// errPIN says what a PIN may be.
var errPIN = errors.New("conference: a PIN has 4 to 16 digits")

// NewPIN hashes a PIN of 4 to 16 digits.
func NewPIN(digits string) (PIN, error) { return newPIN(digits, pinIterations) }

// newPIN hashes a PIN so many times.
func newPIN(digits string, iterations int) (PIN, error) {
	if len(digits) < minPIN || len(digits) > maxPIN || strings.Trim(digits, "0123456789") != "" {
		return "", errPIN
	}
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // documented never to fail
	hash, err := pinHash(digits, salt, iterations)
	if err != nil {
		return "", err
	}
	b64 := base64.RawStdEncoding
	return PIN(fmt.Sprintf("%s$%d$%s$%s", pinScheme, iterations, b64.EncodeToString(salt), b64.EncodeToString(hash))), nil
}

func pinHash(digits string, salt []byte, iterations int) ([]byte, error) {
	return pbkdf2.Key(sha256.New, digits, salt, iterations, sha256.Size)
}

// Matches reports whether digits are the PIN; a PIN that is none or malformed matches nothing. It computes for some ms.
func (p PIN) Matches(digits string) bool {
	parts := strings.Split(string(p), "$")
	if len(parts) != 4 || parts[0] != pinScheme {
		return false
	}
	iterations, err := strconv.Atoi(parts[1])
	salt, err2 := base64.RawStdEncoding.DecodeString(parts[2])
	want, err3 := base64.RawStdEncoding.DecodeString(parts[3])
	if errors.Join(err, err2, err3) != nil || iterations < 1 || iterations > 10*pinIterations || len(want) != sha256.Size {
		return false
	}
	got, err := pinHash(digits, salt, iterations)
	return err == nil && subtle.ConstantTimeCompare(got, want) == 1
}
