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
		return &convertingEncoder{coder: e, resampler: r, native: native}, err
	}
	f.NewDecoder = func() (codec.Decoder, error) {
		r, err := audio.NewResampler(native, rate)
		if err != nil {
			return nil, err
		}
		d, err := decoder()
		return &convertingDecoder{coder: d, resampler: r, rate: rate, native: native}, err
	}
	if tune := f.Tune; tune != nil {
		f.Tune = func(fmtp string) codec.Format { return atRate(tune(fmtp), rate) }
	}
	return f
}

type convertingEncoder struct {
	coder     codec.Encoder
	resampler *audio.Resampler
	native    int
	pcm       []int16
}

// Encode implements [codec.Encoder].
func (c *convertingEncoder) Encode(dst []byte, pcm []int16) ([]byte, error) {
	c.pcm = c.resampler.Resample(c.pcm[:0], pcm)
	return c.coder.Encode(dst, c.pcm)
}

// Plain returns the encoder behind the conversion and its rate.
func (c *convertingEncoder) Plain() (codec.Encoder, int) { return c.coder, c.native }

// Succeed implements [codec.Successor].
func (c *convertingEncoder) Succeed(other codec.Encoder) bool {
	o, ok := other.(*convertingEncoder)
	if !ok || !c.resampler.Succeed(o.resampler) {
		return false
	}
	s, ok := c.coder.(codec.Successor)
	return ok && s.Succeed(o.coder)
}

// Economize implements [codec.Economizer].
func (c *convertingEncoder) Economize(on bool) {
	if e, ok := c.coder.(codec.Economizer); ok {
		e.Economize(on)
	}
}

// Follow implements [codec.Follower].
func (c *convertingEncoder) Follow(d codec.Decoder) bool {
	o, ok := d.(*convertingDecoder)
	f, follows := c.coder.(codec.Follower)
	return ok && follows && f.Follow(o.coder)
}

type convertingDecoder struct {
	coder        codec.Decoder
	resampler    *audio.Resampler
	rate, native int
	pcm          []int16
}

// Plain returns the decoder behind the conversion and its rate.
func (c *convertingDecoder) Plain() (codec.Decoder, int) { return c.coder, c.native }

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

// Rest implements [codec.Rester].
func (c *convertingDecoder) Rest() {
	if r, ok := c.coder.(codec.Rester); ok {
		r.Rest()
	}
}

// Peek implements [codec.Peeker].
func (c *convertingDecoder) Peek(payload []byte) (int, uint8) {
	p, ok := c.coder.(codec.Peeker)
	if !ok {
		return 0, codec.Unknown
	}
	samples, level := p.Peek(payload)
	return samples * c.rate / c.native, level
}

// Recover implements [codec.Recoverer].
func (c *convertingDecoder) Recover(dst []int16, next []byte, samples int) []int16 {
	r, ok := c.coder.(codec.Recoverer)
	if !ok {
		return c.Conceal(dst, samples)
	}
	c.pcm = r.Recover(c.pcm[:0], next, samples*c.native/c.rate)
	return c.resampler.Resample(dst, c.pcm)
}
