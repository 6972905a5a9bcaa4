// The end of a message in a byte stream. RFC 3261 §18.3.

package transport

import (
	"bytes"
	"strconv"
)

// framer finds where the message at the front of a growing buffer ends. It looks at each byte of the header once.
type framer struct {
	maxHeader, maxMessage int
	scanned, total        int
}

// next returns the length of the message that b starts with, 0 if it is not complete.
func (f *framer) next(b []byte) (int, error) {
	if f.total == 0 {
		end := f.headerEnd(b)
		if end > f.maxHeader || end == 0 && len(b) > f.maxHeader {
			return 0, errFraming
		}
		if end == 0 {
			return 0, nil
		}
		length, ok := bodyLength(b[:end])
		if !ok || length > f.maxMessage-end {
			return 0, errFraming
		}
		f.total = end + length
	}
	if len(b) < f.total {
		return 0, nil
	}
	n := f.total
	f.scanned, f.total = 0, 0
	return n, nil
}

// headerEnd returns the index behind the empty line, 0 if there is none yet.
func (f *framer) headerEnd(b []byte) int {
	at := max(0, f.scanned-3)
	f.scanned = len(b)
	for {
		i := bytes.IndexByte(b[at:], '\n')
		if i < 0 {
			return 0
		}
		at += i + 1
		switch {
		case at < len(b) && b[at] == '\n':
			return at + 1
		case at+1 < len(b) && b[at] == '\r' && b[at+1] == '\n':
			return at + 2
		}
	}
}

// bodyLength reads Content-Length. A stream cannot do without it.
func bodyLength(header []byte) (int, bool) {
	for line := range bytes.Lines(header) {
		name, value, ok := bytes.Cut(line, []byte(":"))
		name = bytes.TrimSpace(name)
		if ok && (bytes.EqualFold(name, []byte("Content-Length")) || bytes.EqualFold(name, []byte("l"))) {
			n, err := strconv.ParseUint(string(bytes.TrimSpace(value)), 10, 31)
			return int(n), err == nil
		}
	}
	return 0, false
}
