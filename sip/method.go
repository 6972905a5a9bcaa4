// Methods. RFC 3261 §7.1 and the extensions cited beside each.

package sip

import "strings"

// Method is the name of a request method; case matters (RFC 3261 §7.1).
type Method string

// The methods.
const (
	MethodInvite    Method = "INVITE"
	MethodAck       Method = "ACK"
	MethodBye       Method = "BYE"
	MethodCancel    Method = "CANCEL"
	MethodRegister  Method = "REGISTER"
	MethodOptions   Method = "OPTIONS"
	MethodPrack     Method = "PRACK"     // RFC 3262
	MethodUpdate    Method = "UPDATE"    // RFC 3311
	MethodInfo      Method = "INFO"      // RFC 6086
	MethodRefer     Method = "REFER"     // RFC 3515
	MethodMessage   Method = "MESSAGE"   // RFC 3428
	MethodSubscribe Method = "SUBSCRIBE" // RFC 6665
	MethodNotify    Method = "NOTIFY"    // RFC 6665
	MethodPublish   Method = "PUBLISH"   // RFC 3903
)

// methodOf returns s as a Method; a known one does not share the memory of s.
func methodOf(s string) Method {
	switch m := Method(s); m {
	case MethodInvite:
		return MethodInvite
	case MethodAck:
		return MethodAck
	case MethodBye:
		return MethodBye
	case MethodCancel:
		return MethodCancel
	case MethodRegister:
		return MethodRegister
	case MethodOptions:
		return MethodOptions
	case MethodPrack:
		return MethodPrack
	case MethodUpdate:
		return MethodUpdate
	case MethodInfo:
		return MethodInfo
	case MethodRefer:
		return MethodRefer
	case MethodMessage:
		return MethodMessage
	case MethodSubscribe:
		return MethodSubscribe
	case MethodNotify:
		return MethodNotify
	case MethodPublish:
		return MethodPublish
	default:
		return m
	}
}

// Known reports whether m is one of the methods above.
func (m Method) Known() bool {
	switch m {
	case MethodInvite, MethodAck, MethodBye, MethodCancel, MethodRegister, MethodOptions, MethodPrack, MethodUpdate,
		MethodInfo, MethodRefer, MethodMessage, MethodSubscribe, MethodNotify, MethodPublish:
		return true
	}
	return false
}

// clone returns m without reference to a message.
func (m Method) clone() Method {
	if m.Known() {
		return methodOf(string(m))
	}
	return Method(strings.Clone(string(m)))
}
