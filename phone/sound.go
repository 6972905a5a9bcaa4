// What is heard and said: PCM at the pace of the call. RFC 3550.

package phone

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/media/codec"
)

// Rate is the number of samples a second of what is read and written.
func (c *Call) Rate() int {
	if f := c.phone.Formats; len(f) > 0 {
		return f[0].Rate
	}
	return codec.PCMA().Rate
}

// Read gives what is heard, as PCM; where nothing comes there is silence. It waits until there is sound, then for at least one sample; when the call is
// over it returns [io.EOF]. What is not read in time is lost.
func (c *Call) Read(b []byte) (int, error) {
	if c.await(context.Background(), c.heard) != nil {
		return 0, io.EOF
	}
	return c.endpoint.Read(b)
}

// Write says PCM and waits until the last 60 ms of it are on their way. When the call is over it returns [ErrEnded].
func (c *Call) Write(b []byte) (int, error) {
	if err := c.await(context.Background(), c.heard); err != nil {
		return 0, err
	}
	n, err := c.endpoint.Write(b)
	if errors.Is(err, io.ErrClosedPipe) {
		err = ErrEnded
	}
	return n, err
}

// frames is how many frames of sound a second are handled at once.
const frames = 50

// ReadSamples is [Call.Read] for samples: a call is an [audio.Source].
func (c *Call) ReadSamples(pcm []int16) (int, error) {
	b := make([]byte, 2*len(pcm))
	n, err := c.Read(b)
	for i := range n / 2 {
		pcm[i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
	}
	return n / 2, err
}

// WriteSamples is [Call.Write] for samples.
func (c *Call) WriteSamples(pcm []int16) error {
	b := make([]byte, 0, 2*len(pcm))
	for _, s := range pcm {
		b = binary.LittleEndian.AppendUint16(b, uint16(s))
	}
	_, err := c.Write(b)
	return err
}

// Play says what a source gives, at [Call.Rate], until it ends; then it waits until all is said. The end of ctx stops it.
func (c *Call) Play(ctx context.Context, s audio.Source) error {
	if err := c.await(ctx, c.heard); err != nil {
		return fmt.Errorf("phone: play: %w", err)
	}
	pcm := make([]int16, c.Rate()/frames)
	for ctx.Err() == nil {
		n, err := s.ReadSamples(pcm)
		if werr := c.WriteSamples(pcm[:n]); werr != nil {
			return fmt.Errorf("phone: play: %w", werr)
		}
		if err == io.EOF {
			return c.drain(ctx)
		}
		if err != nil {
			return fmt.Errorf("phone: play: %w", err)
		}
	}
	return fmt.Errorf("phone: play: %w", ctx.Err())
}

// drain waits until everything is said.
func (c *Call) drain(ctx context.Context) error {
	err := c.endpoint.Drain(ctx)
	if errors.Is(err, io.ErrClosedPipe) {
		err = ErrEnded
	}
	if err != nil {
		return fmt.Errorf("phone: play: %w", err)
	}
	return nil
}

// PlayFile plays a WAV file of any rate.
func (c *Call) PlayFile(ctx context.Context, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("phone: play: %w", err)
	}
	defer f.Close()
	w, err := audio.NewWAVReader(f)
	if err != nil {
		return fmt.Errorf("phone: play %s: %w", name, err)
	}
	s, err := audio.AtRate(w, w.Rate(), c.Rate())
	if err != nil {
		return fmt.Errorf("phone: play %s: %w", name, err)
	}
	return c.Play(ctx, s)
}

// Record writes what is heard until the call is over, which is no error, or ctx ends. Nobody else should read meanwhile.
func (c *Call) Record(ctx context.Context, w *audio.WAVWriter) error {
	if err := c.await(ctx, c.heard); errors.Is(err, ErrEnded) {
		return nil
	} else if err != nil {
		return fmt.Errorf("phone: record: %w", err)
	}
	pcm := make([]int16, c.Rate()/frames)
	for ctx.Err() == nil {
		n, err := c.ReadSamples(pcm)
		if werr := w.WriteSamples(pcm[:n]); werr != nil {
			return fmt.Errorf("phone: record: %w", werr)
		}
		if err != nil {
			return nil // the call is over
		}
	}
	return fmt.Errorf("phone: record: %w", ctx.Err())
}

// RecordFile is [Call.Record] into a new WAV file of [Call.Rate]. The file is whole also when ctx ends.
func (c *Call) RecordFile(ctx context.Context, name string) error {
	f, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("phone: record: %w", err)
	}
	w, err := audio.NewWAVWriter(f, c.Rate())
	if err == nil {
		err = errors.Join(c.Record(ctx, w), w.Close())
	}
	return errors.Join(err, f.Close())
}

// RecordBoth writes both sides of the call until it is over, which is no error, or ctx ends: what is heard is the left channel, what is said the right one. It reads
// nothing away from others, and closes w. A disk that is full or slow does not disturb the call.
func (c *Call) RecordBoth(ctx context.Context, w audio.StereoWriter) error {
	if err := c.await(ctx, c.heard); errors.Is(err, ErrEnded) {
		return w.Close()
	} else if err != nil {
		return errors.Join(fmt.Errorf("phone: record: %w", err), w.Close())
	}
	r := audio.NewRecorder(w)
	c.endpoint.Record(r.Take)
	select {
	case <-c.done:
	case <-ctx.Done():
	}
	c.endpoint.Record(nil)
	if err := r.Close(); err != nil {
		return fmt.Errorf("phone: record: %w", err)
	}
	return nil
}
