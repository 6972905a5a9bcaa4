package session

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/sipwerk/sipwerk/media/audio"
)

// TestFile: a short file at another rate plays on and on; what is none is refused.
func TestFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "music.wav")
	f, err := os.Create(name)
	must(t, err)
	w, err := audio.NewWAVWriter(f, 16000)
	must(t, err)
	pcm := make([]int16, 1600)
	_, err = (&audio.Tone{Rate: 16000, Frequencies: []float64{500}, Amplitude: 8000}).ReadSamples(pcm)
	must(t, err)
	must(t, w.WriteSamples(pcm))
	must(t, w.Close())
	must(t, f.Close())
	music, err := File(name)
	must(t, err)
	source, err := music(8000)
	must(t, err)
	got := make([]int16, 8000)
	if n, err := source.ReadSamples(got); n != len(got) || err != nil {
		t.Fatalf("%d samples, %v", n, err)
	}
	if level := audio.Goertzel(got[4000:], 8000, 500); level < 7000 {
		t.Errorf("level of the tone %.0f", level)
	}
	for _, wrong := range []string{"music_test.go", "nothing.wav"} {
		if _, err := File(wrong); err == nil {
			t.Errorf("%s is music", wrong)
		}
	}
}
