// The one-pass message parser. RFC 3261 §7, §25.1.

package sip

import (
	"bytes"
	"math"
	"strings"
)

// maxFields is how many header fields a message may have.
const maxFields = 256

// begin makes m the message in b and returns the start line and the index behind it. Empty lines before it are skipped (RFC 3261 §7.5).
func (m *Message) begin(b []byte) (line []byte, start, next int) {
	m.reset(b)
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

// reset makes m an empty message over b and keeps its memory.
func (m *Message) reset(b []byte) {
	m.raw, m.made, m.fields, m.body = b, m.made[:0], m.fields[:0], nil
	m.bare, m.known = false, 0
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
		next := at + bytes.IndexByte(b[at:], '\n') + 1
		end := next - 2
		if end <= at || b[end] != '\r' || next == len(b) || isBlank(b[next]) {
			end, next = m.line(at)
		}
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
	m.learn()
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

// learn reads what everybody asks for.
func (m *Message) learn() {
	m.learnVia()
	if _, why := m.cseq.parse(m.Get(HeaderCSeq)); why == "" {
		m.known |= knownCSeq
	}
}

func (m *Message) learnVia() {
	if _, why := m.via.parse(m.first(HeaderVia)); why == "" {
		m.known |= knownVia
	}
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
	line := text(m.raw[at:end])
	h, n, colon := fieldName(line)
	if h == HeaderOther && !classToken.holds(line[:n]) {
		if colon < 0 {
			return 0, fieldError(0, "no colon")
		}
		return 0, fieldError(0, "malformed name")
	}
	start, stop := colon+1, len(line)
	for start < stop && isBlank(line[start]) {
		start++
	}
	for stop > start && isBlank(line[stop-1]) {
		stop--
	}
	f := m.next()
	f.header, f.made = h, false
	f.name = span{uint32(at), uint32(at + n)}
	f.value = span{uint32(at + start), uint32(at + stop)}
	f.end = uint32(next)
	return h, nil
}

// next makes room for one more field, which holds anything: writing its parts there is cheaper than copying them there together.
func (m *Message) next() *field {
	n := len(m.fields)
	if n == cap(m.fields) {
		m.fields = append(m.fields, field{})
	}
	m.fields = m.fields[:n+1]
	return &m.fields[n]
}

// fieldName returns the header of a line, the length of its name, and where the colon is; without a colon -1 and an empty name.
func fieldName(line string) (h Header, n, colon int) {
	if len(line) >= 16 {
		head := word(line)
		n = findByte(head, ':')
		tail := head & (1<<(8*n) - 1)
		if n < 8 {
			head = tail
		} else if n += findByte(word(line[8:]), ':'); n < 16 {
			tail = word(line[n-8:])
		}
		if n > 1 && n < 16 {
			h = lookup(foldWord(head), foldWord(tail), n)
		}
		if h != HeaderOther {
			return h, n, n
		}
	}
	colon = strings.IndexByte(line, ':')
	// RFC 3261 §25.1 HCOLON: blanks before the colon are legal and make no other name.
	n = max(0, colon)
	for n > 0 && isBlank(line[n-1]) {
		n--
	}
	return LookupHeader(line[:n]), n, colon
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
