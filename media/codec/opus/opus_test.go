package opus

import (
	"errors"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/media/codec"
)

// open returns libopus. In the gate it must be there; where it is not, encoders cannot be tested.
func open(t testing.TB) *Library {
	t.Helper()
	l, err := Open()
	if !l.Speaks() {
		if os.Getenv("CI") == "true" && loads {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	return l
}

// speech is a melody: it has what voices have, beginnings, ends and overtones.
func speech(t testing.TB, rate, milliseconds int) []int16 {
	t.Helper()
	pcm := make([]int16, rate*milliseconds/1000)
	if _, err := (&audio.Music{Rate: rate}).ReadSamples(pcm); err != nil {
		t.Fatal(err)
	}
	return pcm
}

// path is an encoder and a decoder, and packets of so many samples between them, of which some may be lost.
type path struct {
	codec.Encoder
	codec.Decoder
	samples int
	lost    func(i int) bool
}

// pass encodes and decodes.
func (p path) pass(t testing.TB, pcm []int16) []int16 {
	t.Helper()
	e, d, n, lost := p.Encoder, p.Decoder, p.samples, p.lost
	var heard []int16
	missed := false
	for i := 0; len(pcm) >= n; i++ {
		payload, err := e.Encode(nil, pcm[:n])
		if err != nil {
			t.Fatal(err)
		}
		pcm = pcm[n:]
		if lost != nil && lost(i) {
			if missed {
				heard = d.Conceal(heard, n)
			}
			missed = true
			continue
		}
		if r, ok := d.(codec.Recoverer); missed && ok {
			heard = r.Recover(heard, payload, n)
		} else if missed {
			heard = d.Conceal(heard, n)
		}
		missed = false
		if heard, err = d.Decode(heard, payload); err != nil {
			t.Fatal(err)
		}
	}
	return heard
}

// likeness is the correlation of what was heard with what was said, at the best delay up to 30 ms.
func likeness(said, heard []int16, rate int) float64 {
	best := 0.0
	for delay := range rate * 30 / 1000 {
		var product, a, b float64
		for i := 0; i+delay < len(heard) && i < len(said); i += 7 {
			x, y := float64(said[i]), float64(heard[i+delay])
			product, a, b = product+x*y, a+x*x, b+y*y
		}
		best = max(best, product/math.Sqrt(a*b+1))
	}
	return best
}

// What is said is heard, at every rate and packet time, by libopus and by the decoder in Go.
func TestRoundTrip(t *testing.T) {
	l := open(t)
	for _, rate := range []int{8000, 16000, 48000} {
		for _, milliseconds := range []int{10, 20, 40, 60} {
			f := l.Format(rate, Settings{})
			e, err := f.NewEncoder()
			if err != nil {
				t.Fatal(err)
			}
			d, err := f.NewDecoder()
			if err != nil {
				t.Fatal(err)
			}
			pcm := speech(t, rate, 600)
			heard := path{e, d, rate * milliseconds / 1000, nil}.pass(t, pcm)
			if got := likeness(pcm, heard, rate); got < 0.85 || len(heard) != len(pcm) {
				t.Errorf("%d Hz, %d ms: likeness %.3f, %d samples of %d", rate, milliseconds, got, len(heard), len(pcm))
			}
		}
	}
	for _, rate := range []int{8000, 16000, 48000} {
		e, err := l.Format(rate, Settings{}).NewEncoder()
		if err != nil {
			t.Fatal(err)
		}
		d, err := newFallback(rate, 1)
		if err != nil {
			t.Fatal(err)
		}
		pcm := speech(t, rate, 600)
		heard := path{e, d, rate / 50, nil}.pass(t, pcm)
		if got := likeness(pcm, heard, rate); got < 0.85 || len(heard) != len(pcm) {
			t.Errorf("%d Hz without libopus: likeness %.3f, %d samples of %d", rate, got, len(heard), len(pcm))
		}
	}
}

// RFC 7587 §3.3: the copy in the next packet makes a lost one better than what is made up.
func TestFEC(t *testing.T) {
	l := open(t)
	lost := func(i int) bool { return i%5 == 4 }
	hear := func(s Settings) float64 {
		f := l.Format(16000, s)
		e, _ := f.NewEncoder()
		d, _ := f.NewDecoder()
		pcm := speech(t, 16000, 2000)
		heard := path{e, d, 320, lost}.pass(t, pcm)
		return likeness(pcm, heard, 16000)
	}
	with, without := hear(Settings{FEC: true, Loss: 20, Bitrate: 24000}), hear(Settings{Bitrate: 24000})
	if with < without+0.01 {
		t.Errorf("likeness with FEC %.3f, without %.3f", with, without)
	}
	f, _ := newFallback(16000, 1)
	e, _ := l.Format(16000, Settings{}).NewEncoder()
	pcm := speech(t, 16000, 2000)
	if got := likeness(pcm, path{e, f, 320, lost}.pass(t, pcm), 16000); got < 0.5 {
		t.Errorf("without libopus under loss: %.3f", got)
	}
}

// RFC 7587 §3.1.3: in silence nothing is sent, or nearly.
func TestDTX(t *testing.T) {
	f := open(t).Format(16000, Settings{DTX: true})
	e, _ := f.NewEncoder()
	d, _ := f.NewDecoder()
	sent := 0
	for range 100 {
		payload, err := e.Encode(nil, make([]int16, 320))
		if err != nil {
			t.Fatal(err)
		}
		if len(payload) > 0 {
			sent++
		}
	}
	if sent > 40 {
		t.Errorf("%d of 100 packets of silence sent", sent)
	}
	if n, level := d.(codec.Peeker).Peek([]byte{0x08}); n != 320 || level != codec.Silence {
		t.Errorf("a packet of DTX: %d samples at level %d", n, level)
	}
	if heard := d.Conceal(nil, 320); len(heard) != 320 {
		t.Errorf("%d samples made up", len(heard))
	}
}

func TestBitrate(t *testing.T) {
	l := open(t)
	size := func(s Settings, theirs string) int {
		f := l.Format(48000, s).Tune(theirs)
		e, _ := f.NewEncoder()
		pcm, bytes := speech(t, 48000, 1000), 0
		for ; len(pcm) >= 960; pcm = pcm[960:] {
			payload, _ := e.Encode(nil, pcm[:960])
			bytes += len(payload)
		}
		return bytes * 8
	}
	for _, tt := range []struct {
		settings Settings
		theirs   string
		want     int
	}{
		{Settings{}, "", 32000}, {Settings{Bitrate: 64000}, "", 64000}, {Settings{Bitrate: 64000}, "maxaveragebitrate=20000; stereo=1", 20000},
		{Settings{}, "maxaveragebitrate=1", 6000}, {Settings{Bitrate: 1 << 30}, "maxaveragebitrate=nonsense", 510000},
	} {
		if got := size(tt.settings, tt.theirs); got < tt.want/2 || got > tt.want*3/2 {
			t.Errorf("%+v with %q: %d bit/s, want about %d", tt.settings, tt.theirs, got, tt.want)
		}
	}
}

func TestSucceed(t *testing.T) {
	f := open(t).Format(16000, Settings{})
	a, _ := f.NewEncoder()
	b, _ := f.NewEncoder()
	pcm := speech(t, 16000, 400)
	for i := 0; i < 3200; i += 320 {
		_, _ = a.Encode(nil, pcm[i:i+320])
	}
	if !b.(codec.Successor).Succeed(a) || b.(codec.Successor).Succeed(nil) {
		t.Fatal("succeeds nobody, or anybody")
	}
	x, _ := a.Encode(nil, pcm[3200:3520])
	y, _ := b.Encode(nil, pcm[3200:3520])
	if string(x) != string(y) {
		t.Error("another stream")
	}
}

// A decoder that has rested begins anew.
func TestRest(t *testing.T) {
	f := open(t).Format(16000, Settings{})
	e, _ := f.NewEncoder()
	a, _ := f.NewDecoder()
	b, _ := f.NewDecoder()
	pcm := speech(t, 16000, 400)
	for i := 0; i < 3200; i += 320 {
		payload, _ := e.Encode(nil, pcm[i:i+320])
		_, _ = a.Decode(nil, payload)
	}
	a.(codec.Rester).Rest()
	a.(codec.Rester).Rest()
	payload, _ := e.Encode(nil, pcm[3200:3520])
	x, err := a.Decode(nil, payload)
	y, _ := b.Decode(nil, payload)
	if err != nil || !slices.Equal(x, y) || len(x) != 320 {
		t.Errorf("%d samples, %d of a new one, %v", len(x), len(y), err)
	}
}

// What a payload says of a voice in it. RFC 6716 §4.2.3.
func TestVoiceless(t *testing.T) {
	for _, tt := range []struct {
		packet []byte
		want   uint8
	}{
		{[]byte{9 << 3, 0x80, 0}, codec.Unknown}, {[]byte{9 << 3, 0x7f, 0}, codec.Voiceless}, {[]byte{13 << 3, 0x7f, 0}, codec.Voiceless},
		{[]byte{11 << 3, 0x20, 0}, codec.Unknown}, {[]byte{11 << 3, 0x1f, 0}, codec.Voiceless}, {[]byte{10 << 3, 0x3f, 0}, codec.Voiceless},
		{[]byte{17 << 3, 0, 0}, codec.Unknown}, {[]byte{9<<3 | 4, 0, 0}, codec.Unknown}, {[]byte{9<<3 | 1, 0, 0}, codec.Unknown}, {[]byte{9 << 3, 0}, codec.Silence},
	} {
		if _, got := peek(tt.packet, 16000); got != tt.want {
			t.Errorf("% x: %d, want %d", tt.packet, got, tt.want)
		}
	}
}

// Without libopus everything starts, hears, and says in one error what is missing.
func TestMissing(t *testing.T) {
	l := &Library{}
	f := l.Format(48000, Settings{})
	if _, err := f.NewEncoder(); !errors.Is(err, ErrMissing) || l.Speaks() || l.Version() != "" {
		t.Errorf("encoder: %v", err)
	}
	if d, err := f.NewDecoder(); err != nil || d == nil {
		t.Errorf("decoder: %v", err)
	}
	if _, err := l.Format(44100, Settings{}).NewDecoder(); err == nil {
		t.Error("a decoder of 44100 Hz")
	}
}

func TestFrameErrors(t *testing.T) {
	l := open(t)
	f := l.Format(48000, Settings{})
	e, _ := f.NewEncoder()
	for _, n := range []int{0, 1, 100, 961, 48000} {
		if _, err := e.Encode(nil, make([]int16, n)); err == nil {
			t.Errorf("a frame of %d samples", n)
		}
	}
	if _, err := l.Format(44100, Settings{}).NewEncoder(); err == nil {
		t.Error("an encoder of 44100 Hz")
	}
	if _, err := l.Format(44100, Settings{}).NewDecoder(); err == nil {
		t.Error("a decoder of 44100 Hz")
	}
}

func TestParameters(t *testing.T) {
	l := &Library{}
	for _, tt := range []struct {
		rate     int
		settings Settings
		want     string
	}{
		{48000, Settings{}, "minptime=10;useinbandfec=1"},
		{16000, Settings{DTX: true, Bitrate: 40000}, "minptime=10;useinbandfec=1;maxplaybackrate=16000;usedtx=1;maxaveragebitrate=40000"},
	} {
		if got := l.Format(tt.rate, tt.settings).FMTP; got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
	for theirs, want := range map[string]Settings{
		"useinbandfec=1;usedtx=1": {FEC: true, DTX: true},
		"minptime=10":             {},
		"USEINBANDFEC=0":          {},
	} {
		if got := (Settings{FEC: true}).tuned(theirs); got != want {
			t.Errorf("%q: %+v", theirs, got)
		}
	}
}

// RFC 6716 §3.1, §3.2: how long a packet is stands in its first two bytes.
func TestSamples(t *testing.T) {
	for _, tt := range []struct {
		packet []byte
		want   int // at 48000 Hz
	}{
		{nil, 0}, {[]byte{0x00}, 480}, {[]byte{0x08}, 960}, {[]byte{0x10}, 1920}, {[]byte{0x18}, 2880}, {[]byte{0x60}, 480}, {[]byte{0x68}, 960},
		{[]byte{0x80}, 120}, {[]byte{0x88}, 240}, {[]byte{0x90}, 480}, {[]byte{0x98}, 960}, {[]byte{0x99}, 1920}, {[]byte{0x9a}, 1920},
		{[]byte{0x9b}, 0}, {[]byte{0x9b, 3}, 2880}, {[]byte{0x9b, 6}, 5760}, {[]byte{0x9b, 7}, 0}, {[]byte{0x9b, 0}, 0},
	} {
		if got := samplesOf(tt.packet, 48000); got != tt.want {
			t.Errorf("% x: %d samples, want %d", tt.packet, got, tt.want)
		}
	}
}

// FuzzDecode: whatever comes gives sound of the announced length or an error, with both decoders.
func FuzzDecode(f *testing.F) {
	l, _ := Open()
	if e, err := l.Format(16000, Settings{}).NewEncoder(); err == nil {
		pcm := speech(f, 16000, 100)
		for ; len(pcm) >= 320; pcm = pcm[320:] {
			payload, _ := e.Encode(nil, pcm[:320])
			f.Add(payload)
		}
	}
	f.Add([]byte{0x9b, 6, 1, 2, 3})
	f.Fuzz(func(t *testing.T, payload []byte) {
		d, err := l.Format(16000, Settings{}).NewDecoder()
		if err != nil {
			t.Fatal(err)
		}
		g, err := newFallback(16000, 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range []codec.Decoder{d, g} {
			n, _ := d.(codec.Peeker).Peek(payload)
			if heard, err := d.Decode(nil, payload); err == nil && len(heard) > n || err != nil && len(heard) > 0 {
				t.Errorf("%d samples, %d announced: %v", len(heard), n, err)
			}
			if r, ok := d.(codec.Recoverer); ok {
				r.Recover(nil, payload, 320)
			}
		}
	})
}

func BenchmarkOpus(b *testing.B) {
	l := open(b)
	f := l.Format(48000, Settings{})
	pcm := speech(b, 48000, 20)
	e, _ := f.NewEncoder()
	payload, _ := e.Encode(nil, pcm)
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		var dst []byte
		for b.Loop() {
			dst, _ = e.Encode(dst[:0], pcm)
		}
	})
	decoders := map[string]codec.Decoder{}
	decoders["decode"], _ = f.NewDecoder()
	decoders["decode in Go"], _ = newFallback(48000, 1)
	for name, d := range decoders {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var dst []int16
			for b.Loop() {
				dst, _ = d.Decode(dst[:0], payload)
			}
		})
	}
}
