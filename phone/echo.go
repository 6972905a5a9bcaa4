// How good a line is: something is said to a number that says it back, and what comes back is compared.

package phone

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
)

// Echo says what came back of what was said.
type Echo struct {
	Delay    time.Duration `json:"delay"`    // from the mouth to the ear, all buffers included
	Likeness float64       `json:"likeness"` // of what was heard and what was said, at most 1; below 0.75 it was something else
	Dropouts int           `json:"dropouts"` // frames of 20 ms that were silent amid sound
	Loss     float64       `json:"loss"`     // share of the packets that did not come back, 0 to 1
}

// Heard reports whether what came back is what was said.
func (e Echo) Heard() bool { return e.Likeness >= 0.75 }

// Bounds of a measurement.
const (
	shortestEcho = 3 * time.Second
	longestEcho  = time.Minute
	longestDelay = 2 * time.Second
)

// MeasureEcho says something like speech for a while (3 s to a minute) to somebody who says it back, and measures what is heard. Nobody else should
// read or write meanwhile. A call that ends first is an error.
func (c *Call) MeasureEcho(ctx context.Context, length time.Duration) (Echo, error) {
	spoken := audio.Clip{Rate: c.Rate(), Samples: babble(c.Rate(), min(max(length, shortestEcho), longestEcho))}
	before := c.Statistics()
	said := make(chan error, 1)
	if err := c.await(ctx, c.heard); err != nil {
		return Echo{}, fmt.Errorf("phone: measure echo: %w", err)
	}
	if _, err := c.ReadSamples(make([]int16, c.Rate())); err != nil { // what waits is older than what is said now
		return Echo{}, fmt.Errorf("phone: measure echo: %w", ErrEnded)
	}
	go func() { said <- c.Play(ctx, &clipSource{spoken.Samples}) }()
	heard := audio.Clip{Rate: c.Rate()}
	pcm := make([]int16, c.Rate()/frames)
	for wanted := len(spoken.Samples) + c.Rate()/2; len(heard.Samples) < wanted && ctx.Err() == nil; {
		n, err := c.ReadSamples(pcm)
		if err != nil {
			break
		}
		heard.Samples = append(heard.Samples, pcm[:n]...)
	}
	if err := <-said; err != nil {
		return Echo{}, fmt.Errorf("phone: measure echo: %w", err)
	}
	e := compareEcho(spoken, heard)
	after := c.Statistics()
	after.Lost, after.Received = after.Lost-min(before.Lost, after.Lost), after.Received-before.Received
	e.Loss = after.Loss()
	return e, nil
}

// compareEcho finds what was spoken in what was heard.
func compareEcho(spoken, heard audio.Clip) Echo {
	// What is heard ends later than what was said: silence follows.
	longer := audio.Clip{Rate: spoken.Rate, Samples: append(slices.Clip(spoken.Samples), make([]int16, len(heard.Samples))...)}
	same := audio.Compare(longer, heard)
	e := Echo{Likeness: same.Correlation, Dropouts: same.Dropouts}
	if e.Heard() {
		e.Delay = fineDelay(spoken, heard, -same.Offset)
	}
	return e
}

// fineDelay looks around a delay that is known to a frame for the sample at which both fit best.
func fineDelay(spoken, heard audio.Clip, about time.Duration) time.Duration {
	const reach = 30 * time.Millisecond
	samples := func(d time.Duration) int { return int(d * time.Duration(spoken.Rate) / time.Second) }
	best, fit := samples(about), math.Inf(-1)
	for shift := max(0, samples(about-reach)); shift <= samples(min(about+reach, longestDelay)); shift++ {
		sum := 0.0
		for i := 0; i < spoken.Rate && i < len(spoken.Samples) && i+shift < len(heard.Samples); i++ {
			sum += float64(spoken.Samples[i]) * float64(heard.Samples[i+shift])
		}
		if sum > fit {
			best, fit = shift, sum
		}
	}
	return time.Duration(best) * time.Second / time.Duration(spoken.Rate)
}

// babble makes syllables of noise with pauses between them: like speech it varies in level, and unlike a melody it never repeats.
func babble(rate int, length time.Duration) []int16 {
	r := rand.New(rand.NewPCG(1, 2)) // always the same
	n := int(length.Seconds() * float64(rate))
	pcm := make([]int16, 0, n+rate)
	for len(pcm) < n {
		loudness := 3000 + 5000*r.Float64()
		syllable := rate/10 + r.IntN(rate/5)
		low := 0.0
		for i := range syllable {
			low = 0.6*low + 0.4*(2*r.Float64()-1) // within the band of a telephone
			pcm = append(pcm, int16(loudness*low*math.Sin(math.Pi*float64(i)/float64(syllable))))
		}
		pcm = append(pcm, make([]int16, rate/20+r.IntN(rate/6))...)
	}
	return pcm[:n]
}

// clipSource gives samples once.
type clipSource struct{ rest []int16 }

// ReadSamples implements [audio.Source].
func (s *clipSource) ReadSamples(pcm []int16) (int, error) {
	n := copy(pcm, s.rest)
	if s.rest = s.rest[n:]; len(s.rest) == 0 {
		return n, io.EOF
	}
	return n, nil
}
