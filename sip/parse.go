// The one-pass message parser. RFC 3261 §7, §25.1.

package sip

import "strconv"

// ParseError says where and why bytes from the network or a configured string are no legal SIP.
type ParseError struct {
	What   string // what was being parsed: "Request-Line", "Via", "URI"
	Offset int    // bytes from the start of the text being parsed
	Reason string
}

// Error gives "sip: parse Via at 17: port: value out of range".
func (e *ParseError) Error() string {
	return "sip: parse " + e.What + " at " + strconv.Itoa(e.Offset) + ": " + e.Reason
}
