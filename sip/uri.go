// SIP, SIPS, tel and absolute URIs. RFC 3261 §19.1, RFC 3966, RFC 2396.

package sip

// URI is a SIP, SIPS or tel URI, or any absolute URI. The parts are kept as written (escapes not decoded), so that an unchanged URI prints as
// it was read.
type URI struct {
	Scheme  string // "sip", "sips", "tel", …
	User    string // user and password as written, escaped: "alice", "+49301234;ext=1", "bob:secret"; for tel the number with its parameters in Params
	Host    string // host name, IPv4 address, or IPv6 reference with brackets; for an absolute URI everything after the colon
	Port    uint16 // 0: none written
	Params  Params
	Headers string // what follows "?", without it
}

// ParseURI parses s whole. The error is a *ParseError.
func ParseURI(s string) (URI, error) { return URI{}, nil }

// MustParseURI is ParseURI for constants in programs and tests; it panics on an error.
func MustParseURI(s string) URI {
	u, err := ParseURI(s)
	if err != nil {
		panic(err)
	}
	return u
}

// IsSIP reports whether the scheme is sip or sips.
func (u URI) IsSIP() bool { return u.Scheme == "sip" || u.Scheme == "sips" }

// UserName returns the user part without password and parameters after ";", escapes decoded once.
func (u URI) UserName() string { return u.User }

// Equal compares as RFC 3261 §19.1.4 (sip, sips) and RFC 3966 §4 (tel) ask.
func (u URI) Equal(v URI) bool { return u == v }

// AOR returns the canonical form under which bindings are kept (RFC 3261 §10.3 step 5): scheme, user and host, escapes decoded where
// they need not be, host in lower case, no port and parameters: "sip:alice@example.org".
func (u URI) AOR() string { return u.String() }

// Transport returns the transport parameter in lower case, "" if absent.
func (u URI) Transport() string { return u.Params.Get("transport") }

// AppendTo appends the URI as written and returns the extended slice.
func (u URI) AppendTo(b []byte) []byte { return b }

// String returns the URI as written.
func (u URI) String() string { return string(u.AppendTo(nil)) }
