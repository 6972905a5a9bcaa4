// Why something was refused or ended: Reason, Warning and Retry-After. RFC 3326 §2; RFC 3261 §20.43, §20.33.

package sip

import (
	"strconv"
	"strings"
	"time"
)

// Reason is one value of a Reason header.
type Reason struct {
	Protocol string // "SIP", "Q.850"
	Cause    int    // -1: none
	Text     string // unquoted
}

// ParseReason parses one value. The error is a [*ParseError].
func ParseReason(s string) (Reason, error) {
	protocol, p, err := splitParams("Reason", s, classToken)
	if err != nil {
		return Reason{}, err
	}
	r := Reason{Protocol: protocol, Cause: -1, Text: p.Get("text")}
	if cause, ok := p.Lookup("cause"); ok {
		n, digits, _ := number(cause)
		if digits == 0 || digits < len(cause) || n > 999 {
			return Reason{}, &ParseError{What: "Reason", Offset: len(protocol), Reason: "cause out of range"}
		}
		r.Cause = int(n)
	}
	return r, nil
}

// String prints the value.
func (r Reason) String() string {
	b := append(make([]byte, 0, 64), r.Protocol[:classToken.span(r.Protocol)]...)
	if r.Cause >= 0 {
		b = strconv.AppendInt(append(b, ";cause="...), int64(r.Cause), 10)
	}
	if r.Text != "" {
		b = appendQuoted(append(b, ";text="...), r.Text)
	}
	return string(b)
}

// Warning is one value of a Warning header.
type Warning struct {
	Code  int    // 300 to 399, three digits
	Agent string // host or a token
	Text  string // unquoted
}

// ParseWarning parses one value. The error is a [*ParseError].
func ParseWarning(s string) (Warning, error) {
	code, n, _ := number(s)
	if n != 3 || code < 100 {
		return Warning{}, &ParseError{What: "Warning", Reason: "code of three digits expected"}
	}
	agent, text, _ := strings.Cut(trim(s[n:]), " ")
	text = trim(text)
	if agent == "" || !isBlank(s[n]) || text == "" || text[0] != '"' || quoted(text) != len(text) {
		return Warning{}, &ParseError{What: "Warning", Offset: n, Reason: "agent and quoted text expected"}
	}
	return Warning{int(code), agent, unquote(text)}, nil
}

// String prints the value.
func (w Warning) String() string {
	agent, _, _ := strings.Cut(safe(w.Agent), " ")
	b := append(strconv.AppendInt(nil, int64(w.Code), 10), ' ')
	b = append(append(b, agent...), ' ')
	return string(appendQuoted(b, w.Text))
}

// RetryAfter is the value of Retry-After.
type RetryAfter struct {
	Wait     time.Duration // whole seconds
	Duration time.Duration // how long the callee can be reached then; 0: not said
	Comment  string        // what stands in parentheses, as written
}

// ParseRetryAfter parses a value; a number beyond 32 bits is an error. The error is a [*ParseError].
func ParseRetryAfter(s string) (RetryAfter, error) {
	n, digits, ok := number(s)
	if !ok {
		return RetryAfter{}, &ParseError{What: "Retry-After", Reason: "number of seconds expected"}
	}
	r := RetryAfter{Wait: time.Duration(n) * time.Second}
	i := skip(s, digits)
	if i < len(s) && s[i] == '(' {
		end := comment(s[i:])
		if end == 0 {
			return RetryAfter{}, &ParseError{What: "Retry-After", Offset: i, Reason: "comment is not closed"}
		}
		r.Comment = s[i+1 : i+end-1]
		i += end
	}
	p := Params(s[i:])
	if at, why := p.check(); why != "" {
		return RetryAfter{}, &ParseError{What: "Retry-After", Offset: i + at, Reason: why}
	}
	r.Duration, _ = p.seconds("duration")
	return r, nil
}

// comment returns the length of the comment at the start of s with its parentheses, which may nest; 0 if it is not closed.
func comment(s string) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return 0
}

// String prints the value; the comment is left out.
func (r RetryAfter) String() string {
	s := strconv.FormatInt(int64(r.Wait/time.Second), 10)
	if r.Duration > 0 {
		s += ";duration=" + strconv.FormatInt(int64(r.Duration/time.Second), 10)
	}
	return s
}
