// The Via header. RFC 3261 §20.42, RFC 3581.

package sip

import "net/netip"

// MagicCookie starts every branch of RFC 3261 (§8.1.1.7).
const MagicCookie = "z9hG4bK"

// Via is one hop of a request.
type Via struct {
	Transport string // as written: "UDP", "TLS", "WSS", …
	Host      string // sent-by host; IPv6 with brackets
	Port      uint16 // 0: none written
	Params    Params
}

// ParseVia parses one value.
func ParseVia(s string) (Via, error) { return Via{}, nil }

// Branch returns the branch parameter.
func (v Via) Branch() string { return v.Params.Get("branch") }

// Received returns the address of the received parameter, with or without brackets (RFC 5118 §4.5); the zero Addr if absent or malformed.
func (v Via) Received() netip.Addr { return netip.Addr{} }

// RPort returns the value of rport: present is true for the bare parameter of a request too (RFC 3581 §3).
func (v Via) RPort() (port uint16, present bool) { return 0, false }

// String prints the value.
func (v Via) String() string { return "" }
