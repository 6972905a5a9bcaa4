package session

// How media can go over the wire, and what is offered to a peer that has not said how it wants it.

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sipwerk/sipwerk/media/carriage"
	"github.com/sipwerk/sipwerk/media/sdp"
)

// A Kind is how the media of a peer goes over the wire. What a peer offers decides by itself; its Kind is for our own first offer.
type Kind uint8

// The kinds.
const (
	Plain         Kind = iota // RTP/AVP
	Opportunistic             // RTP/AVP with keys that the peer may leave (RFC 8643)
	SDES                      // RTP/SAVP with keys in the description (RFC 4568)
	DTLS                      // UDP/TLS/RTP/SAVP with keys by a handshake (RFC 5763)
	WebRTC                    // UDP/TLS/RTP/SAVPF with ICE and RTCP on the port of RTP (RFC 8835)
)

// kinds are the words, by kind.
func kinds() []string { return []string{"plain", "opportunistic", "sdes", "dtls", "webrtc"} }

// String returns the word for settings and logs.
func (k Kind) String() string { return kinds()[k] }

// ParseKind reads what [Kind.String] writes. The error names the words.
func ParseKind(word string) (Kind, error) {
	i := slices.Index(kinds(), word)
	if i < 0 {
		return Plain, fmt.Errorf("session: parse kind %q: want one of %s", word, strings.Join(kinds(), ", "))
	}
	return Kind(i), nil
}

// Fallback returns what to offer to a peer that refuses an offer of kind k as not acceptable; false if there is nothing else. Protection is never given up.
func (k Kind) Fallback() (Kind, bool) {
	switch k {
	case Plain, Opportunistic:
		return SDES, true
	case SDES:
		return DTLS, true
	}
	return k, false
}

// terms are those of our first offer to a peer of kind k.
func (k Kind) terms() carriage.Terms {
	switch k {
	case Opportunistic:
		return carriage.Terms{Keying: carriage.SDES}
	case SDES:
		return carriage.Terms{Keying: carriage.SDES, Profile: sdp.Profile{Secure: true}}
	case DTLS:
		return carriage.Terms{Keying: carriage.Handshake, Profile: sdp.Profile{Secure: true, DTLS: true}, Mux: true}
	case WebRTC:
		return carriage.Terms{Keying: carriage.Handshake, Profile: sdp.Profile{Secure: true, DTLS: true, Feedback: true}, Mux: true, ICE: true}
	}
	return carriage.Terms{}
}
