// The Via header. RFC 3261 §20.42, RFC 3581.

package sip

import (
	"net/netip"
	"strconv"
	"strings"
)

// MagicCookie starts every branch of RFC 3261 (§8.1.1.7).
const MagicCookie = "z9hG4bK"

// Via is one hop of a request.
type Via struct {
	Transport string // as written: "UDP", "TLS", "WSS", …
	Host      string // sent-by host; IPv6 with brackets
	Port      uint16 // 0: none written
	Params    Params
}

// ParseVia parses one value. The error is a [*ParseError].
func ParseVia(s string) (v Via, err error) {
	if at, why := v.parse(s); why != "" {
		return Via{}, viaError(at, why)
	}
	return v, nil
}

// parse makes v the value in s, or returns offset and reason of the first fault.
func (v *Via) parse(s string) (int, string) {
	i, ok := viaProtocol(s)
	if !ok {
		return i, "SIP/2.0/ expected"
	}
	n := classToken.span(s[i:])
	if n == 0 {
		return i, "transport expected"
	}
	v.Transport = transportName(s[i : i+n])
	i += n
	if i = skip(s, i); i == len(s) || !isBlank(s[i-1]) {
		return i, "sent-by expected"
	}
	if n = hostLen(s[i:]); n == 0 {
		return i, "malformed host"
	}
	v.Host, v.Port = s[i:i+n], 0
	i = skip(s, i+n)
	if i < len(s) && s[i] == ':' {
		i = skip(s, i+1)
		port, digits, ok := number(s[i:])
		if !ok || port == 0 || port > 65535 {
			return i, "port: value out of range"
		}
		v.Port = uint16(port)
		i += digits
	}
	v.Params = Params(s[i:])
	at, why := v.Params.check()
	return i + at, why
}

func viaError(at int, why string) error { return &ParseError{What: "Via", Offset: at, Reason: why} }

// viaProtocol returns where the transport starts; blanks may stand around the slashes.
func viaProtocol(s string) (int, bool) {
	if strings.HasPrefix(s, "SIP/2.0/") && len(s) > 8 && !isBlank(s[8]) {
		return 8, true
	}
	i := skip(s, 0)
	for _, part := range [...]string{"SIP", "/", "2.0", "/"} {
		if len(s) < i+len(part) || !sameFold(s[i:i+len(part)], part) {
			return i, false
		}
		i = skip(s, i+len(part))
	}
	return i, true
}

// transportName returns the usual transports without reference to s.
func transportName(s string) string {
	switch s {
	case "UDP":
		return "UDP"
	case "TCP":
		return "TCP"
	case "TLS":
		return "TLS"
	}
	return s
}

// Branch returns the branch parameter.
func (v Via) Branch() string { return v.Params.Get("branch") }

// Received returns the address of the received parameter, with or without brackets (RFC 5118 §4.5), an IPv4-mapped one as IPv4; the zero Addr if absent
// or malformed.
func (v Via) Received() netip.Addr { return literal(v.Params.Get("received")) }

// Addr returns the sent-by host if it is an address, otherwise the zero Addr.
func (v Via) Addr() netip.Addr { return literal(v.Host) }

// literal parses an address with or without brackets.
func literal(s string) netip.Addr {
	if len(s) > 2 && s[0] == '[' && s[len(s)-1] == ']' {
		s = s[1 : len(s)-1]
	}
	// Names are told apart here: ParseAddr would allocate an error for each.
	if s == "" || strings.IndexByte(s, ':') < 0 && (s[len(s)-1] < '0' || s[len(s)-1] > '9') {
		return netip.Addr{}
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}

// RPort returns the value of rport: present is true for the bare parameter of a request too (RFC 3581 §3).
func (v Via) RPort() (port uint16, present bool) {
	s, ok := v.Params.Lookup("rport")
	n, digits, inRange := number(s)
	if !inRange || digits != len(s) || n > 65535 {
		return 0, ok
	}
	return uint16(n), ok
}

// AppendTo appends the value.
func (v Via) AppendTo(b []byte) []byte {
	b = append(b, "SIP/2.0/"...)
	b = append(b, v.Transport[:classToken.span(v.Transport)]...)
	b = append(b, ' ')
	b = append(b, v.Host[:hostLen(v.Host)]...)
	if v.Port != 0 {
		b = strconv.AppendUint(append(b, ':'), uint64(v.Port), 10)
	}
	return appendParams(b, v.Params)
}

// String prints the value.
func (v Via) String() string { return string(v.AppendTo(nil)) }
