package turn

// Credentials that end by themselves: the user name says who and until when, and the password is its keyed hash. It is what browsers and web
// services call the TURN REST API. RFC 8656 §9.2 sees only a long-term credential.

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

// Key is what credentials are issued and checked with. Whoever has it can issue any.
type Key []byte

// Credential is what a client must be told.
type Credential struct {
	Username string    `json:"username"`
	Password string    `json:"credential"`
	Expires  time.Time `json:"expires"`
}

// Issue returns a credential for an account, written "user@domain", that is good until expires.
func (k Key) Issue(account string, expires time.Time) Credential {
	name := strconv.FormatInt(expires.Unix(), 10) + ":" + account
	return Credential{Username: name, Password: k.password(name), Expires: expires.Truncate(time.Second)}
}

func (k Key) password(name string) string {
	mac := hmac.New(sha1.New, k)
	mac.Write([]byte(name))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// account returns who a user name is for; false: it is malformed, or its time is over. Whether the client knows the password is seen elsewhere.
func account(name string, now time.Time) (string, bool) {
	until, who, ok := strings.Cut(name, ":")
	seconds, err := strconv.ParseInt(until, 10, 64)
	if !ok || err != nil || who == "" || now.Unix() >= seconds {
		return "", false
	}
	return who, true
}
