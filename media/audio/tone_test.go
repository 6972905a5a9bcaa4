package audio

import (
	"math"
	"slices"
	"testing"
)

func TestGoertzel(t *testing.T) {
	pcm := take(t, &Tone{Rate: 8000, Frequencies: []float64{440, 1000}, Amplitude: 5000}, 400)
	for f, want := range map[float64]float64{440: 5000, 1000: 5000, 500: 0, 700: 0, 2000: 0} {
		if got := Goertzel(pcm, 8000, f); math.Abs(got-want) > 500 {
			t.Errorf("%v Hz: %.0f, want %.0f", f, got, want)
		}
	}
	if Goertzel(nil, 8000, 440) != 0 || Goertzel(pcm, 0, 440) != 0 {
		t.Error("a tone in nothing")
	}
}

// A tone goes on where it stopped, and does not overflow when several are added.
func TestTone(t *testing.T) {
	whole := take(t, &Tone{Rate: 8000, Frequencies: []float64{425}, Amplitude: 8000}, 320)
	s := &Tone{Rate: 8000, Frequencies: []float64{425}, Amplitude: 8000}
	if got := append(take(t, s, 100), take(t, s, 220)...); !slices.Equal(got, whole) {
		t.Error("pieces differ from the whole")
	}
	loud := take(t, &Tone{Rate: 8000, Frequencies: []float64{1000, 1000}, Amplitude: 32000}, 80)
	if slices.Max(loud) != 32767 || slices.Min(loud) != -32768 {
		t.Errorf("loud tone from %d to %d", slices.Min(loud), slices.Max(loud))
	}
}

func TestMusic(t *testing.T) {
	for _, rate := range []int{8000, 16000, 48000} {
		m := &Music{Rate: rate}
		pcm := take(t, m, 60*rate)
		if !slices.Equal(pcm[:rate], take(t, &Music{Rate: rate}, rate)) {
			t.Errorf("%d Hz: not the same twice", rate)
		}
		if high, low := slices.Max(pcm), slices.Min(pcm); high > 26000 || low < -26000 {
			t.Errorf("%d Hz: from %d to %d", rate, low, high)
		}
		for i := 0; i < len(pcm); i += rate * 2 {
			if l := level(pcm[i : i+rate*2]); l < 500 || l > 8000 {
				t.Errorf("%d Hz: level %.0f at %d s", rate, l, i/rate)
			}
		}
		if slices.Equal(pcm[:10*rate], pcm[20*rate:30*rate]) {
			t.Errorf("%d Hz: repeats itself", rate)
		}
	}
}
