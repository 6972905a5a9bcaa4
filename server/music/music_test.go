package music

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/media/codec"
	"github.com/sipwerk/sipwerk/media/codec/opus"
)

// streamTone is what streams and files of the tests sound like, in Hz; the tune has nothing there.
const streamTone = 1810

// tone are seconds of it.
func tone(seconds int) []int16 {
	pcm := make([]int16, seconds*rate)
	_, _ = (&audio.Tone{Rate: rate, Frequencies: []float64{streamTone}, Amplitude: 8000}).ReadSamples(pcm) // it never ends
	return pcm
}

// endless is a WAV file that no test hears to its end.
var endless = sync.OnceValue(func() []byte {
	head, second := wave(nil, 1)[:44], wave(nil, 1)[44:]
	return append(head[:44:44], bytes.Repeat(second, 150)...)
})

// wave is a WAV file of them, whose header does not say how long it is.
func wave(t testing.TB, seconds int) []byte {
	var b bytes.Buffer
	w, err := audio.NewWAVWriter(&b, rate)
	if err == nil {
		err = w.WriteSamples(tone(seconds))
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// ogg is an Opus file of them; nil where libopus is missing.
func ogg(t testing.TB, seconds int) []byte {
	t.Helper()
	library, err := opus.Open()
	if !library.Speaks() {
		t.Log(err) // package opus fails in the gate without
		return nil
	}
	var b bytes.Buffer
	w, err := audio.NewOpusWriter(&b, library.File(rate, 1))
	if err == nil {
		err = errors.Join(w.WriteSamples(tone(seconds)), w.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// radio is a web server on no network. Each request is answered by the next of answers, the last one for ever.
type radio struct {
	mu      sync.Mutex
	answers []answer
	asked   []time.Time
	read    int    // bytes of bodies
	left    func() // called as a body is closed
}

// answer is a body and its type; without a body the server cannot be reached.
type answer struct {
	kind   string
	body   []byte
	status int
	stalls bool // behind the body nothing comes, not even the end
}

// RoundTrip implements [http.RoundTripper].
func (r *radio) RoundTrip(req *http.Request) (*http.Response, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := r.answers[min(len(r.asked), len(r.answers)-1)]
	r.asked = append(r.asked, time.Now())
	if a.body == nil {
		return nil, errors.New("connection refused")
	}
	status := a.status
	if status == 0 {
		status = http.StatusOK
	}
	body := &body{radio: r, ctx: req.Context(), r: bytes.NewReader(a.body), stalls: a.stalls}
	return &http.Response{StatusCode: status, Status: http.StatusText(status), Header: http.Header{"Content-Type": {a.kind}}, Body: body, Request: req}, nil
}

// requests are how many there were.
func (r *radio) requests() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.asked)
}

type body struct {
	radio  *radio
	ctx    context.Context
	r      *bytes.Reader
	stalls bool
}

func (b *body) Read(p []byte) (int, error) {
	if b.ctx.Err() != nil {
		return 0, b.ctx.Err()
	}
	n, err := b.r.Read(p)
	b.radio.mu.Lock()
	b.radio.read += n
	b.radio.mu.Unlock()
	if b.stalls && errors.Is(err, io.EOF) {
		<-b.ctx.Done()
		err = b.ctx.Err()
	}
	return n, err
}

func (b *body) Close() error {
	if b.radio.left != nil {
		b.radio.left()
	}
	return nil
}

// shelfOf is a shelf whose streams come from a radio, and what it logs.
func shelfOf(t *testing.T, r *radio) (*Shelf, *bytes.Buffer) {
	t.Helper()
	library, _ := opus.Open()
	log := new(bytes.Buffer)
	return &Shelf{Folder: t.TempDir(), Opus: library, Client: &http.Client{Transport: r}, Log: slog.New(slog.NewTextHandler(log, nil))}, log
}

// hear listens for a time at the pace of a call and returns how loud the tone of the stream was in the last second, and anything.
func hear(t *testing.T, source audio.Source, hertz int, d time.Duration) (stream, any float64) {
	t.Helper()
	var last []int16
	pcm := make([]int16, hertz/50)
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		for n := 0; n < len(pcm); {
			got, err := source.ReadSamples(pcm[n:])
			if err != nil {
				t.Fatal(err)
			}
			n += got
		}
		last = append(last, pcm...)
		last = last[max(len(last)-hertz, 0):]
	}
	return audio.Goertzel(last, hertz, streamTone), float64(codec.Silence) - float64(codec.Level(last))
}

// open opens music that there must be.
func open(t *testing.T, s *Shelf, setting string, hertz int) audio.Source {
	t.Helper()
	m := s.Music(setting)
	if m == nil || *m == nil {
		t.Fatalf("%s is no music", setting)
	}
	source, err := (*m)(hertz)
	if err != nil {
		t.Fatal(err)
	}
	return source
}

const address = "http://radio.example.net/quiet"

// TestStream: all who wait hear the same stream over one connection, whatever their rate; it is asked for again when it ends, and left when nobody has heard it for a while.
func TestStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &radio{answers: []answer{{body: wave(t, 60)}}}
		s, log := shelfOf(t, r)
		defer s.Close()
		a := open(t, s, address, 16000)
		if level, _ := hear(t, a, 16000, 3*time.Second); level < 6000 {
			t.Errorf("the stream at %.0f", level)
		}
		b := open(t, s, address, 8000)
		if level, _ := hear(t, b, 8000, 2*time.Second); level < 6000 || r.requests() != 1 {
			t.Errorf("the second listener at %.0f, %d connections", level, r.requests())
		}
		if most := 2 * rate * (5 + ringLead/rate + 1); r.read > most {
			t.Errorf("%d bytes were read, a few seconds ahead are %d", r.read, most)
		}
		if level, _ := hear(t, a, 16000, 62*time.Second); level < 6000 || r.requests() != 2 {
			t.Errorf("after its end at %.0f, %d connections", level, r.requests())
		}
		time.Sleep(linger + maxBack)
		if got := s.Reports(); len(got) != 1 || got[0].State != Idle || log.Len() > 0 {
			t.Errorf("%+v %s", got, log)
		}
		if level, _ := hear(t, open(t, s, address, 16000), 16000, 3*time.Second); level < 6000 || r.requests() != 3 {
			t.Errorf("later at %.0f, %d connections", level, r.requests())
		}
	})
}

// TestStreamAgain: who comes just as the reader leaves because nobody listens hears the stream, by a reader of its own.
func TestStreamAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		came := make(chan audio.Source, 1)
		r := &radio{answers: []answer{{body: endless()}}}
		s, _ := shelfOf(t, r)
		defer s.Close()
		r.left = sync.OnceFunc(func() { came <- open(t, s, address, 16000) })
		hear(t, open(t, s, address, 16000), 16000, 3*time.Second)
		if level, _ := hear(t, <-came, 16000, 5*time.Second); level < 6000 || r.requests() != 2 {
			t.Errorf("who came last hears it at %.0f, %d connections", level, r.requests())
		}
		if got := s.Reports(); len(got) != 1 || got[0].State != Playing {
			t.Errorf("%+v", got)
		}
	})
}

// TestStreamLeft: who has heard something else for so long that nobody read the stream any more goes back to it, not to the tune.
func TestStreamLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &radio{answers: []answer{{body: endless()}}}
		s, log := shelfOf(t, r)
		defer s.Close()
		source := open(t, s, address, 16000)
		for times := 1; times <= 3; times++ {
			if level, _ := hear(t, source, 16000, 5*time.Second); level < 6000 || r.requests() != times {
				t.Errorf("time %d: at %.0f, %d connections", times, level, r.requests())
			}
			time.Sleep(linger + time.Minute)
			if got := s.Reports(); got[0].State != Idle {
				t.Errorf("nobody hears it: %+v", got)
			}
		}
		if log.Len() > 0 {
			t.Errorf("log: %s", log)
		}
	})
}

// TestStreamFails: while a stream cannot be had the tune is heard; it is asked for again, ever less often, and heard when it is back. The log says so once each.
func TestStreamFails(t *testing.T) {
	for name, wrong := range map[string]answer{
		"refused": {}, "gone": {body: []byte("no such stream"), status: http.StatusNotFound}, "MP3": {kind: "audio/mpeg", body: []byte("\xff\xfb\x90\x64....")},
		"empty": {body: wave(t, 0)}, "silent": {body: wave(t, 0), stalls: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &radio{answers: []answer{wrong, wrong, wrong, wrong, {body: endless()}}}
				s, log := shelfOf(t, r)
				defer s.Close()
				source := open(t, s, address, 8000)
				if level, loud := hear(t, source, 8000, 6*time.Second); level > 500 || loud < 60 {
					t.Errorf("instead of the stream: %.0f, loud %.0f", level, loud)
				}
				for range 16 {
					time.Sleep((patience + 8*time.Second) / 4)
					hear(t, source, 8000, 20*time.Millisecond)
				}
				if level, _ := hear(t, source, 8000, 10*time.Second); level < 6000 {
					t.Errorf("the stream is back at %.0f", level)
				}
				for i, least := range []time.Duration{1, 2, 4, 8} {
					if pause := r.asked[i+1].Sub(r.asked[i]); pause < least*time.Second {
						t.Errorf("attempt %d after %s", i+2, pause)
					}
				}
				if text := log.String(); strings.Count(text, "fails") != 1 || strings.Count(text, "heard again") != 1 || strings.Index(text, "fails") > strings.Index(text, "again\"") {
					t.Errorf("log: %s", text)
				}
			})
		})
	}
}

// TestStreamBreaks: a stream that stops in the middle is silent for a moment, then the tune, and then itself again.
func TestStreamBreaks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &radio{answers: []answer{{body: wave(t, 10), stalls: true}, {body: endless()}}}
		s, _ := shelfOf(t, r)
		defer s.Close()
		source := open(t, s, address, 16000)
		if level, _ := hear(t, source, 16000, 9*time.Second); level < 6000 {
			t.Errorf("the stream at %.0f", level)
		}
		if level, loud := hear(t, source, 16000, 8*time.Second); level > 500 || loud < 60 {
			t.Errorf("where nothing comes: %.0f, loud %.0f", level, loud)
		}
		if level, _ := hear(t, source, 16000, 30*time.Second); level < 6000 {
			t.Errorf("again at %.0f", level)
		}
	})
}

// unlocked is a log that nobody waits for.
type unlocked struct {
	t   *testing.T
	s   *Shelf
	log io.Writer
}

func (u unlocked) Write(b []byte) (int, error) {
	if !u.s.mu.TryLock() {
		u.t.Errorf("locked while it logs %s", b)
	} else {
		u.s.mu.Unlock()
	}
	return u.log.Write(b)
}

// TestStreamLimit: more streams than that are not read, and closing ends them all. Nobody waits for the log meanwhile.
func TestStreamLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &radio{answers: []answer{{body: endless()}}}
		s, log := shelfOf(t, r)
		s.Log = slog.New(slog.NewTextHandler(unlocked{t, s, log}, nil))
		var source audio.Source
		for i := range maxStreams + 1 {
			source = open(t, s, address+strings.Repeat("x", i), 8000)
			synctest.Wait()
			if level, loud := hear(t, source, 8000, 200*time.Millisecond); i == maxStreams && (level > 500 || loud < 60) {
				t.Errorf("one too many: %.0f, loud %.0f", level, loud)
			}
		}
		if r.requests() != maxStreams || !strings.Contains(log.String(), errStreams.Error()) {
			t.Errorf("%d streams; %s", r.requests(), log)
		}
		if n := strings.Count(log.String(), errStreams.Error()); n != 1 {
			t.Errorf("said %d times: %s", n, log)
		}
		time.Sleep(linger + maxBack)
		if level, _ := hear(t, source, 8000, 5*time.Second); level < 6000 {
			t.Errorf("when there is room at %.0f", level)
		}
		s.Close()
		if source := open(t, s, address, 8000); source == nil {
			t.Error("nothing is heard at the end")
		}
	})
}

// TestKinds: what can be played, told apart by its beginning. RFC 3551 §4.5.11; RFC 3533 §4: Ogg streams follow each other.
func TestKinds(t *testing.T) {
	library, _ := opus.Open()
	var l16 []byte
	for _, v := range tone(2) {
		l16 = binary.BigEndian.AppendUint16(l16, uint16(v))
		l16 = binary.BigEndian.AppendUint16(l16, uint16(v)) // the other channel
	}
	opusFile := ogg(t, 2)
	for _, c := range []struct {
		name, contentType string
		body              []byte
		seconds           int
	}{
		{"WAV", "", wave(t, 2), 2}, {"PCM", "audio/L16;rate=16000;channels=2", l16, 2}, {"Opus", "application/octet-stream", opusFile, 2},
		{"Opus", "audio/ogg", append(append([]byte{}, opusFile...), opusFile...), 4},
	} {
		if c.body == nil {
			continue
		}
		opened, err := decode(bytes.NewReader(c.body), c.contentType, library)
		if err != nil || opened.kind != c.name || opened.rate != rate {
			t.Fatalf("%s: %+v, %v", c.name, opened, err)
		}
		pcm, err := audio.ReadAll(opened, 10*rate)
		if level := audio.Goertzel(pcm[len(pcm)-rate:], rate, streamTone); err != nil || level < 6000 || len(pcm) < c.seconds*rate-rate/10 {
			t.Errorf("%s: %d samples at %.0f: %v", c.name, len(pcm), level, err)
		}
	}
	for _, c := range []struct{ contentType, body, want string }{
		{"", "ID3\x04 music", "MP3"}, {"audio/mpeg", "....", "MP3"}, {"", "OggS\x00 vorbis", ""}, {"text/html", "<html>", errKind.Error()}, {"", "RI", errKind.Error()},
		{"audio/L16;rate=0", "....", "rate"}, {"audio/L16;rate=8000;channels=99", "....", "channels"},
	} {
		if _, err := decode(strings.NewReader(c.body), c.contentType, library); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q %q: %v", c.contentType, c.body, err)
		}
	}
}

// TestFile: a file is heard over and over, read again when it has changed, and the tune where it cannot be played.
func TestFile(t *testing.T) {
	s, log := shelfOf(t, nil)
	name := filepath.Join(s.Folder, "hold.wav")
	pcm := make([]int16, 16000)
	for range 2 {
		if n, err := open(t, s, "hold.wav", 16000).ReadSamples(pcm); n != len(pcm) || err != nil || audio.Goertzel(pcm, 16000, streamTone) > 500 {
			t.Errorf("a file that is missing: %d samples, %v", n, err)
		}
	}
	if n := strings.Count(log.String(), "cannot be played"); n != 1 {
		t.Errorf("said %d times: %s", n, log)
	}
	for i, seconds := range []int{2, 1} {
		if err := os.WriteFile(name, wave(t, seconds), 0o600); err != nil {
			t.Fatal(err)
		}
		source := open(t, s, "hold.wav", 16000)
		for range 3 {
			if n, err := source.ReadSamples(pcm); n != len(pcm) || err != nil || audio.Goertzel(pcm, 16000, streamTone) < 6000 {
				t.Errorf("version %d: %d samples, %v", i, n, err)
			}
		}
	}
	if got := len(s.files); got != 1 {
		t.Errorf("%d files in memory", got)
	}
	if m := s.Music(None); m == nil || *m != nil {
		t.Error("none is something")
	}
	if first := s.Music("hold.wav"); s.Music("") != nil || s.Music("hold.wav") != first {
		t.Error("a setting has two musics")
	}
}

// TestFolder: what can be played is taken into the folder, tried, listed and removed.
func TestFolder(t *testing.T) {
	s, _ := shelfOf(t, &radio{answers: []answer{{body: endless()}}})
	from := filepath.Join(t.TempDir(), "new")
	if err := os.WriteFile(from, wave(t, 3), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", "../x.wav", "a/b.wav", ".hidden", Tune, None} {
		if s.Add(from, name) == nil {
			t.Errorf("added as %q", name)
		}
	}
	if s.Add("music_test.go", "code.wav") == nil || s.Add("nothing", "nothing.wav") == nil {
		t.Error("what is no music was added")
	}
	if err := s.Add(from, "winter.wav"); err != nil {
		t.Fatal(err)
	}
	if s.Add(from, "winter.wav") == nil {
		t.Error("replaced")
	}
	if names, err := s.Files(); err != nil || len(names) != 1 || names[0] != "winter.wav" {
		t.Errorf("%q %v", names, err)
	}
	heard, err := s.Probe(t.Context(), "winter.wav")
	if err != nil || heard.Length != 3*time.Second || heard.Kind != "WAV" || heard.Level > -10 || heard.Level < -25 {
		t.Errorf("%+v %v", heard, err)
	}
	if heard, err = s.Probe(t.Context(), address); err != nil || !heard.Forever || heard.Length != probeTime {
		t.Errorf("%+v %v", heard, err)
	}
	if heard, err = s.Probe(t.Context(), Tune); err != nil || heard.Length != time.Second {
		t.Errorf("%+v %v", heard, err)
	}
	for _, wrong := range []string{"", None, "ftp://radio.example.net/x", "http://", "summer.wav"} {
		if _, err := s.Probe(t.Context(), wrong); err == nil {
			t.Errorf("%q can be heard", wrong)
		}
	}
	if s.Remove("../winter.wav") == nil || s.Remove("winter.wav") != nil || s.Remove("winter.wav") == nil {
		t.Error("removed otherwise than once")
	}
}

// FuzzDecode: nothing that a server sends makes the reader fail otherwise than by an error.
func FuzzDecode(f *testing.F) {
	f.Add("", wave(f, 0))
	f.Add("audio/ogg", ogg(f, 1))
	f.Add("audio/L16;rate=8000", []byte("12345678"))
	library, _ := opus.Open()
	f.Fuzz(func(_ *testing.T, contentType string, b []byte) {
		if opened, err := decode(bytes.NewReader(b), contentType, library); err == nil {
			_, _ = audio.ReadAll(opened, rate) // whatever it is
		}
	})
}
