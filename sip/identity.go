// Who is calling, proven or hidden: Identity and Privacy. RFC 8224 §4, RFC 3323 §4.2.

package sip

import (
	"iter"
	"strings"
)

// Identity is one value of Identity: a PASSporT and where to find the certificate it is signed with.
type Identity struct {
	Token     string // three parts in base64url, or the two dots of the compact form around the signature
	Info      string // the URI of the certificate, without brackets
	Algorithm string // "ES256"
	Type      string // ppt: "shaken", "div", …; "" for the base type
}

// ParseIdentity parses one value. The error is a [*ParseError].
func ParseIdentity(s string) (Identity, error) {
	token, p, err := splitParams("Identity", s, classToken)
	if err != nil {
		return Identity{}, err
	}
	info := p.Get("info")
	if len(info) < 3 || info[0] != '<' || info[len(info)-1] != '>' {
		return Identity{}, &ParseError{What: "Identity", Offset: len(token), Reason: "info is missing"}
	}
	if strings.Count(token, ".") != 2 {
		return Identity{}, &ParseError{What: "Identity", Reason: "token has not three parts"}
	}
	return Identity{token, info[1 : len(info)-1], p.Get("alg"), p.Get("ppt")}, nil
}

// String prints the value.
func (i Identity) String() string {
	s := safe(i.Token) + ";info=<" + safe(i.Info) + ">"
	p := Params("")
	if i.Algorithm != "" {
		p = p.With("alg", i.Algorithm)
	}
	if i.Type != "" {
		p = p.With("ppt", i.Type)
	}
	return s + string(p)
}

// Privacy yields the privacy levels asked for: "id", "header", "session", "user", "none", "critical", "history". They stand behind semicolons; commas are tolerated.
func (m *Message) Privacy() iter.Seq[string] {
	return func(yield func(string) bool) {
		for value := range m.Values(HeaderPrivacy) {
			for p := range strings.FieldsFuncSeq(value, func(r rune) bool { return r == ';' || r == ',' || r == ' ' || r == '\t' }) {
				if !yield(strings.ToLower(p)) {
					return
				}
			}
		}
	}
}

// HasPrivacy reports whether a level is asked for.
func (m *Message) HasPrivacy(level string) bool {
	for p := range m.Privacy() {
		if sameFold(p, level) {
			return true
		}
	}
	return false
}
