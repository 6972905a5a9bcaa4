package audio

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"slices"
	"testing"

	"github.com/sipwerk/sipwerk/media/codec"
	"github.com/sipwerk/sipwerk/media/codec/opus"
)

// sides are frames of two tones.
func sides(rate, frames int, f func(left, right []int16)) {
	a, b := tone(rate, 500, 6000), tone(rate, 900, 6000)
	left, right := make([]int16, rate/50), make([]int16, rate/50)
	for range frames {
		_, _ = a.ReadSamples(left)
		_, _ = b.ReadSamples(right)
		f(left, right)
	}
}

func TestRecordWAV(t *testing.T) {
	var file seekable
	w, err := NewStereoWAVWriter(&file, 8000)
	if err != nil {
		t.Fatal(err)
	}
	r := NewRecorder(w)
	sides(8000, 50, r.Take)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	r.Take([]int16{1}, []int16{1}) // after the end: nothing
	data := file.bytes[wavHeadSize:]
	var left, right []int16
	for ; len(data) > 0; data = data[4:] {
		left, right = append(left, int16(uint16(data[0])|uint16(data[1])<<8)), append(right, int16(uint16(data[2])|uint16(data[3])<<8))
	}
	if len(left) != 8000 || Goertzel(left, 8000, 500) < 5900 || Goertzel(left, 8000, 900) > 50 || Goertzel(right, 8000, 900) < 5900 {
		t.Errorf("%d samples, left %.0f and %.0f", len(left), Goertzel(left, 8000, 500), Goertzel(left, 8000, 900))
	}
	reader, err := NewWAVReader(bytes.NewReader(file.bytes))
	if err != nil || reader.channels != 2 || reader.Rate() != 8000 {
		t.Errorf("read again: %v %+v", err, reader)
	}
}

// seekable is a file in memory.
type seekable struct {
	bytes []byte
	at    int
}

func (s *seekable) Write(b []byte) (int, error) {
	s.bytes = append(s.bytes[:s.at], append(slices.Clone(b), s.bytes[min(s.at+len(b), len(s.bytes)):]...)...)
	s.at += len(b)
	return len(b), nil
}

func (s *seekable) Seek(offset int64, whence int) (int64, error) {
	if whence != io.SeekCurrent {
		return 0, errors.New("not needed")
	}
	s.at += int(offset)
	return int64(s.at), nil
}

// RFC 7845: what is recorded plays, also if the end of the file is missing.
func TestRecordOpus(t *testing.T) {
	library, err := opus.Open()
	if !library.Speaks() {
		t.Log(err) // package opus fails for it in the gate
		return
	}
	var file bytes.Buffer
	w, err := NewOpusWriter(&file, library.File(16000, 2))
	if err != nil {
		t.Fatal(err)
	}
	r := NewRecorder(w)
	sides(16000, 155, r.Take)
	r.Take(make([]int16, 7), make([]int16, 7)) // no whole packet
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	for whole, end := range map[bool]int{true: file.Len(), false: file.Len() - 100} {
		s, err := NewOpusReader(bytes.NewReader(file.Bytes()[:end]), library.Format(16000, opus.Settings{}))
		if err != nil {
			t.Fatal(err)
		}
		pcm, err := ReadAll(s, 1<<20)
		// Three pages are whole, of 50 packets each.
		if want := map[bool]int{true: 156 * 320, false: 150 * 320}[whole] - opusPreSkip/3; err != nil || len(pcm) != want {
			t.Errorf("whole %t: %d samples, want %d: %v", whole, len(pcm), want, err)
		}
		if a, b := Goertzel(pcm[16000:32000], 16000, 500), Goertzel(pcm[16000:32000], 16000, 900); a < 2500 || b < 2500 {
			t.Errorf("sides at %.0f and %.0f", a, b)
		}
	}
}

// full is a disk that takes so many bytes.
type full struct{ room int }

var errFull = errors.New("no space left on device")

func (f *full) Write(b []byte) (int, error) {
	if f.room -= len(b); f.room < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestDiskFull(t *testing.T) {
	w, err := NewStereoWAVWriter(&full{room: 5000}, 8000)
	if err != nil {
		t.Fatal(err)
	}
	r := NewRecorder(w)
	sides(8000, 50, r.Take)
	if err := r.Close(); !errors.Is(err, errFull) {
		t.Errorf("error %v", err)
	}
	if _, err := NewOggWriter(&full{}, 8000, 1, 1); !errors.Is(err, errFull) {
		t.Errorf("headers: %v", err)
	}
}

// stuck is a disk that hangs until it is released.
type stuck struct {
	release chan struct{}
	frames  int
	silent  int
}

func (s *stuck) WriteStereo(left, _ []int16) error {
	<-s.release
	s.frames++
	if codec.Level(left) == codec.Silence {
		s.silent++
	}
	return nil
}

func (s *stuck) Close() error { return nil }

// A disk that hangs holds up nobody; what is lost is silence of the same length.
func TestSlowDisk(t *testing.T) {
	s := &stuck{release: make(chan struct{})}
	r := NewRecorder(s)
	sides(8000, recordQueue+101, r.Take)
	close(s.release)
	for len(r.frames) > 0 {
		runtime.Gosched() // the disk works again
	}
	sides(8000, 1, r.Take)
	if err := r.Close(); !errors.Is(err, ErrDisk) {
		t.Errorf("error %v", err)
	}
	if s.frames < recordQueue+101 || s.silent < 99 {
		t.Errorf("%d frames, %d of them silent", s.frames, s.silent)
	}
}

// FuzzOgg: no file makes the reader fail otherwise than by an error, and what it wrote itself it reads.
func FuzzOgg(f *testing.F) {
	var file bytes.Buffer
	o, _ := NewOggWriter(&file, 48000, 1, 5)
	_ = o.WritePacket([]byte("packet"))
	_ = o.WritePacket(make([]byte, 600))
	_ = o.Close()
	f.Add(file.Bytes())
	f.Add(file.Bytes()[:60])
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := NewOggReader(bytes.NewReader(b))
		for n := 0; err == nil; n++ {
			if _, err = r.Packet(); n > len(b) {
				t.Fatal("more packets than bytes")
			}
		}
	})
}

// RFC 3533 §6: packets of any length lie over pages, and a changed byte is noticed.
func TestOggPackets(t *testing.T) {
	var file bytes.Buffer
	o, _ := NewOggWriter(&file, 48000, 1, 5)
	want := [][]byte{[]byte("packet"), make([]byte, 255), make([]byte, 1275), {}}
	for range 40 {
		for _, p := range want {
			if err := o.WritePacket(p); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = o.Close()
	r, err := NewOggReader(bytes.NewReader(file.Bytes()))
	if err != nil || r.Channels() != 1 {
		t.Fatal(err)
	}
	for i := range 40 * len(want) {
		if p, err := r.Packet(); err != nil || !bytes.Equal(p, want[i%len(want)]) {
			t.Fatalf("packet %d: %d bytes, %v", i, len(p), err)
		}
	}
	if _, err := r.Packet(); err != io.EOF {
		t.Error(err)
	}
	broken := slices.Clone(file.Bytes())
	broken[len(broken)/2] ^= 1
	r, _ = NewOggReader(bytes.NewReader(broken))
	for err = nil; err == nil; {
		_, err = r.Packet()
	}
	if !errors.Is(err, errOggSum) {
		t.Errorf("a changed byte: %v", err)
	}
}
