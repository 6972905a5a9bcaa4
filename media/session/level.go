package session

// How loud a packet says it is: the audio level of header extensions, offered and read. RFC 6464, RFC 8285 §5.

import (
	"github.com/sipwerk/sipwerk/media/codec"
	"github.com/sipwerk/sipwerk/media/rtp"
	"github.com/sipwerk/sipwerk/media/sdp"
)

// levelIdentifier is that of our offers.
const levelIdentifier = 1

// offerLevel offers to read the level.
func offerLevel(m *sdp.Media) {
	if identifierOf(m, levelURI) == 0 {
		extend(m, levelIdentifier, levelURI)
	}
}

// answerLevel accepts the level under the identifier of the offer.
func answerLevel(offer, answer *sdp.Media) {
	extend(answer, identifierOf(offer, levelURI), levelURI)
}

// levelExtension returns the identifier that both sides have said, 0 if they have not.
func levelExtension(theirs, ours *sdp.Media) uint8 {
	return agreedIdentifier(theirs, ours, levelURI)
}

// levelOf returns the level that a packet says it has.
func levelOf(p *rtp.Packet, id uint8) uint8 {
	if id == 0 {
		return codec.Unknown
	}
	b, ok := p.ExtensionElement(id)
	if !ok || len(b) == 0 {
		return codec.Unknown
	}
	return b[0] & 0x7f // the first bit tells a voice from noise
}
