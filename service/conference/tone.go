// What is heard without words: somebody comes or goes, a PIN is asked, a command was taken or not.

package conference

import (
	"io"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
)

// note is one note of a signal; frequency 0 is a rest.
type note struct {
	frequency float64
	length    time.Duration
}

// signal is a few notes.
type signal []note

// The signals.
func entryTone() signal { return signal{{587, 120 * time.Millisecond}, {784, 160 * time.Millisecond}} }
func leaveTone() signal { return signal{{784, 120 * time.Millisecond}, {587, 160 * time.Millisecond}} }
func askTone() signal {
	return signal{{660, 200 * time.Millisecond}, {0, 100 * time.Millisecond}, {660, 200 * time.Millisecond}}
}
func yesTone() signal { return signal{{880, 150 * time.Millisecond}} }
func noTone() signal {
	return signal{{330, 150 * time.Millisecond}, {0, 80 * time.Millisecond}, {330, 150 * time.Millisecond}, {0, 80 * time.Millisecond}, {330, 300 * time.Millisecond}}
}

// toneLevel is the amplitude of the signals: to be heard beside voices, not above them.
const toneLevel = 4000

// melody plays a signal once.
type melody struct {
	rate  int
	notes signal
	tone  audio.Tone
	left  int // samples of the note under way
}

// at returns a source of the signal at a sample rate.
func (s signal) at(rate int) audio.Source { return &melody{rate: rate, notes: s} }

// ReadSamples implements [audio.Source].
func (m *melody) ReadSamples(pcm []int16) (n int, err error) {
	for n < len(pcm) {
		if m.left == 0 {
			if len(m.notes) == 0 {
				return n, io.EOF
			}
			first := m.notes[0]
			m.notes = m.notes[1:]
			m.left = int(int64(m.rate) * int64(first.length) / int64(time.Second))
			m.tone = audio.Tone{Rate: m.rate, Amplitude: toneLevel}
			if first.frequency > 0 {
				m.tone.Frequencies = []float64{first.frequency}
			}
		}
		k := min(m.left, len(pcm)-n)
		_, _ = m.tone.ReadSamples(pcm[n : n+k]) // a tone never ends
		n += k
		m.left -= k
	}
	return n, nil
}
