// The music number: a melody for whoever calls, for as long as they like.

package pbx

import (
	"encoding/binary"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
)

const (
	tuneLength = 46080 * time.Millisecond // four times through the chords of the melody
	tuneFrame  = 20 * time.Millisecond
	tuneFade   = 500 * time.Millisecond // at its end, so that it can begin again
)

// tune is the melody, computed once for each sample rate and shared by all calls.
type tune struct {
	mu     sync.Mutex // guards byRate; held while a melody is computed, so that it is computed once
	byRate map[int][]byte
}

// play plays the melody over and over until the call ends.
func (t *tune) play(l line) {
	pcm := t.at(l.Rate())
	frame := 2 * int(int64(l.Rate())*int64(tuneFrame)/int64(time.Second))
	for at := 0; ; {
		end := min(at+frame, len(pcm))
		if _, err := l.Write(pcm[at:end]); err != nil {
			return
		}
		if at = end; at == len(pcm) {
			at = 0
		}
	}
}

// at returns the melody at a sample rate.
func (t *tune) at(rate int) []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	if pcm, ok := t.byRate[rate]; ok {
		return pcm
	}
	samples := make([]int16, int(int64(rate)*int64(tuneLength)/int64(time.Second)))
	source := audio.Music{Rate: rate}
	n, _ := source.ReadSamples(samples) // an endless source
	pcm := make([]byte, 0, 2*n)
	fade := int(int64(rate) * int64(tuneFade) / int64(time.Second))
	for i, s := range samples[:n] {
		pcm = binary.LittleEndian.AppendUint16(pcm, uint16(int(s)*min(n-i, fade)/fade))
	}
	if t.byRate == nil {
		t.byRate = make(map[int][]byte)
	}
	t.byRate[rate] = pcm
	return pcm
}
