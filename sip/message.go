// What requests and responses share: header fields and a body, read in place. RFC 3261 §7.

package sip

import (
	"iter"
	"strings"
)

// span is a range of bytes of one of the two buffers of a Message.
type span struct{ start, end uint32 }

// field is one header field line. Its bytes lie in raw (as received) or in made (as edited).
type field struct {
	header Header // HeaderOther for a name outside the table
	made   bool   // name and value lie in Message.made
	name   span   // the line starts with it
	value  span   // without the leading and trailing blanks; never folded
	end    uint32 // behind the line end
}

// Message is what a Request and a Response have in common: header fields and a body. The zero value is an empty message to which
// fields can be added.
//
// A parsed message shares the memory of the bytes it was parsed from: strings taken from it are valid as long as those bytes are.
// Editing never writes into those bytes.
type Message struct {
	raw    []byte // what was parsed, up to the end of the body
	made   []byte // bytes of edits; only ever appended to
	fields []field
	body   []byte
	bare   bool // raw holds line ends that are no CRLF: it may not be sent on as it is

	// What everybody asks for is read once: Via and CSeq by Parse, the tags by Validate. An edit forgets it.
	known   known
	via     Via // the topmost
	cseq    CSeq
	fromTag string
	toTag   string
}

// known is a set of what a Message has read already.
type known uint8

const (
	knownVia known = 1 << iota
	knownCSeq
	knownTags
)

// nameOf returns the name of f as written.
func (m *Message) nameOf(f *field) string {
	if f.made {
		return text(m.made[f.name.start:f.name.end])
	}
	return text(m.raw[f.name.start:f.name.end])
}

// valueOf returns the value of f.
func (m *Message) valueOf(f *field) string {
	if f.made {
		return text(m.made[f.value.start:f.value.end])
	}
	return text(m.raw[f.value.start:f.value.end])
}

// find returns the index of the first field called h from i on, or -1.
func (m *Message) find(h Header, i int) int {
	rest := m.fields[min(i, len(m.fields)):]
	for j := range rest {
		if rest[j].header == h {
			return i + j
		}
	}
	return -1
}

// findName is find by name: of a known header in any spelling, of another without regard to case.
func (m *Message) findName(name string, i int) int {
	if h := LookupHeader(name); h != HeaderOther {
		return m.find(h, i)
	}
	for i = m.find(HeaderOther, i); i >= 0; i = m.find(HeaderOther, i+1) {
		if sameFold(m.nameOf(&m.fields[i]), name) {
			return i
		}
	}
	return -1
}

// Get returns the value of the first field called h, unfolded, or "" if there is none. A comma list is returned whole.
func (m *Message) Get(h Header) string {
	if i := m.find(h, 0); i >= 0 && h != HeaderOther {
		return m.valueOf(&m.fields[i])
	}
	return ""
}

// Has reports whether a field called h is present.
func (m *Message) Has(h Header) bool { return h != HeaderOther && m.find(h, 0) >= 0 }

// GetName is [Message.Get] for a name outside the table of known headers; the match ignores case.
func (m *Message) GetName(name string) string {
	if i := m.findName(name, 0); i >= 0 {
		return m.valueOf(&m.fields[i])
	}
	return ""
}

// members yields each member of each field called h, empty ones too.
func (m *Message) members(h Header) iter.Seq[string] {
	return func(yield func(string) bool) {
		if h == HeaderOther {
			return
		}
		for i := m.find(h, 0); i >= 0; i = m.find(h, i+1) {
			rest := m.valueOf(&m.fields[i])
			for more := true; more; {
				first := rest
				if more = h.isList(); more {
					first, rest, more = member(rest)
				}
				if !yield(first) {
					return
				}
			}
		}
	}
}

// first returns the first member of the first field called h.
func (m *Message) first(h Header) string {
	s := m.Get(h)
	if s != "" && h.isList() {
		s, _, _ = member(s)
	}
	return s
}

// Values yields each value of each field called h, comma lists taken apart (where the header's grammar is a list), unfolded. Empty ones are left out.
func (m *Message) Values(h Header) iter.Seq[string] {
	return func(yield func(string) bool) {
		for s := range m.members(h) {
			if s != "" && !yield(s) {
				return
			}
		}
	}
}

// Fields yields name and value of every field in order, as they would be sent.
func (m *Message) Fields() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for i := range m.fields {
			f := &m.fields[i]
			if f.header == HeaderContentLength && !m.lengthHolds(f) {
				continue
			}
			if !yield(m.nameOf(f), m.valueOf(f)) {
				return
			}
		}
		if !m.lengthWritten() {
			yield(HeaderContentLength.String(), m.length())
		}
	}
}

// Body returns the body; it shares the message's memory.
func (m *Message) Body() []byte { return m.body }

// ContentType returns type and subtype of the Content-Type in lower case without parameters: "application/sdp"; "" if there is none.
func (m *Message) ContentType() string {
	s, _, _ := strings.Cut(m.Get(HeaderContentType), ";")
	s = trim(s)
	if strings.ContainsAny(s, " \t") {
		kind, sub, _ := strings.Cut(s, "/")
		s = trim(kind) + "/" + trim(sub)
	}
	return strings.ToLower(s)
}

// Via returns the topmost Via.
func (m *Message) Via() (Via, error) {
	if m.known&knownVia != 0 {
		return m.via, nil
	}
	return ParseVia(m.first(HeaderVia))
}

// Direct reports whether a request comes from its sender without a proxy between: it has one Via.
func (m *Message) Direct() bool {
	hops := 0
	for range m.Values(HeaderVia) {
		hops++
	}
	return hops == 1
}

// From returns the From header.
func (m *Message) From() (a Address, err error) {
	err = a.parse(m.Get(HeaderFrom))
	return a, err
}

// To returns the To header.
func (m *Message) To() (a Address, err error) {
	err = a.parse(m.Get(HeaderTo))
	return a, err
}

// FromTag returns the tag of From, "" when absent.
func (m *Message) FromTag() string {
	if m.known&knownTags != 0 {
		return m.fromTag
	}
	return m.tag(HeaderFrom)
}

// ToTag returns the tag of To, "" when absent.
func (m *Message) ToTag() string {
	if m.known&knownTags != 0 {
		return m.toTag
	}
	return m.tag(HeaderTo)
}

func (m *Message) tag(h Header) string {
	var a Address
	if a.parse(m.Get(h)) != nil {
		return ""
	}
	return a.Tag()
}

// CallID returns the Call-ID.
func (m *Message) CallID() string { return m.Get(HeaderCallID) }

// CSeq returns the CSeq.
func (m *Message) CSeq() (CSeq, error) {
	if m.known&knownCSeq != 0 {
		return m.cseq, nil
	}
	return ParseCSeq(m.Get(HeaderCSeq))
}

// Contact returns the first Contact; ok is false when there is none, it is malformed, or it is "*".
func (m *Message) Contact() (a Address, ok bool) {
	err := a.parse(m.first(HeaderContact))
	return a, err == nil
}

// Addresses yields every value of a header that is a list of name-addr: Contact, Route, Record-Route, Path, Service-Route, P-Asserted-Identity, Diversion, History-Info …
// A malformed value is yielded with its error and the walk goes on. The "*" of a Contact is malformed here: look at Get first.
func (m *Message) Addresses(h Header) iter.Seq2[Address, error] {
	return func(yield func(Address, error) bool) {
		for s := range m.members(h) {
			if !yield(ParseAddress(s)) {
				return
			}
		}
	}
}

// Uint returns the number at the start of a header that is one number (Max-Forwards, Expires, Min-Expires, RSeq, Retry-After,
// Session-Expires before its parameters …); ok is false when absent or no number, and a number beyond 32 bits gives 1<<32-1, false.
func (m *Message) Uint(h Header) (n uint32, ok bool) {
	s := m.Get(h)
	n, digits, ok := number(s)
	if digits < len(s) && strings.IndexByte(" \t;(", s[digits]) < 0 {
		return 0, false
	}
	return n, ok
}

// HasToken reports whether a list of tokens (Supported, Require, Allow …) holds token; case is ignored.
func (m *Message) HasToken(h Header, token string) bool {
	for s := range m.members(h) {
		if sameFold(s, token) {
			return true
		}
	}
	return false
}
