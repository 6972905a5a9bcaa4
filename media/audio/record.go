package audio

// Recording both sides of a call: one side a channel, written beside the call, which never waits for a disk.

import (
	"errors"
	"io"
	"math/rand/v2"
	"sync"

	"github.com/sipwerk/sipwerk/media/codec"
)

// recordQueue is how many frames wait for the disk, 10 s of them; what comes beyond is silence in the file, so that both sides stay in step.
const recordQueue = 500

// ErrDisk is joined to the error of a recording from which something is missing because its disk was too slow.
var ErrDisk = errors.New("audio: record: the disk was too slow, some of it is silence")

// A StereoWriter is where recordings go: [WAVWriter], [OpusWriter].
type StereoWriter interface {
	// WriteStereo appends samples of both sides, equally many.
	WriteStereo(left, right []int16) error
	// Close ends the file.
	Close() error
}

// A Recorder writes two sides to a file on a goroutine of its own. After the first error, such as that of a full disk, the rest is dropped, and what was written
// stays.
type Recorder struct {
	frames  chan [2][]int16
	stopped chan struct{}
	err     error // of the goroutine, until stopped is closed

	mu     sync.Mutex // guards what follows
	closed bool
	missed int // frames that found no room, not yet made up for
	slow   bool
}

// NewRecorder starts a recording. Whoever started it calls Close.
func NewRecorder(w StereoWriter) *Recorder {
	r := &Recorder{frames: make(chan [2][]int16, recordQueue), stopped: make(chan struct{})}
	go r.write(w)
	return r
}

// Take takes one frame of each side, equally long, and copies them. It never waits.
func (r *Recorder) Take(left, right []int16) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	for r.missed > 0 && r.offer(make([]int16, len(left)), make([]int16, len(left))) {
		r.missed--
	}
	if r.missed > 0 || !r.offer(append([]int16(nil), left...), append([]int16(nil), right...)) {
		r.missed++
		r.slow = true
	}
}

func (r *Recorder) offer(left, right []int16) bool {
	select {
	case r.frames <- [2][]int16{left, right}:
		return true
	default:
		return false
	}
}

func (r *Recorder) write(w StereoWriter) {
	defer close(r.stopped)
	for f := range r.frames {
		if r.err == nil {
			r.err = w.WriteStereo(f[0], f[1])
		}
	}
	r.err = errors.Join(r.err, w.Close())
}

// Close writes what has been taken, ends the file, and tells what went wrong.
func (r *Recorder) Close() error {
	r.mu.Lock()
	if !r.closed {
		r.closed = true
		close(r.frames)
	}
	slow := r.slow
	r.mu.Unlock()
	<-r.stopped
	if slow {
		return errors.Join(r.err, ErrDisk)
	}
	return r.err
}

// An OpusWriter writes PCM as Opus into an Ogg file.
type OpusWriter struct {
	ogg     *OggWriter
	encoder codec.Encoder
	frame   int     // samples of all channels in a packet
	waiting []int16 // less than a packet
	packet  []byte
}

// NewOpusWriter begins a file whose sound comes in a format of one or two channels. The error is that of w or of the encoder.
func NewOpusWriter(w io.Writer, f codec.Format) (*OpusWriter, error) {
	e, err := f.NewEncoder()
	if err != nil {
		return nil, err
	}
	o, err := NewOggWriter(w, f.Rate, f.Channels, rand.Uint32())
	if err != nil {
		return nil, err
	}
	return &OpusWriter{ogg: o, encoder: e, frame: f.Samples(MixTime)}, nil
}

// WriteStereo implements [StereoWriter].
func (w *OpusWriter) WriteStereo(left, right []int16) error {
	for i := range min(len(left), len(right)) {
		w.waiting = append(w.waiting, left[i], right[i])
	}
	return w.flush()
}

// WriteSamples implements [Writer].
func (w *OpusWriter) WriteSamples(pcm []int16) error {
	w.waiting = append(w.waiting, pcm...)
	return w.flush()
}

// flush writes the packets that are full.
func (w *OpusWriter) flush() error {
	for len(w.waiting) >= w.frame {
		if err := w.write(w.waiting[:w.frame]); err != nil {
			return err
		}
		w.waiting = w.waiting[:copy(w.waiting, w.waiting[w.frame:])]
	}
	return nil
}

func (w *OpusWriter) write(pcm []int16) (err error) {
	if w.packet, err = w.encoder.Encode(w.packet[:0], pcm); err != nil {
		return err
	}
	return w.ogg.WritePacket(w.packet)
}

// Close implements [StereoWriter]; a packet that is not full is filled with silence.
func (w *OpusWriter) Close() error {
	var err error
	if len(w.waiting) > 0 {
		err = w.write(append(w.waiting, make([]int16, w.frame-len(w.waiting))...))
	}
	return errors.Join(err, w.ogg.Close())
}
