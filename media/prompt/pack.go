package prompt

// The file of the pieces of a language: a head of text, a line a piece, and their codes behind each other.

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"io"
	"slices"
	"strings"

	"github.com/sipwerk/sipwerk/media/audio"
)

// Rate is the sample rate of the pieces: what a telephone line carries.
const Rate = 8000

const (
	packHead = "sipwerk prompts 1\n"
	packLine = "%s %d %x\n" // name, samples, hash of its text
)

// Piece is one piece of speech.
type Piece struct {
	Name    string
	Hash    uint64 // of the text, see [HashText]
	Samples int
	codes   []byte // two samples each, the first in the lower half
}

// HashText is how a piece knows of what text it was spoken.
func HashText(text string) uint64 {
	h := fnv.New64a()
	_, _ = io.WriteString(h, text) // documented never to fail
	return h.Sum64()
}

// NewPiece codes what was spoken at [Rate].
func NewPiece(name, text string, pcm []int16) Piece {
	p := Piece{Name: name, Hash: HashText(text), Samples: len(pcm), codes: make([]byte, (len(pcm)+1)/2)}
	var coder adpcm
	for i, s := range pcm {
		p.codes[i/2] |= coder.encode(s) << (i % 2 * 4)
	}
	return p
}

// AppendPack appends the file of pieces, sorted by name.
func AppendPack(b []byte, pieces []Piece) []byte {
	slices.SortFunc(pieces, func(a, b Piece) int { return strings.Compare(a.Name, b.Name) })
	b = append(b, packHead...)
	for _, p := range pieces {
		b = fmt.Appendf(b, packLine, p.Name, p.Samples, p.Hash)
	}
	b = append(b, '\n')
	for _, p := range pieces {
		b = append(b, p.codes...)
	}
	return b
}

// ReadPack reads the file of pieces, whose memory they share.
func ReadPack(b []byte) (map[string]Piece, error) {
	head, codes, ok := bytes.Cut(b, []byte("\n\n"))
	lines, ok2 := strings.CutPrefix(string(head)+"\n", packHead)
	if !ok || !ok2 {
		return nil, fmt.Errorf("prompt: not a file of prompts")
	}
	pieces := make(map[string]Piece)
	for line := range strings.Lines(lines) {
		var p Piece
		if _, err := fmt.Sscanf(line, packLine, &p.Name, &p.Samples, &p.Hash); err != nil {
			return nil, fmt.Errorf("prompt: line %q: %w", line, err)
		}
		size := (p.Samples + 1) / 2
		if p.Samples < 0 || size > len(codes) {
			return nil, fmt.Errorf("prompt: %s is cut off", p.Name)
		}
		p.codes, codes = codes[:size], codes[size:]
		pieces[p.Name] = p
	}
	return pieces, nil
}

// Source gives the samples of a piece, at [Rate].
func (p Piece) Source() audio.Source { return &player{piece: p} }

// player decodes a piece as it is read.
type player struct {
	piece Piece
	at    int
	coder adpcm
}

// ReadSamples implements [audio.Source].
func (s *player) ReadSamples(pcm []int16) (n int, err error) {
	for ; n < len(pcm) && s.at < s.piece.Samples; n++ {
		pcm[n] = s.coder.decode(s.piece.codes[s.at/2] >> (s.at % 2 * 4) & 15)
		s.at++
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}
