// Refer-To, Referred-By and Refer-Sub. RFC 3515 §2.1, RFC 3892 §3, RFC 4488 §4.

package sip

// ReferTo returns where a REFER points; the method is [URI.Param] "method", INVITE if there is none. The error is a [*ParseError].
func (m *Message) ReferTo() (Address, error) { return ParseAddress(m.Get(HeaderReferTo)) }

// ReferredBy returns who refers; ok is false when that is not said or malformed.
func (m *Message) ReferredBy() (a Address, ok bool) {
	a, err := ParseAddress(m.Get(HeaderReferredBy))
	return a, err == nil
}

// ReferSub reports whether a REFER makes a subscription; without the header it does.
func (m *Message) ReferSub() bool {
	value, _, err := splitParams("Refer-Sub", m.Get(HeaderReferSub), classToken)
	return err != nil || !sameFold(value, "false")
}
