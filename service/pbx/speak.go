// What a line is told: prompts and tones.

package pbx

import (
	"context"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/media/prompt"
	"github.com/sipwerk/sipwerk/media/session"
)

// Say plays words in the language of the line, as [Line.Play].
func (l *Line) Say(ctx context.Context, words ...prompt.Words) error {
	return l.Play(ctx, l.Words(words...)...)
}

// Words are the sound of words in the language of the line.
func (l *Line) Words(words ...prompt.Words) []audio.Source {
	return l.call.pbx.prompts().Say(l.Language, l.Rate(), words...)
}

// no is heard as "no".
const no audio.Cadence = "330/150 0/80 330/300"

// Beep says that one is to speak now.
func (l *Line) Beep() audio.Source { return audio.Beep.Once(l.Rate()) }

// No says that something was not taken.
func (l *Line) No() audio.Source { return no.Once(l.Rate()) }

// Ringing is the tone of a telephone that rings, as the country of the call has it, without an end.
func (l *Line) Ringing() audio.Source {
	c, country := l.call, ""
	if c.pbx.Country != nil {
		country = c.pbx.Country(&c.facts)
	}
	return audio.SignalsOf(country).Ringback.Source(l.Rate())
}

// Hold opens music for the line: the melody where m is nil or fails, silence where it is none.
func (l *Line) Hold(m *session.Music) audio.Source {
	switch {
	case m == nil:
		return l.Music()
	case *m == nil:
		return silence{}
	}
	source, err := (*m)(l.Rate())
	if err != nil {
		return l.Music()
	}
	return source
}

// Music is the melody of the music number, without an end.
func (l *Line) Music() audio.Source { return l.call.pbx.tune.source(l.Rate()) }
