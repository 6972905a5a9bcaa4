package prompt

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
)

// TestSpoken: every text has been spoken as it is written now, and nothing else.
func TestSpoken(t *testing.T) {
	for _, language := range Languages() {
		lines, err := Texts(language)
		if err != nil {
			t.Fatal(err)
		}
		b, err := packs.ReadFile(language + ".pack")
		if err != nil {
			t.Fatal(err)
		}
		pieces, err := ReadPack(b)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range lines {
			if p, ok := pieces[line.Name]; !ok || p.Hash != HashText(line.Text) || p.Samples < Rate/10 {
				t.Errorf("%s: %s is not spoken; run go generate ./media/prompt", language, line.Name)
			}
		}
		if len(pieces) != len(lines) {
			t.Errorf("%s: %d pieces, %d texts", language, len(pieces), len(lines))
		}
	}
}

// TestSameTexts: what one language says the other says too, but for what its grammar needs.
func TestSameTexts(t *testing.T) {
	names := func(language string) (all []string) {
		lines, _ := Texts(language)
		for _, l := range lines {
			if stem, _, _ := strings.Cut(l.Name, "["); !slices.Contains([]string{"oh", "am", "pm", "one-thousand", "one", "one-clock", "clock"}, stem) {
				all = append(all, l.Name)
			}
		}
		slices.Sort(all)
		return all
	}
	if en, de := names(English), names(German); !slices.Equal(en, de) {
		t.Errorf("English %v\nGerman %v", en, de)
	}
}

// said writes words as they are heard.
func said(t *testing.T, language string, words ...Words) string {
	t.Helper()
	lines, _ := Texts(language)
	var g grammar = english{}
	if language == German {
		g = german{}
	}
	var text []string
	for _, w := range words {
		for _, name := range w(g) {
			i := slices.IndexFunc(lines, func(l Line) bool { return l.Name == name })
			if i < 0 {
				t.Errorf("%s: no text for %s", language, name)
				continue
			}
			text = append(text, lines[i].Text)
		}
	}
	return strings.Join(text, " ")
}

func TestWords(t *testing.T) {
	now := time.Date(2026, time.May, 7, 18, 0, 0, 0, time.UTC) // a Thursday
	at := func(month time.Month, day, hour, minute int) Words {
		return When(time.Date(2026, month, day, hour, minute, 0, 0, time.UTC), now)
	}
	for _, c := range []struct {
		words  Words
		en, de string
	}{
		{Number(0), "0", "0"},
		{Number(21), "21", "21"},
		{Number(100), "1 hundred", "einhundert"},
		{Number(342), "3 hundred 42", "dreihundert 42"},
		{Number(1000), "1 thousand", "eintausend"},
		{Number(1101), "1 thousand 1 hundred 1", "eintausend einhundert 1"},
		{Number(2026), "2 thousand 26", "2 tausend 26"},
		{Number(101_000), "1 hundred 1 thousand", "einhundert eintausend"},
		{Number(300_020), "3 hundred thousand 20", "dreihundert tausend 20"},
		{Number(-5), "5", "5"},
		{Count(1, "new"), "1 new message", "eine neue Nachricht"},
		{Count(2, "new"), "2 new messages", "2 neue Nachrichten"},
		{Digits("+49 (30)*#"), "plus 4 9 3 0 star hash", "plus 4 9 3 0 Stern Raute"},
		{at(time.May, 7, 15, 42), "today at 3 42 p.m.", "heute um 15 Uhr 42"},
		{at(time.May, 6, 0, 5), "yesterday at 12 oh 5 a.m.", "gestern um 0 Uhr 5"},
		{at(time.May, 4, 1, 0), "on Monday at 1 a.m.", "am Montag um ein Uhr"},
		{at(time.April, 30, 12, 30), "on the thirtieth of April at 12 30 p.m.", "am dreißigsten April um 12 Uhr 30"},
		{When(time.Date(2025, time.December, 31, 23, 0, 0, 0, time.UTC), now), "on the thirty-first of December 2 thousand 25 at 11 p.m.", "am einunddreißigsten Dezember 2 tausend 25 um 23 Uhr"},
		{When(time.Date(2026, time.May, 6, 23, 30, 0, 0, time.UTC), now.In(time.FixedZone("", 7200))), "today at 1 30 a.m.", "heute um ein Uhr 30"},
		{Text("goodbye"), "Goodbye.", "Auf Wiederhören."},
	} {
		if got := said(t, English, c.words); got != c.en {
			t.Errorf("%q, want %q", got, c.en)
		}
		if got := said(t, German, c.words); got != c.de {
			t.Errorf("%q, want %q", got, c.de)
		}
	}
}

// TestEverySpoken: no number and no time misses a piece.
func TestEverySpoken(t *testing.T) {
	now := time.Date(2026, time.December, 31, 12, 0, 0, 0, time.UTC)
	for _, language := range Languages() {
		for n := range 2100 {
			said(t, language, Number(n), Count(n, "new"), Count(n, "saved"))
		}
		for day := range 366 {
			said(t, language, When(now.AddDate(0, 0, -day).Add(time.Duration(day)*7*time.Minute), now))
		}
	}
}

// TestBook: what is said is heard, in the language asked for or in English.
func TestBook(t *testing.T) {
	var b Book
	length := func(language string, rate int) float64 {
		n := 0
		for _, s := range b.Say(language, rate, Text("goodbye"), Number(3)) {
			pcm, err := audio.ReadAll(s, 60*rate)
			if err != nil {
				t.Fatal(err)
			}
			n += len(pcm)
			if level := loudest(pcm); level < 8000 {
				t.Errorf("%s: a piece has a level of %d", language, level)
			}
		}
		return float64(n) / float64(rate)
	}
	en, de := length("en", 8000), length("de-AT", 8000)
	if en < 0.5 || de < 0.5 || math.Abs(length("fr", 16000)-en) > 0.02 || en == de {
		t.Errorf("English %.2f s, German %.2f s", en, de)
	}
	if b.Has("en", "no such thing") || !b.Has("de", "goodbye") {
		t.Error("Has")
	}
}

func loudest(pcm []int16) (level int16) {
	for _, s := range pcm {
		level = max(level, s)
	}
	return level
}

// TestOwnFiles: a file of one's own is heard in place of a piece, or of none; what is no sound is not.
func TestOwnFiles(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "de"), 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(name string, samples int) {
		f, err := os.Create(filepath.Join(dir, "de", name))
		if err != nil {
			t.Fatal(err)
		}
		w, err := audio.NewWAVWriter(f, 16000)
		if err == nil {
			err = w.WriteSamples(make([]int16, samples))
		}
		if err != nil || w.Close() != nil || f.Close() != nil {
			t.Fatal(err)
		}
	}
	write("goodbye.wav", 16000)
	write("welcome.wav", 32000)
	if err := os.WriteFile(filepath.Join(dir, "de", "invalid.wav"), []byte("no sound"), 0o644); err != nil {
		t.Fatal(err)
	}
	b := Book{Folder: dir}
	for name, want := range map[string]int{"goodbye": 8000, "welcome": 16000, "welcome.wav": 16000, "../de/welcome": 0} {
		n := 0
		for _, s := range b.Say("de", 8000, Text(name)) {
			pcm, _ := audio.ReadAll(s, 1<<20)
			n += len(pcm)
		}
		if n < want-100 || n > want+100 {
			t.Errorf("%s: %d samples, want %d", name, n, want)
		}
	}
	if !b.Has("de", "invalid") || b.Has("en", "welcome") {
		t.Error("a file that is no sound, or of another language")
	}
}

// TestPiece: what is coded comes back as it was, but for some noise.
func TestPiece(t *testing.T) {
	tone := audio.Tone{Rate: Rate, Frequencies: []float64{440, 1100}, Amplitude: 6000}
	pcm := make([]int16, Rate+1)
	_, _ = tone.ReadSamples(pcm)
	pieces, err := ReadPack(AppendPack(nil, []Piece{NewPiece("b", "x", pcm), NewPiece("a", "y", pcm[:3])}))
	if err != nil {
		t.Fatal(err)
	}
	got, err := audio.ReadAll(pieces["b"].Source(), 2*Rate)
	if err != nil || len(got) != len(pcm) || pieces["a"].Samples != 3 {
		t.Fatalf("%d samples, %v", len(got), err)
	}
	var signal, noise float64
	for i := range pcm {
		d := float64(pcm[i]) - float64(got[i])
		signal, noise = signal+float64(pcm[i])*float64(pcm[i]), noise+d*d
	}
	if db := 10 * math.Log10(signal/noise); db < 20 {
		t.Errorf("signal to noise %.1f dB", db)
	}
}

func FuzzReadPack(f *testing.F) {
	f.Add(AppendPack(nil, []Piece{NewPiece("a", "b", []int16{1, 2, 3})}))
	f.Add([]byte(packHead + "a -1 0\n\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		pieces, err := ReadPack(b)
		if err != nil {
			return
		}
		for _, p := range pieces {
			if _, err := audio.ReadAll(p.Source(), 2*len(b)+2); err != nil {
				t.Error(err)
			}
		}
	})
}
