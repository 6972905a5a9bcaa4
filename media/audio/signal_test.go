package audio

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

// TestSignals: each tone of each country has the frequencies that it names, alone, for as long as it says, and begins anew. ITU-T E.180.
func TestSignals(t *testing.T) {
	countries := []string{"", "xx"}
	for line := range strings.Lines(nationalSignals) {
		if name, tones, ok := strings.Cut(line, ":"); ok {
			if n := strings.Count(tones, "|"); n != 4 && n != 5 {
				t.Errorf("%s has %d tones", name, n+1)
			}
			countries = append(countries, strings.ToLower(name))
		}
	}
	for _, country := range countries {
		s := SignalsOf(country)
		for i, c := range []Cadence{s.Dial, s.Ringback, s.Busy, s.Congestion, s.Information, s.Waiting} {
			if len(c.pieces(8000)) == 0 || i > 0 && c.Length() < 200*time.Millisecond {
				t.Errorf("%q: tone %d lasts %s: %q", country, i, c.Length(), c)
			}
			checkCadence(t, c)
		}
	}
	if got := SignalsOf("de"); got.Busy != "425/480 0/480" || got.Information != threeTones {
		t.Errorf("Germany: %+v", got)
	}
	if got, want := SignalsOf("xx"), SignalsOf(""); got != want {
		t.Errorf("nowhere: %+v", got)
	}
}

// checkCadence plays a tone twice.
func checkCadence(t *testing.T, c Cadence) {
	t.Helper()
	const rate = 8000
	source := c.Source(rate)
	for range 2 {
		for _, p := range c.pieces(rate) {
			pcm := make([]int16, p.samples)
			if p.samples == 0 {
				pcm = make([]int16, rate)
			}
			if n, err := source.ReadSamples(pcm); n != len(pcm) || err != nil {
				t.Fatalf("%q: %d samples, %v", c, n, err)
			}
			energy, tones := 0.0, 0.0
			for _, s := range pcm {
				energy += float64(s) * float64(s)
			}
			for _, f := range p.frequencies {
				if len(pcm) < rate/10 {
					continue // too short to tell frequencies apart
				}
				level := Goertzel(pcm, rate, f)
				if tones += level * level / 2 * float64(len(pcm)); level < 0.7*signalLevel/float64(len(p.frequencies)) {
					t.Errorf("%q: %v Hz at a level of %.0f", c, f, level)
				}
			}
			if len(p.frequencies) == 0 && energy > 0 || tones > 0 && energy > 1.4*tones {
				t.Errorf("%q: %v sounds of more", c, p)
			}
		}
	}
}

// TestCadenceOnce: played once, a tone ends; an empty one at once.
func TestCadenceOnce(t *testing.T) {
	pcm := make([]int16, 1000)
	for c, want := range map[Cadence]int{"440/50 0/50": 800, "": 0, "440/25": 200} {
		source := c.Once(8000)
		n, err := source.ReadSamples(pcm)
		if n != want || !errors.Is(err, io.EOF) {
			t.Errorf("%q: %d samples, %v", c, n, err)
		}
		if n, err := source.ReadSamples(pcm); n != 0 || !errors.Is(err, io.EOF) {
			t.Errorf("%q behind its end: %d samples, %v", c, n, err)
		}
	}
	if n, err := Cadence("").Source(8000).ReadSamples(pcm); n != 0 || err == nil {
		t.Errorf("no tone without an end: %d samples, %v", n, err)
	}
}
