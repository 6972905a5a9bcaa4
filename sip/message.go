// What requests and responses share: the list of header fields, read in place and edited. RFC 3261 §7.

package sip

import "iter"

// span is a range of bytes of one of the two buffers of a Message.
type span struct{ start, end uint32 }

// field is one header field line. Its bytes lie in raw (as received) or in made (as edited).
type field struct {
	header Header // HeaderOther for a name outside the table
	made   bool   // name and value lie in Message.made
	name   span
	value  span // without the leading and trailing blanks; may hold folds
}

// Message is what a Request and a Response have in common: header fields and a body. The zero value is an empty message to which
// fields can be added.
//
// A parsed message shares the memory of the bytes it was parsed from: strings taken from it are valid as long as those bytes are.
// Editing never writes into those bytes.
type Message struct {
	raw    []byte // what was parsed; never written to
	made   []byte // bytes of edits
	fields []field
	body   []byte
}

// Get returns the value of the first field called h, unfolded, or "" if there is none. A comma list is returned whole.
func (m *Message) Get(h Header) string { return "" }

// Has reports whether a field called h is present.
func (m *Message) Has(h Header) bool { return false }

// GetName is [Message.Get] for a name outside the table of known headers; the match ignores case.
func (m *Message) GetName(name string) string { return "" }

// Values yields each value of each field called h, comma lists taken apart (where the header's grammar is a list), unfolded.
func (m *Message) Values(h Header) iter.Seq[string] { return func(yield func(string) bool) {} }

// Fields yields name and value of every field in order, as they would be sent.
func (m *Message) Fields() iter.Seq2[string, string] { return func(yield func(string, string) bool) {} }

// Set replaces all fields called h by one with this value, in the place of the first, or at the end.
// A value with CR, LF or NUL is cut before it: no caller can smuggle a header in.
func (m *Message) Set(h Header, value string) {}

// SetName is [Message.Set] for a name outside the table.
func (m *Message) SetName(name, value string) {}

// Add puts a field behind the last one called h, or at the end.
func (m *Message) Add(h Header, value string) {}

// AddName is [Message.Add] for a name outside the table.
func (m *Message) AddName(name, value string) {}

// Prepend puts a field before the first one called h: the way a Via, Route or Record-Route is pushed. Via goes to the top of the
// message if there is none.
func (m *Message) Prepend(h Header, value string) {}

// SetFirst replaces the first value of the first field called h and leaves the other values of its comma list: received= and rport=
// in the top Via, the top Route.
func (m *Message) SetFirst(h Header, value string) {}

// PopFirst removes the first value called h, with its field if it was the only one there, and returns it ("" if there is none).
func (m *Message) PopFirst(h Header) string { return "" }

// Remove deletes every field called h.
func (m *Message) Remove(h Header) {}

// RemoveName is [Message.Remove] for a name outside the table.
func (m *Message) RemoveName(name string) {}

// Body returns the body; it shares the message's memory.
func (m *Message) Body() []byte { return m.body }

// ContentType returns type and subtype of the Content-Type in lower case without parameters: "application/sdp"; "" if there is none.
func (m *Message) ContentType() string { return "" }

// SetBody replaces body and Content-Type and keeps a reference to body; an empty contentType removes the field. Content-Length is written when the message is printed.
func (m *Message) SetBody(contentType string, body []byte) {}

// Via returns the topmost Via.
func (m *Message) Via() (Via, error) { return Via{}, nil }

// From returns the From header.
func (m *Message) From() (Address, error) { return Address{}, nil }

// To returns the To header.
func (m *Message) To() (Address, error) { return Address{}, nil }

// FromTag and ToTag return the tags, "" when absent.
func (m *Message) FromTag() string { return "" }

// ToTag returns the tag of To, "" when absent.
func (m *Message) ToTag() string { return "" }

// CallID returns the Call-ID.
func (m *Message) CallID() string { return m.Get(HeaderCallID) }

// CSeq returns the CSeq.
func (m *Message) CSeq() (CSeq, error) { return CSeq{}, nil }

// Contact returns the first Contact; ok is false when there is none or it is "*".
func (m *Message) Contact() (Address, bool) { return Address{}, false }

// Addresses yields every value of a header that is a list of name-addr: Contact, Route, Record-Route, Path, Service-Route, P-Asserted-Identity, Diversion, History-Info …
// A malformed value is yielded with its error and the walk goes on.
func (m *Message) Addresses(h Header) iter.Seq2[Address, error] {
	return func(yield func(Address, error) bool) {}
}

// Uint returns the number at the start of a header that is one number (Max-Forwards, Expires, Min-Expires, RSeq, Retry-After,
// Session-Expires before its parameters …); ok is false when absent or no number, and a number beyond 32 bits gives 1<<32-1, false.
func (m *Message) Uint(h Header) (n uint32, ok bool) { return 0, false }

// HasToken reports whether a list of tokens (Supported, Require, Allow …) holds token; case is ignored.
func (m *Message) HasToken(h Header, token string) bool { return false }
