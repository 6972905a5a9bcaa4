package audio

// From one sample rate to another by a polyphase FIR filter: a low-pass of windowed sinc whose coefficients are laid out
// in phases, so that only those are multiplied that meet a sample.

import (
	"fmt"
	"math"
)

const (
	halfTaps = 24    // samples of the lower rate on either side
	passband = 0.925 // of half the lower rate: from 8000 Hz everything up to 3400 Hz passes
	kaiser   = 5.65  // 60 dB down in the stop-band
	maxRatio = 1000
)

// A Resampler converts one stream. One goroutine at a time.
type Resampler struct {
	up, down int
	phases   [][]float32 // oldest sample first
	past     []float32   // input that later output still needs
	phase    int         // of the next output sample, in steps of 1/up of an input sample
}

// NewResampler makes a resampler. The rates must be positive and their ratio not too odd (at most 1000 to 1000 in lowest
// terms).
func NewResampler(from, to int) (*Resampler, error) {
	if from <= 0 || to <= 0 {
		return nil, fmt.Errorf("audio: resample: rates %d and %d must be positive", from, to)
	}
	g := gcd(from, to)
	r := &Resampler{up: to / g, down: from / g}
	if r.up > maxRatio || r.down > maxRatio {
		return nil, fmt.Errorf("audio: resample: ratio of %d to %d is too odd", from, to)
	}
	if r.up != r.down {
		r.design()
	}
	return r, nil
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// design makes the phases of a filter that runs at up times the input rate.
func (r *Resampler) design() {
	slow := max(r.up, r.down) // one sample of the lower rate in steps of the filter
	half := halfTaps * slow
	taps := (2*half + r.up) / r.up // of each phase
	r.phases = make([][]float32, r.up)
	for p := range r.phases {
		r.phases[p] = make([]float32, taps)
		sum := 0.0
		weights := make([]float64, taps)
		for i := range weights {
			weights[i] = lowPass(float64(p+i*r.up-half)/float64(slow), float64(halfTaps))
			sum += weights[i]
		}
		for i, w := range weights {
			r.phases[p][taps-1-i] = float32(w / sum) // each phase lets a constant through unchanged
		}
	}
	r.past = make([]float32, taps-1)
}

// lowPass is the windowed sinc at x samples of the lower rate from its middle.
func lowPass(x, half float64) float64 {
	if math.Abs(x) > half {
		return 0
	}
	window := bessel(kaiser*math.Sqrt(1-x*x/(half*half))) / bessel(kaiser)
	if x == 0 {
		return passband
	}
	return math.Sin(math.Pi*passband*x) / (math.Pi * x) * window
}

// bessel is the modified Bessel function of order zero.
func bessel(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > sum*1e-12; k++ {
		term *= x * x / (4 * k * k)
		sum += term
	}
	return sum
}

// Resample appends to dst what src gives at the new rate. The output lags by 24 samples of the lower rate: 3 ms at
// 8000 Hz. Streams may be cut into pieces of any length.
func (r *Resampler) Resample(dst, src []int16) []int16 {
	if r.phases == nil {
		return append(dst, src...)
	}
	taps := len(r.phases[0])
	for _, x := range src {
		r.past = append(r.past, float32(x))
	}
	oldest := r.phase / r.up // of the input samples that the next output sample meets
	phase := r.phase % r.up
	for oldest+taps <= len(r.past) {
		dst = append(dst, round(dot(r.phases[phase], r.past[oldest:oldest+taps])))
		phase += r.down
		oldest += phase / r.up
		phase %= r.up
	}
	used := min(oldest, len(r.past)-(taps-1))
	r.phase = (oldest-used)*r.up + phase
	r.past = r.past[:copy(r.past, r.past[used:])]
	return dst
}

// Succeed goes on where another resampler of the same rates is, which stays as it is. It reports false if that has other rates.
func (r *Resampler) Succeed(other *Resampler) bool {
	if r.up != other.up || r.down != other.down {
		return false
	}
	r.past, r.phase = append(r.past[:0], other.past...), other.phase
	return true
}

// dot multiplies two rows of equal length, in four sums that the processor can add at the same time.
func dot(a, b []float32) float32 {
	var s0, s1, s2, s3 float32
	for len(a) >= 4 && len(b) >= 4 {
		s0 += a[0] * b[0]
		s1 += a[1] * b[1]
		s2 += a[2] * b[2]
		s3 += a[3] * b[3]
		a, b = a[4:], b[4:]
	}
	for i, x := range a {
		s0 += x * b[i]
	}
	return s0 + s1 + (s2 + s3)
}

func round(x float32) int16 {
	if x < 0 {
		return clip(x - 0.5)
	}
	return clip(x + 0.5)
}
