package session

// Music on hold from samples.

import (
	"errors"

	"github.com/sipwerk/sipwerk/media/audio"
)

// errMusic says that there is nothing to play.
var errMusic = errors.New("session: music without sound")

// Loop returns the music of PCM at a rate, over and over. The samples are shared by all who hear them and must not be changed.
func Loop(pcm []int16, rate int) Music {
	return func(to int) (audio.Source, error) {
		if len(pcm) == 0 {
			return nil, errMusic
		}
		return audio.AtRate(&loop{pcm: pcm}, rate, to)
	}
}

// loop is PCM over and over.
type loop struct {
	pcm  []int16
	next int // in pcm
}

// ReadSamples implements [audio.Source].
func (l *loop) ReadSamples(out []int16) (int, error) {
	for n := 0; n < len(out); {
		k := copy(out[n:], l.pcm[l.next:])
		n, l.next = n+k, (l.next+k)%len(l.pcm)
	}
	return len(out), nil
}
