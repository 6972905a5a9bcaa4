// Info-Package and Recv-Info: what an INFO is about, and which ones are taken. RFC 6086 §7. Digits that come in one, of telephones that know no telephone events.

package sip

import "strings"

// InfoPackage is the value of Info-Package, or one value of Recv-Info.
type InfoPackage struct {
	Name   string
	Params Params
}

// ParseInfoPackage parses a value. The error is a [*ParseError].
func ParseInfoPackage(s string) (InfoPackage, error) {
	name, p, err := splitParams("Info-Package", s, classToken)
	return InfoPackage{name, p}, err
}

// Same reports whether two values are of one package: their names are the same without regard to case; parameters only say how. RFC 6086 §7.
func (p InfoPackage) Same(q InfoPackage) bool { return sameFold(p.Name, q.Name) }

// String prints the value.
func (p InfoPackage) String() string {
	return string(appendParams([]byte(p.Name[:classToken.span(p.Name)]), p.Params))
}

// The types of such a body. There is no standard for either.
const (
	dtmfRelayType = "application/dtmf-relay" // "Signal=5", and how long
	dtmfType      = "application/dtmf"       // "5"
)

// maxDTMF is the longest body in which a digit is looked for.
const maxDTMF = 256

// DTMF returns the digit in the body of an INFO (0 to 9, *, #, A to D), 0 if there is none.
func (m *Message) DTMF() byte {
	value, body := "", m.Body()
	switch kind := m.ContentType(); {
	case len(body) > maxDTMF:
	case sameFold(kind, dtmfType):
		value = string(body)
	case sameFold(kind, dtmfRelayType):
		for line := range strings.Lines(string(body)) {
			name, v, ok := strings.Cut(line, "=")
			if ok && sameFold(strings.TrimSpace(name), "signal") {
				value = v
				break
			}
		}
	}
	switch value = strings.TrimSpace(value); {
	case value == "10":
		return '*'
	case value == "11":
		return '#'
	case len(value) == 1 && strings.Contains("0123456789*#ABCD", strings.ToUpper(value)):
		return strings.ToUpper(value)[0]
	}
	return 0
}
