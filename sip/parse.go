// The one-pass message parser. RFC 3261 §7, §25.1.

package sip

import (
	"bytes"
	"math"
)

// maxFields is how many header fields a message may have.
const maxFields = 256

// begin makes m the message in b and returns the start line and the index behind it. Empty lines before it are skipped (RFC 3261 §7.5).
func (m *Message) begin(b []byte) (line []byte, start, next int) {
	*m = Message{raw: b, made: m.made[:0], fields: m.fields[:0]}
	for start < len(b) && (b[start] == '\r' || b[start] == '\n') {
		start++
	}
	end := bytes.IndexByte(b[start:], '\n')
	if end < 0 {
		return b[start:], start, len(b)
	}
	next = start + end + 1
	line = b[start : next-1]
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	return line, start, next
}

// parseRest reads what stands behind the start line. A fault of that line, at start, counts first; m holds the rest all the same.
func (m *Message) parseRest(fault *ParseError, start, next int) error {
	if fault != nil {
		fault.Offset += start
	}
	if e := m.parse(next); fault == nil && e != nil {
		fault = e
	}
	if fault == nil {
		return nil
	}
	return fault
}

// parse reads header fields and body from at on. It goes on behind a fault and returns the first.
func (m *Message) parse(at int) (fault *ParseError) {
	note := func(e *ParseError) {
		if fault == nil {
			fault = e
		}
	}
	b := m.raw
	length, returns, start := -1, 0, at
	for at < len(b) {
		end, next := m.line(at)
		returns += max(0, next-end-1)
		if end == at {
			at = next
			break
		}
		if len(m.fields) == maxFields {
			note(fieldError(at, "too many header fields"))
			at = len(b)
			break
		}
		h, e := m.field(at, end, next)
		if h == HeaderContentLength && e == nil {
			length, e = contentLength(m.valueOf(&m.fields[len(m.fields)-1]), length)
		}
		if e != nil {
			e.Offset += at
			note(e)
		}
		at = next
	}
	if bytes.Count(b[start:at], []byte{'\r'}) != returns {
		note(m.dropReturns())
	}
	switch {
	case length < 0:
		length = len(b) - at
	case length > len(b)-at:
		note(&ParseError{What: "Content-Length", Offset: at, Reason: "body is shorter"})
		length = len(b) - at
	}
	m.raw = b[:at+length]
	m.body = m.raw[at:]
	return fault
}

// line returns the end of the logical line at b[at:], before its line end, and the start of the next. Folds are unfolded: blanks are
// written over their line ends, which mean the same (RFC 3261 §7.3.1).
func (m *Message) line(at int) (end, next int) {
	b := m.raw
	for next = at; ; {
		i := bytes.IndexByte(b[next:], '\n')
		if i < 0 {
			m.bare = true
			return len(b), len(b)
		}
		end = next + i
		next = end + 1
		if end > at && b[end-1] == '\r' {
			end--
		} else {
			m.bare = true
		}
		if end == at || next == len(b) || !isBlank(b[next]) {
			return end, next
		}
		for j := end; j < next; j++ {
			b[j] = ' '
		}
	}
}

// field appends the field in b[at:end].
func (m *Message) field(at, end, next int) (h Header, fault *ParseError) {
	line := m.raw[at:end]
	colon := bytes.IndexByte(line, ':')
	if colon < 0 {
		return 0, fieldError(0, "no colon")
	}
	// RFC 3261 §25.1 HCOLON: blanks before the colon are legal and make no other name.
	n := colon
	for n > 0 && isBlank(line[n-1]) {
		n--
	}
	name := text(line[:n])
	h = LookupHeader(name)
	if h == HeaderOther && !classToken.holds(name) {
		return 0, fieldError(0, "malformed name")
	}
	start, stop := colon+1, len(line)
	for start < stop && isBlank(line[start]) {
		start++
	}
	for stop > start && isBlank(line[stop-1]) {
		stop--
	}
	base := uint32(at)
	m.fields = append(m.fields, field{
		header: h,
		name:   span{base, base + uint32(n)},
		value:  span{base + uint32(start), base + uint32(stop)},
		end:    uint32(next),
	})
	return h, nil
}

// dropReturns takes the fields out that hold a CR which ends no line: another parser might see two fields there.
func (m *Message) dropReturns() *ParseError {
	fault := fieldError(0, "CR without LF")
	kept := m.fields[:0]
	for _, f := range m.fields {
		if i := bytes.IndexByte(m.raw[f.name.start:f.value.end], '\r'); i >= 0 {
			fault.Offset = int(f.name.start) + i
			continue
		}
		kept = append(kept, f)
	}
	m.fields = kept
	return fault
}

func fieldError(at int, why string) *ParseError {
	return &ParseError{What: "header field", Offset: at, Reason: why}
}

// contentLength parses a Content-Length; before is that of an earlier field, or -1. On a fault the length stays unknown.
func contentLength(s string, before int) (int, *ParseError) {
	n, digits, ok := number(s)
	switch {
	case digits == 0 || digits < len(s):
		return -1, &ParseError{What: "Content-Length", Reason: "not a number"}
	case !ok || n > math.MaxInt32:
		return -1, &ParseError{What: "Content-Length", Reason: "value out of range"}
	case before >= 0:
		return before, &ParseError{What: "Content-Length", Reason: "more than one"}
	}
	return int(n), nil
}
