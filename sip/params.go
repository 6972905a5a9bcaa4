// Parameters behind semicolons. RFC 3261 §25.1 generic-param, uri-parameter.

package sip

import "iter"

// Params is a list of parameters as written: ";transport=tcp;lr". It is decoded when asked; names compare without case.
// Escapes are not decoded here: they mean something in URIs only, see [URI.Param].
type Params string

// next takes the first parameter off p; the value is as written, with quotes.
func (p Params) next() (name, value string, rest Params, ok bool) {
	s := string(p)
	i := 0
	for i < len(s) && (isBlank(s[i]) || s[i] == ';') {
		i++
	}
	if i == len(s) {
		return "", "", "", false
	}
	start := i
	for i < len(s) && s[i] != ';' && s[i] != '=' {
		i++
	}
	name = trimRight(s[start:i])
	if i == len(s) || s[i] == ';' {
		return name, "", Params(s[i:]), true
	}
	i = skip(s, i+1)
	start = i
	if i < len(s) && s[i] == '"' {
		i += quoted(s[i:])
	}
	for i < len(s) && s[i] != ';' {
		i++
	}
	return name, trimRight(s[start:i]), Params(s[i:]), true
}

// Lookup returns the value of the first parameter called name, unquoted, and whether it is present (a parameter without value gives "", true).
func (p Params) Lookup(name string) (value string, ok bool) {
	for p != "" {
		n, v, rest, more := p.next()
		if !more {
			return "", false
		}
		if sameFold(n, name) {
			return unquote(v), true
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
			n, v, rest, more := p.next()
			if !more || !yield(n, unquote(v)) {
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
		n, v, after, more := rest.next()
		if !more {
			break
		}
		rest = after
		switch {
		case !sameFold(n, name):
			b = appendParam(b, n, v)
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
	for n, v, rest, more := p.next(); more; n, v, rest, more = rest.next() {
		if !containsFold(without, n) {
			b = appendParam(b, n, v)
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

// appendParam appends a parameter whose value is as it must be written.
func appendParam(b []byte, name, value string) []byte {
	b = append(b, ';')
	b = append(b, name...)
	if value == "" {
		return b
	}
	b = append(b, '=')
	return append(b, value...)
}

// appendValue appends a parameter and quotes its value where neither a token nor a host can hold it.
func appendValue(b []byte, name, value string) []byte {
	value = safe(value)
	if value == "" || classValue.holds(value) {
		return appendParam(b, name, value)
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
	for i < len(s) {
		if s[i] != ';' {
			return i, "semicolon expected"
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

// valueLen returns the length of the parameter value at the start of s, 0 if there is none.
func valueLen(s string) int {
	if s != "" && s[0] == '"' {
		return quoted(s)
	}
	return classValue.span(s)
}
