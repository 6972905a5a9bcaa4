package prompt

// The book: where the sound of words is found.

import (
	"embed"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/sipwerk/sipwerk/media/audio"
)

// The languages that come with the program.
const (
	English = "en"
	German  = "de"
)

// Languages returns those that come with the program.
func Languages() []string { return []string{English, German} }

//go:embed en.pack de.pack
var packs embed.FS

// maxFile is the longest file of one's own, in seconds; the rest of a longer one is not heard.
const maxFile = 600

// Book gives the sound of words. The zero Book speaks what comes with the program. Safe for use by many goroutines.
type Book struct {
	// Folder holds files of one's own: LANGUAGE/NAME.wav is said in place of the piece of that name, and pieces of other names are said too. "": there is none.
	Folder string

	once   sync.Once
	pieces map[string]map[string]Piece // by language and name
}

// Say returns the sound of words at a sample rate, for one listener. What the language has no piece for is left out; a language that there is not is English.
func (b *Book) Say(language string, rate int, words ...Words) []audio.Source {
	b.once.Do(b.read)
	language = strings.ToLower(language)
	if language, _, _ = strings.Cut(language, "-"); b.pieces[language] == nil {
		language = English
	}
	var g grammar = english{}
	if language == German {
		g = german{}
	}
	var sources []audio.Source
	for _, w := range words {
		for _, name := range w(g) {
			if s := b.piece(language, name, rate); s != nil {
				sources = append(sources, s)
			}
		}
	}
	return sources
}

// Has reports whether there is sound for a name in a language.
func (b *Book) Has(language, name string) bool {
	return len(b.Say(language, Rate, Text(name))) > 0
}

// read reads the packs. They are part of the program, and a test holds that they are good.
func (b *Book) read() {
	b.pieces = make(map[string]map[string]Piece)
	for _, language := range Languages() {
		pack, err := packs.ReadFile(language + ".pack")
		if err == nil {
			b.pieces[language], _ = ReadPack(pack)
		}
	}
}

// piece returns the sound of one name, nil if there is none.
func (b *Book) piece(language, name string, rate int) audio.Source {
	if own := b.own(language, name, rate); own != nil {
		return own
	}
	p, ok := b.pieces[language][name]
	if !ok {
		return nil
	}
	return atRate(p.Source(), Rate, rate)
}

// atRate gives s at another rate, nil if that is too odd.
func atRate(s audio.Source, from, to int) audio.Source {
	if s, err := audio.AtRate(s, from, to); err == nil {
		return s
	}
	return nil
}

// own reads a file of one's own; one that cannot be read is as if it were not there.
func (b *Book) own(language, name string, rate int) audio.Source {
	if b.Folder == "" || !filepath.IsLocal(name) {
		return nil
	}
	f, err := os.Open(filepath.Join(b.Folder, language, strings.TrimSuffix(name, ".wav")+".wav"))
	if err != nil {
		return nil
	}
	defer f.Close()
	r, err := audio.NewWAVReader(f)
	if err != nil {
		return nil
	}
	pcm, err := audio.ReadAll(r, maxFile*r.Rate())
	if err != nil && err != audio.ErrTooLong {
		return nil
	}
	return atRate(&audio.Samples{PCM: pcm}, r.Rate(), rate)
}

// Silence is a pause, for lists to be understood.
func Silence(samples int) audio.Source { return &pause{samples} }

type pause struct{ left int }

// ReadSamples implements [audio.Source].
func (p *pause) ReadSamples(pcm []int16) (int, error) {
	n := min(p.left, len(pcm))
	clear(pcm[:n])
	if p.left -= n; n == 0 {
		return 0, io.EOF
	}
	return n, nil
}
