package audio

import (
	"math"
	"math/rand/v2"
	"testing"
)

// keypress is one digit as a telephone of doubtful make sends it, in silence.
type keypress struct {
	digit        byte
	milliseconds int
	low, high    float64 // amplitudes
	off          float64 // of both frequencies, relative
	noise        float64 // amplitude
}

func (k keypress) pcm(rate int) []int16 {
	random := rand.New(rand.NewPCG(1, uint64(k.milliseconds)))
	pcm := make([]int16, rate*200/1000)
	i := 0
	for dtmfDigits[i] != k.digit {
		i++
	}
	begin, end := rate*57/1000, rate*(57+k.milliseconds)/1000
	for n := range pcm {
		x, s := 2*math.Pi*float64(n)/float64(rate)*(1+k.off), k.noise*random.NormFloat64()
		if n >= begin && n < end {
			s += k.low*math.Sin(x*dtmfFrequencies[i/4]) + k.high*math.Sin(x*dtmfFrequencies[4+i%4]+1)
		}
		pcm[n] = clip(s)
	}
	return pcm
}

// What we dial is heard, at each rate, in pieces of any length.
func TestDialled(t *testing.T) {
	const all = "1234567890*#ABCD11"
	for _, rate := range []int{8000, 16000, 48000} {
		pcm, err := ReadAll(&Dialling{Rate: rate, Digits: all}, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		d := &Detector{Rate: rate}
		var got []byte
		for n := 1; len(pcm) > 0; n = n%700 + 37 {
			n := min(n, len(pcm))
			got = d.Detect(got, pcm[:n])
			pcm = pcm[n:]
		}
		if string(got) != all {
			t.Errorf("%d Hz: %q", rate, got)
		}
	}
}

// ITU-T Q.24 table A-1: levels, twist, frequencies, durations.
func TestDetectorLimits(t *testing.T) {
	const loud, soft = 9000, 1290 // -8 and -25 dBm0
	for name, tt := range map[string]struct {
		keypress
		heard bool
	}{
		"plain":                {keypress{'5', 100, loud, loud, 0, 0}, true},
		"40 ms":                {keypress{'5', 40, loud, loud, 0, 0}, true},
		"10 ms":                {keypress{'5', 10, loud, loud, 0, 0}, false},
		"soft":                 {keypress{'D', 50, soft, soft, 0, 0}, true},
		"too soft":             {keypress{'D', 100, 150, 150, 0, 0}, false},
		"loud":                 {keypress{'1', 50, 16000, 16000, 0, 0}, true},
		"1.5 % high":           {keypress{'A', 50, loud, loud, 0.015, 0}, true},
		"1.5 % low":            {keypress{'D', 50, loud, loud, -0.015, 0}, true},
		"3.5 % high":           {keypress{'1', 100, loud, loud, 0.035, 0}, false},
		"3.5 % low":            {keypress{'D', 100, loud, loud, -0.035, 0}, false},
		"high group 7 dB less": {keypress{'9', 50, loud, loud * 0.447, 0, 0}, true},
		"high group 3 dB more": {keypress{'9', 50, loud * 0.708, loud, 0, 0}, true},
		"twisted":              {keypress{'9', 100, loud, loud * 0.28, 0, 0}, false},
		"twisted back":         {keypress{'9', 100, loud * 0.45, loud, 0, 0}, false},
		"one tone":             {keypress{'9', 100, loud, 0, 0, 0}, false},
		"noise 15 dB below":    {keypress{'#', 50, loud, loud, 0, loud * 0.178}, true},
		"noise as loud":        {keypress{'#', 100, loud, loud, 0, loud}, false},
	} {
		for _, rate := range []int{8000, 16000} {
			got := (&Detector{Rate: rate}).Detect(nil, tt.pcm(rate))
			if want := string(tt.digit); tt.heard && string(got) != want || !tt.heard && len(got) > 0 {
				t.Errorf("%s at %d Hz: heard %q", name, rate, got)
			}
		}
	}
}

// Voices, music and noise are no digits: ITU-T Q.24 §A.6.
func TestTalkOff(t *testing.T) {
	const rate = 8000
	random := rand.New(rand.NewPCG(5, 6))
	for name, sound := range map[string]func(pcm []int16){
		"noise": func(pcm []int16) {
			for i := range pcm {
				pcm[i] = clip(8000 * random.NormFloat64())
			}
		},
		"music": func(pcm []int16) { _, _ = (&Music{Rate: rate}).ReadSamples(pcm) },
		"a voice that sings every pitch": func(pcm []int16) {
			phase := 0.0
			for i := range pcm {
				phase += 2 * math.Pi * (100 + 300*float64(i)/float64(len(pcm))) / rate
				s := 0.0
				for k := range 9 {
					s += 4000 / float64(k+1) * math.Sin(phase*float64(k+1)+float64(k*k))
				}
				pcm[i] = clip(s)
			}
		},
		"whistling": func(pcm []int16) {
			phase := 0.0
			for i := range pcm {
				phase += 2 * math.Pi * (500 + 1500*float64(i)/float64(len(pcm))) / rate
				pcm[i] = clip(9000 * math.Sin(phase))
			}
		},
		"ring back": func(pcm []int16) {
			_, _ = (&Tone{Rate: rate, Frequencies: []float64{440, 480}, Amplitude: 6000}).ReadSamples(pcm)
		},
	} {
		pcm := make([]int16, 6*rate)
		sound(pcm)
		if got := (&Detector{Rate: rate}).Detect(nil, pcm); len(got) > 0 {
			t.Errorf("%s: heard %q", name, got)
		}
	}
}

func BenchmarkDetector(b *testing.B) {
	d := &Detector{Rate: 8000}
	pcm := make([]int16, 160)
	b.ReportAllocs()
	for b.Loop() {
		d.Detect(nil, pcm)
	}
}
