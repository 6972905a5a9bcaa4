package sdp

// The parser: structure only, tolerant where phones in the field are broken. RFC 8866 §5, RFC 8866 §9.

import (
	"strconv"
	"strings"
)

// Limits of what [Parse] accepts.
const (
	MaxSize    = 1 << 16 // bytes of a description
	MaxLines   = 4096    // lines of a description
	MaxMedia   = 64      // m= lines of a description
	MaxFormats = 256     // formats of one m= line
)

// A ParseError says where and why a description was refused.
type ParseError struct {
	Line   int // counted from 1; 0 if the description as a whole is meant
	Reason string
}

// Error implements error.
func (e *ParseError) Error() string {
	if e.Line == 0 {
		return "sdp: parse: " + e.Reason
	}
	return "sdp: parse line " + strconv.Itoa(e.Line) + ": " + e.Reason
}

// Parse reads a description; b is not kept. The error is a *[ParseError].
//
// Refused are: what does not begin with v=0, a line that is not "x=value", a NUL byte, an m= line without type, port and
// proto or with a port out of range, and what exceeds the limits. Tolerated are line ends of any kind and a missing last
// one, blank lines, blanks at line ends, missing o=, s= and t= lines, lines in unusual order and of unknown type, and
// anything inside lines other than m=.
func Parse(b []byte) (*Description, error) {
	if len(b) > MaxSize {
		return nil, &ParseError{Reason: "too large"}
	}
	p := parser{d: new(Description), rest: string(b)}
	p.lines = make(Lines, 0, min(strings.Count(p.rest, "\n")+1, MaxLines))
	for p.next() {
		if reason := p.line(); reason != "" {
			return nil, &ParseError{Line: p.number, Reason: reason}
		}
	}
	if p.count == 0 {
		return nil, &ParseError{Reason: "empty"}
	}
	p.closeSection()
	return p.d, nil
}

// parser cuts a description into sections. All lines share one array; each section gets its part of it without spare
// capacity, so that appending to one does not overwrite the next.
type parser struct {
	d       *Description
	rest    string
	current string
	number  int // of the current line in the text
	count   int // lines taken
	lines   Lines
	start   int // of the open section in lines
}

// next takes one line; a bare CR ends a line too, so that none is ever carried into what we print.
func (p *parser) next() bool {
	if p.rest == "" {
		return false
	}
	p.number++
	s, i := p.rest, 0
	for i < len(s) && s[i] != '\n' && s[i] != '\r' {
		i++
	}
	end := min(i+1, len(s))
	if end < len(s) && s[i] == '\r' && s[end] == '\n' {
		end++
	}
	p.current, p.rest = s[:i], s[end:]
	return true
}

func (p *parser) line() (reason string) {
	s := p.current
	if strings.TrimSpace(s) == "" {
		return ""
	}
	switch p.count++; {
	case p.count > MaxLines:
		return "too many lines"
	case len(s) < 2 || s[1] != '=' || s[0] <= ' ' || s[0] >= 0x7f:
		return "not of the form x=value"
	case strings.IndexByte(s, 0) >= 0:
		return "NUL byte"
	case p.count == 1 && (s[0] != 'v' || strings.TrimSpace(s[2:]) != "0"):
		return "does not begin with v=0"
	case s[0] == 'm':
		return p.media(s[2:])
	}
	p.lines = append(p.lines, Line{s[0], s[2:]})
	return ""
}

// media opens a new section. RFC 8866 §5.14.
func (p *parser) media(s string) (reason string) {
	if len(p.d.Media) == MaxMedia {
		return "too many media"
	}
	f := strings.Fields(s)
	switch {
	case len(f) < 3:
		return "m= line without type, port and proto"
	case len(f)-3 > MaxFormats:
		return "too many formats"
	}
	m := Media{Type: f[0], Proto: f[2], Formats: f[3:]}
	port, count, ranged := strings.Cut(f[1], "/")
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return "port out of range"
	}
	m.Port = uint16(n)
	if ranged {
		if n, err = strconv.ParseUint(count, 10, 16); err != nil || n == 0 {
			return "number of ports out of range"
		}
		m.PortCount = uint16(n)
	}
	p.closeSection()
	p.d.Media = append(p.d.Media, m)
	return ""
}

func (p *parser) closeSection() {
	section := p.lines[p.start:len(p.lines):len(p.lines)]
	p.start = len(p.lines)
	if n := len(p.d.Media); n > 0 {
		p.d.Media[n-1].Lines = section
		return
	}
	p.d.Lines = section
}
