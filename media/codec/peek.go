package codec

// What a payload holds, told without decoding it: a room of hundreds decodes only those who speak.

import "math"

// Silence is the level of a payload in which nothing is heard, and Unknown that of one that only decoding could tell. So is Voiceless, but the payload says that there is no voice in it: it may hold music, or noise.
const (
	Silence   = 127
	Voiceless = 254
	Unknown   = 255
)

// A Peeker is a [Decoder] that sees without decoding what is in a payload.
type Peeker interface {
	// Peek returns how many samples Decode would append, 0 if it cannot tell, and how loud they are about: in -dBov as
	// RFC 6464 §3 counts, from 0, the loudest, to [Silence], or [Unknown], or [Voiceless]. Like Decode it is called for the payloads of one
	// stream in their order, but it changes nothing of what Decode makes of them.
	Peek(payload []byte) (samples int, level uint8)
}

// A Successor is an [Encoder] that can take the place of another of its format in the middle of a stream.
type Successor interface {
	// Succeed takes over the state of the other encoder, which stays as it is. It reports false if that is of another kind.
	Succeed(other Encoder) bool
}

// An Economizer is an [Encoder] that can do with less work, for somewhat less of quality.
type Economizer interface {
	// Economize begins that or ends it; what is encoded goes on.
	Economize(on bool)
}

// A Rester is a [Decoder] with so much memory that it is not for one who is not heard.
type Rester interface {
	// Rest gives the memory back until something is decoded again, which begins anew then.
	Rest()
}

// A Follower is an [Encoder] of a codec whose decoders remember what they have heard: it can speak in the middle of what another says.
type Follower interface {
	// Follow goes on where a decoder is that has heard all so far, which stays as it is. It reports false if that is of another kind.
	Follow(d Decoder) bool
}

// Level returns how loud samples are, in -dBov: RFC 6464 §3.
func Level(pcm []int16) uint8 {
	var sum uint64
	for _, s := range pcm {
		sum += uint64(int64(s) * int64(s))
	}
	return levelOf(sum, len(pcm))
}

// levelOf returns the level of n samples by the sum of their squares.
func levelOf(sum uint64, n int) uint8 {
	if sum == 0 || n == 0 {
		return Silence
	}
	const loudest = 32767 * 32767
	db := 10 * math.Log10(loudest*float64(n)/float64(sum))
	return uint8(min(max(db+0.5, 0), Silence))
}

// Peek implements [Peeker]: a table of squares. It is exact.
func (e *expander) Peek(payload []byte) (int, uint8) {
	var sum uint64
	for _, b := range payload {
		s := int64(e.table[b])
		sum += uint64(s * s)
	}
	return len(payload), levelOf(sum, len(payload))
}

// Succeed implements [Successor]: G.711 has no state.
func (c compress) Succeed(other Encoder) bool {
	_, ok := other.(compress)
	return ok
}

// g722Foreseen is how much louder in dB speech is than what the predictor of the low band could not foresee, on the average; of a steady tone it
// foresees much more.
const g722Foreseen = 7

// Peek implements [Peeker]: the scale factor of the low band, which follows from the codes alone, tells about how loud the voice is.
func (d *g722Decoder) Peek(payload []byte) (int, uint8) {
	var sum uint64
	for _, code := range payload {
		low := code >> 2 & 0xf
		difference := int64(d.watched.scale * lowValues4[low] >> 15)
		sum += uint64(difference * difference)
		d.watched.rescale(lowSteps[low], lowLongest, lowExponent)
	}
	level := levelOf(4*sum, len(payload)) // a band has 15 bits
	if level < Silence {
		level = max(level, g722Foreseen) - g722Foreseen
	}
	return 2 * len(payload), level
}

// Succeed implements [Successor].
func (e *g722Encoder) Succeed(other Encoder) bool {
	o, ok := other.(*g722Encoder)
	if ok {
		*e = *o
	}
	return ok
}

// Follow implements [Follower]: the predictors of both ends are alike.
func (e *g722Encoder) Follow(d Decoder) bool {
	o, ok := d.(*g722Decoder)
	if ok {
		e.low, e.high = o.low, o.high
	}
	return ok
}
