package audio

// DTMF as sound: digits heard in it, and digits made. ITU-T Q.23 (frequencies), ITU-T Q.24 (what must be recognised, and what must not).

import (
	"math"
	"math/cmplx"
	"strings"
	"time"
)

// dtmfDigits are the digits by row and column. ITU-T Q.23 §6.
const dtmfDigits = "123A456B789C*0#D"

// dtmfFrequencies are those of the rows, then those of the columns.
var dtmfFrequencies = [8]float64{697, 770, 852, 941, 1209, 1336, 1477, 1633}

// What is recognised. A block has 12.75 ms, so that a tone of 40 ms has two whole ones.
const (
	dtmfBlocksPerSecond = 8000.0 / 102
	dtmfWeakest         = 400  // amplitude of each tone: -35 dBm0
	dtmfShare           = 0.62 // of the energy of the block is in both tones: a voice has overtones
	dtmfClear           = 6.3  // times as much power as any other of its group: 8 dB
	dtmfTwist           = 6.3  // the higher tone may be so much weaker in power: 8 dB
	dtmfReverseTwist    = 2.52 // and so much stronger: 4 dB
	dtmfDrift           = 0.025
	dtmfPause           = 2 // blocks without the digit that end it
)

// A Detector hears DTMF digits in PCM, each once, when it has sounded for at least 25 ms and at the latest after 40 ms. Fill Rate before first use. One
// goroutine at a time.
type Detector struct {
	// Rate of the samples in Hz.
	Rate int

	coefficients [8]float64
	block        int // samples
	seen         int // of this block
	s1, s2       [8]float64
	energy       float64
	last         candidate // of the last block
	digit        byte      // that sounds, 0 if none
	silent       int       // blocks since it was heard
}

// candidate is what one block holds.
type candidate struct {
	digit byte // 0: none
	phase [2]float64
}

// Detect takes samples and appends the digits that were recognised in them.
func (d *Detector) Detect(dst []byte, pcm []int16) []byte {
	if d.block == 0 {
		d.prepare()
	}
	for _, s := range pcm {
		x := float64(s)
		d.energy += x * x
		for i, c := range d.coefficients {
			d.s1[i], d.s2[i] = x+c*d.s1[i]-d.s2[i], d.s1[i]
		}
		if d.seen++; d.seen == d.block {
			if digit := d.judge(d.measure()); digit != 0 {
				dst = append(dst, digit)
			}
			d.s1, d.s2, d.energy, d.seen = [8]float64{}, [8]float64{}, 0, 0
		}
	}
	return dst
}

// Sounding tells whether the digit that was recognised last still sounds; its end is recognised after 25 ms.
func (d *Detector) Sounding() bool { return d.digit != 0 }

func (d *Detector) prepare() {
	d.block = int(math.Round(float64(d.Rate) / dtmfBlocksPerSecond))
	for i, f := range dtmfFrequencies {
		d.coefficients[i] = 2 * math.Cos(d.turn(f))
	}
}

// turn is how far a frequency turns in one sample.
func (d *Detector) turn(frequency float64) float64 { return 2 * math.Pi * frequency / float64(d.Rate) }

// measure finds the digit of a block, by Goertzel's algorithm.
func (d *Detector) measure() candidate {
	n := float64(d.block)
	var power [8]float64 // square of the amplitude
	for i := range power {
		power[i] = 4 / (n * n) * (d.s1[i]*d.s1[i] + d.s2[i]*d.s2[i] - d.coefficients[i]*d.s1[i]*d.s2[i])
	}
	row, column := strongest(power[:4]), strongest(power[4:])
	if row < 0 || column < 0 {
		return candidate{}
	}
	low, high := power[row], power[4+column]
	switch {
	case min(low, high) < dtmfWeakest*dtmfWeakest,
		low > high*dtmfTwist, high > low*dtmfReverseTwist,
		(low+high)/2*n < dtmfShare*d.energy:
		return candidate{}
	}
	return candidate{digit: dtmfDigits[4*row+column], phase: [2]float64{d.phase(row), d.phase(4 + column)}}
}

// strongest returns the index of the strongest tone of a group, -1 if another is nearly as strong.
func strongest(power []float64) int {
	best := 0
	for i, p := range power {
		if p > power[best] {
			best = i
		}
	}
	for i, p := range power {
		if i != best && p*dtmfClear > power[best] {
			return -1
		}
	}
	return best
}

// phase is that of a tone at the end of the block.
func (d *Detector) phase(i int) float64 {
	w := d.turn(dtmfFrequencies[i])
	return cmplx.Phase(complex(d.s1[i], 0) - cmplx.Rect(d.s2[i], -w))
}

// judge returns the digit that begins with this block: two blocks in a row have it, at frequencies that are its own.
func (d *Detector) judge(now candidate) byte {
	before := d.last
	d.last = now
	if d.digit != 0 {
		if now.digit == d.digit {
			d.silent = 0
			return 0
		}
		if d.silent++; d.silent < dtmfPause {
			return 0
		}
		d.digit = 0
	}
	if now.digit == 0 || now.digit != before.digit || !d.steady(before, now) {
		return 0
	}
	d.digit, d.silent = now.digit, 0
	return now.digit
}

// steady tells from the phases of two blocks whether both tones have the frequencies of the digit: ITU-T Q.24 wants those that are 1.5 % off, and not those that
// are 3.5 % off.
func (d *Detector) steady(a, b candidate) bool {
	i := strings.IndexByte(dtmfDigits, b.digit)
	for k, f := range [2]float64{dtmfFrequencies[i/4], dtmfFrequencies[4+i%4]} {
		expected := d.turn(f) * float64(d.block)
		off := math.Remainder(b.phase[k]-a.phase[k]-expected, 2*math.Pi)
		if math.Abs(off)/expected > dtmfDrift {
			return false
		}
	}
	return true
}

// Of a digit that we make. ITU-T Q.24 asks for at least 40 ms each; levels of -9 and -7 dBm0.
const (
	dtmfTone  = 100 * time.Millisecond
	dtmfGap   = 100 * time.Millisecond
	dtmfLow   = 8100
	dtmfHigh  = 10200
	dtmfSlope = 2 * time.Millisecond // nothing clicks
)

// A Dialling is a [Source] of DTMF digits: 100 ms each, and 100 ms of silence behind each. What is no digit is a pause of its own. One goroutine at a time.
type Dialling struct {
	Rate   int
	Digits string

	position int // samples of the first digit
}

// ReadSamples implements [Source].
func (d *Dialling) ReadSamples(pcm []int16) (int, error) {
	tone := int(int64(d.Rate) * int64(dtmfTone) / int64(time.Second))
	whole := tone + int(int64(d.Rate)*int64(dtmfGap)/int64(time.Second))
	for i := range pcm {
		if d.Digits == "" {
			return i, endOf(i)
		}
		pcm[i] = 0
		if d.position < tone {
			pcm[i] = dtmfSample(d.Digits[0], d.position, tone, d.Rate)
		}
		if d.position++; d.position == whole {
			d.Digits, d.position = d.Digits[1:], 0
		}
	}
	return len(pcm), nil
}

// dtmfSample is a sample of a digit that has so many.
func dtmfSample(digit byte, at, of, rate int) int16 {
	i := strings.IndexByte(dtmfDigits, digit)
	if i < 0 {
		return 0
	}
	slope := int(int64(rate) * int64(dtmfSlope) / int64(time.Second))
	loud := float64(min(at, of-1-at, slope)) / float64(slope)
	x := 2 * math.Pi * float64(at) / float64(rate)
	return clip(loud * (dtmfLow*math.Sin(x*dtmfFrequencies[i/4]) + dtmfHigh*math.Sin(x*dtmfFrequencies[4+i%4])))
}
