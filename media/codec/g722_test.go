package codec

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"testing"
)

// sweep is a second of a tone that rises from 50 to 7000 Hz, getting louder, with a click in the middle.
func sweep() []int16 {
	pcm := make([]int16, 16000)
	phase := 0.0
	for i := range pcm {
		at := float64(i) / float64(len(pcm))
		phase += 2 * math.Pi * (50 + 6950*at) / 16000
		pcm[i] = int16(30000 * at * math.Sin(phase))
	}
	pcm[8000] = 32767
	return pcm
}

// The bytes of a sweep, and the samples that they become, are those of two other implementations of ITU-T G.722.
func TestG722Reference(t *testing.T) {
	e, d := coders(t, G722())
	payload, err := e.Encode(nil, sweep())
	if err != nil || len(payload) != 8000 {
		t.Fatalf("%d bytes, %v", len(payload), err)
	}
	pcm, err := d.Decode(nil, payload)
	if err != nil || len(pcm) != 16000 {
		t.Fatalf("%d samples, %v", len(pcm), err)
	}
	sum := sha256.New()
	for _, s := range pcm {
		sum.Write([]byte{byte(s), byte(s >> 8)})
	}
	coded := sha256.Sum256(payload)
	for _, tt := range []struct{ what, got, want string }{
		{"encoder", hex.EncodeToString(coded[:8]), "426e218a3801f554"},
		{"decoder", hex.EncodeToString(sum.Sum(nil)[:8]), "710930fc5c8998f1"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %s, want %s", tt.what, tt.got, tt.want)
		}
	}
}

// delayG722 is by how many samples the filters of both sides delay the sound.
const delayG722 = 22

// speech is a tone with overtones up to 5 kHz.
func speech(from, n int) []int16 {
	pcm := make([]int16, n)
	for i := range pcm {
		x := 2 * math.Pi * 125 * float64(from+i) / 16000
		pcm[i] = int16(6000*math.Sin(x) + 3000*math.Sin(3*x+1) + 500*math.Sin(40*x))
	}
	return pcm
}

func TestG722RoundTrip(t *testing.T) {
	e, d := coders(t, G722())
	pcm := speech(0, 3200)
	var heard []int16
	for i := 0; i < len(pcm); i += 320 {
		payload, err := e.Encode(nil, pcm[i:i+320])
		if err != nil || len(payload) != 160 {
			t.Fatalf("%v, %d bytes", err, len(payload))
		}
		if heard, err = d.Decode(heard, payload); err != nil {
			t.Fatal(err)
		}
	}
	if got := distance(pcm[320:len(pcm)-delayG722], heard[320+delayG722:]); got > -22 {
		t.Errorf("noise at %.1f dB", got)
	}
	if _, err := e.Encode(nil, pcm[:3]); err == nil {
		t.Error("three samples are encoded")
	}
}

func TestG722Conceal(t *testing.T) {
	e, d := coders(t, G722())
	for i := range 4 {
		payload, _ := e.Encode(nil, speech(320*i, 320))
		if _, err := d.Decode(nil, payload); err != nil {
			t.Fatal(err)
		}
	}
	made := d.Conceal(nil, 320)
	if got := distance(speech(1280-delayG722, 160), made); len(made) != 320 || got > -10 {
		t.Errorf("%d samples made, off by %.1f dB", len(made), got)
	}
	made = d.Conceal(nil, 1600)
	for _, s := range made[2*fadeEnds:] {
		if s != 0 {
			t.Fatal("not silent after 60 ms")
		}
	}
}

func BenchmarkG722(b *testing.B) {
	e, d := coders(b, G722())
	pcm, payload, out := speech(0, 320), make([]byte, 0, 160), make([]int16, 0, 320)
	payload, _ = e.Encode(payload, pcm)
	b.Run("encode", func(b *testing.B) {
		for b.Loop() {
			payload, _ = e.Encode(payload[:0], pcm)
		}
	})
	b.Run("decode", func(b *testing.B) {
		for b.Loop() {
			out, _ = d.Decode(out[:0], payload)
		}
	})
}
