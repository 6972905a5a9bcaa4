// Responses. RFC 3261 §7.2.

package sip

import (
	"math"
	"strconv"
	"strings"
)

// Response is a SIP response. Status and Reason are the Status-Line and may be set; an empty Reason prints the phrase of Status.
type Response struct {
	Status Status
	Reason string
	Message
}

// ParseResponse parses one whole response that owns b from then on. See [Response.Parse].
func ParseResponse(b []byte) (*Response, error) {
	r := new(Response)
	return r, r.Parse(b)
}

// IsResponse reports whether b starts like a response (with "SIP/").
func IsResponse(b []byte) bool { return len(b) > 4 && sameFold(text(b[:4]), "SIP/") }

// Parse makes r the response in b; the rules are those of [Request.Parse]. A response with an error must be dropped.
func (r *Response) Parse(b []byte) error {
	if len(b) > math.MaxInt32 {
		return &ParseError{What: "message", Reason: "too long"}
	}
	line, start, next := r.begin(b)
	return r.parseRest(r.parseLine(line), start, next)
}

// parseLine parses the Status-Line; a missing blank before an empty reason is tolerated.
func (r *Response) parseLine(line []byte) *ParseError {
	r.Status, r.Reason = 0, ""
	s := text(line)
	version, rest, _ := strings.Cut(s, " ")
	if _, why := checkVersion(version); why != "" {
		return &ParseError{What: "Status-Line", Reason: why}
	}
	at := len(version) + 1
	code, digits, _ := number(rest)
	if digits != 3 || code < 100 || code > 699 {
		return &ParseError{What: "Status-Line", Offset: at, Reason: "code out of range"}
	}
	if len(rest) > 3 && rest[3] != ' ' {
		return &ParseError{What: "Status-Line", Offset: at + 3, Reason: "blank expected"}
	}
	r.Status = Status(code)
	reason := trim(rest[3:])
	if safe(reason) != reason {
		return &ParseError{What: "Status-Line", Offset: at + 4, Reason: "illegal character in reason"}
	}
	if reason == r.Status.Reason() {
		reason = r.Status.Reason() // does not share the buffer
	}
	r.Reason = reason
	return nil
}

// ReplyTo makes r the response to req and reuses r's memory: what [Request.Reply] does, without allocating once warm.
func (r *Response) ReplyTo(req *Request, s Status) {
	r.Status, r.Reason = s, ""
	r.reset(nil)
	r.grow(req)
	for i := 0; i < len(req.fields); {
		n := 0
		for i+n < len(req.fields) && answers(req.fields[i+n].header, s) && (n == 0 || req.adjacent(i+n)) {
			n++
		}
		r.copyRun(&req.Message, i, n)
		i += max(n, 1)
	}
	r.inherit(&req.Message)
}

// answers reports whether a field of a request is repeated in a response with status s. RFC 3261 §8.2.6.
func answers(h Header, s Status) bool {
	switch h {
	case HeaderVia, HeaderFrom, HeaderTo, HeaderCallID, HeaderCSeq:
		return true
	case HeaderTimestamp:
		return s == StatusTrying
	}
	return false
}

// copyRun appends n fields of src from i on, which lie one behind the other.
func (r *Response) copyRun(src *Message, i, n int) {
	switch f := &src.fields[i]; {
	case n == 0:
		return
	case src.bare && !f.made:
		r.fields = append(r.fields, r.write(f.header, f.header.String(), src.valueOf(f)))
		return
	}
	shift := uint32(len(r.made)) - src.fields[i].name.start
	r.made = src.appendRun(r.made, i, n)
	for j := i; j < i+n; j++ {
		f, from := r.next(), &src.fields[j]
		f.header, f.made = from.header, true
		f.name = span{from.name.start + shift, from.name.end + shift}
		f.value = span{from.value.start + shift, from.value.end + shift}
		f.end = from.end + shift
	}
}

// inherit takes over what src, of which r has copies of the fields, knows already. The text is looked for in the copy: that of src may be gone before r is.
func (r *Response) inherit(src *Message) {
	if src.known&knownCSeq != 0 && src.cseq.Method.Known() {
		r.cseq = src.cseq
		r.known |= knownCSeq
	}
	if top := r.Get(HeaderVia); src.known&knownVia != 0 {
		host, ok1 := findText(top, src.via.Host)
		params, ok2 := findText(top, string(src.via.Params))
		transport, ok3 := findText(top, src.via.Transport)
		if ok1 && ok2 && ok3 {
			r.via = Via{Transport: transport, Host: host, Port: src.via.Port, Params: Params(params)}
			r.known |= knownVia
		}
	}
	if src.known&knownTags != 0 {
		from, ok1 := findText(r.Get(HeaderFrom), src.fromTag)
		to, ok2 := findText(r.Get(HeaderTo), src.toTag)
		if ok1 && ok2 {
			r.fromTag, r.toTag = from, to
			r.known |= knownTags
		}
	}
}

// findText returns the part of s that says the same as text.
func findText(s, text string) (string, bool) {
	i := strings.Index(s, text)
	if i < 0 {
		return "", false
	}
	return s[i : i+len(text)], true
}

// grow makes room for a reply to req in one allocation each.
func (r *Response) grow(req *Request) {
	n, size := 0, 0
	for i := range req.fields {
		if f := &req.fields[i]; answers(f.header, StatusTrying) {
			n++
			size += int(f.end-f.name.start) + 4
		}
	}
	room := 4 // for what the caller adds: Contact, Server …
	if req.Method == MethodInvite && r.Status < 300 {
		room = 9 // Allow, Supported, Session-ID, and what a body has
	}
	if cap(r.fields) < n {
		r.fields = make([]field, 0, n+room)
	}
	if cap(r.made) < size {
		r.made = make([]byte, 0, size+room*64)
	}
}

// Clone returns a copy that owns its memory and is never pooled.
func (r *Response) Clone() *Response {
	c := &Response{Status: r.Status, Reason: strings.Clone(r.Reason)}
	c.copyFrom(&r.Message)
	return c
}

// AppendTo appends the message as it goes over the wire and returns the extended slice.
func (r *Response) AppendTo(b []byte) []byte {
	reason := r.Status.Reason()
	if r.Reason != "" {
		reason = safe(r.Reason)
	}
	return r.appendTo(appendStatusLine(b, r.Status, reason))
}

func appendStatusLine(b []byte, s Status, reason string) []byte {
	b = append(b, "SIP/2.0 "...)
	b = strconv.AppendInt(b, int64(s), 10)
	b = append(b, ' ')
	b = append(b, reason...)
	return append(b, '\r', '\n')
}

// String returns the message as it goes over the wire.
func (r *Response) String() string { return string(r.AppendTo(make([]byte, 0, r.size()))) }
