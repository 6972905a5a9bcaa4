package audio

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/media/codec"
)

// speech is noise in syllables and pauses, different for each speaker.
func speech(speaker uint64, seconds int) []int16 {
	random := rand.New(rand.NewPCG(speaker, 0))
	var pcm []int16
	for len(pcm) < seconds*8000 {
		n, amplitude := 500+random.IntN(2000), float64(random.IntN(12000))
		if random.IntN(4) == 0 {
			amplitude = 0
		}
		for i := range n {
			pcm = append(pcm, int16(amplitude*math.Sin(math.Pi*float64(i)/float64(n))*(random.Float64()*2-1)))
		}
	}
	return pcm[:seconds*8000]
}

// telephone is what G.711, a late start and another level make of it.
func telephone(pcm []int16, gain float64) []int16 {
	out := make([]int16, len(pcm))
	for i, s := range pcm {
		out[i] = int16(gain * float64(codec.ALawSample(codec.ALaw(s))))
	}
	return out
}

func TestCompare(t *testing.T) {
	alice, bob := speech(1, 30), speech(2, 30)
	heard := telephone(alice[3*8000+77:15*8000], 0.5)
	c := Compare(Clip{8000, alice}, Clip{8000, heard})
	if c.Correlation < 0.9 || c.Dropouts != 0 || math.Abs(c.Level+6) > 0.5 || c.Offset.Round(100*time.Millisecond) != 3*time.Second {
		t.Errorf("right speaker: %+v", c)
	}
	if c := Compare(Clip{8000, bob}, Clip{8000, heard}); c.Correlation > 0.6 {
		t.Errorf("wrong speaker: %+v", c)
	}
	wide := Clip{48000, resample(t, 8000, 48000, heard)}
	if c := Compare(Clip{8000, alice}, wide); c.Correlation < 0.9 || c.Dropouts != 0 || math.Abs(c.Level+6) > 1 {
		t.Errorf("another rate: %+v", c)
	}
	late := append(make([]int16, 3*8000), telephone(alice[:10*8000], 1)...)
	if c := Compare(Clip{8000, alice}, Clip{8000, late}); c.Correlation < 0.9 || c.Offset != -3*time.Second {
		t.Errorf("recorded before the speech: %+v", c)
	}
}

// A-law that is read as mu-law is heard as the wrong level or not recognised at all.
func TestCompareWrongLaw(t *testing.T) {
	alice := speech(1, 20)
	heard := make([]int16, len(alice))
	for i, s := range alice {
		heard[i] = codec.MuLawSample(codec.ALaw(s))
	}
	if c := Compare(Clip{8000, alice}, Clip{8000, heard}); c.Correlation > 0.75 && math.Abs(c.Level) < 6 {
		t.Errorf("not noticed: %+v", c)
	}
}

func TestCompareDropouts(t *testing.T) {
	alice := speech(3, 20)
	heard := slices.Clone(alice)
	// Silence 100 ms in the middle of loud syllables.
	cut := 0
	l := levels(Clip{8000, alice})
	mean := level(alice)
	for i := 100; i+8 < len(l) && cut < 5; i++ {
		if slices.Min(l[i:i+8]) > mean {
			clear(heard[(i+1)*160 : (i+6)*160])
			i += 50
			cut++
		}
	}
	if cut < 3 {
		t.Fatalf("only %d loud places", cut)
	}
	if c := Compare(Clip{8000, alice}, Clip{8000, heard}); c.Dropouts < 5*cut-cut || c.Dropouts > 5*cut || c.Correlation < 0.75 {
		t.Errorf("%d cuts: %+v", cut, c)
	}
}

func TestCompareNothing(t *testing.T) {
	alice := speech(1, 5)
	for name, clips := range map[string][2]Clip{
		"empty":        {},
		"no rate":      {{0, alice}, {0, alice}},
		"heard empty":  {{8000, alice}, {8000, nil}},
		"spoken empty": {{8000, nil}, {8000, alice}},
		"heard short":  {{8000, alice}, {8000, alice[:10000]}},
		"silence":      {{8000, alice}, {8000, make([]int16, 5*8000)}},
		"never spoke":  {{8000, make([]int16, 5*8000)}, {8000, alice}},
	} {
		if c := Compare(clips[0], clips[1]); c != (Comparison{}) {
			t.Errorf("%s: %+v", name, c)
		}
	}
	tone := take(t, &Tone{Rate: 8000, Frequencies: []float64{1000}, Amplitude: 8000}, 5*8000)
	if c := Compare(Clip{8000, alice}, Clip{8000, tone}); c.Correlation > 0.5 {
		t.Errorf("tone: %+v", c)
	}
}
