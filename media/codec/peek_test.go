package codec

import (
	"math"
	"math/rand/v2"
	"testing"
)

// What a look tells is what decoding shows: exactly for G.711, within 8 dB for speech in G.722. RFC 6464 §3.
func TestPeek(t *testing.T) {
	for _, tt := range []struct {
		format    Format
		tolerance int
	}{{PCMU(), 0}, {PCMA(), 0}, {G722(), 8}} {
		for _, loudness := range []float64{1, 0.3, 0.1, 0.03} {
			e, looked := coders(t, tt.format)
			_, decoded := coders(t, tt.format)
			n := tt.format.Rate / 50
			pcm := whisper(10*n, loudness)
			var level, want uint8
			for ; len(pcm) > 0; pcm = pcm[n:] {
				payload, _ := e.Encode(nil, pcm[:n])
				heard, _ := decoded.Decode(nil, payload)
				var samples int
				if samples, level = looked.(Peeker).Peek(payload); samples != n {
					t.Fatalf("%s: %d samples, want %d", tt.format.Name, samples, n)
				}
				want = Level(heard)
			}
			if d := int(level) - int(want); max(d, -d) > tt.tolerance {
				t.Errorf("%s at %g: level %d, decoded %d", tt.format.Name, loudness, level, want)
			}
		}
	}
}

// whisper is noise with the spectrum of speech, roughly: 6 dB less for each octave.
func whisper(n int, loudness float64) []int16 {
	random := rand.New(rand.NewPCG(1, 2))
	pcm, past := make([]int16, n), 0.0
	for i := range pcm {
		past = 0.9*past + 2000*random.NormFloat64()
		pcm[i] = int16(loudness * past)
	}
	return pcm
}

func TestPeekDisturbsNothing(t *testing.T) {
	for _, f := range allFormats() {
		e, looked := coders(t, f)
		_, plain := coders(t, f)
		for i := range 5 {
			payload, _ := e.Encode(nil, voice(i*320, 320))
			looked.(Peeker).Peek(payload)
			a, _ := looked.Decode(nil, payload)
			b, _ := plain.Decode(nil, payload)
			for k := range a {
				if a[k] != b[k] {
					t.Fatalf("%s: packet %d differs after a look", f.Name, i)
				}
			}
		}
	}
}

func TestLevel(t *testing.T) {
	square := func(amplitude int16) []int16 {
		pcm := make([]int16, 100)
		for i := range pcm {
			pcm[i] = amplitude
			if i%2 == 0 {
				pcm[i] = -amplitude
			}
		}
		return pcm
	}
	for amplitude, want := range map[int16]uint8{32767: 0, 16384: 6, 3277: 20, 328: 40, 33: 60, 1: 90, 0: Silence} {
		if got := Level(square(amplitude)); got != want {
			t.Errorf("amplitude %d: %d, want %d", amplitude, got, want)
		}
	}
	if Level(nil) != Silence {
		t.Error("nothing is not silent")
	}
	for _, f := range formats() {
		e, d := coders(t, f)
		payload, _ := e.Encode(nil, make([]int16, 160))
		if _, level := d.(Peeker).Peek(payload); level < 70 {
			t.Errorf("%s: silence at %d", f.Name, level)
		}
	}
}

// An encoder that takes over makes what the first would have made.
func TestSucceed(t *testing.T) {
	for _, f := range allFormats() {
		first, _ := coders(t, f)
		second, _ := coders(t, f)
		_, _ = first.Encode(nil, voice(0, 3200))
		if !second.(Successor).Succeed(first) {
			t.Fatal(f.Name)
		}
		a, _ := first.Encode(nil, voice(3200, 320))
		b, _ := second.Encode(nil, voice(3200, 320))
		if string(a) != string(b) {
			t.Errorf("%s: another stream", f.Name)
		}
		if second.(Successor).Succeed(nil) {
			t.Errorf("%s succeeds nobody", f.Name)
		}
	}
}

// TestFollow: somebody who speaks in the middle of what another says in G.722 is understood, and would be much too loud without having followed.
func TestFollow(t *testing.T) {
	tone := make([]int16, 3200)
	for i := range tone {
		x := 2 * math.Pi * float64(i) / 16000
		tone[i] = int16(8000 * (math.Sin(697*x) + math.Sin(1209*x)))
	}
	loudest := func(follow bool) (most int16) {
		first, second, decoder := newG722Encoder(), newG722Encoder(), newG722Decoder()
		say := func(e Encoder, pcm []int16) []int16 {
			payload, _ := e.Encode(nil, pcm) // an even number of samples
			heard, _ := decoder.Decode(nil, payload)
			return heard
		}
		say(first, tone)
		say(first, make([]int16, 3200))
		if follow && (!second.Follow(decoder) || second.Follow(nil)) {
			t.Error("does not follow")
		}
		for _, s := range say(second, tone) {
			most = max(most, s)
		}
		return most
	}
	if with, without := loudest(true), loudest(false); with > 17500 || without < 24000 {
		t.Errorf("up to %d, and to %d without following", with, without)
	}
}
