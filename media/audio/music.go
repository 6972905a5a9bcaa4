package audio

// Music for those who wait: a melody that is computed while it plays, so that no recording has to be licensed, shipped or
// decoded. Plucked notes wander over the pentatonic scale of a slow row of chords.

import (
	"math"
	"math/rand/v2"
)

const (
	beat         = 0.36 // seconds between notes of the melody
	beatsOfChord = 8
	decay        = 3.2  // of a note, per second
	musicLevel   = 5000 // amplitude of a note of the melody
	voices       = 8    // notes that sound at a time
)

// A Music is an endless [Source] of a quiet melody. The same rate gives the same music.
type Music struct {
	// Rate is the sample rate.
	Rate int

	random   *rand.Rand
	position int64 // samples played
	beats    int
	degree   int // of the melody in its scale
	notes    [voices]note
	oldest   int
}

// note is a plucked string.
type note struct {
	frequency, amplitude float64
	age                  int // in samples
}

// ReadSamples implements [Source].
func (m *Music) ReadSamples(pcm []int16) (int, error) {
	if m.random == nil {
		m.random = rand.New(rand.NewPCG(1, 7))
		m.degree = 7
	}
	interval := int64(beat * float64(m.Rate))
	for i := range pcm {
		if m.position%interval == 0 {
			m.play()
		}
		m.position++
		sum := 0.0
		for k := range m.notes {
			sum += m.notes[k].next(m.Rate)
		}
		pcm[i] = clip(math.Round(sum))
	}
	return len(pcm), nil
}

// play begins the notes of a beat: a bass with each chord, and the melody unless it rests.
func (m *Music) play() {
	chords := [...]int{0, 9, 5, 7} // C, A minor, F, G: semitones above C
	chord := chords[m.beats/beatsOfChord%len(chords)]
	switch m.beats % beatsOfChord {
	case 0:
		m.pluck(chord-12, 0.9)
	case 4:
		m.pluck(chord-5, 0.7)
	}
	m.beats++
	if m.random.IntN(5) == 0 {
		return
	}
	scale := [...]int{0, 2, 4, 7, 9}
	m.degree = min(max(m.degree+m.random.IntN(5)-2, 3), 11)
	m.pluck(scale[m.degree%len(scale)]+12*(m.degree/len(scale)), 0.7+0.3*m.random.Float64())
}

// pluck begins a note so many semitones above middle C, in place of the oldest one.
func (m *Music) pluck(semitone int, loudness float64) {
	frequency := 261.63 * math.Exp2(float64(semitone)/12)
	m.notes[m.oldest] = note{frequency: frequency, amplitude: musicLevel * loudness}
	m.oldest = (m.oldest + 1) % voices
}

// next returns the next sample of a note: a sine with two overtones that fade sooner, and a soft beginning.
func (n *note) next(rate int) float64 {
	if n.amplitude == 0 {
		return 0
	}
	t := float64(n.age) / float64(rate)
	n.age++
	fade := math.Exp(-decay * t)
	x := 2 * math.Pi * n.frequency * t
	tone := math.Sin(x) + 0.3*fade*math.Sin(2*x) + 0.12*fade*fade*math.Sin(3*x)
	return n.amplitude * min(t/0.005, 1) * fade * tone
}
