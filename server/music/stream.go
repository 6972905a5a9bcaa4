package music

// A stream of the Web: one reader for all who hear it.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
)

const (
	linger   = 30 * time.Second // for which a stream is read that nobody hears any more
	patience = 15 * time.Second // with a server that sends nothing
	backOff  = time.Second      // before the first new attempt; twice as long before each further one
	maxBack  = time.Minute
	hush     = 3 * rate // samples of silence before who waits for the stream hears the tune
)

// errNobody ends the reader of a stream that nobody hears.
var errNobody = errors.New("nobody listens")

// A State says how a stream is.
type State string

// The states of a stream.
const (
	Idle       State = "idle" // nobody hears it
	Connecting State = "connecting"
	Playing    State = "playing"
	Failing    State = "failing" // the tune is heard
)

// stream is one URL.
type stream struct {
	shelf *Shelf
	url   string

	mu    sync.Mutex // guards what follows
	ring  ring
	heard time.Time // when somebody last heard it
	state State
	err   error     // why it fails
	again time.Time // before which no reader is started for it: there was no room for one
}

// name is the URL for logs, without a password.
func (s *stream) name() string {
	if u, err := url.Parse(s.url); err == nil {
		return u.Redacted()
	}
	return ""
}

// open gives a listener, and has the stream read if it is not. It is a [session.Music].
func (s *stream) open(hertz int) (audio.Source, error) {
	s.mu.Lock()
	wake := s.hearLocked(time.Now())
	s.mu.Unlock()
	if wake {
		s.wake()
	}
	return audio.AtRate(&listener{stream: s, tune: &audio.Music{Rate: rate}}, rate, hertz)
}

// hearLocked notes that somebody hears the stream, and reports whether it is to be read anew: nobody has heard it for a while.
func (s *stream) hearLocked(now time.Time) (wake bool) {
	s.heard = now
	if wake = s.state == Idle && !now.Before(s.again); wake {
		s.state, s.ring = Connecting, ring{}
	}
	return wake
}

// wake has the stream read, or notes that this cannot be for now.
func (s *stream) wake() {
	if s.shelf.start(s) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state, s.again = Idle, time.Now().Add(maxBack)
}

// run reads the stream again and again until nobody hears it or ctx ends.
func (s *stream) run(ctx context.Context) {
	defer func() {
		if ctx.Err() != nil { // else lonely has said so, and the state may be that of the next reader
			s.turn(Idle, nil)
		}
	}()
	for wait := backOff; ; wait = min(2*wait, maxBack) {
		heard, err := s.play(ctx)
		if ctx.Err() != nil || errors.Is(err, errNobody) {
			return
		}
		if heard {
			wait = backOff
		}
		if !heard || !errors.Is(err, io.EOF) {
			s.fail(err, wait)
		}
		if !s.pause(ctx, wait) || s.lonely() {
			return
		}
	}
}

// fail tells that the stream cannot be heard, once.
func (s *stream) fail(err error, wait time.Duration) {
	if s.turn(Failing, err) != Failing {
		s.shelf.log().Warn("a music stream fails, the tune is heard", "url", s.name(), "err", err, "again", wait)
	}
}

// turn changes the state and returns the one before.
func (s *stream) turn(to State, err error) (before State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before = s.state
	s.state, s.err = to, err
	return before
}

// lonely reports whether nobody has heard the stream for a while. It is idle then, and its reader must end and leave it alone: who opens it in the meantime has it read by another.
func (s *stream) lonely() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.heard) <= linger {
		return false
	}
	s.state, s.err = Idle, nil
	return true
}

// pause waits, and reports false if ctx ended.
func (s *stream) pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// play connects and buffers what comes until it ends; the error is io.EOF then. It reports whether anything was heard of it.
func (s *stream) play(ctx context.Context) (heard bool, err error) {
	opened, closing, err := s.shelf.connect(ctx, s.url)
	if err != nil {
		return false, err
	}
	defer closing()
	source, err := audio.AtRate(opened, opened.rate, rate)
	if err != nil {
		return false, err
	}
	pcm := make([]int16, rate/50)
	for came := 0; ; {
		n, err := source.ReadSamples(pcm)
		if perr := s.push(ctx, pcm[:n]); perr != nil {
			return heard, perr
		}
		if came += n; came >= ringFill && !heard {
			heard = true
			s.plays()
		}
		if err != nil {
			return heard, err
		}
	}
}

// plays tells that the stream can be heard.
func (s *stream) plays() {
	if s.turn(Playing, nil) == Failing {
		s.shelf.log().Info("a music stream is heard again", "url", s.name())
	}
}

// push buffers samples, when there is room for them.
func (s *stream) push(ctx context.Context, pcm []int16) error {
	for {
		if s.lonely() {
			return errNobody
		}
		s.mu.Lock()
		wait := s.ring.ahead(time.Now())
		if wait == 0 {
			s.ring.put(pcm, time.Now())
		}
		s.mu.Unlock()
		if wait == 0 {
			return nil
		}
		if !s.pause(ctx, wait) {
			return ctx.Err()
		}
	}
}

// listener is one who hears a stream. It is silent for some seconds when nothing comes; then, and while the stream fails, it plays the tune. Who has heard something else meanwhile, and finds that nobody reads the
// stream any more, has it read anew.
type listener struct {
	stream *stream
	at     int64
	silent int // samples of silence in a row
	tune   *audio.Music
}

// ReadSamples implements [audio.Source]. It never ends.
func (l *listener) ReadSamples(pcm []int16) (int, error) {
	s := l.stream
	now := time.Now()
	s.mu.Lock()
	wake := s.hearLocked(now)
	n := s.ring.read(&l.at, pcm, now)
	lost := s.state == Idle || s.state == Failing
	s.mu.Unlock()
	if wake {
		l.silent = 0
		s.wake()
	}
	switch rest := pcm[n:]; {
	case len(rest) == 0:
		l.silent = 0
	case lost || l.silent >= hush:
		_, _ = l.tune.ReadSamples(rest) // it never ends
	default:
		l.silent += len(rest)
		clear(rest)
	}
	return len(pcm), nil
}

// connect asks for a stream. Whoever gets it calls closing.
func (s *Shelf) connect(ctx context.Context, address string) (opened sound, closing func(), err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	late := time.AfterFunc(patience, func() { cancel(fmt.Errorf("nothing came for %s", patience)) })
	defer func() {
		if err != nil {
			late.Stop()
			cancel(nil)
		}
	}()
	req, err := http.NewRequestWithContext(home(ctx), http.MethodGet, address, nil)
	if err != nil {
		return sound{}, nil, err
	}
	req.Header.Set("Accept", "audio/ogg, audio/opus, audio/wav, audio/L16, */*;q=0.1")
	res, err := s.client().Do(req)
	if err != nil {
		return sound{}, nil, cause(ctx, err)
	}
	body := &watched{ctx: ctx, r: res.Body, late: late}
	if res.StatusCode != http.StatusOK {
		err = errors.Join(fmt.Errorf("the server answered %s", res.Status), res.Body.Close())
		return sound{}, nil, err
	}
	if opened, err = decode(body, res.Header.Get("Content-Type"), s.Opus); err != nil {
		_ = res.Body.Close() // it is of no use any more
		return sound{}, nil, cause(ctx, err)
	}
	return opened, func() { late.Stop(); cancel(nil); _ = res.Body.Close() }, nil
}

// cause is why ctx was ended, or else err.
func cause(ctx context.Context, err error) error {
	if c := context.Cause(ctx); c != nil {
		return c
	}
	return err
}

// watched is a body whose server is not waited for longer than patience.
type watched struct {
	ctx  context.Context
	r    io.Reader
	late *time.Timer
}

func (w *watched) Read(b []byte) (int, error) {
	w.late.Reset(patience)
	n, err := w.r.Read(b)
	w.late.Stop() // the buffer may be full for longer
	if err != nil && !errors.Is(err, io.EOF) {
		err = cause(w.ctx, err)
	}
	return n, err
}
