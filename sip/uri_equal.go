// When two URIs are the same, and the canonical form of an address-of-record. RFC 3261 §19.1.4, §10.3; RFC 3966 §4.

package sip

// Equal compares as RFC 3261 §19.1.4 (sip, sips) and RFC 3966 §4 (tel) ask; absolute URIs are compared byte by byte behind the scheme.
func (u URI) Equal(v URI) bool {
	if !sameFold(u.Scheme, v.Scheme) {
		return false
	}
	switch {
	case u.Scheme == "tel":
		return u.equalTel(v)
	case !u.IsSIP():
		return u.Host == v.Host
	}
	return u.Port == v.Port && sameFold(u.Host, v.Host) && sameEscaped(u.User, v.User, false) &&
		u.matchParams(v) && v.matchParams(u) && sameHeaders(u.Headers, v.Headers) && sameHeaders(v.Headers, u.Headers)
}

// matchParams holds the parameters of u against those of v: one that both have must agree, and a few must be in both. Of a name that comes
// twice the first counts.
func (u URI) matchParams(v URI) bool {
	for name := range u.Params.All() {
		name = decode(name)
		other, ok := v.Param(name)
		if ok && !sameFold(u.paramValue(name), other) || !ok && neverIgnored(name) {
			return false
		}
	}
	return true
}

// neverIgnored tells the parameters whose absence on one side makes two URIs differ.
func neverIgnored(name string) bool {
	for _, n := range [...]string{"user", "ttl", "method", "maddr", "transport"} {
		if sameFold(n, name) {
			return true
		}
	}
	return false
}

// sameHeaders reports whether each "name=value" of the header part a is in b.
func sameHeaders(a, b string) bool {
	if a == b {
		return true
	}
	for a != "" {
		var h string
		h, a = cutHeader(a)
		if !hasHeader(b, h) {
			return false
		}
	}
	return true
}

func hasHeader(all, h string) bool {
	for all != "" {
		var other string
		other, all = cutHeader(all)
		if sameEscaped(other, h, true) {
			return true
		}
	}
	return false
}

func cutHeader(s string) (first, rest string) {
	for i := 0; i < len(s); i++ {
		if s[i] == '&' {
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

// sameEscaped compares two texts in which an unreserved character equals its escape and a reserved one does not.
func sameEscaped(a, b string, fold bool) bool {
	if a == b {
		return true
	}
	i, j := 0, 0
	for i < len(a) && j < len(b) {
		c, n := canonical(a, i)
		d, m := canonical(b, j)
		if c != d && (!fold || c > 255 || d > 255 || lower(byte(c)) != lower(byte(d))) {
			return false
		}
		i, j = i+n, j+m
	}
	return i == len(a) && j == len(b)
}

// canonical returns the character at s[i:] and its length there; an escape of a character that is not unreserved is a character of its own (above 255).
func canonical(s string, i int) (c uint16, n int) {
	e, ok := unescape(s, i)
	switch {
	case !ok:
		return uint16(s[i]), 1
	case classes[e]&classPlain != 0:
		return uint16(e), 3
	}
	return 256 + uint16(e), 3
}

// AOR returns the canonical form under which bindings are kept (RFC 3261 §10.3 step 5): scheme, user and host, escapes decoded where
// they need not be, host in lower case, no port, password and parameters: "sip:alice@example.org". For tel it is the number without separators,
// with ext and phone-context; for any other scheme the URI itself.
func (u URI) AOR() string { return string(u.AppendAOR(make([]byte, 0, 64))) }

// AppendAOR is [URI.AOR] into a buffer of the caller.
func (u URI) AppendAOR(b []byte) []byte {
	switch {
	case u.Scheme == "tel":
		return u.appendTelAOR(b)
	case !u.IsSIP():
		return u.AppendTo(b)
	}
	b = append(append(b, u.Scheme...), ':')
	n := len(b)
	for i := 0; i < len(u.User) && u.User[i] != ':'; {
		c, w := canonical(u.User, i)
		i += w
		if c > 255 || classes[byte(c)]&classUser == 0 || c == '#' {
			b = appendEscape(b, byte(c))
			continue
		}
		b = append(b, byte(c))
	}
	if len(b) > n {
		b = append(b, '@')
	}
	for i := 0; i < len(u.Host); i++ {
		b = append(b, lower(u.Host[i]))
	}
	return b
}

// equalTel compares numbers without visual separators and all parameters regardless of order. RFC 3966 §4.
func (u URI) equalTel(v URI) bool {
	if telNumber(u.User) != telNumber(v.User) {
		return false
	}
	return u.sameTelParams(v) && v.sameTelParams(u)
}

func (u URI) sameTelParams(v URI) bool {
	for name := range u.Params.All() {
		name = decode(name)
		other, ok := v.Param(name)
		if !ok || !sameFold(telValue(name, u.paramValue(name)), telValue(name, other)) {
			return false
		}
	}
	return true
}

// telValue takes the separators out of an extension or a phone-context that is a number.
func telValue(name, value string) string {
	if sameFold(name, "ext") || value != "" && value[0] == '+' {
		return telNumber(value)
	}
	return value
}

// telNumber returns the number without visual separators, in lower case.
func telNumber(s string) string {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '-', '.', '(', ')':
		default:
			b = append(b, lower(c))
		}
	}
	return string(b)
}

func (u URI) appendTelAOR(b []byte) []byte {
	b = append(append(b, "tel:"...), telNumber(u.User)...)
	for _, name := range [...]string{"ext", "phone-context"} {
		v, ok := u.Param(name)
		if !ok {
			continue
		}
		b = append(append(append(b, ';'), name...), '=')
		for i := range len(v) {
			if c := lower(v[i]); classes[c]&classParam == 0 || c == ';' || c == '=' {
				b = appendEscape(b, c)
			} else {
				b = append(b, c)
			}
		}
	}
	return b
}
