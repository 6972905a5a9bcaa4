package session

// How loud a packet says it is: the audio level of header extensions, offered and read. RFC 6464, RFC 8285 §5.

import (
	"strconv"
	"strings"

	"github.com/sipwerk/sipwerk/media/codec"
	"github.com/sipwerk/sipwerk/media/rtp"
	"github.com/sipwerk/sipwerk/media/sdp"
)

const (
	levelURI = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
	// levelIdentifier is that of our offers.
	levelIdentifier = 1
)

// offerLevel offers to read the level.
func offerLevel(m *sdp.Media) {
	if levelIdentifierOf(m) == 0 {
		m.Lines.AddAttribute("extmap", strconv.Itoa(levelIdentifier)+" "+levelURI)
	}
}

// answerLevel accepts the level under the identifier of the offer.
func answerLevel(offer, answer *sdp.Media) {
	if id := levelIdentifierOf(offer); id != 0 {
		answer.Lines.AddAttribute("extmap", strconv.Itoa(int(id))+" "+levelURI)
	}
}

// levelIdentifierOf returns the identifier of the level in a description, 0 if there is none.
func levelIdentifierOf(m *sdp.Media) uint8 {
	for v := range m.Lines.Attributes("extmap") {
		f := strings.Fields(v)
		if len(f) < 2 || f[1] != levelURI {
			continue
		}
		id, _, _ := strings.Cut(f[0], "/") // a direction may follow
		if n, err := strconv.ParseUint(id, 10, 8); err == nil && n > 0 {
			return uint8(n)
		}
	}
	return 0
}

// levelExtension returns the identifier that both sides have said, 0 if they have not.
func levelExtension(theirs, ours *sdp.Media) uint8 {
	if id := levelIdentifierOf(ours); id == levelIdentifierOf(theirs) {
		return id
	}
	return 0
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
