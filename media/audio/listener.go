package audio

// What the participants hear: the mix, encoded once for each codec, and for those who hear something of their own, encoded for them alone.

import (
	"fmt"
	"slices"

	"github.com/sipwerk/sipwerk/media/codec"
)

// output is the mix in one format, shared by all who hear it.
type output struct {
	name      string
	clock     int
	fmtp      string
	band      *band
	only      bool // the format fits into no other band
	encoder   codec.Encoder
	make      func() (codec.Encoder, error)
	spare     []*earpiece // of those who hear the common mix again
	payload   []byte
	encoded   bool // in this step
	before    bool // encoded in the last step
	listeners int
}

// fewListen is in how large a room who hears something alone, a speaker above all, gets the same quality as all others. In larger ones these would cost four times what the mix of all others does.
const fewListen = 8

// earpiece encodes what one participant hears alone.
type earpiece struct {
	encoder codec.Encoder
	payload []byte
}

// listening is what a participant hears.
type listening struct {
	output  *output
	own     *earpiece // while it hears something of its own
	payload []byte
	source  Source   // over the mix
	into    crossing // of the source, into the band
	last    bool     // the source ended in this step
}

// SetFormat changes the format in which the participant hears; the error is that of the encoder, and then nothing has changed.
func (p *Participant) SetFormat(f codec.Format) error {
	o, err := p.mixer.output(f, p.fits && p.mixer.narrow != nil)
	if err != nil {
		return err
	}
	o.listeners++ // before it leaves: it may be the same
	p.leaveOutput()
	p.listening = listening{output: o, source: p.listening.source}
	if p.format = f; p.band != o.band {
		p.band, p.queue, p.payload = o.band, p.queue[:0], nil
	}
	return nil
}

// output returns the output of a format, a new one for the first who hears it: in the narrow band if that is wanted and the format fits.
func (m *Mixer) output(f codec.Format, narrow bool) (*output, error) {
	for _, o := range m.outputs {
		if o.name == f.Name && o.clock == f.Clock && o.fmtp == f.FMTP && (o.only || narrow == (o.band == m.narrow)) {
			return o, nil
		}
	}
	if f.Rate != m.Rate || f.Channels != 1 {
		return nil, fmt.Errorf("audio: mix: %s at %d Hz with %d channels, the mix has %d Hz", f.Name, f.Rate, f.Channels, m.Rate)
	}
	encoder, err := f.NewEncoder()
	if err != nil {
		return nil, fmt.Errorf("audio: mix: %w", err)
	}
	o := &output{name: f.Name, clock: f.Clock, fmtp: f.FMTP, band: m.wide, encoder: encoder, make: f.NewEncoder}
	plain := narrowEncoder(encoder)
	if o.only = plain == nil; narrow && !o.only {
		o.band, o.encoder = m.narrow, plain
		o.make = func() (codec.Encoder, error) {
			e, err := f.NewEncoder()
			return narrowEncoder(e), err
		}
	}
	m.outputs = append(m.outputs, o)
	return o, nil
}

// leaveOutput gives back what the participant hears with. An output that nobody hears any more ends.
func (p *Participant) leaveOutput() {
	o := p.listening.output
	if o == nil {
		return
	}
	p.giveBack()
	p.listening.output = nil
	if o.listeners--; o.listeners > 0 {
		return
	}
	for i, other := range p.mixer.outputs {
		if other == o {
			p.mixer.outputs = append(p.mixer.outputs[:i], p.mixer.outputs[i+1:]...)
			return
		}
	}
}

// Play lets the participant alone hear a source of the mixer's rate, over the mix; nil ends that.
func (p *Participant) Play(s Source) { p.listening.source = s }

// Playing tells whether the source of [Participant.Play] has not ended.
func (p *Participant) Playing() bool { return p.listening.source != nil }

// Payload returns what the participant hears of the last Step, valid until the next: nil if it could not be encoded, empty if nothing has to be sent.
func (p *Participant) Payload() []byte { return p.listening.payload }

// encode makes the payloads of all. Those who hear something of their own come first: who begins to needs the state that the common encoder had after
// the last step.
func (m *Mixer) encode() {
	for _, p := range m.participants {
		if p.alone() {
			p.encodeOwn()
		}
	}
	for _, o := range m.outputs {
		o.before, o.encoded = o.encoded, false
	}
	for _, p := range m.participants {
		if p.alone() {
			continue
		}
		p.giveBack()
		o := p.listening.output
		if !o.encoded {
			o.encoded = true
			o.payload = encoded(o.encoder, o.payload, o.band.mixed)
		}
		p.listening.payload = o.payload
	}
}

// alone tells whether the participant hears something of its own.
func (p *Participant) alone() bool {
	return p.speaking > 0 || p.Deaf || p.listening.source != nil || p.listening.last || slices.ContainsFunc(p.mixer.speakers, p.confides)
}

// confides reports whether a speaker is heard by the participant alone.
func (p *Participant) confides(s *Participant) bool { return s.Confidant == p }

// encoded returns the payload of pcm in the memory of dst, nil if there is none.
func encoded(e codec.Encoder, dst []byte, pcm []int16) []byte {
	dst, err := e.Encode(dst[:0], pcm)
	if err != nil {
		return nil
	}
	return dst
}

// encodeOwn makes what the participant hears alone: the mix without its own voice, or nothing if it is deaf, with its source.
func (p *Participant) encodeOwn() {
	m, l, b := p.mixer, &p.listening, p.band
	if l.own == nil && !p.borrow() {
		l.payload = nil
		return
	}
	switch {
	case p.Deaf:
		clear(b.own)
	case p.speaking > 0 && p.Confidant == nil:
		for i, s := range b.sum {
			b.own[i] = s - int32(p.voice[i])
		}
	default:
		copy(b.own, b.sum)
	}
	for _, s := range m.speakers {
		if p.confides(s) && !p.Deaf {
			b.hear(s.whisper.convert(s.voice, s.band.rate, b.rate))
		}
	}
	if l.source != nil {
		n, more := m.read(l.source)
		clear(m.wide.samples[n:])
		b.hear(l.into.convert(m.wide.samples, m.wide.rate, b.rate))
		if !more {
			l.source, l.last = nil, true
		}
	}
	for i, s := range b.own {
		b.samples[i] = clip(int(int64(s) * m.limit.gain / unity))
	}
	l.own.payload = encoded(l.own.encoder, l.own.payload, b.samples)
	l.payload = l.own.payload
}

// hear adds what one hears alone.
func (b *band) hear(pcm []int16) {
	for i, s := range pcm {
		b.own[i] += int32(s)
	}
}

// borrow takes an encoder that goes on where that of the common mix is.
func (p *Participant) borrow() bool {
	l := &p.listening
	o := l.output
	if n := len(o.spare); n > 0 {
		l.own, o.spare = o.spare[n-1], o.spare[:n-1]
	} else if e, err := o.make(); err == nil {
		l.own = &earpiece{encoder: e}
	} else {
		return false
	}
	if e, ok := l.own.encoder.(codec.Economizer); ok {
		e.Economize(len(p.mixer.participants) > fewListen)
	}
	succeed(l.own.encoder, o.encoder)
	return true
}

// giveBack ends an encoder of one's own. If nobody heard the common mix meanwhile, the common encoder goes on where this one is.
func (p *Participant) giveBack() {
	l := &p.listening
	if l.own == nil {
		return
	}
	o := l.output
	if !o.before && !o.encoded {
		succeed(o.encoder, l.own.encoder)
	}
	if len(o.spare) < maxSpeakers {
		o.spare = append(o.spare, l.own)
	}
	l.own = nil
}

func succeed(e, former codec.Encoder) {
	if s, ok := e.(codec.Successor); ok {
		s.Succeed(former)
	}
}
