// What a line says and hears: sources played until somebody dials, and recordings that end by silence.

package pbx

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/media/codec"
)

const (
	frameTime = 20 * time.Millisecond
	// quiet is the level, in -dBov, from which on a frame is silence: below any voice, above the noise of a bad line.
	quiet = 46
	// maxRecording is the longest recording that is asked for without a limit.
	maxRecording = time.Hour
)

// Play plays sources of the rate of the line one after the other. It returns when the last one has been heard, or as soon as a digit is dialled, which stays to be
// read: who knows the menu need not hear it. The error is [ErrHungUp], that of ctx, or one of a source.
func (l *Line) Play(ctx context.Context, sources ...audio.Source) error {
	return l.play(ctx, l.dialled, sources)
}

// PlayThrough is [Line.Play] that no digit interrupts.
func (l *Line) PlayThrough(ctx context.Context, sources ...audio.Source) error {
	return l.play(ctx, func() bool { return false }, sources)
}

// play plays until the sources end or somebody has had enough.
func (l *Line) play(ctx context.Context, enough func() bool, sources []audio.Source) error {
	frame := make([]int16, l.samples(frameTime))
	pcm := make([]byte, 0, 2*len(frame))
	for _, s := range sources {
		for !enough() {
			if err := l.alive(ctx); err != nil {
				return err
			}
			n, err := s.ReadSamples(frame)
			if _, wrote := l.Write(bytesOf(pcm[:0], frame[:n])); wrote != nil {
				return wrote
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return err
			}
		}
	}
	if enough() {
		return nil
	}
	_ = l.endpoint.Drain(ctx)
	return l.alive(ctx)
}

// alive is nil while there is a call and somebody wants it.
func (l *Line) alive(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// samples is how many samples a time has.
func (l *Line) samples(d time.Duration) int {
	return int(int64(l.Rate()) * int64(d) / int64(time.Second))
}

// bytesOf appends samples as they go over a line.
func bytesOf(b []byte, pcm []int16) []byte {
	for _, s := range pcm {
		b = binary.LittleEndian.AppendUint16(b, uint16(s))
	}
	return b
}

// A Recorder takes what is recorded: [audio.WAVWriter] is one.
type Recorder interface {
	WriteSamples(pcm []int16) error
}

// Limits say when a recording ends.
type Limits struct {
	Max     time.Duration // 0: an hour
	Silence time.Duration // so long without a voice; 0: as long as it may last
	Stop    string        // digits that end it; others are heard in vain
}

// Recorded says what was recorded.
type Recorded struct {
	Length  time.Duration // of what was written: the silence at its end is not
	Digit   byte          // that ended it; 0: none did
	Silence bool          // that ended it
}

// Record writes what is heard until a limit is reached. The error is [ErrHungUp], which ends a recording as well as a digit does: what was written is good; that of ctx, or one of w.
func (l *Line) Record(ctx context.Context, w Recorder, lim Limits) (r Recorded, err error) {
	t := tape{line: l, w: w, limits: lim}
	if t.limits.Max <= 0 || t.limits.Max > maxRecording {
		t.limits.Max = maxRecording
	}
	frame := make([]byte, 2*l.samples(frameTime))
	for err == nil && !t.done() {
		if err = l.alive(ctx); err == nil {
			_, err = io.ReadFull(l, frame)
		}
		if err == nil {
			err = t.take(frame)
		}
	}
	t.result.Length = time.Duration(int64(t.written) * int64(time.Second) / int64(l.Rate()))
	return t.result, err
}

// tape is a recording under way. Silence waits until a voice follows it.
type tape struct {
	line    *Line
	w       Recorder
	limits  Limits
	result  Recorded
	written int // samples
	heard   int // samples, those that wait included
	silence []int16
}

// done reports whether a limit is reached.
func (t *tape) done() bool {
	for t.line.dialled() {
		if d := t.line.next(); strings.IndexByte(t.limits.Stop, d) >= 0 {
			t.result.Digit = d
			return true
		}
	}
	if t.limits.Silence > 0 && len(t.silence) >= t.line.samples(t.limits.Silence) {
		t.result.Silence = true
		return true
	}
	return t.heard >= t.line.samples(t.limits.Max)
}

// take takes a frame.
func (t *tape) take(frame []byte) error {
	before := len(t.silence)
	for i := 0; i+1 < len(frame); i += 2 {
		t.silence = append(t.silence, int16(binary.LittleEndian.Uint16(frame[i:])))
	}
	t.heard += len(frame) / 2
	if codec.Level(t.silence[before:]) >= quiet && (t.limits.Silence > 0 || len(t.silence) < t.line.samples(time.Minute)) {
		return nil
	}
	err := t.w.WriteSamples(t.silence)
	t.written += len(t.silence)
	t.silence = t.silence[:0]
	return err
}
