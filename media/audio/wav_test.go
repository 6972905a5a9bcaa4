package audio

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/iotest"
)

// chunk makes a RIFF chunk.
func chunk(name string, body ...byte) []byte {
	b := binary.LittleEndian.AppendUint32([]byte(name), uint32(len(body)))
	if b = append(b, body...); len(body)%2 != 0 {
		b = append(b, 0)
	}
	return b
}

func wavFile(chunks ...[]byte) []byte {
	body := append([]byte("WAVE"), bytes.Join(chunks, nil)...)
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
}

func wavFormat(code, channels uint16, rate uint32, bits uint16, extension ...byte) []byte {
	b := binary.LittleEndian.AppendUint16(nil, code)
	b = binary.LittleEndian.AppendUint16(b, channels)
	b = binary.LittleEndian.AppendUint32(b, rate)
	b = append(b, 0, 0, 0, 0, 0, 0) // not looked at
	b = binary.LittleEndian.AppendUint16(b, bits)
	return chunk("fmt ", append(b, extension...)...)
}

var wavFiles = map[string]struct {
	in   []byte
	rate int
	want []int16
}{
	"16 bits": {wavFile(wavFormat(1, 1, 8000, 16), chunk("data", 1, 0, 0xff, 0x7f, 0, 0x80)), 8000, []int16{1, 32767, -32768}},
	"8 bits":  {wavFile(wavFormat(1, 1, 11025, 8), chunk("data", 0, 128, 255)), 11025, []int16{-32768, 0, 32512}},
	"24 bits": {wavFile(wavFormat(1, 1, 48000, 24), chunk("data", 9, 1, 2, 9, 0xff, 0xff)), 48000, []int16{513, -1}},
	"32 bits": {wavFile(wavFormat(1, 1, 48000, 32), chunk("data", 9, 9, 1, 2)), 48000, []int16{513}},
	"stereo":  {wavFile(wavFormat(1, 2, 8000, 16), chunk("data", 10, 0, 20, 0, 0, 0x80, 0, 0x80)), 8000, []int16{15, -32768}},
	"A-law":   {wavFile(wavFormat(6, 1, 8000, 8), chunk("data", 0xaa, 0xd5)), 8000, []int16{32256, 8}},
	"mu-law":  {wavFile(wavFormat(7, 1, 8000, 8, 0, 0), chunk("data", 0x80, 0xff)), 8000, []int16{32124, 0}},
	"extensible": {wavFile(wavFormat(0xfffe, 1, 8000, 16, 22, 0, 16, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 16, 0, 128, 0, 0, 170, 0, 56, 155, 113),
		chunk("data", 5, 0)), 8000, []int16{5}},
	"other chunks": {wavFile(chunk("LIST", 1, 2, 3), wavFormat(1, 1, 8000, 16), chunk("fact", 1, 0, 0, 0), chunk("data", 5, 0), chunk("junk", 9, 9)),
		8000, []int16{5}},
	"length unknown": {append(wavFile(wavFormat(1, 1, 8000, 16)), "data\xff\xff\xff\xff\x05\x00\x06\x00"...), 8000, []int16{5, 6}},
	"length zero":    {append(wavFile(wavFormat(1, 1, 8000, 16)), "data\x00\x00\x00\x00\x05\x00"...), 8000, []int16{5}},
	"half a sample":  {append(wavFile(wavFormat(1, 1, 8000, 16)), "data\x08\x00\x00\x00\x05\x00\x06"...), 8000, []int16{5}},
	"odd length":     {wavFile(wavFormat(1, 1, 8000, 16), chunk("data", 5, 0, 6)), 8000, []int16{5}},
}

var badWAVFiles = map[string]struct {
	in   []byte
	want error
}{
	"empty":             {nil, errNotWAV},
	"text":              {[]byte("hello, this is no sound at all"), errNotWAV},
	"AVI":               {[]byte("RIFF\x04\x00\x00\x00AVI "), errNotWAV},
	"nothing":           {wavFile(), errNoSamples},
	"no data":           {wavFile(wavFormat(1, 1, 8000, 16)), errNoSamples},
	"no format":         {wavFile(chunk("data", 1, 2)), errNoFormat},
	"short format":      {wavFile(chunk("fmt ", 1, 0)), errFormat},
	"huge format":       {append(wavFile(), "fmt \xff\xff\xff\x7f"...), errFormat},
	"format cut":        {append(wavFile(), "fmt \x10\x00\x00\x00\x01"...), errNoSamples},
	"skipped chunk cut": {append(wavFile(), "LIST\x10\x00\x00\x00\x01"...), errNoSamples},
	"MP3 in it":         {wavFile(wavFormat(0x55, 1, 8000, 0), chunk("data")), errFormat},
	"12 bits":           {wavFile(wavFormat(1, 1, 8000, 12), chunk("data")), errFormat},
	"64 bits":           {wavFile(wavFormat(1, 1, 8000, 64), chunk("data")), errFormat},
	"no rate":           {wavFile(wavFormat(1, 1, 0, 16), chunk("data")), errRate},
	"no channels":       {wavFile(wavFormat(1, 0, 8000, 16), chunk("data")), errChannels},
	"many channels":     {wavFile(wavFormat(1, 65535, 8000, 16), chunk("data")), errChannels},
	"many chunks":       {wavFile(bytes.Repeat(chunk("x   "), maxWAVChunks)), errNoSamples},
}

func TestWAVReader(t *testing.T) {
	for name, tt := range wavFiles {
		r, err := NewWAVReader(iotest.OneByteReader(bytes.NewReader(tt.in)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := ReadAll(r, 100)
		if err != nil || r.Rate() != tt.rate || !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v at %d Hz, %v, want %v at %d Hz", name, got, r.Rate(), err, tt.want, tt.rate)
		}
		for i := range tt.in {
			if r, err := NewWAVReader(bytes.NewReader(tt.in[:i])); err == nil {
				if got, err := ReadAll(r, 100); err != nil || len(got) > len(tt.want) {
					t.Errorf("%s cut at %d: %v, %v", name, i, got, err)
				}
			}
		}
	}
	for name, tt := range badWAVFiles {
		if r, err := NewWAVReader(bytes.NewReader(tt.in)); err != tt.want || r != nil {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
}

func TestWAVReaderError(t *testing.T) {
	broken := errors.New("broken disk")
	in := wavFiles["16 bits"].in
	for i := range in {
		r, err := NewWAVReader(io.MultiReader(bytes.NewReader(in[:i]), iotest.ErrReader(broken)))
		if err == nil {
			_, err = ReadAll(r, 100)
		}
		if err != broken {
			t.Errorf("after %d bytes: %v", i, err)
		}
	}
}

func TestReadAllLimit(t *testing.T) {
	got, err := ReadAll(&Tone{Rate: 8000}, 5000)
	if err != ErrTooLong || len(got) != 5000 {
		t.Errorf("%d samples, %v", len(got), err)
	}
}

func FuzzWAV(f *testing.F) {
	for _, tt := range wavFiles {
		f.Add(tt.in)
	}
	for _, tt := range badWAVFiles {
		f.Add(tt.in)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := NewWAVReader(bytes.NewReader(b))
		if err != nil {
			return
		}
		if got, err := ReadAll(r, 1<<20); err != nil || len(got) > len(b) {
			t.Fatalf("%d samples of %d bytes, %v", len(got), len(b), err)
		}
	})
}

func TestWAVWriter(t *testing.T) {
	pcm := take(t, &Tone{Rate: 16000, Frequencies: []float64{440}, Amplitude: 9000}, 1000)
	f, err := os.Create(filepath.Join(t.TempDir(), "a.wav"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var stream bytes.Buffer
	for _, w := range []io.Writer{f, &stream} {
		wav, err := NewWAVWriter(w, 16000)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(pcm); i += 100 {
			if err := wav.WriteSamples(pcm[i : i+100]); err != nil {
				t.Fatal(err)
			}
		}
		if err := wav.Close(); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	if riff, data := binary.LittleEndian.Uint32(b[4:]), binary.LittleEndian.Uint32(b[40:]); riff != uint32(len(b)-8) || data != 2000 {
		t.Errorf("lengths %d and %d in %d bytes", riff, data, len(b))
	}
	for _, b := range [][]byte{b, stream.Bytes()} {
		r, err := NewWAVReader(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := ReadAll(r, 5000); err != nil || r.Rate() != 16000 || !slices.Equal(got, pcm) {
			t.Errorf("%d samples at %d Hz, %v", len(got), r.Rate(), err)
		}
	}
	full := &WAVWriter{w: io.Discard, written: maxWAVBytes - 1}
	if err := full.WriteSamples(pcm[:1]); err != ErrFileFull {
		t.Errorf("full: %v", err)
	}
}

// take reads n samples.
func take(t testing.TB, s Source, n int) []int16 {
	t.Helper()
	pcm := make([]int16, n)
	if got, err := s.ReadSamples(pcm); got != n || err != nil {
		t.Fatalf("%d samples, %v", got, err)
	}
	return pcm
}
