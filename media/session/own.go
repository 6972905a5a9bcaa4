package session

// What is kept of descriptions: words without the memory of the text that they stood in, which is many times as long.

import (
	"slices"
	"strings"

	"github.com/sipwerk/sipwerk/media/sdp"
)

// own returns s with memory of its own, or none for what nearly everybody says.
func own(s string) string {
	usual := [...]string{"RTP/AVP", "RTP/SAVP", "UDP/TLS/RTP/SAVPF", "PCMA", "PCMU", "G722", "opus", sdp.TelephoneEvent, "0-15", "0-16", "0", "1"}
	if i := slices.Index(usual[:], s); i >= 0 {
		return usual[i]
	}
	return strings.Clone(s)
}

// ownCodecs makes the words of codecs their own.
func ownCodecs(codecs []sdp.Codec) []sdp.Codec {
	for i := range codecs {
		codecs[i].Name, codecs[i].FMTP = own(codecs[i].Name), own(codecs[i].FMTP)
	}
	return codecs
}
