// What a line is told: prompts and tones.

package pbx

import (
	"context"
	"io"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/media/prompt"
)

// Say plays words in the language of the line, as [Line.Play].
func (l *Line) Say(ctx context.Context, words ...prompt.Words) error {
	return l.Play(ctx, l.Words(words...)...)
}

// Words are the sound of words in the language of the line.
func (l *Line) Words(words ...prompt.Words) []audio.Source {
	return l.call.pbx.prompts().Say(l.Language, l.Rate(), words...)
}

// Tones, in Hz: what is heard as "speak now", as "no", and while somebody's telephone rings (ITU-T E.180 leaves that to the country; 425 Hz is that of most).
const (
	beepTone  = 1000
	noTone    = 330
	ringTone  = 425
	toneLevel = 6000
)

// Beep says that one is to speak now.
func (l *Line) Beep() audio.Source {
	return &cadence{rate: l.Rate(), frequency: beepTone, beats: []time.Duration{400 * time.Millisecond}}
}

// No says that something was not taken.
func (l *Line) No() audio.Source {
	return &cadence{rate: l.Rate(), frequency: noTone, beats: []time.Duration{150 * time.Millisecond, 80 * time.Millisecond, 300 * time.Millisecond}}
}

// Ringing is the tone of a telephone that rings, without an end.
func (l *Line) Ringing() audio.Source {
	return &cadence{rate: l.Rate(), frequency: ringTone, beats: []time.Duration{time.Second, 4 * time.Second}, endless: true}
}

// Music is the melody of the music number, without an end.
func (l *Line) Music() audio.Source { return l.call.pbx.tune.source(l.Rate()) }

// cadence is a tone that goes on and off.
type cadence struct {
	rate      int
	frequency float64
	beats     []time.Duration // on, off, on …
	endless   bool

	beat int // under way
	at   int // samples of it
	tone audio.Tone
}

// ReadSamples implements [audio.Source].
func (c *cadence) ReadSamples(pcm []int16) (n int, err error) {
	for n < len(pcm) {
		if c.beat == len(c.beats) {
			if !c.endless {
				return n, io.EOF
			}
			c.beat = 0
		}
		length := int(int64(c.rate) * int64(c.beats[c.beat]) / int64(time.Second))
		k := min(length-c.at, len(pcm)-n)
		if c.beat%2 == 1 {
			clear(pcm[n : n+k])
		} else {
			if c.at == 0 {
				c.tone = audio.Tone{Rate: c.rate, Frequencies: []float64{c.frequency}, Amplitude: toneLevel}
			}
			_, _ = c.tone.ReadSamples(pcm[n : n+k]) // a tone never ends
		}
		n += k
		if c.at += k; c.at == length {
			c.beat, c.at = c.beat+1, 0
		}
	}
	return n, nil
}
