package audio

// Tones, and how to recognise them.

import "math"

// A Tone is an endless [Source] of sine waves.
type Tone struct {
	// Rate is the sample rate.
	Rate int
	// Frequencies of the sines in Hz: one, or several together.
	Frequencies []float64
	// Amplitude of each sine, in samples.
	Amplitude float64

	position int64
}

// ReadSamples implements [Source].
func (t *Tone) ReadSamples(pcm []int16) (int, error) {
	for i := range pcm {
		sum := 0.0
		for _, f := range t.Frequencies {
			_, turn := math.Modf(f * float64(t.position) / float64(t.Rate))
			sum += math.Sin(2 * math.Pi * turn)
		}
		pcm[i] = clip(math.Round(sum * t.Amplitude))
		t.position++
	}
	return len(pcm), nil
}

// Goertzel returns the amplitude of a frequency in the samples, by the algorithm of that name: about the amplitude of the
// sine if there is one, and little if there is none. Two tones are told apart if they lie further from each other than
// the inverse of the duration: 20 Hz for 50 ms.
func Goertzel(pcm []int16, rate int, frequency float64) float64 {
	if len(pcm) == 0 || rate <= 0 {
		return 0
	}
	w := 2 * math.Pi * frequency / float64(rate)
	k := 2 * math.Cos(w)
	var s1, s2 float64
	for _, x := range pcm {
		s1, s2 = float64(x)+k*s1-s2, s1
	}
	power := s1*s1 + s2*s2 - k*s1*s2
	return 2 * math.Sqrt(max(power, 0)) / float64(len(pcm))
}
