package audio

// Files of recordings: WAV, or Opus in Ogg.

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/sipwerk/sipwerk/media/codec"
)

// A Writer writes a sound file: [WAVWriter], [OpusWriter].
type Writer interface {
	// WriteSamples appends samples, of stereo files those of both channels in turn.
	WriteSamples(pcm []int16) error
	StereoWriter
}

// An Encoding is how sound files are written. The zero Encoding is WAV.
type Encoding struct {
	// Opus is the codec of files of Opus in Ogg, for PCM of that rate and one or two channels; nil: files are WAV.
	Opus func(rate, channels int) codec.Format
}

// Ending is that of the names of its files. RFC 7845 §9.
func (e Encoding) Ending() string {
	if e.Opus != nil {
		return ".opus"
	}
	return ".wav"
}

// NewWriter begins a file of one or two channels.
func (e Encoding) NewWriter(w io.Writer, rate, channels int) (Writer, error) {
	if e.Opus != nil {
		return NewOpusWriter(w, e.Opus(rate, channels))
	}
	return newWAVWriter(w, rate, channels)
}

// Create makes a file that was not there, for its owner alone, and its folder.
func (e Encoding) Create(name string, rate, channels int) (*File, error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return nil, fmt.Errorf("audio: create: %w", err)
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("audio: create: %w", err)
	}
	w, err := e.NewWriter(f, rate, channels)
	if err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(name))
	}
	return &File{w, f}, nil
}

// A File is a [Writer] that closes its file, which is on the disk then.
type File struct {
	Writer
	file *os.File
}

// Close implements [Writer].
func (f *File) Close() error { return errors.Join(f.Writer.Close(), f.file.Sync(), f.file.Close()) }
