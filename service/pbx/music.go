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
	mu     sync.Mutex // guards byRate
	byRate map[int]*melody
}

// melody is the melody at one sample rate, computed as far as somebody has heard it.
type melody struct {
	rate, length int // Hz, samples

	mu     sync.Mutex // guards what follows; held while a second of it is computed, so that it is computed once
	source audio.Music
	pcm    []int16
}

// play plays the melody over and over until the call ends.
func (t *tune) play(ctx context.Context, l *Line) error {
	return l.PlayThrough(ctx, t.source(l.Rate()))
}

// source gives the melody at a sample rate, without an end.
func (t *tune) source(rate int) audio.Source {
	t.mu.Lock()
	defer t.mu.Unlock()
	m := t.byRate[rate]
	if m == nil {
		m = &melody{rate: rate, length: int(int64(rate) * int64(tuneLength) / int64(time.Second)), source: audio.Music{Rate: rate}}
		if t.byRate == nil {
			t.byRate = make(map[int]*melody)
		}
		t.byRate[rate] = m
	}
	return &repeated{melody: m}
}

// repeated plays the melody over and over.
type repeated struct {
	melody *melody
	at     int
}

// ReadSamples implements [audio.Source].
func (r *repeated) ReadSamples(pcm []int16) (n int, err error) {
	for n < len(pcm) {
		k := copy(pcm[n:], r.melody.from(r.at, len(pcm)-n))
		r.at = (r.at + k) % r.melody.length
		n += k
	}
	return n, nil
}

// from returns up to n samples of the melody. They must not be changed.
func (m *melody) from(at, n int) []int16 {
	end := min(at+n, m.length)
	m.mu.Lock()
	defer m.mu.Unlock()
	fade := int(int64(m.rate) * int64(tuneFade) / int64(time.Second))
	for len(m.pcm) < end {
		next := make([]int16, min(m.rate, m.length-len(m.pcm)))
		_, _ = m.source.ReadSamples(next) // an endless source
		for i, s := range next {
			next[i] = int16(int(s) * min(m.length-len(m.pcm)-i, fade) / fade)
		}
		m.pcm = append(m.pcm, next...)
	}
	return m.pcm[at:end:end]
}
