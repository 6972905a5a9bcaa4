package audio

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func resample(t testing.TB, from, to int, pcm []int16) []int16 {
	t.Helper()
	r, err := NewResampler(from, to)
	if err != nil {
		t.Fatal(err)
	}
	return r.Resample(nil, pcm)
}

// Tones below the lower half rate pass at their level, those above are gone.
func TestResampleTones(t *testing.T) {
	for _, rates := range [][2]int{{8000, 16000}, {8000, 48000}, {16000, 48000}, {16000, 8000}, {48000, 8000}, {48000, 16000}, {44100, 8000}, {8000, 8000}} {
		from, to := rates[0], rates[1]
		for _, f := range []float64{100, 1000, 3000, 3300} {
			pcm := take(t, &Tone{Rate: from, Frequencies: []float64{f}, Amplitude: 10000}, from)
			got := resample(t, from, to, pcm)
			if off := len(got) - to; off < -1 || off > 1 {
				t.Errorf("%d to %d: %d samples", from, to, len(got))
			}
			steady := got[to/10 : to/10*9]
			amplitude := Goertzel(steady, to, f)
			if math.Abs(amplitude-10000) > 250 {
				t.Errorf("%d to %d: %v Hz at %.0f", from, to, f, amplitude)
			}
			if rest := level(steady) / (amplitude / math.Sqrt2); math.Abs(rest-1) > 0.01 {
				t.Errorf("%d to %d: %v Hz is %.4f of its whole", from, to, f, rest)
			}
		}
		for f := float64(to)/2 + 500; f < float64(from)/2; f += 1370 {
			pcm := take(t, &Tone{Rate: from, Frequencies: []float64{f}, Amplitude: 10000}, from)
			if l := level(resample(t, from, to, pcm)[to/10 : to/10*9]); l > 7 { // 60 dB down
				t.Errorf("%d to %d: %v Hz comes through at %.1f", from, to, f, l)
			}
		}
	}
}

func level(pcm []int16) float64 {
	sum := 0.0
	for _, x := range pcm {
		sum += float64(x) * float64(x)
	}
	return math.Sqrt(sum / float64(len(pcm)))
}

// A stream in pieces gives the same as in one.
func TestResamplePieces(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pcm := take(t, &Music{Rate: 8000}, 8000)
	for _, rates := range [][2]int{{8000, 48000}, {48000, 8000}, {16000, 48000}, {44100, 8000}, {8000, 11025}} {
		r, err := NewResampler(rates[0], rates[1])
		if err != nil {
			t.Fatal(err)
		}
		var got []int16
		for rest := pcm; len(rest) > 0; {
			n := min(random.IntN(200), len(rest))
			got = r.Resample(got, rest[:n])
			rest = rest[n:]
		}
		if !slices.Equal(got, resample(t, rates[0], rates[1], pcm)) {
			t.Errorf("%v: pieces differ from the whole", rates)
		}
	}
}

// The loudest samples do not wrap around.
func TestResampleClips(t *testing.T) {
	pcm := make([]int16, 800)
	for i := range pcm {
		pcm[i] = 32767
		if i/100%2 == 0 {
			pcm[i] = -32768
		}
	}
	got := resample(t, 8000, 16000, pcm)
	for i := 100; i < len(got); i++ {
		if math.Abs(float64(got[i])-float64(got[i-1])) > 40000 {
			t.Fatalf("from %d to %d", got[i-1], got[i])
		}
	}
}

func TestNewResamplerRefuses(t *testing.T) {
	for _, rates := range [][2]int{{0, 8000}, {8000, 0}, {-8000, 8000}, {44101, 8000}} {
		if _, err := NewResampler(rates[0], rates[1]); err == nil {
			t.Errorf("%v accepted", rates)
		}
	}
}

func BenchmarkResample(b *testing.B) {
	r, err := NewResampler(8000, 48000)
	if err != nil {
		b.Fatal(err)
	}
	in, out := make([]int16, 160), make([]int16, 0, 1000)
	b.ReportAllocs()
	for b.Loop() {
		out = r.Resample(out[:0], in)
	}
}
