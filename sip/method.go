// Methods.

package sip

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
