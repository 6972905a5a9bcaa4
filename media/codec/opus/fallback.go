package opus

// Hearing without libopus.

import (
	"fmt"

	pion "github.com/pion/opus"

	"github.com/sipwerk/sipwerk/media/codec"
)

// fallback is a decoder in Go.
type fallback struct {
	decoder        pion.Decoder
	rate, channels int
	last           []int16 // the last packet, for one that is lost
	lost           int     // packets in a row
}

func newFallback(rate, channels int) (codec.Decoder, error) {
	d, err := pion.NewDecoderWithOutput(rate, channels)
	if err != nil {
		return nil, fmt.Errorf("opus: decoder of %d Hz: %w", rate, err)
	}
	return &fallback{decoder: d, rate: rate, channels: channels}, nil
}

// Decode implements [codec.Decoder].
func (f *fallback) Decode(dst []int16, payload []byte) (out []int16, err error) {
	n := samplesOf(payload, f.rate) * f.channels
	if n == 0 {
		return dst, ErrPayload
	}
	start := len(dst)
	defer func() {
		// The library has been given what a stranger sent; what it cannot bear must not end the program.
		if recover() != nil {
			out, err = dst[:start], ErrPayload
		}
	}()
	dst = append(dst, make([]int16, n)...)
	got, err := f.decoder.DecodeToInt16(payload, dst[start:])
	if err != nil {
		return dst[:start], fmt.Errorf("%w: %w", ErrPayload, err)
	}
	dst = dst[:start+min(got*f.channels, n)]
	f.last, f.lost = append(f.last[:0], dst[start:]...), 0
	return dst, nil
}

// fading is after how many lost packets there is silence.
const fading = 3

// Conceal implements [codec.Decoder]: the last packet is repeated, softer each time.
func (f *fallback) Conceal(dst []int16, samples int) []int16 {
	f.lost++
	for i := range samples {
		s := 0
		if len(f.last) > 0 && f.lost < fading {
			s = int(f.last[i%len(f.last)]) * (fading - f.lost) / fading
		}
		dst = append(dst, int16(s))
	}
	return dst
}

// Peek implements [codec.Peeker].
func (f *fallback) Peek(payload []byte) (int, uint8) { return peek(payload, f.rate) }
