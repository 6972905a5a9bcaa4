package audio

// Where samples come from.

import (
	"errors"
	"io"
)

// A Source gives samples, like an [io.Reader] gives bytes: it may give fewer than asked for, and io.EOF at the end.
type Source interface {
	ReadSamples(pcm []int16) (n int, err error)
}

// ErrTooLong is returned by [ReadAll].
var ErrTooLong = errors.New("audio: read: more samples than allowed")

// ReadAll reads a source to its end. If that does not come within limit samples the error is [ErrTooLong], and what was
// read is returned with it.
func ReadAll(s Source, limit int) ([]int16, error) {
	var all []int16
	buf := make([]int16, 4096)
	for {
		n, err := s.ReadSamples(buf)
		if len(all)+n > limit {
			return append(all, buf[:limit-len(all)]...), ErrTooLong
		}
		all = append(all, buf[:n]...)
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return all, err
		}
	}
}

// endOf is the error of a source that ends after n samples.
func endOf(n int) error {
	if n > 0 {
		return nil
	}
	return io.EOF
}

// clip returns x as a sample, limited to the range of one.
func clip[T int | float32 | float64](x T) int16 { return int16(min(max(x, -32768), 32767)) }

// Samples is a [Source] of samples that are there; it ends with them.
type Samples struct {
	PCM []int16 // what is left
}

// ReadSamples implements [Source].
func (s *Samples) ReadSamples(pcm []int16) (int, error) {
	n := copy(pcm, s.PCM)
	s.PCM = s.PCM[n:]
	return n, endOf(n)
}

// resampled is a source at another rate.
type resampled struct {
	source  Source
	to      *Resampler
	raw     []int16
	waiting []int16
	err     error
}

// resampledPieces is how many pieces of a second are resampled at a time.
const resampledPieces = 50

// AtRate gives s, of rate from, at rate to. The error is that of [NewResampler].
func AtRate(s Source, from, to int) (Source, error) {
	if from == to {
		return s, nil
	}
	r, err := NewResampler(from, to)
	if err != nil {
		return nil, err
	}
	return &resampled{source: s, to: r, raw: make([]int16, max(from/resampledPieces, 1))}, nil
}

// ReadSamples implements [Source].
func (r *resampled) ReadSamples(pcm []int16) (int, error) {
	for len(r.waiting) == 0 && r.err == nil {
		var n int
		n, r.err = r.source.ReadSamples(r.raw)
		r.waiting = r.to.Resample(r.waiting, r.raw[:n])
	}
	n := copy(pcm, r.waiting)
	r.waiting = r.waiting[:copy(r.waiting, r.waiting[n:])]
	if len(r.waiting) > 0 {
		return n, nil
	}
	return n, r.err
}
