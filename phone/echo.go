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
	Likeness float64       `json:"likeness"` // of what was heard and what was said, at most 1; below 0.5 it was something else
	Dropouts int           `json:"dropouts"` // quarters of a second that did not come back
	Loss     float64       `json:"loss"`     // share of the packets that did not come back, 0 to 1
}

// Heard reports whether what came back is what was said.
func (e Echo) Heard() bool { return e.Likeness >= alike }

// alike is the likeness from which one sound is taken for the other: two different ones of that length have less than 0.2.
const alike = 0.5

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

// compareEcho finds each quarter of a second of what was spoken in what was heard, and takes the middle of what it finds: a machine that is busy stretches
// sound here and there.
func compareEcho(spoken, heard audio.Clip) Echo {
	var e Echo
	var delays []int
	var likenesses []float64
	piece, about := spoken.Rate/4, 0
	for at := 0; at+piece <= len(spoken.Samples); at += piece {
		behind := heard.Samples[min(at, len(heard.Samples)):]
		behind = behind[:min(len(behind), spoken.Rate*int(longestDelay/time.Second))]
		// It is most likely where the piece before it was.
		from := min(max(0, about-piece/2), len(behind))
		delay, likeness := find(spoken.Samples[at:at+piece], behind[from:min(from+5*piece/2, len(behind))])
		if delay += from; likeness < alike {
			delay, likeness = find(spoken.Samples[at:at+piece], behind)
		}
		likenesses = append(likenesses, likeness)
		if likeness < alike {
			e.Dropouts++
			continue
		}
		about = delay
		delays = append(delays, delay)
	}
	e.Likeness = middle(likenesses)
	if e.Heard() {
		e.Delay = time.Duration(middle(delays)) * time.Second / time.Duration(spoken.Rate)
	}
	return e
}

// stride is which samples of a piece are compared: 500 of them tell enough.
const stride = 4

// find returns where in heard the piece fits best, and how well: the coefficient of correlation.
func find(piece, heard []int16) (at int, likeness float64) {
	own, there := 1.0, [stride]float64{1, 1, 1, 1}
	for i := 0; i+stride <= len(piece) && i+stride <= len(heard); i += stride {
		own += float64(piece[i]) * float64(piece[i])
		for j := range stride {
			there[j] += float64(heard[i+j]) * float64(heard[i+j])
		}
	}
	for shift := 0; shift+len(piece) < len(heard); shift++ {
		var both int64
		for i := 0; i < len(piece); i += stride {
			both += int64(piece[i]) * int64(heard[shift+i])
		}
		energy := &there[shift%stride]
		if l := float64(both) / math.Sqrt(own**energy); l > likeness {
			at, likeness = shift, l
		}
		first, next := float64(heard[shift]), float64(heard[shift+len(piece)])
		*energy += next*next - first*first
	}
	return at, likeness
}

// middle returns the median, zero of nothing.
func middle[T int | float64](values []T) (m T) {
	if len(values) > 0 {
		slices.Sort(values)
		m = values[len(values)/2]
	}
	return m
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
