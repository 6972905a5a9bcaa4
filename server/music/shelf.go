package music

// From a setting to what is heard.

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/media/codec/opus"
	"github.com/sipwerk/sipwerk/media/session"
)

// Settings that are neither a file nor a stream.
const (
	Tune = "tune" // the melody of the program
	None = "none"
)

// Limits of a shelf.
const (
	maxLength  = 600  // seconds of a file that are played before it begins anew: they are held in memory
	maxFiles   = 64   // held in memory
	maxStreams = 32   // read at a time
	maxKnown   = 4096 // settings; beyond, all are looked at anew
)

// errStreams says that too many streams are heard already.
var errStreams = fmt.Errorf("more than %d streams at a time", maxStreams)

// Shelf knows all music. Fill the exported fields before first use. Safe for use by many goroutines; [Shelf.Close] ends what it reads.
type Shelf struct {
	Folder string        // of files that are named without a folder
	Opus   *opus.Library // by which Opus is heard
	Client *http.Client  // by which streams are read; nil: one of its own
	Log    *slog.Logger  // nil: nothing is logged

	mu      sync.Mutex // guards what follows
	known   map[string]*session.Music
	files   map[string]*file
	streams map[string]*stream
	reading int
	ctx     context.Context // of all readers; nil: none was started
	stop    context.CancelFunc
	closed  bool
	own     *http.Client
	work    sync.WaitGroup
}

// Music returns what a setting means; it does not block and opens nothing before somebody hears it. An empty setting gives nil; none gives the address of a nil [session.Music]. What
// cannot be opened is the tune, and the log says why.
func (s *Shelf) Music(setting string) *session.Music {
	if setting == "" {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.known[setting]; m != nil {
		return m
	}
	if s.known == nil || len(s.known) >= maxKnown {
		s.known = make(map[string]*session.Music)
	}
	m := s.musicLocked(setting)
	s.known[setting] = &m
	return &m
}

func (s *Shelf) musicLocked(setting string) session.Music {
	switch {
	case setting == None:
		return nil
	case setting == Tune:
		return session.Tune
	case isURL(setting):
		return s.streamLocked(setting).open
	}
	return s.fileLocked(s.path(setting)).open
}

// isURL tells a stream from a file.
func isURL(setting string) bool { return strings.Contains(setting, "://") }

// path is where a file lies.
func (s *Shelf) path(name string) string {
	if filepath.Base(name) == name {
		return filepath.Join(s.Folder, name)
	}
	return name
}

func (s *Shelf) streamLocked(address string) *stream {
	st := s.streams[address]
	if st == nil {
		st = &stream{shelf: s, url: address, state: Idle}
		if s.streams == nil {
			s.streams = make(map[string]*stream)
		}
		s.streams[address] = st
	}
	return st
}

func (s *Shelf) fileLocked(name string) *file {
	f := s.files[name]
	if f == nil {
		if s.files == nil || len(s.files) >= maxFiles {
			s.files = make(map[string]*file)
		}
		f = &file{shelf: s, name: name}
		s.files[name] = f
	}
	return f
}

// start reads a stream on a goroutine of its own; false if that cannot be.
func (s *Shelf) start(st *stream) bool {
	started, err := s.tryStart(st)
	if err != nil { // said without the lock: a log may be slow, and calls wait for Music
		s.log().Warn("a music stream is not read, the tune is heard", "url", st.name(), "err", err)
	}
	return started
}

// tryStart is start; the error is for the log.
func (s *Shelf) tryStart(st *stream) (started bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false, nil
	}
	if s.reading >= maxStreams {
		return false, errStreams
	}
	if s.ctx == nil {
		s.ctx, s.stop = context.WithCancel(context.Background())
	}
	s.reading++
	ctx := s.ctx
	s.work.Go(func() {
		st.run(ctx)
		s.mu.Lock()
		s.reading--
		s.mu.Unlock()
	})
	return true, nil
}

// Close ends all readers and waits for them.
func (s *Shelf) Close() {
	s.mu.Lock()
	s.closed = true
	if s.stop != nil {
		s.stop()
	}
	own := s.own
	s.mu.Unlock()
	s.work.Wait()
	if own != nil {
		own.CloseIdleConnections()
	}
}

// Report is how a stream is that somebody has heard.
type Report struct {
	URL   string `json:"url"`
	State State  `json:"state"`
	Error string `json:"error,omitempty"`
}

// Reports returns how the streams are, in the order of their URLs.
func (s *Shelf) Reports() (all []Report) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, st := range s.streams {
		st.mu.Lock()
		r := Report{URL: st.name(), State: st.state}
		if st.err != nil {
			r.Error = st.err.Error()
		}
		st.mu.Unlock()
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b Report) int { return strings.Compare(a.URL, b.URL) })
	return all
}

func (s *Shelf) log() *slog.Logger {
	if s.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Log
}

// client is by which streams are read.
func (s *Shelf) client() *http.Client {
	if s.Client != nil {
		return s.Client
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.own == nil {
		s.own = newClient(nil)
	}
	return s.own
}

// file is one file, in memory while somebody has heard it.
type file struct {
	shelf *Shelf
	name  string

	mu    sync.Mutex // guards what follows; held while the file is read, so that it is read once
	music session.Music
	size  int64
	time  time.Time
	told  string // what is wrong with it
}

// open gives the file from its beginning, or the tune if it cannot be played. It is a [session.Music].
func (f *file) open(hertz int) (audio.Source, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.readLocked(); err != nil {
		if err.Error() != f.told {
			f.told = err.Error()
			f.shelf.log().Error("music cannot be played, the tune is heard", "err", err)
		}
		return session.Tune(hertz)
	}
	f.told = ""
	return f.music(hertz)
}

// readLocked reads the file if it has changed.
func (f *file) readLocked() error {
	info, err := os.Stat(f.name)
	if err != nil {
		return fmt.Errorf("music: %w", err)
	}
	if f.music != nil && info.Size() == f.size && info.ModTime().Equal(f.time) {
		return nil
	}
	pcm, _, err := readFile(f.name, f.shelf.Opus)
	if err != nil {
		return err
	}
	f.music, f.size, f.time = session.Loop(pcm, rate), info.Size(), info.ModTime()
	return nil
}

// readFile decodes a file, as far as it is played. The error names it.
func readFile(name string, library *opus.Library) (pcm []int16, kind string, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, "", fmt.Errorf("music: %w", err)
	}
	defer f.Close()
	pcm, kind, err = readSound(f, library)
	if err != nil {
		return nil, "", fmt.Errorf("music %s: %w", name, err)
	}
	return pcm, kind, nil
}

func readSound(f *os.File, library *opus.Library) ([]int16, string, error) {
	opened, err := decode(f, "", library)
	if err != nil {
		return nil, "", err
	}
	pcm, err := opened.beginning(maxLength)
	return pcm, opened.kind, err
}

// Check reports what is wrong with a setting, as far as can be told at once: a stream is not asked.
func (s *Shelf) Check(setting string) error {
	switch {
	case setting == "" || setting == Tune || setting == None:
		return nil
	case isURL(setting):
		u, err := url.Parse(setting)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return fmt.Errorf("music %q: write an http or https URL", setting)
		}
		return nil
	}
	_, _, err := readFile(s.path(setting), s.Opus)
	return err
}
