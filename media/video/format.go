package video

// How pictures are packed, and where a whole one begins.

import "strings"

// A Format is a codec of pictures. The zero Format is none that we know.
type Format uint8

// The formats.
const (
	VP8  Format = iota + 1 // RFC 7741
	H264                   // RFC 6184, without interleaving
)

// Formats is how many there are, the zero one included.
const Formats = 3

// FormatOf returns the format of an encoding name of SDP, 0 if it is none of ours.
func FormatOf(name string) Format {
	for _, f := range [...]Format{VP8, H264} {
		if strings.EqualFold(name, f.String()) {
			return f
		}
	}
	return 0
}

// String returns the encoding name.
func (f Format) String() string { return [Formats]string{"none", "VP8", "H264"}[f%Formats] }

// Opens tells whether a payload is where somebody may begin to look: it begins a picture that needs none before it, or the parameters in front of such a
// picture. whole says that the picture itself begins in it.
func (f Format) Opens(payload []byte) (opens, whole bool) {
	switch f {
	case VP8:
		d, ok := parseVP8(payload)
		whole = ok && d.whole
		return whole, whole
	case H264:
		return opensH264(payload)
	}
	return false, false
}
