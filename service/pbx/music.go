// The music number: a melody for whoever calls, for as long as they like.

package pbx

import (
	"context"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
)

const (
	tuneLength = 46080 * time.Millisecond // four times through the chords of the melody
	tuneFade   = 500 * time.Millisecond   // at its end, so that it can begin again
)

// tune is the melody, computed once for each sample rate and shared by all calls.
type tune struct {
	mu     sync.Mutex // guards byRate; held while a melody is computed, so that it is computed once
	byRate map[int][]int16
}

// play plays the melody over and over until the call ends.
func (t *tune) play(ctx context.Context, l *Line) error {
	return l.PlayThrough(ctx, t.source(l.Rate()))
}

// source gives the melody at a sample rate, without an end.
func (t *tune) source(rate int) audio.Source { return &repeated{pcm: t.at(rate)} }

// repeated plays samples over and over.
type repeated struct {
	pcm []int16
	at  int
}

// ReadSamples implements [audio.Source].
func (r *repeated) ReadSamples(pcm []int16) (n int, err error) {
	for n < len(pcm) {
		k := copy(pcm[n:], r.pcm[r.at:])
		r.at = (r.at + k) % len(r.pcm)
		n += k
	}
	return n, nil
}

// at returns the melody at a sample rate.
func (t *tune) at(rate int) []int16 {
	t.mu.Lock()
	defer t.mu.Unlock()
	if pcm, ok := t.byRate[rate]; ok {
		return pcm
	}
	samples := make([]int16, int(int64(rate)*int64(tuneLength)/int64(time.Second)))
	source := audio.Music{Rate: rate}
	n, _ := source.ReadSamples(samples) // an endless source
	pcm := samples[:n]
	fade := int(int64(rate) * int64(tuneFade) / int64(time.Second))
	for i, s := range pcm {
		pcm[i] = int16(int(s) * min(n-i, fade) / fade)
	}
	if t.byRate == nil {
		t.byRate = make(map[int][]int16)
	}
	t.byRate[rate] = pcm
	return pcm
}
