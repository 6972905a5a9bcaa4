package audio

// Reading WAV files: PCM of 8, 16, 24 and 32 bits, A-law and mu-law, any number of channels mixed to one. Multimedia
// Programming Interface and Data Specifications 1.0 (RIFF).

import (
	"bufio"
	"encoding/binary"
	"io"

	"github.com/sipwerk/sipwerk/media/codec"
)

// Codes of formats.
const (
	wavPCM        = 1
	wavALaw       = 6
	wavMuLaw      = 7
	wavExtensible = 0xfffe // the code is in the extension
)

// Limits of what [NewWAVReader] accepts.
const (
	maxWAVRate     = 384000
	maxWAVChannels = 16
	maxWAVFormat   = 4096 // bytes of the fmt chunk
	maxWAVChunks   = 1000 // before the samples
)

// A WAVError says why a file is not one that can be played.
type WAVError string

// Error implements error.
func (e WAVError) Error() string { return "audio: read WAV: " + string(e) }

// Reasons to refuse a file.
const (
	errNotWAV    WAVError = "not a RIFF WAVE file"
	errNoSamples WAVError = "no samples in it"
	errNoFormat  WAVError = "samples before their format"
	errFormat    WAVError = "format not known"
	errRate      WAVError = "sample rate out of range"
	errChannels  WAVError = "number of channels out of range"
)

// A WAVReader is a [Source] that reads a WAV file.
type WAVReader struct {
	r        *bufio.Reader
	rate     int
	channels int
	bytes    int // of a sample
	law      func(byte) int16
	left     int64 // bytes of the data chunk
	frame    []byte
}

// NewWAVReader reads up to the first sample. Chunks that are not known are skipped. A length of 0 or of the largest
// number, which programs write that cannot go back, means up to the end of the file. The error is a [WAVError] or one of r.
func NewWAVReader(r io.Reader) (*WAVReader, error) {
	w := &WAVReader{r: bufio.NewReader(r)}
	var head [12]byte
	if _, err := io.ReadFull(w.r, head[:]); err != nil {
		return nil, missing(err, errNotWAV)
	}
	if string(head[:4]) != "RIFF" || string(head[8:]) != "WAVE" {
		return nil, errNotWAV
	}
	for range maxWAVChunks {
		found, err := w.chunk()
		if err != nil {
			return nil, err
		}
		if found {
			return w, nil
		}
	}
	return nil, errNoSamples
}

// missing turns the end of the file into what is missing.
func missing(err error, what WAVError) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return what
	}
	return err
}

// chunk reads one chunk and tells whether it is that of the samples.
func (w *WAVReader) chunk() (bool, error) {
	var head [8]byte
	if _, err := io.ReadFull(w.r, head[:]); err != nil {
		return false, missing(err, errNoSamples)
	}
	size := int64(binary.LittleEndian.Uint32(head[4:]))
	switch string(head[:4]) {
	case "data":
		if w.rate == 0 {
			return false, errNoFormat
		}
		w.left = size
		if size == 0 || size >= 0xffffffff-64 {
			w.left = 1 << 62
		}
		return true, nil
	case "fmt ":
		if size < 16 || size > maxWAVFormat {
			return false, errFormat
		}
		format := make([]byte, size+size%2)
		if _, err := io.ReadFull(w.r, format); err != nil {
			return false, missing(err, errNoSamples)
		}
		return false, w.format(format)
	}
	_, err := io.CopyN(io.Discard, w.r, size+size%2)
	return false, missing(err, errNoSamples)
}

func (w *WAVReader) format(b []byte) error {
	code := binary.LittleEndian.Uint16(b)
	channels, bits := binary.LittleEndian.Uint16(b[2:]), binary.LittleEndian.Uint16(b[14:])
	rate := binary.LittleEndian.Uint32(b[4:])
	if code == wavExtensible && len(b) >= 26 {
		code = binary.LittleEndian.Uint16(b[24:])
	}
	switch {
	case rate == 0 || rate > maxWAVRate:
		return errRate
	case channels == 0 || channels > maxWAVChannels:
		return errChannels
	case code == wavALaw && bits == 8:
		w.law = codec.ALawSample
	case code == wavMuLaw && bits == 8:
		w.law = codec.MuLawSample
	case code != wavPCM || bits%8 != 0 || bits == 0 || bits > 32:
		return errFormat
	}
	w.rate, w.channels, w.bytes = int(rate), int(channels), int(bits/8)
	w.frame = make([]byte, w.channels*w.bytes)
	return nil
}

// Rate returns the sample rate.
func (w *WAVReader) Rate() int { return w.rate }

// ReadSamples implements [Source]. A file that ends in the middle of a sample ends before it.
func (w *WAVReader) ReadSamples(pcm []int16) (int, error) {
	for i := range pcm {
		if w.left < int64(len(w.frame)) {
			return i, io.EOF
		}
		if _, err := io.ReadFull(w.r, w.frame); err != nil {
			if err == io.ErrUnexpectedEOF {
				err = io.EOF
			}
			w.left = 0
			return i, err
		}
		w.left -= int64(len(w.frame))
		pcm[i] = w.mix()
	}
	return len(pcm), nil
}

// mix returns the mean of the channels.
func (w *WAVReader) mix() int16 {
	sum := 0
	for i := 0; i < len(w.frame); i += w.bytes {
		sum += w.sample(w.frame[i : i+w.bytes])
	}
	return int16(sum / w.channels)
}

// sample reads the upper 16 bits; those of one byte are unsigned.
func (w *WAVReader) sample(b []byte) int {
	switch {
	case w.law != nil:
		return int(w.law(b[0]))
	case len(b) == 1:
		return (int(b[0]) - 128) << 8
	}
	return int(int16(binary.LittleEndian.Uint16(b[len(b)-2:])))
}
