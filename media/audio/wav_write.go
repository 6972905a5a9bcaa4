package audio

// Writing WAV files of 16-bit PCM, mono or stereo, as the samples come.

import (
	"encoding/binary"
	"errors"
	"io"
)

const (
	wavHeadSize = 44
	maxWAVBytes = 0xffffffff - wavHeadSize
)

// ErrFileFull is returned when a WAV file cannot hold more: its lengths have 32 bits.
var ErrFileFull = errors.New("audio: write WAV: more than 4 GiB of samples")

// A WAVWriter writes a WAV file. Its errors are those of the writer below and [ErrFileFull].
type WAVWriter struct {
	w        io.Writer
	rate     int
	channels int
	written  uint32 // bytes of samples
	buf      []byte
}

// NewWAVWriter writes the header. If w is an [io.Seeker], Close puts the lengths in; otherwise they stay those of a
// stream, which readers take for "up to the end".
func NewWAVWriter(w io.Writer, rate int) (*WAVWriter, error) { return newWAVWriter(w, rate, 1) }

// NewStereoWAVWriter is NewWAVWriter for two channels: see [WAVWriter.WriteStereo].
func NewStereoWAVWriter(w io.Writer, rate int) (*WAVWriter, error) { return newWAVWriter(w, rate, 2) }

func newWAVWriter(w io.Writer, rate, channels int) (*WAVWriter, error) {
	f := &WAVWriter{w: w, rate: rate, channels: channels}
	_, err := w.Write(f.head(0xffffffff, 0xffffffff))
	return f, err
}

func (f *WAVWriter) head(riff, data uint32) []byte {
	b := append(make([]byte, 0, wavHeadSize), "RIFF"...)
	b = binary.LittleEndian.AppendUint32(b, riff)
	b = append(b, "WAVEfmt "...)
	b = binary.LittleEndian.AppendUint32(b, 16)
	b = binary.LittleEndian.AppendUint16(b, wavPCM)
	b = binary.LittleEndian.AppendUint16(b, uint16(f.channels))
	b = binary.LittleEndian.AppendUint32(b, uint32(f.rate))
	b = binary.LittleEndian.AppendUint32(b, uint32(f.rate*2*f.channels))
	b = binary.LittleEndian.AppendUint16(b, uint16(2*f.channels))
	b = binary.LittleEndian.AppendUint16(b, 16)
	b = append(b, "data"...)
	return binary.LittleEndian.AppendUint32(b, data)
}

// WriteStereo appends a sample of each side in turn; both have equally many.
func (f *WAVWriter) WriteStereo(left, right []int16) error {
	pcm := make([]int16, 0, 2*len(left))
	for i := range min(len(left), len(right)) {
		pcm = append(pcm, left[i], right[i])
	}
	return f.WriteSamples(pcm)
}

// WriteSamples appends samples, of stereo files those of both channels in turn.
func (f *WAVWriter) WriteSamples(pcm []int16) error {
	if uint64(f.written)+2*uint64(len(pcm)) > maxWAVBytes {
		return ErrFileFull
	}
	f.buf = f.buf[:0]
	for _, s := range pcm {
		f.buf = binary.LittleEndian.AppendUint16(f.buf, uint16(s))
	}
	n, err := f.w.Write(f.buf)
	f.written += uint32(n)
	return err
}

// Close puts the lengths into the header. It does not close the writer below.
func (f *WAVWriter) Close() error {
	s, ok := f.w.(io.Seeker)
	if !ok {
		return nil
	}
	if _, err := s.Seek(-int64(f.written)-wavHeadSize, io.SeekCurrent); err != nil {
		return err
	}
	if _, err := f.w.Write(f.head(wavHeadSize-8+f.written, f.written)); err != nil {
		return err
	}
	_, err := s.Seek(int64(f.written), io.SeekCurrent)
	return err
}
