// The response parameter: what proves the password. RFC 7616 §3.4.1, §3.4.3; RFC 3261 §22.4.

package digest

import (
	"crypto/subtle"
	"encoding/hex"

	"github.com/sipwerk/sipwerk/sip"
)

// The protection of a response. RFC 7616 §3.4.
const (
	qopAuth    = "auth"
	qopAuthInt = "auth-int"
)

// answer is what a response is computed from.
type answer struct {
	algorithm Algorithm
	ha1       HA1
	method    sip.Method
	body      []byte // for auth-int
	*sip.Credentials
}

// Response returns the request-digest for a request without protection of its body: what c.Response must be, computed from the other fields of c. It is for programs
// that make many answers; others use [Client].
func Response(a Algorithm, ha1 HA1, method sip.Method, c *sip.Credentials) string {
	w := answer{algorithm: a, ha1: ha1, method: method, Credentials: c}
	return string(w.appendResponse(nil))
}

// appendResponse appends the request-digest in hexadecimal. It does not allocate for values of usual length.
func (w *answer) appendResponse(b []byte) []byte {
	var ha2, room [512]byte
	a2 := w.appendHA2(ha2[:0])
	t := hex.AppendEncode(room[:0], w.ha1[:w.algorithm.Size()])
	t = append(append(append(t, ':'), w.Nonce...), ':')
	if w.QOP != "" {
		t = append(append(t, w.NC...), ':')
		t = append(append(t, w.CNonce...), ':')
		t = append(append(t, w.QOP...), ':')
	}
	return w.algorithm.appendSum(b, append(t, a2...))
}

func (w *answer) appendHA2(b []byte) []byte {
	var room [512]byte
	t := append(append(append(room[:0], w.method...), ':'), w.URI...)
	if w.QOP == qopAuthInt {
		t = w.algorithm.appendSum(append(t, ':'), w.body)
	}
	return w.algorithm.appendSum(b, t)
}

// proves reports in constant time whether the response is the right one.
func (w *answer) proves() bool {
	var want, got [2 * 32]byte
	n := copy(got[:], w.Response)
	for i := range n {
		if got[i] >= 'A' && got[i] <= 'F' {
			got[i] += 'a' - 'A'
		}
	}
	right := w.appendResponse(want[:0])
	return subtle.ConstantTimeCompare(right, got[:n]) == 1 && n == len(w.Response)
}
