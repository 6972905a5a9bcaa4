package codec

// G722: 7 kHz of sound in 64 kbit/s. The signal is split into two bands of 4 kHz, and each is coded by ADPCM: ITU-T G.722 §3 (encoder), §4 (decoder), in
// the integer arithmetic of §6. RFC 3551 §4.5.2.

import "errors"

// G722 returns G.722 at 64 kbit/s. Its clock says 8000 although there are 16000 samples a second: RFC 3551 §4.5.2 keeps an old error.
func G722() Format {
	return Format{
		Name: "G722", PayloadType: 9, Clock: 8000, Rate: 16000, Channels: 1,
		NewEncoder: func() (Encoder, error) { return newG722Encoder(), nil },
		NewDecoder: func() (Decoder, error) { return newG722Decoder(), nil },
	}
}

var errG722Odd = errors.New("codec: G722: the number of samples must be even")

// mirrorTaps are the even coefficients of the filter that splits the bands and joins them (ITU-T G.722 table 11); the odd ones are the same
// backwards.
var mirrorTaps = [12]int32{3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11}

// mirror is the memory of a quadrature mirror filter: the last 24 values, the newest two at the end.
type mirror [2 * len(mirrorTaps)]int32

// push takes two values and returns the sums of the two halves of the filter.
func (m *mirror) push(first, second int32) (odd, even int32) {
	copy(m[:], m[2:])
	m[len(m)-2], m[len(m)-1] = first, second
	for i, tap := range mirrorTaps {
		even += m[2*i] * tap
		odd += m[2*i+1] * mirrorTaps[len(mirrorTaps)-1-i]
	}
	return odd, even
}

type g722Encoder struct {
	split     mirror
	low, high g722Band
}

func newG722Encoder() *g722Encoder {
	return &g722Encoder{low: newLowBand(), high: newHighBand()}
}

// Encode makes one byte of two samples.
func (e *g722Encoder) Encode(dst []byte, pcm []int16) ([]byte, error) {
	if len(pcm)%2 != 0 {
		return dst, errG722Odd
	}
	for ; len(pcm) > 0; pcm = pcm[2:] {
		odd, even := e.split.push(int32(pcm[0]), int32(pcm[1]))
		dst = append(dst, e.high.encodeHigh((odd-even)>>14)<<6|e.low.encodeLow((even+odd)>>14))
	}
	return dst, nil
}

type g722Decoder struct {
	join      mirror
	low, high g722Band
	watched   g722Band // the scale of the low band alone, by Peek
	concealer
}

func newG722Decoder() *g722Decoder {
	return &g722Decoder{low: newLowBand(), high: newHighBand(), watched: newLowBand(), concealer: concealer{wide: true}}
}

// Decode makes two samples of each byte. Every byte is legal.
func (d *g722Decoder) Decode(dst []int16, payload []byte) ([]int16, error) {
	before := len(dst)
	for _, code := range payload {
		low, high := d.low.decodeLow(code&0x3f), d.high.decodeHigh(code>>6)
		first, second := d.join.push(low+high, low-high)
		dst = append(dst, int16(saturate(first>>11)), int16(saturate(second>>11)))
	}
	d.heard(dst[before:])
	return dst, nil
}

func (d *g722Decoder) Conceal(dst []int16, samples int) []int16 { return d.conceal(dst, samples) }
