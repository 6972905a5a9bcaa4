// Bytes, strings and the character classes of the grammar. RFC 3261 §25.1.

package sip

import (
	"math/bits"
	"strings"
	"unsafe"
)

// text returns b as a string without copying it. The string is valid as long as nobody writes to b: a Message only ever appends to its buffers,
// and whoever pools the buffer of a received message clones what it keeps (see [EventHandler]). This is the only use of unsafe in the package.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// word returns the first eight bytes of s, the first of them lowest.
func word(s string) uint64 {
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// eachByte times c is a word of eight times the byte c.
const eachByte = 0x0101010101010101

// findByte returns the place of the first byte c in a word, 8 if there is none.
func findByte(w uint64, c byte) int {
	w ^= eachByte * uint64(c)
	return bits.TrailingZeros64((w-eachByte) & ^w & (eachByte<<7)) / 8
}

// hasControl reports whether a byte of a word is below the blank.
func hasControl(w uint64) bool { return (w-eachByte*' ')&^w&(eachByte<<7) != 0 }

// class is a set of the character classes below.
type class uint16

const (
	classToken   class = 1 << iota // token
	classUser                      // user and password, "%" with its two digits apart
	classHost                      // hostname and IPv4address; "_" is tolerated
	classParam                     // paramchar
	classHeaders                   // the header part of a URI
	classOpaque                    // whatever may stand in an absolute URI
	classScheme                    // scheme behind its first letter
	classPhone                     // digits and visual separators of RFC 3966 §3
	classValue                     // unquoted value of a header parameter: token, host and what devices write
	classDisplay                   // unquoted display name: token, blank, and what devices write
	classWord                      // word of a Call-ID
	classPlain                     // unreserved: equal to its escaped form
	classAt                        // "@"
	classSlash                     // "/" and blanks around it
	classWritten                   // classUser without "#", which is escaped when it is printed
)

// classes maps every byte to its classes.
var classes = makeClasses()

func makeClasses() (t [256]class) {
	mark := func(c class, chars string) {
		for i := range len(chars) {
			t[chars[i]] |= c
		}
	}
	const alnum = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	const unreserved = alnum + "-_.!~*'()"
	mark(classToken, alnum+"-.!%*_+`'~")
	mark(classPlain, unreserved)
	// Deviates: RFC 3261 §25.1: a bare "#" is taken, as phones send it for a pressed key; it is escaped when the URI is printed.
	mark(classUser, unreserved+"&=+$,;?/:#")
	mark(classWritten, unreserved+"&=+$,;?/:")
	mark(classHost, alnum+"-._")
	mark(classParam, unreserved+"[]/:&+$;=")
	mark(classHeaders, unreserved+"[]/?:+$=&")
	mark(classScheme, alnum+"+-.")
	mark(classPhone, "+0123456789-.()*#abcdefABCDEF")
	mark(classAt, "@")
	mark(classSlash, "/ \t")
	mark(classWord, alnum+"-.!%*_+`'~()<>:\\\"/[]?{}")
	for c := 0x21; c < 0x100; c++ {
		if c == 0x7f {
			continue
		}
		if strings.IndexByte("<>\"", byte(c)) < 0 {
			t[c] |= classOpaque
		}
		// Deviates: RFC 3261 §25.1: more than tokens is taken in a display name without quotes, as RFC 4475 §3.1.2.15 allows; it is quoted when
		// the address is printed.
		if strings.IndexByte(";,\"<>\\", byte(c)) < 0 {
			t[c] |= classValue | classDisplay
		}
	}
	t[' '] |= classDisplay
	t['\t'] |= classDisplay
	return t
}

// span returns how many bytes at the start of s are in c.
func (c class) span(s string) int {
	for i := 0; i < len(s); i++ {
		if classes[s[i]]&c == 0 {
			return i
		}
	}
	return len(s)
}

// spanLong is span for texts of many bytes: it looks at eight at a time.
func (c class) spanLong(s string) int {
	i := 0
	for len(s)-i >= 8 {
		w := word(s[i:])
		if classes[byte(w)]&classes[byte(w>>8)]&classes[byte(w>>16)]&classes[byte(w>>24)]&
			classes[byte(w>>32)]&classes[byte(w>>40)]&classes[byte(w>>48)]&classes[byte(w>>56)]&c == 0 {
			break
		}
		i += 8
	}
	if len(s)-i >= 4 && classes[s[i]]&classes[s[i+1]]&classes[s[i+2]]&classes[s[i+3]]&c != 0 {
		i += 4
	}
	return i + c.span(s[i:])
}

// holds reports whether s is not empty and all of it is in c.
func (c class) holds(s string) bool { return s != "" && c.span(s) == len(s) }

// escaped is span where "%" HEXDIG HEXDIG, which is in none of these classes, stands for any byte.
func (c class) escaped(s string) int {
	i := 0
	for {
		i += c.spanLong(s[i:])
		if i == len(s) {
			return i
		}
		if _, ok := unescape(s, i); !ok {
			return i
		}
		i += 3
	}
}

// unescape returns the byte that the escape at s[i:] stands for.
func unescape(s string, i int) (byte, bool) {
	if i+2 >= len(s) || s[i] != '%' {
		return 0, false
	}
	hi, lo := hexDigit(s[i+1]), hexDigit(s[i+2])
	return hi<<4 | lo&15, hi < 16 && lo < 16
}

func hexDigit(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 0xff
}

// decode replaces escapes by what they stand for, once.
func decode(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if c, ok := unescape(s, i); ok {
			b = append(b, c)
			i += 2
			continue
		}
		b = append(b, s[i])
	}
	return string(b)
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// trim removes blanks on both sides.
func trim(s string) string {
	for s != "" && isBlank(s[0]) {
		s = s[1:]
	}
	return trimRight(s)
}

func trimRight(s string) string {
	for s != "" && isBlank(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

// skip returns the first index from i on that is no blank.
func skip(s string, i int) int {
	for i < len(s) && isBlank(s[i]) {
		i++
	}
	return i
}

// sameFold reports whether a and b are equal without regard to the case of ASCII letters.
func sameFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := 0; i < len(a); i++ {
		if a[i] != b[i] && lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// safe cuts s before a CR, LF or NUL: what a program writes into a message stays where it was put. A NUL behind a backslash is text (RFC 3261 §25.1 quoted-pair).
func safe(s string) string {
	i := 0
	for len(s)-i >= 8 && !hasControl(word(s[i:])) {
		i += 8
	}
	for ; i < len(s); i++ {
		if c := s[i]; c == '\r' || c == '\n' || c == 0 && !escaped(s, i) {
			return s[:i]
		}
	}
	return s
}

// escaped reports whether a backslash before s[i] counts for it.
func escaped(s string, i int) bool {
	n := 0
	for n < i && s[i-n-1] == '\\' {
		n++
	}
	return n%2 == 1
}

// quoted returns the length of the quoted-string at the start of s with its quotes, 0 if it is never closed.
func quoted(s string) int {
	i := 1
	for len(s)-i >= 8 {
		w := word(s[i:])
		quote, slash := w^eachByte*'"', w^eachByte*'\\'
		if ((quote-eachByte)&^quote|(slash-eachByte)&^slash|(w-eachByte)&^w)&(eachByte<<7) != 0 {
			break
		}
		i += 8
	}
	for ; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		case 0: // another program might take it for the end
			return 0
		}
	}
	return 0
}

// unquote removes the quotes and backslashes of a quoted-string; other text is returned as it is.
func unquote(s string) string {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return s
	}
	s = s[1 : len(s)-1]
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b = append(b, s[i])
	}
	return string(b)
}

// Quote returns name as a quoted string for [Address.Display] and parameters, with `"` and `\` escaped; "" stays "". It is cut before a CR, LF or NUL.
func Quote(name string) string {
	if name == "" {
		return ""
	}
	return string(appendQuoted(nil, name))
}

func appendQuoted(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if s[i] == '\r' || s[i] == '\n' || s[i] == 0 {
			s = s[:i]
		}
	}
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); i++ {
		if s[i] == '"' || s[i] == '\\' {
			b = append(append(b, s[from:i]...), '\\')
			from = i
		}
	}
	return append(append(b, s[from:]...), '"')
}

// member takes the first member off a comma list; quoted strings and what stands in angle brackets are not looked into. Blanks are trimmed;
// more is false when it was the last.
func member(s string) (first, rest string, more bool) {
	if strings.IndexByte(s, ',') < 0 {
		return trim(s), "", false
	}
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case ',':
			return trim(s[:i]), s[i+1:], true
		case '"':
			n := quoted(s[i:])
			if n == 0 {
				return trim(s), "", false
			}
			i += n - 1
		case '<':
			n := strings.IndexByte(s[i:], '>')
			if n < 0 {
				return trim(s), "", false
			}
			i += n
		}
	}
	return trim(s), "", false
}

// number reads the digits at the start of s; n is the count of digits and v stops at 1<<32-1 with ok false.
func number(s string) (v uint32, n int, ok bool) {
	var w uint64
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		if w <= 1<<32-1 {
			w = w*10 + uint64(s[n]-'0')
		}
		n++
	}
	if w > 1<<32-1 {
		return 1<<32 - 1, n, false
	}
	return uint32(w), n, n > 0
}
