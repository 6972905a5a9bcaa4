package audio

// Is what was heard what was spoken? Both are turned into their level per 20 ms and slid along each other. Levels survive
// codecs, jitter buffers and resampling, where comparing samples does not.

import (
	"math"
	"time"
)

// Lengths in frames of 20 ms.
const (
	frameTime     = 20 * time.Millisecond
	settling      = 50  // the first second of what was heard is left out: buffers are filling
	compareWindow = 200 // 4 s
	windowStep    = 25
	shortestMatch = 25
)

// A Clip is a piece of sound.
type Clip struct {
	Rate    int
	Samples []int16
}

// A Comparison says how well a recording resembles what was spoken.
type Comparison struct {
	// Correlation of the levels in the best 4 seconds, at most 1. The right speech gives 0.75 and more, another one
	// 0.5 or less; the longer both clips are, the better wrong ones fit somewhere. It is 0 if either clip is silent, steady, or too short (half a second is needed after the first second
	// of what was heard).
	Correlation float64
	// Offset is where in what was spoken the recording begins; negative if it begins before.
	Offset time.Duration
	// Dropouts counts frames of 20 ms that are silent in the recording amid loud speech.
	Dropouts int
	// Level is how much louder the recording is than what was spoken, in dB.
	Level float64
}

// Compare finds the place in spoken where heard resembles it best. Both may have any rate and length; that of spoken
// times that of heard decides how long it takes (a minute each: well below a second).
func Compare(spoken, heard Clip) Comparison {
	s, h := levels(spoken), levels(heard)
	first := onset(h)
	if len(h) < first+shortestMatch || len(s) < shortestMatch {
		return Comparison{}
	}
	var best Comparison
	shift := 0
	for at := first; at+shortestMatch <= len(h); at += windowStep {
		window := h[at:min(at+compareWindow, len(h), at+len(s))]
		place, correlation := slide(s, window)
		if correlation > best.Correlation {
			best.Correlation, shift = correlation, place-at
		}
		if at+compareWindow >= len(h) {
			break
		}
	}
	if best.Correlation > 0 {
		best.Offset = time.Duration(shift) * frameTime
		best.compareAligned(s, h, shift)
	}
	return best
}

// levels returns the root mean square of each frame.
func levels(c Clip) []float64 {
	size := int(int64(c.Rate) * int64(frameTime) / int64(time.Second))
	if size <= 0 {
		return nil
	}
	l := make([]float64, len(c.Samples)/size)
	for i := range l {
		sum := 0.0
		for _, x := range c.Samples[i*size : (i+1)*size] {
			sum += float64(x) * float64(x)
		}
		l[i] = math.Sqrt(sum / float64(size))
	}
	return l
}

// onset returns the first frame after settling in which something is heard: what comes before it may have been recorded
// before the speaker began.
func onset(h []float64) int {
	loudest := 0.0
	for _, l := range h[min(settling, len(h)):] {
		loudest = max(loudest, l)
	}
	at := settling
	for at < len(h) && h[at] <= loudest/10 {
		at++
	}
	return at
}

// slide returns where in s the window fits best.
func slide(s, window []float64) (place int, correlation float64) {
	for at := 0; at+len(window) <= len(s); at++ {
		if c := pearson(s[at:at+len(window)], window); c > correlation {
			place, correlation = at, c
		}
	}
	return place, correlation
}

// pearson returns the correlation coefficient, 0 if one of the two does not vary.
func pearson(a, b []float64) float64 {
	var sa, sb, saa, sbb, sab float64
	for i, x := range a {
		y := b[i]
		sa, sb = sa+x, sb+y
		saa, sbb, sab = saa+x*x, sbb+y*y, sab+x*y
	}
	n := float64(len(a))
	va, vb := saa-sa*sa/n, sbb-sb*sb/n
	if va <= 1e-9*saa || vb <= 1e-9*sbb {
		return 0
	}
	return (sab - sa*sb/n) / math.Sqrt(va*vb)
}

// compareAligned compares level and dropouts over all that overlaps when frame i of h is frame i+shift of s.
func (c *Comparison) compareAligned(s, h []float64, shift int) {
	first, last := max(settling, -shift), min(len(h), len(s)-shift)
	var spoken, heard float64
	for i := first; i < last; i++ {
		spoken += s[i+shift] * s[i+shift]
		heard += h[i] * h[i]
	}
	if spoken == 0 || heard == 0 {
		return
	}
	gain := math.Sqrt(heard / spoken)
	c.Level = 20 * math.Log10(gain)
	loud := math.Sqrt(spoken/float64(last-first)) / 2
	for i := first + 1; i+1 < last; i++ {
		// The neighbours must be loud too: frames of the two clips overlap only in part.
		around := min(s[i+shift-1], s[i+shift], s[i+shift+1])
		if around > loud && h[i] < around*gain/30 {
			c.Dropouts++
		}
	}
}
