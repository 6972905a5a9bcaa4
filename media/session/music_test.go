package session

import (
	"testing"

	"github.com/sipwerk/sipwerk/media/audio"
)

// TestLoop: short music at another rate plays on and on; none is refused.
func TestLoop(t *testing.T) {
	pcm := make([]int16, 1600)
	_, err := (&audio.Tone{Rate: 16000, Frequencies: []float64{500}, Amplitude: 8000}).ReadSamples(pcm)
	must(t, err)
	source, err := Loop(pcm, 16000)(8000)
	must(t, err)
	var got []int16
	for piece := make([]int16, 160); len(got) < 8000; {
		n, err := source.ReadSamples(piece)
		must(t, err)
		got = append(got, piece[:n]...)
	}
	if level := audio.Goertzel(got[4000:], 8000, 500); level < 7000 {
		t.Errorf("level of the tone %.0f", level)
	}
	if _, err := Loop(nil, 16000)(8000); err == nil {
		t.Error("nothing is music")
	}
}
