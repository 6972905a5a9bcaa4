// The answer to a request that is malformed: what can be read is copied, nothing goes out as broken as it came. And what must be known of a good one to refuse it, read without taking
// it apart: for an element that has more to refuse than it could read. RFC 3261 §8.2.6; RFC 4475 §3.1.2.

package sip

import (
	"bytes"
	"strings"
)

// RefuseTo makes r the answer to a request that failed the checks. It is [Response.ReplyTo] for text that cannot be trusted: what is malformed is left out,
// a From or To whose URI can be found goes without its display name, and of fields that must stand alone only the first is copied.
func (r *Response) RefuseTo(req *Request, s Status) {
	r.Status, r.Reason = s, ""
	r.reset(nil)
	for v := range req.members(HeaderVia) {
		if via, err := ParseVia(v); err == nil {
			r.copyField(HeaderVia, via.String())
		}
	}
	for _, h := range [...]Header{HeaderFrom, HeaderTo} {
		if a, ok := mendAddress(req.Get(h)); ok {
			r.copyField(h, a.String())
		}
	}
	if id := req.CallID(); validCallID(id) {
		r.copyField(HeaderCallID, id)
	}
	if seq, err := req.CSeq(); err == nil {
		r.copyField(HeaderCSeq, seq.String())
	}
}

func (r *Response) copyField(h Header, value string) {
	r.fields = append(r.fields, r.write(h, h.String(), value))
}

// mendAddress reads a From or To as far as it can be read: all of it, or the URI in its last angle brackets and the tag.
func mendAddress(s string) (a Address, ok bool) {
	if err := a.parse(s); err == nil {
		return a, true
	}
	open := strings.LastIndexByte(s, '<')
	end := strings.LastIndexByte(s, '>')
	if open < 0 || end < open {
		return Address{}, false
	}
	uri, err := ParseURI(trim(s[open+1 : end]))
	if err != nil {
		return Address{}, false
	}
	return Address{URI: uri, Params: mendParams(s[end+1:])}, true
}

// MendVia reads a Via that [ParseVia] refuses as far as an answer needs it: sent-by, and the parameters that are legal. ok is false if not even sent-by can be read.
func MendVia(s string) (v Via, ok bool) {
	s, _, _ = member(s)
	head, params, _ := strings.Cut(s, ";")
	v, err := ParseVia(head)
	if err != nil {
		name, rest, _ := strings.Cut(head, "/")
		_, rest, _ = strings.Cut(rest, "/") // whatever version of SIP that is
		if !sameFold(trim(name), "SIP") {
			return Via{}, false
		}
		if v, err = ParseVia("SIP/2.0/" + trim(rest)); err != nil {
			return Via{}, false
		}
	}
	v.Params = mendParams(params)
	return v, true
}

// mendParams returns the legal ones among parameters.
func mendParams(s string) Params {
	var b []byte
	n := 0
	for one := range strings.SplitSeq(s, ";") {
		p := Params(";" + trim(one))
		if _, why := p.check(); why != "" || n == maxParams {
			continue
		}
		b = append(b, p...)
		n++
	}
	return Params(b)
}

// Outline is the part of a request that its refusal repeats. It shares the memory of the bytes it was read from.
type Outline struct {
	Method Method
	URI    URI
	Via    Via // the topmost
	CSeq   CSeq
	CallID string
	ToTag  string

	raw    []byte
	lines  [outlineLines]span // without line end: what a response repeats, in order
	count  int
	top    int // which of the lines is the topmost Via
	to     int // and which To
	length int // Content-Length, or -1
	seen   seen
}

// outlineLines is how many lines a response may repeat: eight proxies, and the four that name the transaction.
const outlineLines = 12

// seen is a set of the fields that stand in an outline.
type seen uint8

const (
	seenVia seen = 1 << iota
	seenFrom
	seenTo
	seenCallID
	seenCSeq
	seenAll = 1<<iota - 1
)

// Read makes o the outline of the request in b, and reports whether that can be done safely. It cannot if anything is unusual: folded lines, two Vias in one line, line ends that
// are no CRLF, methods nobody knows; those want [Request.Parse], which takes, and understands alike, all that Read takes. b stays as it is, and nothing is allocated.
func (o *Outline) Read(b []byte) bool {
	o.raw, o.count, o.length, o.seen = b, 0, -1, 0
	end := bytes.IndexByte(b, '\n')
	if end < 1 || b[end-1] != '\r' || !o.readStart(text(b[:end-1])) {
		return false
	}
	for at, lines := end+1, 1; at < len(b) && lines <= maxFields; lines++ {
		n := bytes.IndexByte(b[at:], '\n')
		if n < 1 || b[at+n-1] != '\r' {
			return false
		}
		if n == 1 {
			return o.seen == seenAll && o.CSeq.Method == o.Method && o.length <= len(b)-at-2 && bytes.Count(b[:at], []byte{'\r'}) == lines
		}
		if isBlank(b[at]) || !o.readField(at, at+n-1) {
			return false
		}
		at += n + 1
	}
	return false
}

// readStart reads the Request-Line.
func (o *Outline) readStart(s string) bool {
	const version = " SIP/2.0"
	n := classToken.span(s)
	if len(s) < n+1+len(version) || s[n] != ' ' || s[len(s)-len(version):] != version {
		return false
	}
	o.Method, o.URI = methodOf(s[:n]), URI{}
	return o.Method.Known() && o.URI.parse(s[n+1:len(s)-len(version)]) == nil
}

// readField reads the line in raw[at:end].
func (o *Outline) readField(at, end int) bool {
	line := text(o.raw[at:end])
	h, n, colon := fieldName(line)
	switch h {
	case HeaderOther:
		return classToken.holds(line[:n])
	case HeaderVia, HeaderFrom, HeaderTo, HeaderCallID, HeaderCSeq:
		value := trim(line[colon+1:])
		stop := len(line)
		for isBlank(line[stop-1]) {
			stop--
		}
		return o.readRepeated(h, value) && o.keep(span{uint32(at), uint32(at + stop)})
	case HeaderContentLength:
		var fault *ParseError
		o.length, fault = contentLength(trim(line[colon+1:]), o.length)
		return fault == nil
	}
	return true
}

// readRepeated reads a field that a response repeats.
func (o *Outline) readRepeated(h Header, s string) bool {
	switch h {
	case HeaderVia:
		return o.readVia(s)
	case HeaderFrom:
		_, ok := o.party(seenFrom, s)
		return ok
	case HeaderTo:
		tag, ok := o.party(seenTo, s)
		o.ToTag, o.to = tag, o.count
		return ok
	case HeaderCallID:
		o.CallID = s
		return o.first(seenCallID) && validCallID(s)
	}
	_, why := o.CSeq.parse(s)
	return o.first(seenCSeq) && why == ""
}

// first reports whether a field that stands alone has not been seen before.
func (o *Outline) first(what seen) bool {
	before := o.seen
	o.seen |= what
	return before&what == 0
}

func (o *Outline) readVia(s string) bool {
	if o.first(seenVia) {
		o.top = o.count
		_, why := o.Via.parse(s)
		return why == ""
	}
	_, err := ParseVia(s)
	return err == nil
}

// party reads From or To and returns its tag.
func (o *Outline) party(what seen, s string) (tag string, ok bool) {
	var a Address
	if !o.first(what) || a.parse(s) != nil {
		return "", false
	}
	return a.Tag(), true
}

func (o *Outline) keep(line span) bool {
	if o.count == outlineLines {
		return false
	}
	o.lines[o.count] = line
	o.count++
	return true
}

// AppendReply appends a response as far as it repeats the request: its start line, and the fields of RFC 3261 §8.2.6.2 with this topmost Via, and with this tag in To if that has none.
// Fields of its own and the empty line are to follow.
func (o *Outline) AppendReply(b []byte, s Status, via Via, tag []byte) []byte {
	b = appendStatusLine(b, s, s.Reason())
	for i, line := range o.lines[:o.count] {
		if i == o.top {
			b = via.AppendTo(append(b, "Via: "...))
		} else {
			b = append(b, o.raw[line.start:line.end]...)
		}
		if i == o.to && o.ToTag == "" {
			b = append(append(b, ";tag="...), tag...)
		}
		b = append(b, '\r', '\n')
	}
	return b
}

// furthest is how far [Glance] looks.
const furthest = 4 << 10

// Glance finds the method of a request and its Call-ID, if they stand where they usually stand: "" is what was not found. Neither is checked.
func Glance(b []byte) (m Method, callID string) {
	b = b[:min(len(b), furthest)]
	if n := bytes.IndexByte(b, ' '); n > 0 {
		m = methodOf(text(b[:n]))
	}
	for _, name := range [...]string{"\r\nCall-ID:", "\r\ni:"} {
		at := strings.Index(text(b), name)
		if at < 0 {
			continue
		}
		value := text(b[at+len(name):])
		if end := strings.IndexByte(value, '\r'); end >= 0 {
			return m, trim(value[:end])
		}
	}
	return m, ""
}

// ReadAck reads of an ACK what tells which response it answers: the topmost Via and the tag of To, if it finds them where they usually stand. It looks at nothing else: the tag has to be one
// that nobody can guess.
func ReadAck(b []byte) (via Via, tag string, ok bool) {
	if !bytes.HasPrefix(b, []byte("ACK ")) {
		return Via{}, "", false
	}
	for at := bytes.IndexByte(b, '\n') + 1; ; {
		n := bytes.IndexByte(b[at:], '\r')
		if n < 1 || len(b) < at+n+2 {
			return Via{}, "", false
		}
		line := text(b[at : at+n])
		at += n + 2
		switch line[0] | 0x20 {
		case 'v':
			h, _, colon := fieldName(line)
			if h != HeaderVia || via.Host != "" {
				continue
			}
			if _, why := via.parse(trim(line[colon+1:])); why != "" {
				return Via{}, "", false
			}
		case 't':
			if h, _, _ := fieldName(line); h == HeaderTo {
				_, tag, ok = strings.Cut(line, ";tag=")
				return via, tag, ok && via.Host != ""
			}
		}
	}
}
