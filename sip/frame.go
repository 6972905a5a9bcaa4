// Where one message ends and the next begins on a stream. RFC 3261 §18.3, §20.14; keep-alives of RFC 5626 §3.5.1.

package sip

import (
	"bytes"
	"errors"
	"math"
)

// ErrShort says that the bytes so far are the beginning of a message: read on and ask again.
var ErrShort = errors.New("sip: message is not complete")

// FrameLimits caps a message on a stream; a zero field means no limit but that of 31 bits.
type FrameLimits struct {
	Header  int // start line, header fields and the empty line, bytes
	Message int // all of it, bytes
}

// Framer finds the messages in the bytes of one stream. It remembers what it has looked at, so that a message which comes byte by byte costs
// no more than one which comes at once. The zero Framer is at the start of a message.
type Framer struct {
	Limits FrameLimits

	line   int         // start of the first line not looked at
	field  int         // start of the field (with its folds) before it
	head   int         // length of the header part, 0 while it is open
	length int         // Content-Length plus one, 0 while there is none
	fault  *ParseError // of a field, told when the header part is complete
}

// KeepAlive returns how many bytes at the start of b are pairs of CR and LF between messages. Two pairs in a row are the ping of RFC 5626 §3.5.1 and want one pair as
// pong; one pair is a pong, or an empty line before a message (RFC 3261 §7.5).
func KeepAlive(b []byte) int {
	n := 0
	for n+1 < len(b) && b[n] == '\r' && b[n+1] == '\n' {
		n += 2
	}
	return n
}

// Next returns the length of the message at the start of b. b holds all bytes since the end of the message before, keep-alives taken off: when the error is [ErrShort], call
// again with the same bytes and more. Once a message was returned the next call starts the next message.
//
// Any other error is a [*ParseError] and the end of the stream: framing is lost. n is then the length of the header part if it could be read,
// so that a request can be parsed and refused before the connection is closed.
func (f *Framer) Next(b []byte) (n int, err error) {
	if len(b) > 0 && classes[b[0]]&classToken == 0 {
		return 0, &ParseError{What: "stream", Reason: "no message starts with this byte"}
	}
	for f.head == 0 {
		if err := f.readLine(b); err != nil {
			return 0, err
		}
	}
	total := f.head + f.length - 1
	switch {
	case f.fault != nil:
		return f.head, f.fault
	case f.length == 0:
		return f.head, &ParseError{What: "Content-Length", Offset: f.head, Reason: "missing on a stream"}
	case over(total, f.Limits.Message):
		return f.head, &ParseError{What: "Content-Length", Offset: f.head, Reason: "message is too long", Status: StatusMessageTooLarge}
	case len(b) < total:
		return 0, ErrShort
	}
	*f = Framer{Limits: f.Limits}
	return total, nil
}

func over(n, limit int) bool { return limit > 0 && n > limit || n > math.MaxInt32 }

// readLine looks at the next line of the header part.
func (f *Framer) readLine(b []byte) error {
	i := bytes.IndexByte(b[f.line:], '\n')
	if end := f.line + i + 1; i < 0 && over(len(b), f.Limits.Header) || over(end, f.Limits.Header) {
		return &ParseError{What: "stream", Offset: len(b), Reason: "header part is too long", Status: StatusMessageTooLarge}
	}
	if i < 0 {
		return ErrShort
	}
	start, next := f.line, f.line+i+1
	f.line = next
	if isBlank(b[start]) && f.field > 0 {
		return nil
	}
	if f.field > 0 {
		f.readField(b[f.field:start])
	}
	switch {
	case next-start == 1 || next-start == 2 && b[start] == '\r':
		f.head = next
	case start > 0:
		f.field = start
	}
	return nil
}

// readField takes the Content-Length out of a field, if it is one.
func (f *Framer) readField(b []byte) {
	if c := b[0] | 0x20; c != 'c' && c != 'l' {
		return
	}
	name, value, ok := bytes.Cut(b, []byte{':'})
	if !ok || LookupHeader(trimRight(text(name))) != HeaderContentLength {
		return
	}
	n, fault := contentLength(text(bytes.Trim(value, " \t\r\n")), f.length-1)
	if fault != nil && f.fault == nil {
		fault.Offset = f.field
		f.fault = fault
	}
	f.length = n + 1
}
