// The log: structured lines, one Write each, or one for several of those that may wait a moment.

package server

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/server/config"
)

const (
	spoolTime = 50 * time.Millisecond // how long a line may wait
	maxSpool  = 32 << 10              // bytes that may wait
)

// NewLog returns the log that the configuration asks for: slog with the level and format of its words, written to w.
func NewLog(cfg config.Log, w io.Writer) *slog.Logger {
	var l slog.Level
	// The words of config.Log are those of slog; validation let no other through.
	_ = l.UnmarshalText([]byte(cfg.Level))
	opt, out := &slog.HandlerOptions{Level: l}, &spool{w: w}
	if cfg.Format == "json" {
		return slog.New(scribe{Handler: slog.NewJSONHandler(out, opt), out: out})
	}
	return slog.New(scribe{Handler: slog.NewTextHandler(out, opt), out: out})
}

// patient is a log whose lines may wait for others, so that a busy server need not write each for itself. Every other line takes them along, so that their order stays.
func patient(log *slog.Logger) *slog.Logger {
	h, ok := log.Handler().(scribe)
	if !ok {
		return log
	}
	h.patient = true
	return slog.New(h)
}

// scribe is a handler that says when what it has written is to leave.
type scribe struct {
	slog.Handler
	out     *spool
	patient bool
}

// Handle implements [slog.Handler].
func (h scribe) Handle(ctx context.Context, r slog.Record) error {
	err := h.Handler.Handle(ctx, r)
	if h.patient {
		return errors.Join(err, h.out.wait())
	}
	return errors.Join(err, h.out.flush())
}

// WithAttrs implements [slog.Handler].
func (h scribe) WithAttrs(attributes []slog.Attr) slog.Handler {
	h.Handler = h.Handler.WithAttrs(attributes)
	return h
}

// WithGroup implements [slog.Handler].
func (h scribe) WithGroup(name string) slog.Handler {
	h.Handler = h.Handler.WithGroup(name)
	return h
}

// spool holds lines back until they are to leave.
type spool struct {
	mu    sync.Mutex // guards what follows, and is held while lines leave: they leave in order
	w     io.Writer
	waits []byte
	timed bool // a flush is on its way
}

// Write takes a line; it leaves with the next flush.
func (s *spool) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waits = append(s.waits, b...)
	return len(b), nil
}

// wait lets what was written leave soon.
func (s *spool) wait() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waits) >= maxSpool {
		return s.flushLocked()
	}
	if !s.timed && len(s.waits) > 0 {
		s.timed = true
		time.AfterFunc(spoolTime, s.timeUp)
	}
	return nil
}

func (s *spool) timeUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.timed = false
	_ = s.flushLocked() // a log that cannot be written has nobody to tell
}

func (s *spool) flush() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.flushLocked()
}

func (s *spool) flushLocked() error {
	if len(s.waits) == 0 {
		return nil
	}
	_, err := s.w.Write(s.waits)
	s.waits = s.waits[:0]
	return err
}
