// Parameters behind semicolons. RFC 3261 §25.1 generic-param, uri-parameter.

package sip

import (
	"iter"
	"strings"
)

// Params is a list of parameters as written: ";transport=tcp;lr". It is decoded when asked; names compare without case.
// Escapes are not decoded here: they mean something in URIs only, see [URI.Param].
type Params string

// maxParams is how many parameters, or headers of a URI, may stand in one place: comparing two URIs looks each up in the other.
const maxParams = 64

// param is one parameter; the value is as written, with quotes.
type param struct{ name, value string }

// next takes the first parameter off p.
func (p Params) next() (first param, rest Params, ok bool) {
	s := string(p)
	i := 0
	for i < len(s) && (isBlank(s[i]) || s[i] == ';') {
		i++
	}
	if i == len(s) {
		return param{}, "", false
	}
	start := i
	for i < len(s) && s[i] != ';' && s[i] != '=' {
		i++
	}
	first.name = trimRight(s[start:i])
	if i == len(s) || s[i] == ';' {
		return first, Params(s[i:]), true
	}
	i = skip(s, i+1)
	start = i
	if i < len(s) && (s[i] == '"' || s[i] == '<') {
		i += valueLen(s[i:])
	}
	if n := strings.IndexByte(s[i:], ';'); n >= 0 {
		i += n
	} else {
		i = len(s)
	}
	first.value = trimRight(s[start:i])
	return first, Params(s[i:]), true
}

// Lookup returns the value of the first parameter called name, unquoted, and whether it is present (a parameter without value gives "", true).
func (p Params) Lookup(name string) (value string, ok bool) {
	for p != "" {
		q, rest, more := p.next()
		if !more {
			return "", false
		}
		if sameFold(q.name, name) {
			return unquote(q.value), true
		}
		p = rest
	}
	return "", false
}

// Get returns the value of the first parameter called name, unquoted, or "".
func (p Params) Get(name string) string { v, _ := p.Lookup(name); return v }

// Has reports whether a parameter called name is present.
func (p Params) Has(name string) bool { _, ok := p.Lookup(name); return ok }

// All yields names and values in order; values are unquoted.
func (p Params) All() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for p := p; ; {
			q, rest, more := p.next()
			if !more || !yield(q.name, unquote(q.value)) {
				return
			}
			p = rest
		}
	}
}

// With returns p with the parameter set, in the place where it was or at the end; an empty value writes the name alone. The value is quoted if it must be,
// and cut before a CR, LF or NUL.
func (p Params) With(name, value string) Params {
	b := make([]byte, 0, len(p)+len(name)+len(value)+4)
	done := false
	for rest := p; ; {
		q, after, more := rest.next()
		if !more {
			break
		}
		rest = after
		switch {
		case !sameFold(q.name, name):
			b = q.appendTo(b)
		case !done:
			b = appendValue(b, name, value)
			done = true
		}
	}
	if !done {
		b = appendValue(b, name, value)
	}
	return Params(b)
}

// AppendTo appends the parameters as written, those called one of without left out.
func (p Params) AppendTo(b []byte, without ...string) []byte {
	for q, rest, more := p.next(); more; q, rest, more = rest.next() {
		if !containsFold(without, q.name) {
			b = q.appendTo(b)
		}
	}
	return b
}

// Without returns p with every parameter called name removed.
func (p Params) Without(name string) Params {
	if !p.Has(name) {
		return p
	}
	return Params(p.AppendTo(make([]byte, 0, len(p)), name))
}

func (p param) appendTo(b []byte) []byte {
	b = append(b, ';')
	b = append(b, p.name...)
	if p.value == "" {
		return b
	}
	b = append(b, '=')
	return append(b, p.value...)
}

// appendValue appends a parameter and quotes its value where neither a token nor a host can hold it.
func appendValue(b []byte, name, value string) []byte {
	value = safe(value)
	if value == "" || classValue.holds(value) {
		return param{name, value}.appendTo(b)
	}
	b = append(b, ';')
	b = append(b, name...)
	b = append(b, '=')
	return appendQuoted(b, value)
}

// check returns the offset and reason of the first fault in the parameters of a header, or -1.
func (p Params) check() (int, string) {
	s := string(p)
	i := skip(s, 0)
	for n := 0; i < len(s); n++ {
		if s[i] != ';' {
			return i, "semicolon expected"
		}
		if n == maxParams {
			return i, "too many parameters"
		}
		i = skip(s, i+1)
		n := classToken.span(s[i:])
		if n == 0 {
			return i, "empty parameter"
		}
		i = skip(s, i+n)
		if i == len(s) || s[i] != '=' {
			continue
		}
		i = skip(s, i+1)
		if n = valueLen(s[i:]); n == 0 {
			return i, "malformed parameter value"
		}
		i = skip(s, i+n)
	}
	return -1, ""
}

// valueLen returns the length of the parameter value at the start of s, 0 if there is none. A URI in angle brackets is a value too (RFC 8224 §4).
func valueLen(s string) int {
	switch {
	case s == "":
		return 0
	case s[0] == '"':
		return quoted(s)
	case s[0] == '<':
		return strings.IndexByte(s, '>') + 1
	}
	return classValue.spanLong(s)
}

// splitParams parses what stands before the first semicolon, which must be all of class c, and the parameters of a header.
func splitParams(what, s string, c class) (head string, p Params, err error) {
	s = trim(s)
	n := c.span(s)
	head, p = trimRight(s[:n]), Params(s[n:])
	if head == "" {
		return "", "", &ParseError{What: what, Reason: "value expected"}
	}
	if at, why := p.check(); why != "" {
		return "", "", &ParseError{What: what, Offset: n + at, Reason: why}
	}
	return head, p, nil
}
