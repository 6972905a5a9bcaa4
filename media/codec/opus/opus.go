// Package opus speaks and hears Opus with the libopus of the system, which it loads while the program runs: the program is built without it and starts
// without it. Where libopus is missing, and in programs built with the tag noopus, Opus is heard, by a decoder in Go, and not spoken.
//
// [Open] looks for the library, and [Library.Format] gives formats to write into the lists of those who speak. Streams are mono, but for those of files; what comes
// in stereo is mixed. Memory of coders belongs to Go: nothing has to be closed.
//
// RFC 6716 (the codec itself is libopus), RFC 7587 (payload, clock, parameters).
package opus

import (
	"errors"

	"github.com/sipwerk/sipwerk/media/codec"
)

// Clock is the rate of timestamps, whatever that of the samples is. RFC 7587 §4.1.
const Clock = 48000

// payloadType is the one of our offers: what everybody uses.
const payloadType = 111

// fileBitrate is that of a channel of a file: with less libopus lets two channels run into each other.
const fileBitrate = 24000

// ErrMissing is wrapped by the error of [Open] where libopus cannot be loaded, and is that of encoders then.
var ErrMissing = errors.New("opus: libopus is missing: Opus is heard but not spoken")

// ErrPayload is returned for a payload that is no Opus packet.
var ErrPayload = errors.New("opus: decode: not an Opus packet")

var errFrame = errors.New("opus: encode: a frame has 2.5, 5, 10, 20, 40 or 60 ms")

// Settings of an encoder. The zero value is for telephony at 32 kbit/s.
type Settings struct {
	Bitrate    int  // bits a second, 6000 to 510000; 0: 32000
	Complexity int  // 1 to 10, how hard the encoder tries; 0: 5
	FEC        bool // each packet holds a coarse copy of the one before, if the peer wants that
	Loss       int  // percent of packets that FEC is made for; 0: 10
	DTX        bool // almost nothing is sent in silence
}

// A Library is what [Open] has found.
type Library struct {
	native  *native // nil: missing
	version string
}

// Open loads libopus. Where that cannot be had the error wraps [ErrMissing] and says why; the Library, which is never nil, then only decodes.
func Open() (*Library, error) {
	n, version, err := load()
	return &Library{native: n, version: version}, err
}

// Speaks tells whether there are encoders.
func (l *Library) Speaks() bool { return l.native != nil }

// Version is what libopus says of itself, empty if it is missing.
func (l *Library) Version() string { return l.version }

// Format returns Opus with PCM at that rate: 8000, 12000, 16000, 24000 or 48000 Hz.
func (l *Library) Format(rate int, s Settings) codec.Format {
	return codec.Format{
		Name: "opus", PayloadType: payloadType, Clock: Clock, Rate: rate, Channels: 1, Announced: 2, FMTP: s.parameters(rate),
		NewEncoder: func() (codec.Encoder, error) {
			if l.native == nil {
				return nil, ErrMissing
			}
			return l.native.newEncoder(rate, 1, s)
		},
		NewDecoder: func() (codec.Decoder, error) {
			if l.native == nil {
				return newFallback(rate, 1)
			}
			return l.native.newDecoder(rate, 1)
		},
		Tune: func(theirs string) codec.Format { return l.Format(rate, s.tuned(theirs)) },
	}
}

// File returns Opus of one or two channels for sound files. The samples of two channels come in turn, and numbers of samples are those of both.
func (l *Library) File(rate, channels int) codec.Format {
	return codec.Format{
		Name: "opus", PayloadType: payloadType, Clock: Clock, Rate: rate, Channels: channels,
		NewEncoder: func() (codec.Encoder, error) {
			if l.native == nil {
				return nil, ErrMissing
			}
			return l.native.newEncoder(rate, channels, Settings{Bitrate: fileBitrate * channels})
		},
		NewDecoder: func() (codec.Decoder, error) {
			if l.native == nil {
				return newFallback(rate, channels)
			}
			return l.native.newDecoder(rate, channels)
		},
	}
}
