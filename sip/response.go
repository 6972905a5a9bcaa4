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
	for i := range req.fields {
		f := &req.fields[i]
		switch f.header {
		case HeaderVia, HeaderFrom, HeaderTo, HeaderCallID, HeaderCSeq:
		case HeaderTimestamp:
			if s != StatusTrying { // RFC 3261 §8.2.6.1
				continue
			}
		default:
			continue
		}
		r.fields = append(r.fields, r.write(f.header, f.header.String(), req.valueOf(f)))
	}
}

// grow makes room for a reply to req in one allocation each.
func (r *Response) grow(req *Request) {
	n, size := 0, 0
	for i := range req.fields {
		switch f := &req.fields[i]; f.header {
		case HeaderVia, HeaderFrom, HeaderTo, HeaderCallID, HeaderCSeq, HeaderTimestamp:
			n++
			size += int(f.value.end-f.value.start) + 16
		}
	}
	const room = 4 // for what the caller adds: Contact, Server …
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
	b = append(b, "SIP/2.0 "...)
	b = strconv.AppendInt(b, int64(r.Status), 10)
	b = append(b, ' ')
	if r.Reason != "" {
		b = append(b, safe(r.Reason)...)
	} else {
		b = append(b, r.Status.Reason()...)
	}
	b = append(b, '\r', '\n')
	return r.appendTo(b)
}

// String returns the message as it goes over the wire.
func (r *Response) String() string { return string(r.AppendTo(make([]byte, 0, r.size()))) }
