// The sound files of `sipwerk call`: WAV, and Opus in Ogg where the system has libopus.

package telephone

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/media/codec/opus"
	"github.com/sipwerk/sipwerk/phone"
)

// isOpus tells by its name what a file is.
func isOpus(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".opus", ".ogg":
		return true
	}
	return false
}

// playFile plays a file into a call. Opus is decoded without libopus too.
func playFile(ctx context.Context, c *phone.Call, name string) error {
	if !isOpus(name) {
		return c.PlayFile(ctx, name)
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	library, _ := opus.Open()
	s, err := audio.NewOpusReader(f, library.Format(c.Rate(), opus.Settings{}))
	if err != nil {
		return err
	}
	return c.Play(ctx, s)
}

// recordBoth records both sides of a call.
func recordBoth(ctx context.Context, c *phone.Call, name string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	w, err := stereo(f, name, c.Rate())
	if err == nil {
		err = c.RecordBoth(ctx, w)
	}
	return errors.Join(err, f.Close())
}

// stereo is what writes a file of that name.
func stereo(f *os.File, name string, rate int) (audio.StereoWriter, error) {
	if !isOpus(name) {
		return audio.NewStereoWAVWriter(f, rate)
	}
	library, err := opus.Open()
	if err != nil {
		return nil, err
	}
	return audio.NewOpusWriter(f, library.File(rate, 2))
}
