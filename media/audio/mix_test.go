package audio

import (
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/sipwerk/sipwerk/media/codec"
)

// guest is a participant with a telephone: it says a source and hears what it gets.
type guest struct {
	*Participant
	says    Source
	format  codec.Format
	encoder codec.Encoder
	theirs  codec.Decoder // in the mixer's house
	ours    codec.Decoder // in the telephone
	level   uint8         // said in the packets
	packet  []byte
	heard   []int16
}

func join(t testing.TB, m *Mixer, f codec.Format, says Source) *guest {
	t.Helper()
	p, err := m.Join(f)
	if err != nil {
		t.Fatal(err)
	}
	g := &guest{Participant: p, says: says, format: f, level: codec.Unknown}
	g.encoder, _ = f.NewEncoder()
	g.theirs, _ = f.NewDecoder()
	g.ours, _ = f.NewDecoder()
	return g
}

// speak gives what the guest says in one packet of so many samples.
func (g *guest) speak(samples int) {
	pcm := make([]int16, samples)
	if g.says != nil {
		_, _ = g.says.ReadSamples(pcm)
	}
	g.packet, _ = g.encoder.Encode(g.packet[:0], pcm)
	g.Hear(g.theirs, g.packet, g.level)
}

// steps lets the room talk for so many steps and forgets what was heard before the last half of them.
func steps(m *Mixer, n int, guests ...*guest) {
	for i := range n {
		for _, g := range guests {
			g.speak(m.Rate / 50)
		}
		m.Step()
		for _, g := range guests {
			if i == n/2 {
				g.heard = g.heard[:0]
			}
			g.heard, _ = g.ours.Decode(g.heard, g.Payload())
		}
	}
}

func tone(rate int, frequency, amplitude float64) *Tone {
	return &Tone{Rate: rate, Frequencies: []float64{frequency}, Amplitude: amplitude}
}

// hears tells how loud a guest hears a frequency.
func (g *guest) hears(frequency float64) float64 { return Goertzel(g.heard, g.format.Rate, frequency) }

// Each hears the others and not itself, and who says nothing hears all.
func TestMix(t *testing.T) {
	for _, format := range []codec.Format{codec.PCMA(), codec.PCMU(), codec.G722()} {
		m := &Mixer{Rate: format.Rate}
		frequencies := []float64{500, 900, 1300}
		var guests []*guest
		for _, f := range frequencies {
			guests = append(guests, join(t, m, format, tone(m.Rate, f, 6000)))
		}
		guests = append(guests, join(t, m, format, nil))
		steps(m, 40, guests...)
		for i, g := range guests {
			for k, f := range frequencies {
				switch level := g.hears(f); {
				case i == k && level > 150:
					t.Errorf("%s: guest %d hears itself at %.0f", format.Name, i, level)
				case i != k && (level < 5000 || level > 7000):
					t.Errorf("%s: guest %d hears %d at %.0f", format.Name, i, k, level)
				}
			}
		}
	}
}

func TestFormatsMeet(t *testing.T) {
	m := &Mixer{}
	a, b := join(t, m, codec.PCMA(), tone(8000, 600, 6000)), join(t, m, codec.PCMU(), tone(8000, 1000, 6000))
	steps(m, 20, a, b)
	if a.hears(1000) < 5000 || b.hears(600) < 5000 || a.hears(600) > 100 || b.hears(1000) > 100 {
		t.Errorf("%.0f %.0f, itself %.0f %.0f", a.hears(1000), b.hears(600), a.hears(600), b.hears(1000))
	}
	if _, err := m.Join(codec.G722()); err == nil {
		t.Error("G722 without conversion of its rate joined a mix of 8000 Hz")
	}
	if err := a.SetFormat(codec.G722()); err == nil || a.Payload() == nil {
		t.Error("a format that fails took the old one away")
	}
	if err := a.SetFormat(codec.PCMU()); err != nil || len(m.outputs) != 1 {
		t.Errorf("%v, %d outputs", err, len(m.outputs))
	}
}

// Of ten who speak the four loudest are heard; another takes a place only if clearly louder, and not at once.
func TestLoudestFew(t *testing.T) {
	m := &Mixer{}
	talks := map[*Participant]bool{}
	changes := 0
	m.Talking = func(p *Participant, on bool) { talks[p] = on; changes++ }
	var guests []*guest
	for i := range 10 {
		guests = append(guests, join(t, m, codec.PCMU(), tone(8000, 300+200*float64(i), 1000*float64(1+i%2))))
	}
	steps(m, 100, guests...)
	for i, g := range guests {
		if g.Speaks() != talks[g.Participant] {
			t.Errorf("guest %d: speaks %t, said %t", i, g.Speaks(), talks[g.Participant])
		}
	}
	if changes > 12 {
		t.Errorf("%d changes among steady speakers", changes)
	}
	quietest := -1
	for i, g := range guests {
		if !g.Speaks() {
			quietest = i
		}
	}
	changes = 0
	guests[quietest].says.(*Tone).Amplitude = 1.5 * 2000
	steps(m, 50, guests...)
	if changes != 0 {
		t.Errorf("somebody 3.5 dB louder took a place")
	}
	guests[quietest].says.(*Tone).Amplitude = 10000
	steps(m, 30, guests...)
	if !guests[quietest].Speaks() || m.heard() != 4 {
		t.Errorf("the loudest is not heard, %d are", m.heard())
	}
}

func TestSilenceIsNotMixed(t *testing.T) {
	m := &Mixer{}
	a, b := join(t, m, codec.PCMU(), tone(8000, 600, 40)), join(t, m, codec.PCMU(), nil)
	steps(m, 20, a, b)
	if a.Speaks() || b.hears(600) > 10 {
		t.Error("whispers below the threshold are mixed")
	}
	a.says.(*Tone).Amplitude = 5000
	steps(m, 20, a, b)
	if !a.Speaks() || a.Level() < 16 || a.Level() > 22 {
		t.Errorf("speaks %t at level %d", a.Speaks(), a.Level())
	}
	a.says = nil
	steps(m, 5, a, b)
	if !a.Speaks() {
		t.Error("a pause of 100 ms ended the talk")
	}
	steps(m, 60, a, b)
	if a.Speaks() {
		t.Error("still talks after more than a second of silence")
	}
}

func TestMuteDeafenPlay(t *testing.T) {
	m := &Mixer{}
	a, b := join(t, m, codec.PCMA(), tone(8000, 600, 6000)), join(t, m, codec.PCMA(), tone(8000, 1000, 6000))
	c := join(t, m, codec.PCMA(), nil)
	steps(m, 20, a, b, c)
	a.Muted = true
	steps(m, 20, a, b, c)
	if c.hears(600) > 50 || a.hears(1000) < 5000 {
		t.Errorf("muted: heard at %.0f, hears %.0f", c.hears(600), a.hears(1000))
	}
	b.Deaf, a.Muted = true, false
	steps(m, 40, a, b, c)
	if b.hears(600) > 50 || c.hears(600) < 5000 {
		t.Errorf("deaf: hears %.0f", b.hears(600))
	}
	b.Play(&counted{Tone: tone(8000, 1700, 5000), left: 10 * 160})
	c.Play(&counted{Tone: tone(8000, 2000, 5000), left: 10 * 160})
	m.Play(&counted{Tone: tone(8000, 2300, 5000), left: 10 * 160})
	steps(m, 10, a, b, c)
	if b.hears(1700) < 4000 || b.hears(2300) > 50 || c.hears(1700) > 50 || c.hears(2000) < 3500 || c.hears(1000) < 4500 || a.hears(2300) < 3500 {
		t.Errorf("sources: %.0f %.0f %.0f %.0f %.0f %.0f", b.hears(1700), b.hears(2300), c.hears(1700), c.hears(2000), c.hears(1000), a.hears(2300))
	}
	steps(m, 2, a, b, c)
	if b.Playing() || c.Playing() || len(m.sources) != 0 {
		t.Error("sources that have ended are kept")
	}
	m.Leave(a.Participant)
	m.Leave(a.Participant)
	steps(m, 20, b, c)
	if m.Len() != 2 || c.hears(600) > 50 {
		t.Errorf("%d left, the one who left heard at %.0f", m.Len(), c.hears(600))
	}
}

// counted is a tone of limited length.
type counted struct {
	*Tone
	left int
}

func (c *counted) ReadSamples(pcm []int16) (int, error) {
	n, _ := c.Tone.ReadSamples(pcm[:min(len(pcm), c.left)])
	if c.left -= n; n == 0 {
		return 0, errNoSamples
	}
	return n, nil
}

// Packets of 10, 30 and 60 ms are mixed as those of 20 ms are, and a lost one is concealed.
func TestPacketTimes(t *testing.T) {
	for _, samples := range []int{80, 160, 240, 480} {
		m := &Mixer{}
		a, b := join(t, m, codec.PCMU(), tone(8000, 600, 6000)), join(t, m, codec.PCMU(), nil)
		for i := range 60 {
			for !a.Ready() {
				if i == 45 && samples == 160 {
					a.Miss()
					break
				}
				a.speak(samples)
			}
			m.Step()
			if i >= 30 {
				b.heard, _ = b.ours.Decode(b.heard, b.Payload())
			}
		}
		if level := b.hears(600); level < 5500 || level > 6500 {
			t.Errorf("packets of %d samples: %.0f", samples, level)
		}
	}
}

// blind hides what the decoder sees without decoding, as that of Opus does.
type blind struct{ codec.Decoder }

func (blind) Peek(payload []byte) (int, uint8) { return len(payload), codec.Unknown }

// Where only decoding tells who is loud, everybody is judged in turn.
func TestUnknownLevels(t *testing.T) {
	m := &Mixer{}
	var guests []*guest
	for range 100 {
		g := join(t, m, codec.PCMU(), nil)
		g.theirs = blind{g.theirs}
		guests = append(guests, g)
	}
	steps(m, 40, guests...)
	guests[77].says = tone(8000, 600, 6000)
	steps(m, 160, guests...)
	if !guests[77].Speaks() || guests[3].hears(600) < 5500 {
		t.Errorf("speaks %t, heard at %.0f", guests[77].Speaks(), guests[3].hears(600))
	}
	// RFC 6464: what the packets say of themselves is believed without decoding.
	for _, g := range guests {
		g.level = codec.Silence
	}
	guests[5].says, guests[5].level = tone(8000, 900, 6000), 15
	steps(m, 40, guests...)
	if !guests[5].Speaks() || guests[3].hears(900) < 5500 {
		t.Errorf("by its own word: %t, %.0f", guests[5].Speaks(), guests[3].hears(900))
	}
}

// telling says in its payloads only whether there is a voice in them, and has memory.
type telling struct {
	codec.Decoder
	voice, awake *bool
}

func (d telling) Peek(payload []byte) (int, uint8) {
	if *d.voice {
		return len(payload), codec.Unknown
	}
	return len(payload), codec.Voiceless
}

func (d telling) Decode(dst []int16, payload []byte) ([]int16, error) {
	*d.awake = true
	return d.Decoder.Decode(dst, payload)
}

func (d telling) Rest() { *d.awake = false }

// Who finds their voice is judged before all others, however large the room is; music without a voice is heard after a while; and only those who are heard or judged have the memory of a decoder.
func TestVoiceFound(t *testing.T) {
	m := &Mixer{}
	var guests []*guest
	voices, awake := make([]bool, 100), make([]bool, 100)
	for i := range voices {
		g := join(t, m, codec.PCMU(), nil)
		g.theirs = telling{g.theirs, &voices[i], &awake[i]}
		guests = append(guests, g)
	}
	steps(m, 60, guests...)
	guests[77].says, voices[77] = tone(8000, 600, 6000), true
	steps(m, 10, guests...)
	if !guests[77].Speaks() {
		t.Error("a voice is not heard after 200 ms")
	}
	guests[33].says = tone(8000, 900, 6000)
	steps(m, 60, guests...)
	if !guests[33].Speaks() {
		t.Error("music is not heard after a second")
	}
	n := 0
	for i, on := range awake {
		if on {
			n++
		}
		if guests[i].Speaks() && !on {
			t.Errorf("the decoder of %d rests, who speaks", i)
		}
	}
	if n > 2*probed+2 {
		t.Errorf("%d decoders are awake", n)
	}
}

// What would be clipped is turned down: no overtones.
func TestLimiter(t *testing.T) {
	m := &Mixer{}
	a, b, c := join(t, m, codec.PCMU(), tone(8000, 500, 25000)), join(t, m, codec.PCMU(), tone(8000, 700, 25000)), join(t, m, codec.PCMU(), nil)
	steps(m, 50, a, b, c)
	first, overtone := c.hears(500), c.hears(900)
	if first < 14000 || first > 20000 || overtone > first/50 {
		t.Errorf("the tone at %.0f, distortion at %.0f", first, overtone)
	}
	steps(m, 1, a, b, c)
	a.says = nil
	steps(m, 100, a, b, c)
	if level := c.hears(700); level < 24000 {
		t.Errorf("after that only %.0f", level)
	}
}

func TestStepAllocatesNothing(t *testing.T) {
	m, guests := crowd(t, 50, codec.PCMU(), codec.PCMA())
	step := func() {
		for _, g := range guests {
			g.Hear(g.theirs, g.packet, codec.Unknown)
		}
		m.Step()
	}
	for range 50 {
		step()
	}
	if n := testing.AllocsPerRun(100, step); n > 0 {
		t.Errorf("%.1f allocations a step", n)
	}
}

// crowd is a room in which everyone talks.
func crowd(t testing.TB, n int, formats ...codec.Format) (*Mixer, []*guest) {
	m := &Mixer{Rate: formats[0].Rate}
	random := rand.New(rand.NewPCG(1, 2))
	var guests []*guest
	for i := range n {
		g := join(t, m, formats[i%len(formats)], tone(m.Rate, 200+random.Float64()*2000, 2000+random.Float64()*4000))
		g.speak(m.Rate / 50)
		guests = append(guests, g)
	}
	return m, guests
}

func BenchmarkMix(b *testing.B) {
	for _, f := range []codec.Format{codec.PCMU(), codec.G722()} {
		for _, n := range []int{10, 100, 600, 1000} {
			b.Run(f.Name+"/"+strconv.Itoa(n), func(b *testing.B) {
				m, guests := crowd(b, n, f)
				b.ReportAllocs()
				for b.Loop() {
					for _, g := range guests {
						g.Hear(g.theirs, g.packet, codec.Unknown)
					}
					m.Step()
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/20e6*100, "%core")
			})
		}
	}
}
