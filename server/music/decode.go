package music

// What kinds of sound there are, told apart by their first bytes.

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"mime"
	"strconv"
	"strings"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/media/codec"
	"github.com/sipwerk/sipwerk/media/codec/opus"
)

// rate is the sample rate of music that is kept or buffered: that of the calls which end in the server.
const rate = 16000

// What cannot be played.
var (
	errMP3  = errors.New("it is MP3, which cannot be played; use WAV, or Opus in Ogg (ffmpeg -i music.mp3 -ac 1 music.opus)")
	errKind = errors.New("it is neither WAV nor Opus in Ogg")

	errNothing = errors.New("no sound in it")
)

// sound is something opened: mono PCM of a rate.
type sound struct {
	audio.Source
	kind string
	rate int
}

// beginning reads so many seconds, or what there is.
func (s sound) beginning(seconds int) ([]int16, error) {
	source, err := audio.AtRate(s, s.rate, rate)
	if err != nil {
		return nil, err
	}
	pcm, err := audio.ReadAll(source, seconds*rate)
	switch {
	case err != nil && !errors.Is(err, audio.ErrTooLong):
		return nil, err
	case len(pcm) == 0:
		return nil, errNothing
	}
	return pcm, nil
}

// decode opens what r holds. The content type tells only what the bytes do not.
func decode(r io.Reader, contentType string, library *opus.Library) (sound, error) {
	b := bufio.NewReader(r)
	head, err := b.Peek(4)
	if err != nil {
		return sound{}, fmt.Errorf("%w: %w", errKind, err)
	}
	named, parameters, _ := mime.ParseMediaType(contentType)
	switch {
	case string(head) == "RIFF":
		w, err := audio.NewWAVReader(b)
		if err != nil {
			return sound{}, err
		}
		return sound{w, "WAV", w.Rate()}, nil
	case string(head) == "OggS":
		l := &links{r: b, format: library.Format(rate, opus.Settings{})}
		return sound{l, "Opus", rate}, l.open()
	case strings.EqualFold(named, "audio/l16"):
		return pcmOf(b, parameters)
	case string(head[:3]) == "ID3", head[0] == 0xff && head[1]&0xe0 == 0xe0, named == "audio/mpeg", named == "audio/mp3":
		return sound{}, errMP3
	}
	return sound{}, errKind
}

// links are Ogg streams one behind the other, as web radios make them, one for each title. RFC 3533 §4.
type links struct {
	r      io.Reader
	format codec.Format
	now    *audio.OpusReader
}

func (l *links) open() (err error) {
	l.now, err = audio.NewOpusReader(l.r, l.format)
	return err
}

// ReadSamples implements [audio.Source].
func (l *links) ReadSamples(pcm []int16) (int, error) {
	n, err := l.now.ReadSamples(pcm)
	if n == 0 && errors.Is(err, io.EOF) && l.open() == nil {
		return l.now.ReadSamples(pcm)
	}
	return n, err
}

// Limits of PCM streams.
const (
	maxPCMRate     = 192000
	maxPCMChannels = 8
)

// pcmOf opens samples of 16 bits, highest byte first. RFC 3551 §4.5.11.
func pcmOf(r io.Reader, parameters map[string]string) (sound, error) {
	hertz, _ := strconv.Atoi(parameters["rate"])
	channels := 1
	if text, ok := parameters["channels"]; ok {
		channels, _ = strconv.Atoi(text)
	}
	if hertz < 1 || hertz > maxPCMRate || channels < 1 || channels > maxPCMChannels {
		return sound{}, fmt.Errorf("audio/L16 with rate %q and channels %q", parameters["rate"], parameters["channels"])
	}
	return sound{&pcmReader{r: r, frame: make([]byte, 2*channels)}, "PCM", hertz}, nil
}

// pcmReader mixes the channels of PCM to one.
type pcmReader struct {
	r     io.Reader
	frame []byte
}

// ReadSamples implements [audio.Source].
func (p *pcmReader) ReadSamples(pcm []int16) (int, error) {
	for i := range pcm {
		if _, err := io.ReadFull(p.r, p.frame); err != nil {
			if errors.Is(err, io.ErrUnexpectedEOF) {
				err = io.EOF
			}
			return i, err
		}
		sum, channels := 0, len(p.frame)/2
		for c := range channels {
			sum += int(int16(binary.BigEndian.Uint16(p.frame[2*c:])))
		}
		pcm[i] = int16(sum / channels)
	}
	return len(pcm), nil
}
