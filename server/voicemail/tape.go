// Recordings as files: what is written survives the end of the program, and what is finished that of the machine.

package voicemail

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
)

// tape is a WAV file under way.
type tape struct {
	*audio.WAVWriter
	file   *os.File
	closed bool
}

// newTape makes a file and the folders that it needs.
func newTape(path string, rate int) (*tape, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("voicemail: record: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("voicemail: record: %w", err)
	}
	w, err := audio.NewWAVWriter(f, rate)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("voicemail: record: %w", err), f.Close())
	}
	return &tape{WAVWriter: w, file: f}, nil
}

// File is where the recording lies.
func (t *tape) File() string { return t.file.Name() }

// finish ends the file; it is on the disk then, under its name.
func (t *tape) finish() error {
	if t.closed {
		return os.ErrClosed
	}
	t.closed = true
	err := errors.Join(t.WAVWriter.Close(), t.file.Sync(), t.file.Close())
	if err == nil {
		err = syncFolder(filepath.Dir(t.file.Name()))
	}
	if err != nil {
		return fmt.Errorf("voicemail: record: %w", err)
	}
	return nil
}

// close ends the use of a file that nobody wants.
func (t *tape) close() {
	if !t.closed {
		t.closed = true
		_ = t.file.Close()
	}
}

// syncFolder brings the names in a folder to the disk.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// mendTape ends a file that was never ended, and returns how long it is.
func mendTape(path string) (time.Duration, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	r, err := audio.NewWAVReader(f)
	if err != nil {
		return 0, err
	}
	whole, err := newTape(path+".part", r.Rate())
	if err != nil {
		return 0, err
	}
	defer whole.close()
	samples := counted{tape: whole}
	if err := copySamples(&samples, r); err != nil {
		return 0, err
	}
	if err := whole.finish(); err != nil {
		return 0, err
	}
	if err := os.Rename(whole.File(), path); err != nil {
		return 0, err
	}
	return time.Duration(int64(samples.n) * int64(time.Second) / int64(r.Rate())), syncFolder(filepath.Dir(path))
}

// counted counts what is written.
type counted struct {
	*tape
	n int
}

// WriteSamples implements [pbx.Recorder].
func (c *counted) WriteSamples(pcm []int16) error {
	c.n += len(pcm)
	return c.tape.WriteSamples(pcm)
}
