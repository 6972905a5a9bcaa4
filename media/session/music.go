package session

// Music on hold from a file.

import (
	"fmt"
	"os"

	"github.com/sipwerk/sipwerk/media/audio"
)

// maxMusic is how much of a file is played before it begins anew, in seconds: it is held in memory.
const maxMusic = 600

// File returns the music of a WAV file, over and over. The file is read once, here; the error says what is wrong with it.
func File(name string) (Music, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("session: music: %w", err)
	}
	defer f.Close()
	w, err := audio.NewWAVReader(f)
	if err != nil {
		return nil, fmt.Errorf("session: music %s: %w", name, err)
	}
	pcm, err := audio.ReadAll(w, maxMusic*w.Rate())
	if err != nil || len(pcm) == 0 {
		return nil, fmt.Errorf("session: music %s: no sound in it: %w", name, err)
	}
	return func(rate int) (audio.Source, error) {
		r, err := audio.NewResampler(w.Rate(), rate)
		if err != nil {
			return nil, err
		}
		return &loop{pcm: pcm, piece: max(w.Rate()/50, 1), to: r}, nil
	}, nil
}

// loop is PCM over and over, at another rate.
type loop struct {
	pcm     []int16
	next    int // in pcm
	piece   int // samples of pcm that are resampled at a time
	to      *audio.Resampler
	waiting []int16
}

// ReadSamples implements [audio.Source].
func (l *loop) ReadSamples(out []int16) (int, error) {
	for len(l.waiting) < len(out) {
		end := min(l.next+l.piece, len(l.pcm))
		l.waiting = l.to.Resample(l.waiting, l.pcm[l.next:end])
		l.next = end % len(l.pcm)
	}
	n := copy(out, l.waiting)
	l.waiting = l.waiting[:copy(l.waiting, l.waiting[n:])]
	return n, nil
}
