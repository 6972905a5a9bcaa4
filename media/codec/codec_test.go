package codec

import (
	"math"
	"testing"
	"time"
)

// formats are those of a byte a sample.
func formats() []Format { return []Format{PCMU(), PCMA()} }

func allFormats() []Format { return append(formats(), G722()) }

// voice is a tone with overtones that begins at sample number from.
func voice(from, n int) []int16 {
	pcm := make([]int16, n)
	for i := range pcm {
		x := 2 * math.Pi * 125 * float64(from+i) / 8000
		pcm[i] = int16(6000*math.Sin(x) + 3000*math.Sin(3*x+1))
	}
	return pcm
}

func coders(t testing.TB, f Format) (Encoder, Decoder) {
	t.Helper()
	e, err := f.NewEncoder()
	if err != nil {
		t.Fatal(err)
	}
	d, err := f.NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	return e, d
}

// distance is the difference of two signals relative to the first, in dB.
func distance(a, b []int16) float64 {
	var signal, noise float64
	for i := range a {
		signal += float64(a[i]) * float64(a[i])
		noise += (float64(a[i]) - float64(b[i])) * (float64(a[i]) - float64(b[i]))
	}
	return 10 * math.Log10(noise/signal)
}

func TestRoundTrip(t *testing.T) {
	for _, f := range formats() {
		e, d := coders(t, f)
		pcm := voice(0, 1600)
		var heard []int16
		for i := 0; i < len(pcm); i += 160 {
			payload, err := e.Encode([]byte{1}, pcm[i:i+160])
			if err != nil || len(payload) != 161 {
				t.Fatalf("%s: %v, %d bytes", f.Name, err, len(payload))
			}
			if heard, err = d.Decode(heard, payload[1:]); err != nil {
				t.Fatal(err)
			}
		}
		if got := distance(pcm, heard); len(heard) != len(pcm) || got > -33 {
			t.Errorf("%s: noise at %.1f dB", f.Name, got)
		}
	}
}

// RFC 3551 §4.5.14, and §4.5.2: the clock of G722 says 8000.
func TestFrames(t *testing.T) {
	for _, f := range allFormats() {
		if n, ticks := f.Samples(20*time.Millisecond), f.Ticks(20*time.Millisecond); n != f.Rate/50 || ticks != 160 {
			t.Errorf("%s: %d samples, %d ticks", f.Name, n, ticks)
		}
	}
	wide := Format{Clock: 48000, Rate: 16000, Channels: 2}
	if n, ticks := wide.Samples(30*time.Millisecond), wide.Ticks(30*time.Millisecond); n != 960 || ticks != 1440 {
		t.Errorf("%d samples, %d ticks", n, ticks)
	}
}

// A lost packet of a steady voice sounds nearly as if it had come; a long loss fades to silence.
func TestConceal(t *testing.T) {
	for _, f := range formats() {
		e, d := coders(t, f)
		decode := func(pcm []int16) []int16 {
			payload, _ := e.Encode(nil, pcm)
			out, err := d.Decode(nil, payload)
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		decode(voice(0, 160))
		decode(voice(160, 160))
		made := d.Conceal(nil, 160)
		if got := distance(voice(320, 80), made); len(made) != 160 || got > -10 {
			t.Errorf("%s: %d samples made, off by %.1f dB", f.Name, len(made), got)
		}
		after := decode(voice(480, 160))
		if step := math.Abs(float64(after[0]) - float64(made[159])); step > 3000 {
			t.Errorf("%s: click of %v after the loss", f.Name, step)
		}
		if got := distance(voice(480, 160)[blended:], after[blended:]); got > -33 {
			t.Errorf("%s: noise at %.1f dB after the loss", f.Name, got)
		}
		made = d.Conceal(nil, 800)
		for _, s := range made[fadeEnds:] {
			if s != 0 {
				t.Fatalf("%s: not silent after 60 ms", f.Name)
			}
		}
	}
}

// Losses before anything was heard, and packets of odd lengths, do no harm.
func TestConcealEdges(t *testing.T) {
	_, d := coders(t, PCMU())
	for _, s := range d.Conceal(nil, 400) {
		if s != 0 {
			t.Fatal("noise out of nothing")
		}
	}
	for _, n := range []int{0, 1, 39, 279, 280, 281, 1000} {
		out, err := d.Decode([]int16{7}, make([]byte, n))
		if err != nil || len(out) != n+1 || out[0] != 7 {
			t.Errorf("%d bytes gave %d samples, %v", n, len(out), err)
		}
		if out = d.Conceal(out, 5); len(out) != n+6 {
			t.Errorf("%d samples", len(out))
		}
	}
}

func TestAllocatesNothing(t *testing.T) {
	for _, f := range allFormats() {
		e, d := coders(t, f)
		pcm, payload, out := voice(0, 160), make([]byte, 0, 160), make([]int16, 0, 320)
		if n := testing.AllocsPerRun(100, func() {
			payload, _ = e.Encode(payload[:0], pcm)
			out, _ = d.Decode(out[:0], payload)
			out = d.Conceal(out[:0], 160)
		}); n != 0 {
			t.Errorf("%s: %v allocations", f.Name, n)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte{0x80, 0xff, 0x7f}, 160)
	f.Add([]byte{}, 0)
	f.Fuzz(func(t *testing.T, payload []byte, lost int) {
		lost = min(max(lost, 0), 10000)
		for _, format := range allFormats() {
			_, d := coders(t, format)
			out := d.Conceal(nil, lost)
			out, err := d.Decode(out, payload)
			if err != nil || len(out) != lost+len(payload)*format.Rate/8000 {
				t.Fatalf("%d samples, %v", len(out), err)
			}
			d.Conceal(nil, lost)
		}
	})
}

func BenchmarkG711(b *testing.B) {
	for _, f := range formats() {
		e, d := coders(b, f)
		pcm, payload, out := voice(0, 160), make([]byte, 0, 160), make([]int16, 0, 160)
		payload, _ = e.Encode(payload, pcm)
		b.Run(f.Name+"/encode", func(b *testing.B) {
			for b.Loop() {
				payload, _ = e.Encode(payload[:0], pcm)
			}
		})
		b.Run(f.Name+"/decode", func(b *testing.B) {
			for b.Loop() {
				out, _ = d.Decode(out[:0], payload)
			}
		})
	}
}
