package audio

import (
	"testing"

	"github.com/sipwerk/sipwerk/media/codec"
)

// doubled is a format of 8000 Hz in a mix of 16,000.
func doubled(f codec.Format) codec.Format {
	encoder, decoder := f.NewEncoder, f.NewDecoder
	f.Rate *= 2
	f.NewEncoder = func() (codec.Encoder, error) {
		e, err := encoder()
		r, _ := NewResampler(16000, 8000)
		return &halving{Encoder: e, resampler: r}, err
	}
	f.NewDecoder = func() (codec.Decoder, error) {
		d, err := decoder()
		r, _ := NewResampler(8000, 16000)
		return &doubling{Decoder: d, resampler: r}, err
	}
	return f
}

type halving struct {
	codec.Encoder
	resampler *Resampler
}

func (h *halving) Encode(dst []byte, pcm []int16) ([]byte, error) {
	return h.Encoder.Encode(dst, h.resampler.Resample(nil, pcm))
}

func (h *halving) Plain() (codec.Encoder, int) { return h.Encoder, 8000 }

type doubling struct {
	codec.Decoder
	resampler *Resampler
}

func (d *doubling) Decode(dst []int16, payload []byte) ([]int16, error) {
	pcm, err := d.Decoder.Decode(nil, payload)
	return d.resampler.Resample(dst, pcm), err
}

func (d *doubling) Plain() (codec.Decoder, int) { return d.Decoder, 8000 }

// narrowly tells whether the guest is in the narrow band.
func (g *guest) narrowly() bool { return g.band == g.mixer.narrow && g.mixer.narrow != nil }

// expect compares how loud a guest hears frequencies with whether it should.
func (g *guest) expect(t *testing.T, who string, audible map[float64]bool) {
	t.Helper()
	for f, want := range audible {
		if level := g.hears(f); want && (level < 5000 || level > 7000) || !want && level > 200 {
			t.Errorf("%s hears %.0f Hz at %.0f", who, f, level)
		}
	}
}

// TestBands: who has the rate of the telephone network stays in its band, and all hear each other, themselves not, and what is played, over both.
func TestBands(t *testing.T) {
	m := &Mixer{Rate: 16000}
	a, b := join(t, m, doubled(codec.PCMU()), tone(16000, 500, 6000)), join(t, m, doubled(codec.PCMA()), tone(16000, 900, 6000))
	c := join(t, m, codec.G722(), tone(16000, 1300, 6000))
	idle := join(t, m, doubled(codec.PCMU()), nil)
	m.Play(tone(16000, 1700, 6000))
	steps(m, 60, a, b, c, idle)
	if !a.narrowly() || !b.narrowly() || c.narrowly() || !idle.narrowly() {
		t.Fatal("somebody is in the wrong band")
	}
	a.expect(t, "the first", map[float64]bool{500: false, 900: true, 1300: true, 1700: true})
	b.expect(t, "the second", map[float64]bool{500: true, 900: false, 1300: true, 1700: true})
	c.expect(t, "the wide one", map[float64]bool{500: true, 900: true, 1300: false, 1700: true})
	idle.expect(t, "who is silent", map[float64]bool{500: true, 900: true, 1300: true, 1700: true})
}

// TestBandsWhisper: a confidant hears who speaks to them alone from the other band, and a narrow one its own source.
func TestBandsWhisper(t *testing.T) {
	m := &Mixer{Rate: 16000}
	a, b := join(t, m, doubled(codec.PCMU()), tone(16000, 500, 6000)), join(t, m, doubled(codec.PCMA()), nil)
	c, d := join(t, m, codec.G722(), tone(16000, 1300, 6000)), join(t, m, codec.G722(), nil)
	a.Confidant, c.Confidant = d.Participant, b.Participant
	b.Play(tone(16000, 2100, 6000))
	steps(m, 60, a, b, c, d)
	b.expect(t, "the narrow confidant", map[float64]bool{500: false, 1300: true, 2100: true})
	d.expect(t, "the wide confidant", map[float64]bool{500: true, 1300: false, 2100: false})
	a.expect(t, "who whispers", map[float64]bool{500: false, 1300: false, 2100: false})
}

// TestBandsChange: one whose packets turn out to be wide, or whose sound somebody wants at the rate of the mix, goes into the wide band, and back.
func TestBandsChange(t *testing.T) {
	m := &Mixer{Rate: 16000}
	a, b := join(t, m, doubled(codec.PCMU()), tone(16000, 500, 6000)), join(t, m, doubled(codec.PCMU()), tone(16000, 900, 6000))
	steps(m, 10, a, b)
	heard := 0
	a.Decoded = func(pcm []int16) { heard += len(pcm) }
	steps(m, 60, a, b)
	if a.narrowly() || !b.narrowly() || heard != 60*320 {
		t.Errorf("narrow: %t, %t; %d samples were given", a.narrowly(), b.narrowly(), heard)
	}
	a.expect(t, "the listened to", map[float64]bool{500: false, 900: true})
	b.expect(t, "the other", map[float64]bool{500: true, 900: false})
	a.Decoded = nil
	steps(m, 60, a, b)
	if !a.narrowly() {
		t.Error("the narrow one did not come back")
	}
	b.encoder, _ = codec.G722().NewEncoder()
	b.theirs, _ = codec.G722().NewDecoder()
	steps(m, 60, a, b)
	if b.narrowly() {
		t.Error("who speaks wide is in the narrow band")
	}
	a.expect(t, "who heard a change", map[float64]bool{500: false, 900: true})
	b.expect(t, "who speaks wide and hears narrow", map[float64]bool{500: true, 900: false})
}

// TestSameFormat: who is alone in a format hears on when it is agreed on again.
func TestSameFormat(t *testing.T) {
	m := &Mixer{}
	a, b := join(t, m, codec.PCMA(), nil), join(t, m, codec.PCMU(), tone(8000, 500, 6000))
	steps(m, 20, a, b)
	if err := a.SetFormat(codec.PCMA()); err != nil {
		t.Fatal(err)
	}
	b.says = tone(8000, 900, 6000)
	steps(m, 40, a, b)
	a.expect(t, "who agreed again", map[float64]bool{500: false, 900: true})
}
