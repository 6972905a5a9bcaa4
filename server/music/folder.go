package music

// The folder of files, and trying what is in it.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/media/codec"
)

// Folder is where the files lie in a data folder.
func Folder(data string) string { return filepath.Join(data, "music") }

// Sample is what [Shelf.Probe] heard.
type Sample struct {
	Setting string        `json:"setting"`
	Kind    string        `json:"kind"`    // "WAV", "Opus", "PCM", or "tune"
	Length  time.Duration `json:"length"`  // of a file, as far as it is played; of a stream, what was listened to
	Level   int           `json:"level"`   // of the sound, in dBov: 0 is as loud as can be
	Forever bool          `json:"forever"` // it is a stream
}

// probeTime is how long a stream is listened to.
const probeTime = 2 * time.Second

// Probe tries a setting: it reads the whole file, or two seconds of the stream.
func (s *Shelf) Probe(ctx context.Context, setting string) (Sample, error) {
	probe := Sample{Setting: setting, Kind: Tune}
	if err := s.Check(setting); err != nil {
		return probe, err
	}
	var pcm []int16
	var err error
	switch {
	case setting == Tune:
		pcm = make([]int16, rate)
		_, err = (&audio.Music{Rate: rate}).ReadSamples(pcm)
	case setting == "" || setting == None:
		return probe, errors.New("music: there is nothing to hear")
	case isURL(setting):
		probe.Forever = true
		pcm, probe.Kind, err = s.listen(ctx, setting)
	default:
		pcm, probe.Kind, err = readFile(s.path(setting), s.Opus)
	}
	probe.Length = time.Duration(len(pcm)) * time.Second / rate
	probe.Level = -int(codec.Level(pcm))
	return probe, err
}

// listen hears the beginning of a stream.
func (s *Shelf) listen(ctx context.Context, address string) (pcm []int16, kind string, err error) {
	opened, closing, err := s.connect(ctx, address)
	if err != nil {
		return nil, "", fmt.Errorf("music: %w", err)
	}
	defer closing()
	if pcm, err = opened.beginning(int(probeTime / time.Second)); err != nil {
		err = fmt.Errorf("music: %w", err)
	}
	return pcm, opened.kind, err
}

// Add copies a file into the folder under a name, if it can be played. There must be none of that name.
func (s *Shelf) Add(from, name string) error {
	if name == "" || strings.ContainsAny(name, `/\:`) || strings.HasPrefix(name, ".") || name == Tune || name == None {
		return fmt.Errorf("music: %q is no name for a file; use letters, digits and .-_", name)
	}
	if _, _, err := readFile(from, s.Opus); err != nil {
		return err
	}
	if err := os.MkdirAll(s.Folder, 0o700); err != nil {
		return fmt.Errorf("music: %w", err)
	}
	r, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("music: %w", err)
	}
	defer r.Close()
	w, err := os.OpenFile(filepath.Join(s.Folder, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("music: %w", err)
	}
	_, err = io.Copy(w, r)
	if err = errors.Join(err, w.Close()); err != nil {
		return fmt.Errorf("music: %w", errors.Join(err, os.Remove(w.Name())))
	}
	return nil
}

// Files returns the names in the folder, in their order.
func (s *Shelf) Files() (names []string, err error) {
	entries, err := os.ReadDir(s.Folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("music: %w", err)
	}
	for _, e := range entries {
		if e.Type().IsRegular() {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// Remove removes a file from the folder.
func (s *Shelf) Remove(name string) error {
	if filepath.Base(name) != name {
		return fmt.Errorf("music: %q is no file of the folder", name)
	}
	if err := os.Remove(filepath.Join(s.Folder, name)); err != nil {
		return fmt.Errorf("music: %w", err)
	}
	return nil
}
