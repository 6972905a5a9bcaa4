// Challenges and credentials of HTTP digest as they stand in WWW-Authenticate, Proxy-Authenticate, Authorization,
// Proxy-Authorization and Authentication-Info. RFC 3261 §20.7, §20.44, §25.1; RFC 7616 §3.3 to §3.5; RFC 8760 §2.

package sip

import "strings"

// maxAuthParams caps the parameters of one challenge or credentials.
const maxAuthParams = 32

// Challenge is one value of WWW-Authenticate or Proxy-Authenticate. Values are unquoted; "" is absent.
type Challenge struct {
	Scheme    string // "Digest"
	Realm     string
	Domain    string
	Nonce     string
	Opaque    string
	Algorithm string // as written; "" means MD5
	QOP       string // a comma list: "auth,auth-int"
	Stale     bool
}

// Credentials is one value of Authorization or Proxy-Authorization. Values are unquoted; "" is absent.
type Credentials struct {
	Scheme    string // "Digest"
	Username  string
	Realm     string
	Nonce     string
	URI       string
	Response  string
	Algorithm string
	CNonce    string
	Opaque    string
	QOP       string
	NC        string // eight hexadecimal digits, as written
}

// ParseChallenge parses one challenge. Parameters outside the table are skipped, a scheme other than Digest is returned with its
// name alone. The error is a *ParseError.
func ParseChallenge(s string) (Challenge, error) {
	var c Challenge
	l, scheme := newAuthLexer("challenge", s)
	c.Scheme = scheme
	if !strings.EqualFold(scheme, "Digest") {
		return c, l.err()
	}
	for l.next() {
		switch {
		case strings.EqualFold(l.name, "stale"):
			c.Stale = strings.EqualFold(l.value, "true")
		default:
			l.store(c.param(l.name))
		}
	}
	if l.reason == "" && (c.Realm == "" && !l.seenRealm || c.Nonce == "") {
		l.fail("realm or nonce is missing")
	}
	return c, l.err()
}

func (c *Challenge) param(name string) *string {
	if f := c.field(name); f != nil {
		return f
	}
	return c.field(strings.ToLower(name))
}

// field returns where the parameter of a name in lower case goes.
func (c *Challenge) field(name string) *string {
	switch name {
	case "realm":
		return &c.Realm
	case "domain":
		return &c.Domain
	case "nonce":
		return &c.Nonce
	case "opaque":
		return &c.Opaque
	case "algorithm":
		return &c.Algorithm
	case "qop":
		return &c.QOP
	}
	return nil
}

// AppendTo appends the challenge and returns the extended slice.
func (c Challenge) AppendTo(b []byte) []byte {
	b = append(b, c.Scheme...)
	b = appendAuthQuoted(b, " realm=", c.Realm)
	if c.Domain != "" {
		b = appendAuthQuoted(b, ", domain=", c.Domain)
	}
	b = appendAuthQuoted(b, ", nonce=", c.Nonce)
	if c.Opaque != "" {
		b = appendAuthQuoted(b, ", opaque=", c.Opaque)
	}
	if c.Stale {
		b = append(b, ", stale=true"...)
	}
	b = appendAuthToken(b, ", algorithm=", c.Algorithm)
	if c.QOP != "" {
		b = appendAuthQuoted(b, ", qop=", c.QOP)
	}
	return b
}

// String prints the value.
func (c Challenge) String() string { return string(c.AppendTo(nil)) }

// ParseCredentials parses the credentials of one field. Parameters outside the table are skipped, a scheme other than Digest is
// returned with its name alone. A parameter given twice and a missing username, realm, nonce, uri or response are errors; the
// error is a *ParseError.
func ParseCredentials(s string) (Credentials, error) {
	var c Credentials
	l, scheme := newAuthLexer("credentials", s)
	c.Scheme = scheme
	if !strings.EqualFold(scheme, "Digest") {
		return c, l.err()
	}
	for l.next() {
		l.store(c.param(l.name))
	}
	if l.reason == "" && (c.Username == "" || c.Realm == "" && !l.seenRealm || c.Nonce == "" || c.URI == "" || c.Response == "") {
		l.fail("username, realm, nonce, uri or response is missing")
	}
	return c, l.err()
}

func (c *Credentials) param(name string) *string {
	if f := c.field(name); f != nil {
		return f
	}
	return c.field(strings.ToLower(name))
}

// field returns where the parameter of a name in lower case goes.
func (c *Credentials) field(name string) *string {
	switch name {
	case "username":
		return &c.Username
	case "realm":
		return &c.Realm
	case "nonce":
		return &c.Nonce
	case "uri":
		return &c.URI
	case "response":
		return &c.Response
	case "algorithm":
		return &c.Algorithm
	case "cnonce":
		return &c.CNonce
	case "opaque":
		return &c.Opaque
	case "qop":
		return &c.QOP
	case "nc":
		return &c.NC
	}
	return nil
}

// AppendTo appends the credentials and returns the extended slice.
func (c Credentials) AppendTo(b []byte) []byte {
	b = append(b, c.Scheme...)
	b = appendAuthQuoted(b, " username=", c.Username)
	b = appendAuthQuoted(b, ", realm=", c.Realm)
	b = appendAuthQuoted(b, ", nonce=", c.Nonce)
	b = appendAuthQuoted(b, ", uri=", c.URI)
	b = appendAuthQuoted(b, ", response=", c.Response)
	b = appendAuthToken(b, ", algorithm=", c.Algorithm)
	if c.CNonce != "" {
		b = appendAuthQuoted(b, ", cnonce=", c.CNonce)
	}
	if c.Opaque != "" {
		b = appendAuthQuoted(b, ", opaque=", c.Opaque)
	}
	b = appendAuthToken(b, ", qop=", c.QOP)
	return appendAuthToken(b, ", nc=", c.NC)
}

// String prints the value.
func (c Credentials) String() string { return string(c.AppendTo(nil)) }

func appendAuthQuoted(b []byte, name, value string) []byte {
	return appendQuoted(append(b, name...), value)
}

// appendAuthToken writes value bare, or quoted if it is no token; "" writes nothing.
func appendAuthToken(b []byte, name, value string) []byte {
	switch {
	case value == "":
		return b
	case classToken.holds(value):
		return append(append(b, name...), value...)
	}
	return appendAuthQuoted(b, name, value)
}

// authLexer walks over the comma list of auth-params behind a scheme.
type authLexer struct {
	what, s     string
	pos         int
	count       int
	name, value string
	seenRealm   bool
	reason      string
}

func newAuthLexer(what, s string) (l authLexer, scheme string) {
	l = authLexer{what: what, s: s}
	l.blanks()
	if scheme = l.token(); scheme == "" {
		l.fail("scheme is missing")
	}
	return l, scheme
}

func (l *authLexer) err() error {
	if l.reason == "" {
		return nil
	}
	return &ParseError{What: l.what, Offset: l.pos, Reason: l.reason}
}

func (l *authLexer) fail(reason string) { l.reason = reason }

// next reads the next name and value; false at the end or on an error. Empty list elements are skipped.
func (l *authLexer) next() bool {
	for l.blanks(); l.pos < len(l.s) && l.s[l.pos] == ','; l.blanks() {
		l.pos++
	}
	if l.reason != "" || l.pos == len(l.s) {
		return false
	}
	if l.count++; l.count > maxAuthParams {
		l.fail("too many parameters")
		return false
	}
	if l.name = l.token(); l.name == "" {
		l.fail("parameter name expected")
		return false
	}
	if !l.equals() || !l.readValue() {
		return false
	}
	l.blanks()
	if l.pos < len(l.s) && l.s[l.pos] != ',' {
		l.fail("comma expected")
		return false
	}
	return true
}

func (l *authLexer) equals() bool {
	l.blanks()
	if l.pos == len(l.s) || l.s[l.pos] != '=' {
		l.fail("equals sign expected")
		return false
	}
	l.pos++
	l.blanks()
	return true
}

// readValue reads a quoted string or everything up to the next comma or blank: phones write URIs and nonces without quotes.
func (l *authLexer) readValue() bool {
	if l.pos < len(l.s) && l.s[l.pos] == '"' {
		return l.quoted()
	}
	start := l.pos
	for l.pos < len(l.s) && l.s[l.pos] > ' ' && l.s[l.pos] != ',' && l.s[l.pos] != '"' {
		l.pos++
	}
	l.value = l.s[start:l.pos]
	if l.value == "" {
		l.fail("value is missing")
	}
	return l.value != ""
}

func (l *authLexer) quoted() bool {
	n := quoted(l.s[l.pos:])
	if n == 0 {
		l.fail("quoted string does not end")
		return false
	}
	l.value = unquote(l.s[l.pos : l.pos+n])
	if strings.ContainsAny(l.value, "\r\n\x00") { // cannot be said again
		l.fail("quoted string has a line break or a zero byte")
		return false
	}
	l.pos += n
	return true
}

// store puts the value into the field of its name; a nil field is a parameter that does not matter.
func (l *authLexer) store(field *string) {
	if field == nil {
		return
	}
	if *field != "" {
		l.fail("parameter given twice: " + l.name)
		return
	}
	if strings.EqualFold(l.name, "realm") {
		l.seenRealm = true
	}
	*field = l.value
}

func (l *authLexer) blanks() {
	for l.pos < len(l.s) && (l.s[l.pos] == ' ' || l.s[l.pos] == '\t' || l.s[l.pos] == '\r' || l.s[l.pos] == '\n') {
		l.pos++
	}
}

func (l *authLexer) token() string {
	start := l.pos
	l.pos += classToken.span(l.s[start:])
	return l.s[start:l.pos]
}
