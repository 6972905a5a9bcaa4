// Package codec turns PCM into the payloads of RTP and back, one file per codec. All PCM is 16-bit and mono unless a
// [Format] says otherwise.
//
// A [Format] describes a codec and makes its coders; it is a plain value, and which formats a program offers is a list
// that the program writes down. Codecs that need a library of the system have packages of their own below this one.
//
// ITU-T G.711 (PCMU, PCMA), ITU-T G.722, RFC 3551 §4.5 (payloads).
package codec

// What all codecs have in common.

import "time"

// An Encoder makes payloads of one stream. One goroutine at a time.
type Encoder interface {
	// Encode appends the payload of pcm to dst, nothing if nothing has to be sent. How many samples make a payload is limited by
	// the codec; a number that it cannot have is an error.
	Encode(dst []byte, pcm []int16) ([]byte, error)
}

// A Decoder makes PCM of the payloads of one stream. One goroutine at a time.
type Decoder interface {
	// Decode appends the samples of a payload to dst. The payload comes from the network: what makes no sense is an error,
	// after which the next payload may be decoded.
	Decode(dst []int16, payload []byte) ([]int16, error)
	// Conceal appends that many samples in place of a payload that was lost: something like what came before, fading out.
	Conceal(dst []int16, samples int) []int16
}

// A Format is a codec.
type Format struct {
	// Name is the encoding name in SDP.
	Name string
	// PayloadType is the static payload type, or the dynamic one that our offers use.
	PayloadType uint8
	// Clock is the rate of RTP timestamps in Hz, which is not always that of the samples.
	Clock int
	// Rate is the number of samples per second and channel.
	Rate int
	// Channels is the number of channels.
	Channels int
	// Announced is the number of channels in SDP where that is not Channels: RFC 7587 §7 wants 2 for every Opus.
	Announced int
	// FMTP are the parameters of our offers and answers, empty if there are none.
	FMTP string
	// NewEncoder makes the encoder of a stream.
	NewEncoder func() (Encoder, error)
	// NewDecoder makes the decoder of a stream.
	NewDecoder func() (Decoder, error)
	// Tune returns the format with encoders as the parameters in the description of the peer want them; nil if they change nothing.
	Tune func(fmtp string) Format
}

// A Recoverer is a [Decoder] of a codec whose payloads may hold a copy of the one before.
type Recoverer interface {
	// Recover is Conceal with the payload that follows the one that was lost; that is still to be decoded afterwards.
	Recover(dst []int16, next []byte, samples int) []int16
}

// Samples returns how many samples of all channels a frame of that duration has.
func (f Format) Samples(d time.Duration) int {
	return int(int64(f.Rate)*int64(d)/int64(time.Second)) * f.Channels
}

// Ticks returns by how much the timestamp of RTP advances in that duration.
func (f Format) Ticks(d time.Duration) uint32 {
	return uint32(int64(f.Clock) * int64(d) / int64(time.Second))
}
