// Name and address with parameters: From, To, Contact, Route and their like. RFC 3261 §20.10.

package sip

// Address is a name-addr or addr-spec with header parameters.
type Address struct {
	Display string // as written: a quoted string with its quotes, or tokens; "" if none
	URI     URI
	Params  Params
}

// ParseAddress parses s whole.
func ParseAddress(s string) (Address, error) { return Address{}, nil }

// Name returns the display name unquoted.
func (a Address) Name() string { return a.Display }

// Tag returns the tag parameter.
func (a Address) Tag() string { return a.Params.Get("tag") }

// WithTag returns a with its tag set.
func (a Address) WithTag(tag string) Address { a.Params = a.Params.With("tag", tag); return a }

// Quote returns name as a quoted string for Display, with `"` and `\` escaped; "" stays "".
func Quote(name string) string { return name }

// String prints the address with angle brackets.
func (a Address) String() string { return "" }
