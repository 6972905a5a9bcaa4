// What a body is and what is taken: Content-Type, Content-Disposition, Accept. RFC 3261 §20.15, §20.11, §20.1.

package sip

import "strings"

// MediaType is a value of Content-Type or Accept.
type MediaType struct {
	Type, Subtype string // in lower case; "*" in Accept
	Params        Params
}

// ParseMediaType parses one value. The error is a [*ParseError].
func ParseMediaType(s string) (MediaType, error) {
	head, p, err := splitParams("media type", s, classToken|classSlash)
	if err != nil {
		return MediaType{}, err
	}
	kind, sub, _ := strings.Cut(head, "/")
	kind, sub = trimRight(kind), trim(sub)
	if !classToken.holds(kind) || !classToken.holds(sub) {
		return MediaType{}, &ParseError{What: "media type", Reason: "type/subtype expected"}
	}
	return MediaType{strings.ToLower(kind), strings.ToLower(sub), p}, nil
}

// String prints the value.
func (t MediaType) String() string {
	return string(appendParams([]byte(safe(t.Type)+"/"+safe(t.Subtype)), t.Params))
}

// Disposition is the value of Content-Disposition.
type Disposition struct {
	Type     string // "session", "render", "early-session", …, in lower case
	Required bool   // a receiver that does not know the type must refuse the message: handling is not "optional"
	Params   Params
}

// ParseDisposition parses a value. The error is a [*ParseError].
func ParseDisposition(s string) (Disposition, error) {
	kind, p, err := splitParams("Content-Disposition", s, classToken)
	if err != nil {
		return Disposition{}, err
	}
	return Disposition{strings.ToLower(kind), !sameFold(p.Get("handling"), "optional"), p}, nil
}

// Accepts reports whether the sender of m takes a body of a type such as "application/sdp": the q of the range in Accept that fits best is not 0. Without Accept it
// takes application/sdp, and with an empty one nothing (RFC 3261 §20.1).
func (m *Message) Accepts(mediaType string) bool {
	if !m.Has(HeaderAccept) {
		return sameFold(mediaType, "application/sdp")
	}
	kind, sub, _ := strings.Cut(mediaType, "/")
	best, taken := 0, false
	for s := range m.Values(HeaderAccept) {
		t, err := ParseMediaType(s)
		if err != nil {
			continue
		}
		if fit := t.fits(kind, sub); fit > best {
			q, _ := quality(t.Params)
			best, taken = fit, q > 0
		}
	}
	return taken
}

// fits tells how closely a media range fits a type: 0 not at all, 3 by name.
func (t MediaType) fits(kind, sub string) int {
	switch {
	case t.Type == "*" && t.Subtype == "*":
		return 1
	case sameFold(t.Type, kind) && t.Subtype == "*":
		return 2
	case sameFold(t.Type, kind) && sameFold(t.Subtype, sub):
		return 3
	}
	return 0
}

// quality returns the q parameter in thousandths, 1000 if there is none; ok is false for one that is malformed, which counts as 1000 too. RFC 3261 §25.1 qvalue.
func quality(p Params) (q uint16, ok bool) {
	s, present := p.Lookup("q")
	if !present {
		return 1000, true
	}
	whole, fraction, _ := strings.Cut(s, ".")
	if len(s) == 0 || len(fraction) > 3 || whole != "0" && whole != "1" && whole != "" || whole == "" && fraction == "" {
		return 1000, false
	}
	if whole == "1" {
		q = 1000
	}
	unit := uint16(100)
	for i := range len(fraction) {
		c := fraction[i]
		if c < '0' || c > '9' || whole == "1" && c != '0' {
			return 1000, false
		}
		q += uint16(c-'0') * unit
		unit /= 10
	}
	return q, true
}
