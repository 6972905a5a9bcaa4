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
	sum          []int32  // the mix
	own          []int32  // scratch: what one hears alone
	samples      []int16  // scratch: a frame of a source, or of what one hears alone
	mixed        []int16  // the mix, limited
	limit        limiter
	probes       prober
}

// Join adds a participant, who hears the mix in a format whose encoders take PCM at the rate of the mixer; the error is that of the encoder.
func (m *Mixer) Join(format codec.Format) (*Participant, error) {
	m.prepare()
	p := &Participant{mixer: m, quiet: silent, level: codec.Silence}
	if err := p.SetFormat(format); err != nil {
		return nil, err
	}
	m.participants = append(m.participants, p)
	return p, nil
}

// prepare makes the buffers.
func (m *Mixer) prepare() {
	if m.sum != nil {
		return
	}
	if m.Rate == 0 {
		m.Rate = defaultMixRate
	}
	if m.Speakers <= 0 {
		m.Speakers = defaultSpeakers
	}
	m.Speakers = min(m.Speakers, maxSpeakers)
	n := m.frame()
	m.sum, m.own, m.samples, m.mixed = make([]int32, n), make([]int32, n), make([]int16, n), make([]int16, n)
	m.limit.gain = unity
}

// frame is how many samples a step has.
func (m *Mixer) frame() int { return int(int64(m.Rate) * int64(MixTime) / int64(time.Second)) }

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
	m.prepare()
	m.look()
	m.choose()
	clear(m.sum)
	for _, p := range m.speakers {
		p.decode()
		if p.Confidant != nil {
			continue
		}
		for i, s := range p.voice {
			m.sum[i] += int32(s)
		}
	}
	m.sources = slices.DeleteFunc(m.sources, func(s Source) bool { return !m.add(m.sum, s) })
	m.limit.apply(m.mixed, m.sum)
	m.encode()
	for _, p := range m.participants {
		p.forget()
	}
	return m.mixed
}

// add adds one frame of a source; it reports false when the source has ended.
func (m *Mixer) add(sum []int32, s Source) bool {
	for at := 0; at < len(sum); {
		n, err := s.ReadSamples(m.samples[:len(sum)-at])
		for i, x := range m.samples[:n] {
			sum[at+i] += int32(x)
		}
		if at += n; err != nil || n == 0 {
			return false
		}
	}
	return true
}

// unity is the gain of a limiter that does nothing.
const unity = 1 << 14

// limiter turns down what would be clipped, at once, and up again over about half a second.
type limiter struct{ gain int64 }

// apply puts sum into pcm.
func (l *limiter) apply(pcm []int16, sum []int32) {
	peak := int32(0)
	for _, s := range sum {
		peak = max(peak, s, -s)
	}
	wanted := int64(unity)
	if peak > 32767 {
		wanted = 32767 * unity / int64(peak)
	}
	from := l.gain
	l.gain = min(wanted, from+(unity-from+31)/32)
	if from == unity && l.gain == unity {
		for i, s := range sum {
			pcm[i] = int16(s)
		}
		return
	}
	n := int64(len(sum))
	for i, s := range sum {
		gain := l.gain
		if from > l.gain {
			// Downwards within an eighth of the frame, so that little is clipped and nothing clicks.
			gain = max(l.gain, from-(from-l.gain)*8*int64(i)/n)
		}
		pcm[i] = clip(int(int64(s) * gain / unity))
	}
}
