package session

// How media can go over the wire, and what is offered to a peer that has not said how it wants it.

// A Kind is how the media of a peer goes over the wire. What a peer offers decides by itself; its Kind is for our own first offer.
type Kind uint8

// The kinds.
const (
	Plain         Kind = iota // RTP/AVP
	Opportunistic             // RTP/AVP with keys that the peer may leave (RFC 8643)
	SDES                      // RTP/SAVP with keys in the description (RFC 4568)
)

// Fallback returns what to offer to a peer that refuses an offer of kind k as not acceptable; false if there is nothing else. Protection is never given up.
func (k Kind) Fallback() (Kind, bool) {
	switch k {
	case Plain, Opportunistic:
		return SDES, true
	}
	return k, false
}

// String returns the word for logs.
func (k Kind) String() string {
	return [...]string{"plain", "opportunistic", "sdes"}[k]
}
