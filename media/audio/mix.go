package audio

// The mixer of a room: a step for each 20 ms. Of those who give sound only the loudest few are decoded and mixed; each of them gets the mix without
// their own voice, and everybody else gets the same mix, encoded once for each codec.

import (
	"slices"
	"time"

	"github.com/sipwerk/sipwerk/media/codec"
)

// MixTime is how much sound one step of a [Mixer] takes and gives.
const MixTime = 20 * time.Millisecond

const (
	defaultMixRate  = 8000
	defaultSpeakers = 4
	maxSpeakers     = 16
)

// A Mixer mixes the sound of one room. Fill the exported fields before the first use; the zero value mixes the four loudest at 8000 Hz. It has no clock
// and no sockets: before each [Mixer.Step] somebody gives it what has come, and sends afterwards what it has made. One goroutine at a time.
type Mixer struct {
	// Rate of the mix in Hz. Decoders give, and encoders take, PCM of this rate.
	Rate int
	// Speakers is how many are heard at a time, at most 16.
	Speakers int
	// Talking is called in Step when a participant begins or ends to be heard; nil: nobody wants to know.
	Talking func(p *Participant, talks bool)

	participants []*Participant
	speakers     []*Participant // heard in this step
	outputs      []*output
	sources      []Source // that all hear
	wide         *band    // of Rate
	narrow       *band    // of the telephone network; nil: there is one band
	bands        []*band  // these
	limit        limiter
	probes       prober
}

// Join adds a participant, who hears the mix in a format whose encoders take PCM at the rate of the mixer; the error is that of the encoder.
func (m *Mixer) Join(format codec.Format) (*Participant, error) {
	if err := m.prepare(); err != nil {
		return nil, err
	}
	p := &Participant{mixer: m, quiet: silent, level: codec.Silence, fits: m.narrow != nil}
	if err := p.SetFormat(format); err != nil {
		return nil, err
	}
	m.participants = append(m.participants, p)
	return p, nil
}

// prepare makes the bands.
func (m *Mixer) prepare() error {
	if m.wide != nil {
		return nil
	}
	if m.Rate == 0 {
		m.Rate = defaultMixRate
	}
	if m.Speakers <= 0 {
		m.Speakers = defaultSpeakers
	}
	m.Speakers = min(m.Speakers, maxSpeakers)
	m.limit.gain = unity
	return m.widen()
}

// Leave removes a participant, who must be one of this mixer; it is silent from now on.
func (m *Mixer) Leave(p *Participant) {
	i := slices.Index(m.participants, p)
	if i < 0 {
		return
	}
	m.participants = slices.Delete(m.participants, i, i+1)
	p.hush()
	p.leaveOutput()
	if i := slices.Index(m.speakers, p); i >= 0 {
		m.speakers = slices.Delete(m.speakers, i, i+1)
	}
}

// Len returns how many participants there are.
func (m *Mixer) Len() int { return len(m.participants) }

// Play lets all hear a source of the mixer's rate, beside those who speak, until it ends or fails.
func (m *Mixer) Play(s Source) { m.sources = append(m.sources, s) }

// Step mixes what the participants have given and makes the payload of each. The mix that it returns, of [MixTime], is valid until the next Step.
func (m *Mixer) Step() []int16 {
	_ = m.prepare() // without a participant there is nothing to fail
	m.look()
	m.choose()
	m.blend()
	m.encode()
	for _, p := range m.participants {
		p.forget()
	}
	return m.wide.mixed
}

// blend makes the mix of all, in both bands.
func (m *Mixer) blend() {
	for _, b := range m.bands {
		clear(b.sum)
	}
	for _, p := range m.speakers {
		p.decode()
		if p.Confidant != nil {
			continue
		}
		for i, s := range p.voice {
			p.band.sum[i] += int32(s)
		}
	}
	m.sources = slices.DeleteFunc(m.sources, func(s Source) bool {
		n, more := m.read(s)
		for i, x := range m.wide.samples[:n] {
			m.wide.sum[i] += int32(x)
		}
		return !more
	})
	m.exchange()
	m.limit.turn(m.bands)
	for _, b := range m.bands {
		m.limit.apply(b.mixed, b.sum)
	}
}

// read reads one frame of a source into the scratch of the wide band; it reports false when the source has ended.
func (m *Mixer) read(s Source) (int, bool) {
	pcm := m.wide.samples
	for at := 0; at < len(pcm); {
		n, err := s.ReadSamples(pcm[at:])
		if at += n; err != nil || n == 0 {
			return at, false
		}
	}
	return len(pcm), true
}

// unity is the gain of a limiter that does nothing.
const unity = 1 << 14

// limiter turns down what would be clipped, at once, and up again over about half a second.
type limiter struct{ from, gain int64 }

// turn finds the gain for a step.
func (l *limiter) turn(bands []*band) {
	peak := int32(0)
	for _, b := range bands {
		peak = max(peak, b.peak())
	}
	wanted := int64(unity)
	if peak > 32767 {
		wanted = 32767 * unity / int64(peak)
	}
	l.from = l.gain
	l.gain = min(wanted, l.from+(unity-l.from+31)/32)
}

// apply puts sum into pcm.
func (l *limiter) apply(pcm []int16, sum []int32) {
	if l.from == unity && l.gain == unity {
		for i, s := range sum {
			pcm[i] = int16(s)
		}
		return
	}
	n := int64(len(sum))
	for i, s := range sum {
		gain := l.gain
		if l.from > l.gain {
			// Downwards within an eighth of the frame, so that little is clipped and nothing clicks.
			gain = max(l.gain, l.from-(l.from-l.gain)*8*int64(i)/n)
		}
		pcm[i] = clip(int(int64(s) * gain / unity))
	}
}
