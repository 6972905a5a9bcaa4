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
