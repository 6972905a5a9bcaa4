package session

// Header extensions of RTP in descriptions, and how loud a packet says that it is. RFC 8285 §5, RFC 6464.

import (
	"slices"
	"strconv"
	"strings"

	"github.com/sipwerk/sipwerk/media/codec"
	"github.com/sipwerk/sipwerk/media/rtp"
	"github.com/sipwerk/sipwerk/media/sdp"
)

const (
	levelURI = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"   // RFC 6464 §4
	midURI   = "urn:ietf:params:rtp-hdrext:sdes:mid"           // RFC 9143 §15.2
	ridURI   = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id" // RFC 8852 §4.1
)

// maxIdentifier is the greatest that the short form of header extensions has. RFC 8285 §4.2.
const maxIdentifier = 14

// identifierOf returns the identifier of an extension in a description, 0 if there is none.
func identifierOf(m *sdp.Media, uri string) uint8 {
	for _, l := range m.Lines {
		if identifier, is, ok := extension(l); ok && is == uri {
			return identifier
		}
	}
	return 0
}

// extend offers an extension, or accepts it under the identifier of the offer, unless that stands for another one; 0: not at all.
func extend(m *sdp.Media, identifier uint8, uri string) {
	if identifierOf(m, uri) == identifier {
		return
	}
	free := identifier != 0
	m.Lines = slices.DeleteFunc(m.Lines, func(l sdp.Line) bool {
		id, is, ok := extension(l)
		free = free && (!ok || id != identifier || is == uri)
		return ok && is == uri
	})
	if free {
		m.Lines.AddAttribute("extmap", strconv.Itoa(int(identifier))+" "+uri)
	}
}

// extension reads an a=extmap line.
func extension(l sdp.Line) (identifier uint8, uri string, ok bool) {
	v, ok := strings.CutPrefix(l.Value, "extmap:")
	if l.Type != 'a' || !ok {
		return 0, "", false
	}
	fields := strings.Fields(v)
	if len(fields) < 2 {
		return 0, "", false
	}
	id, _, _ := strings.Cut(fields[0], "/") // a direction may follow
	n, err := strconv.ParseUint(id, 10, 8)
	return uint8(n), fields[1], err == nil && n > 0
}

// sharedIdentifier returns the one under which an extension stands anywhere in d, or else one that stands for nothing in it: on one transport an identifier means one thing, RFC 9143 §15.2. 0: all are taken.
func sharedIdentifier(d *sdp.Description, uri string) uint8 {
	var taken [maxIdentifier + 1]bool
	for i := range d.Media {
		m := &d.Media[i]
		if id := identifierOf(m, uri); id != 0 {
			return id
		}
		for _, l := range m.Lines {
			if identifier, _, ok := extension(l); ok && identifier <= maxIdentifier {
				taken[identifier] = true
			}
		}
	}
	for id := uint8(1); id <= maxIdentifier; id++ {
		if !taken[id] {
			return id
		}
	}
	return 0
}

// agreedIdentifier returns that which both sides have said, 0 if they have not.
func agreedIdentifier(theirs, ours *sdp.Media, uri string) uint8 {
	if id := identifierOf(ours, uri); id == identifierOf(theirs, uri) {
		return id
	}
	return 0
}

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
