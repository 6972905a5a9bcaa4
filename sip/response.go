// Responses. RFC 3261 §7.2.

package sip

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
func IsResponse(b []byte) bool { return len(b) > 4 && string(b[:4]) == "SIP/" }

// Parse makes r the response in b; the rules are those of [Request.Parse]. A response with an error must be dropped.
func (r *Response) Parse(b []byte) error { return nil }

// Clone returns a copy that owns its memory and is never pooled.
func (r *Response) Clone() *Response { return nil }

// AppendTo appends the message as it goes over the wire and returns the extended slice.
func (r *Response) AppendTo(b []byte) []byte { return b }

// String returns the message as it goes over the wire.
func (r *Response) String() string { return string(r.AppendTo(nil)) }
