// Name and address with parameters: From, To, Contact, Route and their like. RFC 3261 §20.10.

package sip

import "strings"

// Address is a name-addr or addr-spec with header parameters.
type Address struct {
	Display string // as written: a quoted string with its quotes, or tokens; "" if none
	URI     URI
	Params  Params
}

// ParseAddress parses s whole. Without angle brackets the parameters belong to the header, and the URI may hold no "?" (RFC 3261 §20).
// A display name without quotes may hold other characters than tokens, but none of , ; " \ < and >. The error is a [*ParseError].
func ParseAddress(s string) (a Address, err error) {
	err = a.parse(s)
	return a, err
}

func (a *Address) parse(s string) error {
	i := skip(s, 0)
	open := i
	switch {
	case i < len(s) && s[i] == '"':
		n := quoted(s[i:])
		if n == 0 {
			return addressError(i, "quoted string is not closed")
		}
		a.Display = s[i : i+n]
		open = skip(s, i+n)
		if open == len(s) || s[open] != '<' {
			return addressError(open, "< expected")
		}
	default:
		open = i + classDisplay.span(s[i:])
		if open == len(s) || s[open] != '<' {
			end, err := addrSpec(s, i)
			if err != nil {
				return err
			}
			return a.finish(s, span{uint32(i), uint32(end)}, end)
		}
		a.Display = trimRight(s[i:open])
	}
	n := strings.IndexByte(s[open:], '>')
	if n < 0 {
		return addressError(open, "> expected")
	}
	return a.finish(s, span{uint32(open + 1), uint32(open + n)}, open+n+1)
}

// addrSpec returns the end of a URI without angle brackets that starts at s[i:].
func addrSpec(s string, i int) (end int, err error) {
	for end = i; end < len(s) && s[end] != ';' && !isBlank(s[end]); end++ {
		if s[end] == '?' || s[end] == ',' {
			return 0, addressError(end, "URI needs angle brackets")
		}
	}
	return end, nil
}

// finish parses the URI in s and the parameters at s[params:].
func (a *Address) finish(s string, uri span, params int) error {
	if err := a.URI.parse(s[uri.start:uri.end]); err != nil {
		return within("URI", int(uri.start), err)
	}
	a.Params = Params(s[params:])
	if a.Params == "" {
		return nil
	}
	if at, why := a.Params.check(); why != "" {
		return addressError(params+at, why)
	}
	return nil
}

func addressError(at int, why string) error {
	return &ParseError{What: "address", Offset: at, Reason: why}
}

// Name returns the display name unquoted.
func (a Address) Name() string { return unquote(a.Display) }

// Tag returns the tag parameter.
func (a Address) Tag() string { return a.Params.Get("tag") }

// WithTag returns a with its tag set.
func (a Address) WithTag(tag string) Address { a.Params = a.Params.With("tag", tag); return a }

// AppendTo appends the address with angle brackets. A display name that is neither tokens nor a quoted string is quoted.
func (a Address) AppendTo(b []byte) []byte {
	if a.Display != "" {
		b = append(appendDisplay(b, a.Display), ' ')
	}
	b = append(b, '<')
	b = a.URI.appendTo(b)
	b = append(b, '>')
	return appendParams(b, a.Params)
}

// String prints the address with angle brackets.
func (a Address) String() string {
	var room [usualText]byte
	return string(a.AppendTo(room[:0]))
}

func appendDisplay(b []byte, s string) []byte {
	if s[0] == '"' && quoted(s) == len(s) && safe(s) == s {
		return append(b, s...)
	}
	for i := 0; i < len(s); i++ {
		if classes[s[i]]&classToken == 0 && !isBlank(s[i]) {
			return appendQuoted(b, s)
		}
	}
	return append(b, s...)
}

// appendParams appends header parameters as written, up to the first that is malformed.
func appendParams(b []byte, p Params) []byte {
	if p == "" {
		return b
	}
	if at, why := p.check(); why != "" {
		p = p[:strings.LastIndexByte(string(p[:at]), ';')+1]
		p = Params(strings.TrimRight(string(p), "; \t"))
	}
	return append(b, safe(string(p))...)
}
