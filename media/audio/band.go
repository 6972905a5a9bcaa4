package audio

// The two bands of a mix: its own rate, and beside it that of the telephone network. Who says and hears no more than that stays in it, and only what passes between the bands is
// converted: once for all, instead of once for each who speaks and once for each who hears.

import (
	"time"

	"github.com/sipwerk/sipwerk/media/codec"
)

// narrowRate is the rate of the telephone network.
const narrowRate = 8000

// band is a mix at one rate.
type band struct {
	rate    int
	sum     []int32 // of those who speak in it, then of all
	own     []int32 // scratch: what one hears alone
	samples []int16 // scratch: a frame of a source, or of what one hears alone
	mixed   []int16 // the mix, limited

	cross   *Resampler // of the sum, to the other band; nil: there is none
	quarter []int16    // scratch of it
	crossed []int16
	empty   bool // in the last step
}

func newBand(rate int) *band {
	n := int(int64(rate) * int64(MixTime) / int64(time.Second))
	return &band{rate: rate, sum: make([]int32, n), own: make([]int32, n), samples: make([]int16, n), mixed: make([]int16, n)}
}

// frame is how many samples a step has.
func (b *band) frame() int { return len(b.sum) }

// widen makes the bands of the mixer. A rate that is no multiple of the narrow one has one band.
func (m *Mixer) widen() error {
	m.wide = newBand(m.Rate)
	m.bands = []*band{m.wide}
	if m.Rate <= narrowRate || m.Rate%narrowRate != 0 {
		return nil
	}
	narrow := newBand(narrowRate)
	var err error
	if narrow.cross, err = NewResampler(narrowRate, m.Rate); err != nil {
		return err
	}
	if m.wide.cross, err = NewResampler(m.Rate, narrowRate); err != nil {
		return err
	}
	m.narrow, m.bands = narrow, append(m.bands, narrow)
	return nil
}

// exchange gives each band what is said in the other.
func (m *Mixer) exchange() {
	if m.narrow == nil {
		return
	}
	up, down := m.narrow.convert(), m.wide.convert()
	m.wide.add(up)
	m.narrow.add(down)
}

// convert returns a quarter of the sum at the rate of the other band, so that many voices have room in it; nothing if it is silent there.
func (b *band) convert() []int16 {
	before := b.empty
	b.empty = true
	b.quarter = b.quarter[:0]
	for _, s := range b.sum {
		b.empty = b.empty && s == 0
		b.quarter = append(b.quarter, clip(int(s/4)))
	}
	if b.empty && before { // and so is all that the filter remembers
		return nil
	}
	b.crossed = b.cross.Resample(b.crossed[:0], b.quarter)
	return b.crossed
}

func (b *band) add(quarter []int16) {
	for i, s := range quarter {
		b.sum[i] += 4 * int32(s)
	}
}

// peak is the loudest sample of the sum.
func (b *band) peak() int32 {
	peak := int32(0)
	for _, s := range b.sum {
		peak = max(peak, s, -s)
	}
	return peak
}

// A coder that converts to the rate of the mix may say what it converts, with a method Plain that returns the coder behind it and the rate of that.
type (
	plainDecoder interface{ Plain() (codec.Decoder, int) }
	plainEncoder interface{ Plain() (codec.Encoder, int) }
)

// narrowDecoder returns the decoder behind d if that has the narrow rate, nil otherwise.
func narrowDecoder(d codec.Decoder) codec.Decoder {
	if p, ok := d.(plainDecoder); ok {
		if plain, rate := p.Plain(); rate == narrowRate {
			return plain
		}
	}
	return nil
}

func narrowEncoder(e codec.Encoder) codec.Encoder {
	if p, ok := e.(plainEncoder); ok {
		if plain, rate := p.Plain(); rate == narrowRate {
			return plain
		}
	}
	return nil
}

// tune takes d for the decoder of the participant and chooses its band. It reports false if it cannot be heard in that.
func (p *Participant) tune(d codec.Decoder) bool {
	if d != p.given {
		p.given, p.plain = d, nil
		if p.mixer.narrow != nil {
			p.plain = narrowDecoder(d)
		}
	}
	if fits := p.plain != nil && p.Decoded == nil; fits != p.fits {
		p.fits = fits
		if p.SetFormat(p.format) != nil {
			p.given, p.fits = nil, !fits // once more with the next packet
			return false
		}
	}
	p.decoder = p.given
	if p.band == p.mixer.narrow {
		p.decoder = p.plain
	}
	return true
}

// crossing converts what goes to one participant in another band.
type crossing struct {
	resampler *Resampler
	from, to  int
	pcm       []int16
}

// to returns pcm of one rate at another; nothing where that cannot be.
func (c *crossing) convert(pcm []int16, from, to int) []int16 {
	if from == to {
		return pcm
	}
	if c.resampler == nil || c.from != from || c.to != to {
		r, err := NewResampler(from, to)
		if err != nil {
			return nil
		}
		*c = crossing{resampler: r, from: from, to: to}
	}
	c.pcm = c.resampler.Resample(c.pcm[:0], pcm)
	return c.pcm
}
