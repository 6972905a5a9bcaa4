package session

// Codecs of any rate behind an endpoint of one: what is written and read has the endpoint's rate, what is coded that of the codec.

import (
	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/media/codec"
)

// atRate returns f with coders that take and give PCM at that rate.
func atRate(f codec.Format, rate int) codec.Format {
	if f.Rate == rate {
		return f
	}
	native, encoder, decoder := f.Rate, f.NewEncoder, f.NewDecoder
	f.Rate = rate
	f.NewEncoder = func() (codec.Encoder, error) {
		r, err := audio.NewResampler(rate, native)
		if err != nil {
			return nil, err
		}
		e, err := encoder()
		return &convertingEncoder{coder: e, resampler: r}, err
	}
	f.NewDecoder = func() (codec.Decoder, error) {
		r, err := audio.NewResampler(native, rate)
		if err != nil {
			return nil, err
		}
		d, err := decoder()
		return &convertingDecoder{coder: d, resampler: r, rate: rate, native: native}, err
	}
	return f
}

type convertingEncoder struct {
	coder     codec.Encoder
	resampler *audio.Resampler
	pcm       []int16
}

// Encode implements [codec.Encoder].
func (c *convertingEncoder) Encode(dst []byte, pcm []int16) ([]byte, error) {
	c.pcm = c.resampler.Resample(c.pcm[:0], pcm)
	return c.coder.Encode(dst, c.pcm)
}

type convertingDecoder struct {
	coder        codec.Decoder
	resampler    *audio.Resampler
	rate, native int
	pcm          []int16
}

// Decode implements [codec.Decoder].
func (c *convertingDecoder) Decode(dst []int16, payload []byte) ([]int16, error) {
	pcm, err := c.coder.Decode(c.pcm[:0], payload)
	c.pcm = pcm
	return c.resampler.Resample(dst, pcm), err
}

// Conceal implements [codec.Decoder].
func (c *convertingDecoder) Conceal(dst []int16, samples int) []int16 {
	c.pcm = c.coder.Conceal(c.pcm[:0], samples*c.native/c.rate)
	return c.resampler.Resample(dst, c.pcm)
}
