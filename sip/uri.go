// SIP, SIPS, tel and absolute URIs. RFC 3261 §19.1, RFC 3966, RFC 2396.

package sip

import (
	"net/netip"
	"strconv"
	"strings"
)

// URI is a SIP, SIPS or tel URI, or any absolute URI. The parts are kept as written (escapes not decoded), so that an unchanged URI prints as
// it was read.
type URI struct {
	Scheme  string // "sip", "sips", "tel", …; always lower case for these three
	User    string // user and password as written, escaped: "alice", "+49301234;ext=1", "bob:secret"; for tel the number with its parameters in Params
	Host    string // host name, IPv4 address, or IPv6 reference with brackets; for an absolute URI everything after the colon
	Port    uint16 // 0: none written
	Params  Params
	Headers string // what follows "?", without it
}

// ParseURI parses s whole. The error is a *ParseError.
func ParseURI(s string) (URI, error) {
	var u URI
	if err := u.parse(s); err != nil {
		return URI{}, err
	}
	return u, nil
}

func (u *URI) parse(s string) error {
	if len(s) > 4 && s[:4] == "sip:" {
		u.Scheme = "sip"
		if at, why := u.parseSIP(s[4:]); why != "" {
			return uriError(4+at, why)
		}
		return nil
	}
	colon := strings.IndexByte(s, ':')
	if colon <= 0 {
		return uriError(0, "no scheme")
	}
	u.Scheme = schemeOf(s[:colon])
	rest := s[colon+1:]
	var at int
	var why string
	switch u.Scheme {
	case "sip", "sips":
		at, why = u.parseSIP(rest)
	case "tel":
		at, why = u.parseTel(rest)
	default:
		at, why = u.parseAbsolute(rest)
	}
	if why != "" {
		return uriError(colon+1+at, why)
	}
	return nil
}

// MustParseURI is ParseURI for constants in programs and tests; it panics on an error.
func MustParseURI(s string) URI {
	u, err := ParseURI(s)
	if err != nil {
		panic(err)
	}
	return u
}

func uriError(at int, why string) error { return &ParseError{What: "URI", Offset: at, Reason: why} }

// schemeOf returns the known schemes in lower case and without reference to s.
func schemeOf(s string) string {
	switch {
	case sameFold(s, "sip"):
		return "sip"
	case sameFold(s, "sips"):
		return "sips"
	case sameFold(s, "tel"):
		return "tel"
	}
	return s
}

// parseSIP parses what follows the scheme. The first "@" ends the user: the grammar allows none behind it.
func (u *URI) parseSIP(s string) (int, string) {
	at := strings.IndexByte(s, '@') + 1
	if at > 0 {
		u.User = s[:at-1]
		if n := classUser.escaped(u.User); n < at-1 || n == 0 {
			return n, "illegal character in user, or none"
		}
	}
	n, why := u.parseHostPort(s[at:])
	if at += n; why != "" || at == len(s) {
		return at, why
	}
	tail := s[at:]
	if i := strings.IndexByte(tail, '?'); i >= 0 {
		u.Headers = tail[i+1:]
		if n := classHeaders.escaped(u.Headers); n < len(u.Headers) || n == 0 || strings.Count(u.Headers, "&") > maxParams {
			return at + i + 1 + n, "malformed header part"
		}
		tail = tail[:i]
	}
	u.Params = Params(tail)
	n, why = u.Params.checkURI()
	return at + n, why
}

func (u *URI) parseHostPort(s string) (int, string) {
	n := classHost.spanLong(s)
	if n == 0 {
		if n = hostLen(s); n == 0 {
			return 0, "malformed host"
		}
	}
	u.Host = s[:n]
	if n == len(s) || s[n] != ':' {
		return n, ""
	}
	port, digits, ok := number(s[n+1:])
	if !ok || port > 65535 || port == 0 {
		return n + 1, "port: value out of range"
	}
	u.Port = uint16(port)
	return n + 1 + digits, ""
}

// hostLen returns the length of the host at the start of s, 0 if there is none. What stands in brackets must be an IPv6 address; an address with a port
// inside the brackets is one (RFC 5118 §4.3).
func hostLen(s string) int {
	if s == "" || s[0] != '[' {
		return classHost.spanLong(s)
	}
	end := strings.IndexByte(s, ']')
	if end < 0 {
		return 0
	}
	if a, err := netip.ParseAddr(s[1:end]); err != nil || !a.Is6() || a.Zone() != "" {
		return 0
	}
	return end + 1
}

// parseTel parses a telephone-subscriber. RFC 3966 §3. A local number without phone-context is tolerated.
func (u *URI) parseTel(s string) (int, string) {
	n := classPhone.span(s)
	if strings.Trim(s[:n], "+-.()") == "" {
		return 0, "telephone number expected"
	}
	u.User, u.Params = s[:n], Params(s[n:])
	at, why := u.Params.checkURI()
	return n + at, why
}

func (u *URI) parseAbsolute(s string) (int, string) {
	if c := u.Scheme[0] | 0x20; c < 'a' || c > 'z' || !classScheme.holds(u.Scheme) {
		return 0, "malformed scheme"
	}
	u.Host = s
	if n := classOpaque.span(s); n < len(s) || n == 0 {
		return n, "illegal character"
	}
	return 0, ""
}

// checkURI is [Params.check] for the parameters of a URI.
func (p Params) checkURI() (int, string) {
	s := string(p)
	if s == "" {
		return 0, ""
	}
	if s[0] != ';' {
		return 0, "unexpected character behind the host"
	}
	if n := classParam.escaped(s); n < len(s) {
		return n, "illegal character in parameter"
	}
	for i, n := 0, 0; i >= 0; n++ {
		if n == maxParams {
			return len(p) - len(s) + i, "too many parameters"
		}
		s = s[i+1:]
		if s == "" || s[0] == ';' || s[0] == '=' {
			return len(p) - len(s), "empty parameter"
		}
		i = strings.IndexByte(s, ';')
	}
	return 0, ""
}

// IsSIP reports whether the scheme is sip or sips.
func (u URI) IsSIP() bool { return u.Scheme == "sip" || u.Scheme == "sips" }

// UserName returns the user part without password, escapes decoded once. Where the URI says user=phone (and for tel) the parameters of the number are left out too:
// "+4930123" for sip:+4930123;ext=7@example.org;user=phone. Otherwise a semicolon is part of the name (RFC 4475 §3.1.1.9).
func (u URI) UserName() string {
	s, _, _ := strings.Cut(u.User, ":")
	if strings.IndexByte(s, ';') >= 0 && sameFold(u.paramValue("user"), "phone") {
		s, _, _ = strings.Cut(s, ";")
	}
	return decode(s)
}

// Param returns the value of a URI parameter, escapes in name and value decoded once, and whether it is present. sip:a@b;%6C%72 has "lr".
func (u URI) Param(name string) (value string, ok bool) {
	if strings.IndexByte(string(u.Params), '%') < 0 {
		return u.Params.Lookup(name)
	}
	for n, v := range u.Params.All() {
		if sameFold(decode(n), name) {
			return decode(v), true
		}
	}
	return "", false
}

// Header returns the value that the header part of the URI ("?Replaces=…") gives a header, escapes decoded once, and whether it is there. RFC 3261 §19.1.1.
func (u URI) Header(name string) (value string, ok bool) {
	for rest := u.Headers; rest != ""; {
		var h string
		h, rest = cutHeader(rest)
		n, v, _ := strings.Cut(h, "=")
		if sameFold(decode(n), name) {
			return decode(v), true
		}
	}
	return "", false
}

// WithHeader returns u with one header more in its header part, escaped. RFC 3261 §19.1.1.
func (u URI) WithHeader(name, value string) URI {
	b := append(make([]byte, 0, len(u.Headers)+len(name)+len(value)+16), u.Headers...)
	if len(b) > 0 {
		b = append(b, '&')
	}
	b = append(append(b, name...), '=')
	for i := 0; i < len(value); i++ {
		if c := value[i]; classes[c]&classUser != 0 && strings.IndexByte("&=,;?", c) < 0 {
			b = append(b, c)
		} else {
			b = appendEscape(b, c)
		}
	}
	u.Headers = string(b)
	return u
}

// paramValue is Param for callers that do not ask whether it is there.
func (u URI) paramValue(name string) string { v, _ := u.Param(name); return v }

// Loose reports whether the URI has the lr parameter of a loose router. RFC 3261 §19.1.1.
func (u URI) Loose() bool { _, ok := u.Param("lr"); return ok }

// Transport returns the transport parameter in lower case, "" if absent.
func (u URI) Transport() string { return strings.ToLower(u.paramValue("transport")) }

// AppendTo appends the URI as written and returns the extended slice. What no URI may hold is escaped in the user part and cut off elsewhere.
func (u URI) AppendTo(b []byte) []byte { return u.appendTo(b) }

func (u *URI) appendTo(b []byte) []byte {
	b = append(b, u.Scheme[:classScheme.span(u.Scheme)]...)
	b = append(b, ':')
	switch {
	case u.Scheme == "tel":
		b = append(b, u.User[:classPhone.span(u.User)]...)
	case !u.IsSIP():
		return append(b, u.Host[:classOpaque.span(u.Host)]...)
	default:
		b = u.appendAuthority(b)
	}
	if u.Params != "" {
		if u.Params[0] != ';' {
			b = append(b, ';')
		}
		p := string(u.Params)
		b = append(b, p[:classParam.escaped(p)]...)
	}
	if u.Headers != "" && u.IsSIP() {
		b = append(b, '?')
		b = append(b, u.Headers[:classHeaders.escaped(u.Headers)]...)
	}
	return b
}

func (u *URI) appendAuthority(b []byte) []byte {
	if u.User != "" {
		b = append(appendEscaped(b, u.User), '@')
	}
	b = append(b, u.Host[:hostLen(u.Host)]...)
	if u.Port != 0 {
		b = strconv.AppendUint(append(b, ':'), uint64(u.Port), 10)
	}
	return b
}

// appendEscaped appends a user part and escapes what it may not hold; escapes already there stay.
func appendEscaped(b []byte, s string) []byte {
	n := classWritten.spanLong(s)
	b = append(b, s[:n]...)
	for i := n; i < len(s); i++ {
		c := s[i]
		_, isEscape := unescape(s, i)
		if isEscape || classes[c]&classWritten != 0 {
			b = append(b, c)
			continue
		}
		b = appendEscape(b, c)
	}
	return b
}

func appendEscape(b []byte, c byte) []byte {
	const hex = "0123456789ABCDEF"
	return append(b, '%', hex[c>>4], hex[c&15])
}

// EscapeUser returns name with everything escaped that a user part may not hold, the separators ":" ";" and "@" and "%" included: for building a URI from a name.
func EscapeUser(name string) string {
	b := make([]byte, 0, len(name)+8)
	for i := 0; i < len(name); i++ {
		c := name[i]
		if classes[c]&classUser == 0 || c == ':' || c == ';' || c == '#' || c == '?' {
			b = appendEscape(b, c)
			continue
		}
		b = append(b, c)
	}
	return string(b)
}

// String returns the URI as written.
func (u URI) String() string {
	var room [usualText]byte
	return string(u.appendTo(room[:0]))
}

// usualText is what most values need as text: it is put together without an allocation.
const usualText = 160

// Clone returns a copy that owns its memory.
func (u URI) Clone() URI {
	b := make([]byte, 0, len(u.Scheme)+len(u.User)+len(u.Host)+len(u.Params)+len(u.Headers))
	own := func(s string) string {
		b = append(b, s...)
		return text(b[len(b)-len(s):])
	}
	return URI{own(u.Scheme), own(u.User), own(u.Host), u.Port, Params(own(string(u.Params))), own(u.Headers)}
}
