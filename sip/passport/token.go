// Tokens: their claims, and how they are written and read. RFC 8225 §3 to §9; RFC 8588 §4; RFC 8946 §3.

package passport

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// The types of tokens that are known: the ppt of their header.
const (
	Base   = ""       // RFC 8225
	Shaken = "shaken" // RFC 8588
	Div    = "div"    // RFC 8946
)

// Attestation says how well the signer of a shaken token knows the caller. RFC 8588 §4.
type Attestation string

// The levels.
const (
	Full    Attestation = "A" // the signer knows the caller and that the number is theirs
	Partial Attestation = "B" // it knows the caller, not the right to the number
	Gateway Attestation = "C" // it knows neither, only where the call came in
)

const (
	algorithm = "ES256"
	maxToken  = 8 << 10 // bytes
	maxDest   = 32      // parties that are called
)

// Token are the claims of a PASSporT.
type Token struct {
	Type     string // Base, Shaken, Div
	URL      string // x5u: where the certificate is
	Orig     Party
	Dest     []Party
	Issued   time.Time   // whole seconds
	Attest   Attestation // shaken
	OrigID   string      // shaken: where the call came from, as far as the signer tells
	Diverter Party       // div: who was called before
}

// signed is a token as it was read, with what its signature is over.
type signed struct {
	Token
	input     string
	signature []byte
}

// ErrToken says that a text is no token.
var ErrToken = errors.New("passport: malformed token")

// header are the members of a JOSE header.
type header struct {
	Algorithm string `json:"alg"`
	Type      string `json:"ppt,omitempty"`
	Kind      string `json:"typ"`
	URL       string `json:"x5u"`
}

// claims are the members of a payload, in the order in which they are signed. RFC 8225 §9: lexicographic, without blanks.
type claims struct {
	Attest string   `json:"attest,omitempty"`
	Dest   *parties `json:"dest"`
	Div    *party   `json:"div,omitempty"`
	Issued int64    `json:"iat"`
	Orig   *party   `json:"orig"`
	OrigID string   `json:"origid,omitempty"`
}

// party is one identity.
type party struct {
	Number string `json:"tn,omitempty"`
	URI    string `json:"uri,omitempty"`
}

// parties are those who are called.
type parties struct {
	Numbers texts `json:"tn,omitempty"`
	URIs    texts `json:"uri,omitempty"`
}

// texts is a list of strings; one alone is taken too.
type texts []string

// UnmarshalJSON implements [json.Unmarshaler].
func (t *texts) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		*t = texts{""}
		return json.Unmarshal(b, &(*t)[0])
	}
	return json.Unmarshal(b, (*[]string)(t))
}

// input is what is signed: header and payload in base64url. RFC 8225 §7.
func (t *Token) input() string {
	return part(header{algorithm, t.Type, "passport", t.URL}) + "." + part(t.claims())
}

func (t *Token) claims() claims {
	c := claims{Attest: string(t.Attest), Issued: t.Issued.Unix(), Orig: t.Orig.claim(), OrigID: t.OrigID, Dest: new(parties)}
	for _, d := range t.Dest {
		if d.Number != "" {
			c.Dest.Numbers = append(c.Dest.Numbers, d.Number)
		} else {
			c.Dest.URIs = append(c.Dest.URIs, d.URI)
		}
	}
	slices.Sort(c.Dest.Numbers)
	slices.Sort(c.Dest.URIs)
	if t.Type == Div {
		c.Div = t.Diverter.claim()
	}
	return c
}

// part writes one part of a token.
func part(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	// Plain strings and numbers cannot fail.
	_ = e.Encode(v)
	return base64.RawURLEncoding.EncodeToString(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

// parse reads a token in full form. The error wraps [ErrToken].
func parse(s string) (*signed, error) {
	if len(s) > maxToken {
		return nil, fmt.Errorf("%w: longer than %d bytes", ErrToken, maxToken)
	}
	parts := strings.Split(s, ".")
	if len(parts) != 3 {
		return nil, fmt.Errorf("%w: not three parts", ErrToken)
	}
	var h header
	if err := read(parts[0], &h); err != nil {
		return nil, err
	}
	if h.Algorithm != algorithm || h.Kind != "passport" && h.Kind != "" {
		return nil, fmt.Errorf("%w: alg %q, typ %q", ErrToken, h.Algorithm, h.Kind)
	}
	var c claims
	if err := read(parts[1], &c); err != nil {
		return nil, err
	}
	t := &signed{Token: Token{Type: h.Type, URL: h.URL, Attest: Attestation(c.Attest), OrigID: c.OrigID, Issued: time.Unix(c.Issued, 0)}, input: parts[0] + "." + parts[1]}
	if err := t.take(&c); err != nil {
		return nil, err
	}
	var err error
	t.signature, err = signature(parts[2])
	return t, err
}

// read takes one part of a token apart.
func read(part string, v any) error {
	b, err := base64.RawURLEncoding.DecodeString(part)
	if err == nil {
		err = json.Unmarshal(b, v)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrToken, err)
	}
	return nil
}

// signature reads the last part: two numbers of 32 bytes. RFC 7518 §3.4.
func signature(part string) ([]byte, error) {
	b, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil || len(b) != signatureLength {
		return nil, fmt.Errorf("%w: no signature", ErrToken)
	}
	return b, nil
}

// take checks the claims and makes them the token's.
func (t *signed) take(c *claims) error {
	if c.Orig == nil || c.Dest == nil || c.Issued <= 0 || len(c.Dest.Numbers)+len(c.Dest.URIs) > maxDest {
		return fmt.Errorf("%w: orig, dest or iat is missing", ErrToken)
	}
	t.Orig = Party(*c.Orig)
	for _, n := range c.Dest.Numbers {
		t.Dest = append(t.Dest, Party{Number: n})
	}
	for _, u := range c.Dest.URIs {
		t.Dest = append(t.Dest, Party{URI: u})
	}
	if c.Div != nil {
		t.Diverter = Party(*c.Div)
	}
	switch {
	case !t.Orig.one() || len(t.Dest) == 0:
		return fmt.Errorf("%w: orig or dest names nobody", ErrToken)
	case t.Type == Div && !t.Diverter.one():
		return fmt.Errorf("%w: div is missing", ErrToken) // RFC 8946 §3
	case t.Type == Shaken && (t.Attest != Full && t.Attest != Partial && t.Attest != Gateway || t.OrigID == ""):
		return fmt.Errorf("%w: attest or origid is missing", ErrToken) // RFC 8588 §4
	}
	return nil
}
