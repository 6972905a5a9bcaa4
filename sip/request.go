// Requests. RFC 3261 §7.1.

package sip

import (
	"bytes"
	"math"
)

// Request is a SIP request. Method and URI are the Request-Line and may be set; the version is always SIP/2.0.
type Request struct {
	Method Method
	URI    URI
	Message
}

// NewRequest returns an empty request: Request-Line only, no header.
func NewRequest(method Method, uri URI) *Request {
	r := new(Request)
	r.Reset(method, uri)
	return r
}

// Reset makes r what [NewRequest] returns and reuses r's memory.
func (r *Request) Reset(method Method, uri URI) {
	r.Method, r.URI = method, uri
	if r.reset(nil); cap(r.made) < usualSize {
		r.fields, r.made = make([]field, 0, usualFields), make([]byte, 0, usualSize)
	}
}

// usualFields and usualSize are the header fields of a request that we make, and their bytes.
const (
	usualFields = 14
	usualSize   = 640
)

// ParseRequest parses one whole request that owns b from then on. See [Request.Parse].
func ParseRequest(b []byte) (*Request, error) {
	r := new(Request)
	return r, r.Parse(b)
}

// Parse makes r the request in b and reuses r's memory; nothing is allocated once it is warm. r keeps b, and writes blanks over the line
// ends of folded fields in it. Bytes behind Content-Length are ignored (a datagram may hold them, RFC 3261 §18.3).
//
// The error is a [*ParseError]; r then holds what could be read, so that a 400 can be addressed. Grammar that RFC 4475 calls
// tolerable is tolerated. Parse checks the framing of the message; [Request.Validate] checks the values that every element needs.
// The header part of the Request-URI ("?Subject=…") is dropped: none is allowed there (RFC 3261 §19.1.1).
func (r *Request) Parse(b []byte) error {
	if len(b) > math.MaxInt32 {
		return &ParseError{What: "message", Reason: "too long", Status: StatusMessageTooLarge}
	}
	line, start, next := r.begin(b)
	return r.parseRest(r.parseLine(line), start, next)
}

// parseLine parses the Request-Line. More than one blank between its parts, and blanks at its end, are tolerated; they are never sent on.
func (r *Request) parseLine(line []byte) *ParseError {
	r.Method, r.URI = "", URI{}
	s := trimRight(text(line))
	n := classToken.span(s)
	if n == 0 || n == len(s) || s[n] != ' ' {
		return &ParseError{What: "Request-Line", Offset: n, Reason: "method expected"}
	}
	r.Method = methodOf(s[:n])
	end := bytes.LastIndexByte(line[:len(s)], ' ')
	if status, why := checkVersion(s[end+1:]); why != "" {
		return &ParseError{What: "Request-Line", Offset: end + 1, Reason: why, Status: status}
	}
	at := skip(s, n)
	uri := trimRight(s[at:max(at, end)])
	if err := r.URI.parse(uri); err != nil {
		r.URI = URI{}
		fault := err.(*ParseError)
		fault.What, fault.Offset = "Request-URI", fault.Offset+at
		return fault
	}
	r.URI.Headers = ""
	return nil
}

// checkVersion checks SIP-Version; case is ignored. RFC 3261 §7.1.
func checkVersion(s string) (Status, string) {
	switch {
	case s == "SIP/2.0" || sameFold(s, "SIP/2.0"):
		return 0, ""
	case len(s) > 4 && sameFold(s[:4], "SIP/"):
		return StatusVersionNotSupported, "version is not SIP/2.0"
	}
	return StatusBadRequest, "SIP/2.0 expected at the end"
}

// Clone returns a copy that owns its memory and is never pooled.
func (r *Request) Clone() *Request {
	c := &Request{Method: r.Method.clone(), URI: r.URI.Clone()}
	c.copyFrom(&r.Message)
	return c
}

// Extract returns r as text without body and without the fields that drop names: what is worth keeping of a request for long. [ParseRequest] reads it.
func (r *Request) Extract(drop func(Header) bool) string {
	var room [1024]byte
	b := r.appendLine(room[:0])
	for i := range r.fields {
		if f := &r.fields[i]; !drop(f.header) {
			b = append(append(b, r.nameOf(f)...), ": "...)
			b = append(append(b, r.valueOf(f)...), "\r\n"...)
		}
	}
	return string(b)
}

// Borrow makes r a working copy of src and reuses r's memory: edits of r leave src alone. It shares the bytes of src, which must outlive its use.
func (r *Request) Borrow(src *Request) {
	r.Method, r.URI = src.Method, src.URI
	made, fields := append(r.made[:0], src.made...), append(r.fields[:0], src.fields...)
	r.Message = src.Message
	r.made, r.fields = made, fields
}

// Reply returns the response to r as RFC 3261 §8.2.6 asks: Via, From, To, Call-ID and CSeq copied, and for a 100 the Timestamp. A To
// without tag gets none here: the transaction that sends the response adds its own. The response owns its memory.
func (r *Request) Reply(s Status) *Response {
	res := new(Response)
	res.ReplyTo(r, s)
	return res
}

// AppendTo appends the message as it goes over the wire and returns the extended slice.
func (r *Request) AppendTo(b []byte) []byte { return r.appendTo(r.appendLine(b)) }

// appendLine appends the Request-Line.
func (r *Request) appendLine(b []byte) []byte {
	b = append(b, r.Method[:classToken.span(string(r.Method))]...)
	b = append(b, ' ')
	if r.URI.Headers == "" {
		b = r.URI.appendTo(b)
	} else { // RFC 3261 §19.1.1: not allowed in a Request-URI
		u := r.URI
		u.Headers = ""
		b = u.appendTo(b)
	}
	return append(b, " SIP/2.0\r\n"...)
}

// String returns the message as it goes over the wire.
func (r *Request) String() string { return string(r.AppendTo(make([]byte, 0, r.size()))) }
