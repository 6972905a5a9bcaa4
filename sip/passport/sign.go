// The side that proves: tokens signed and put into requests. RFC 8224 §4.1, §6.1; RFC 8946 §4.1.

package passport

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// signatureLength is that of two numbers of the curve P-256.
const signatureLength = 64

// Signer signs with the key of a certificate. Safe for use by many goroutines.
type Signer struct {
	Key *ecdsa.PrivateKey // on P-256
	URL string            // where verifiers find the certificate
}

// NewSigner makes a signer of a certificate and its key; the certificate must have a TNAuthList and be valid now.
func NewSigner(pair tls.Certificate, url string) (*Signer, error) {
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, errors.New("passport: the key is none of the curve P-256; make one with `openssl ecparam -name prime256v1 -genkey`")
	}
	chain, err := readChain(pair.Certificate)
	if err != nil {
		return nil, err
	}
	if now := time.Now(); now.Before(chain[0].NotBefore) || now.After(chain[0].NotAfter) {
		return nil, fmt.Errorf("passport: the certificate is valid from %s to %s only", chain[0].NotBefore.Format(time.DateOnly), chain[0].NotAfter.Format(time.DateOnly))
	}
	if _, err := authority(chain[0]); err != nil {
		return nil, err
	}
	return &Signer{Key: key, URL: url}, nil
}

// Sign returns the value of Identity for the claims; URL is the signer's.
func (s *Signer) Sign(t Token) (sip.Identity, error) {
	t.URL = s.URL
	input := t.input()
	sum := sha256.Sum256([]byte(input))
	r, v, err := ecdsa.Sign(rand.Reader, s.Key, sum[:])
	if err != nil {
		return sip.Identity{}, fmt.Errorf("passport: sign: %w", err)
	}
	var b [signatureLength]byte
	r.FillBytes(b[:signatureLength/2])
	v.FillBytes(b[signatureLength/2:])
	return sip.Identity{Token: input + "." + base64.RawURLEncoding.EncodeToString(b[:]), Info: s.URL, Algorithm: algorithm, Type: t.Type}, nil
}

// Attest puts a shaken token into the INVITE req, which is otherwise as it will be sent: who calls is taken from P-Asserted-Identity or From, who is called from To. A Date
// that is missing is added. id says where the call came from; it is no secret, and the same for what is to be traced together.
func (s *Signer) Attest(req *sip.Request, level Attestation, id string) error {
	t, err := s.about(req, Shaken)
	if err != nil {
		return err
	}
	t.Attest, t.OrigID = level, id
	return s.add(req, t)
}

// ErrNotDiverted: a request has no token of the caller that it shows, or none that is for a number of ours.
var ErrNotDiverted = errors.New("passport: no proof of the caller to follow upon")

// Divert puts a div token into the INVITE req, which is otherwise as it will be sent, the tokens with which it came included: it says that the call was for a number of ours, as ours knows them,
// before it was sent on to whom To names. A call that was for that number all along gets none, as RFC 8946 §3 wants it. A Date that is missing is added. The error may wrap [ErrNotDiverted].
func (s *Signer) Divert(req *sip.Request, ours func(Party) bool) error {
	for value := range req.Values(sip.HeaderIdentity) {
		if strings.HasPrefix(value, "..") {
			return fmt.Errorf("%w: a compact token is about whom To named before", ErrNotDiverted)
		}
	}
	tokens, err := tokensOf(req)
	if err != nil {
		return err
	}
	t, err := s.about(req, Div)
	if err != nil {
		return err
	}
	last := original(tokens)
	if last == nil || last.Orig != t.Orig {
		return ErrNotDiverted // RFC 8946 §4.1: no div without a token before it
	}
	if way := chain(last, tokens); len(way) > 0 {
		last = way[len(way)-1]
	}
	if names(last.Dest, t.Dest[0]) {
		return nil
	}
	i := slices.IndexFunc(last.Dest, ours)
	if i < 0 {
		return ErrNotDiverted // RFC 8946 §3: whoever signs must have authority over that number
	}
	t.Diverter = last.Dest[i]
	return s.add(req, t)
}

// about makes the claims that every token about req has.
func (s *Signer) about(req *sip.Request, kind string) (Token, error) {
	t := Token{Type: kind, Issued: time.Now()}
	if date, err := sip.ParseDate(req.Get(sip.HeaderDate)); err == nil && time.Since(date).Abs() <= freshness {
		t.Issued = date // RFC 8224 §4.1: the time of Date
	} else {
		req.Set(sip.HeaderDate, sip.FormatDate(t.Issued))
	}
	orig, err := caller(req)
	if err != nil {
		return t, err
	}
	dest, err := callee(req)
	t.Orig, t.Dest = orig, []Party{dest}
	return t, err
}

func (s *Signer) add(req *sip.Request, t Token) error {
	id, err := s.Sign(t)
	if err == nil {
		req.Add(sip.HeaderIdentity, id.String())
	}
	return err
}
