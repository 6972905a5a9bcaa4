package audio

// The tones by which a telephone network speaks to people, as each country has them. ITU-T E.180 (what each means), ITU-T E.182 (which are used), and the list of national tones that the ITU
// keeps beside E.180.

import (
	"io"
	"strconv"
	"strings"
	"time"
)

// A Cadence is how a tone goes on and off: pieces of FREQUENCY/MILLISECONDS, over and over, such as "425/1000 0/4000". Frequencies that sound together are joined by +, and 0 is silence; a piece
// without a duration never ends.
type Cadence string

// Signals are the tones of a country.
type Signals struct {
	Dial        Cadence // a number may be dialled
	Ringback    Cadence // somebody's telephone rings
	Busy        Cadence // somebody is on another call
	Congestion  Cadence // the network has no line
	Information Cadence // the number does not exist, or cannot be reached: an announcement follows
	Waiting     Cadence // somebody else calls during a call
}

// Beep is the tone behind which one is to speak. Countries do not differ in it.
const Beep Cadence = "1000/400"

// signalLevel is the amplitude of all frequencies of a tone together: -12 dBm0, of the -15 to -5 that ITU-T E.180 asks for.
const signalLevel = 6000

// threeTones is the special information tone of most countries. ITU-T E.180 §6.
const threeTones = "950/330 1400/330 1800/330 0/1000"

// SignalsOf returns the tones of a country, by its two letters of ISO 3166. A country that is not known, and none, have those that ITU-T E.180 recommends: 425 Hz.
func SignalsOf(country string) Signals {
	s := Signals{Dial: "425", Ringback: "425/1000 0/4000", Busy: "425/500 0/500", Congestion: "425/250 0/250", Information: threeTones, Waiting: "425/200 0/600 425/200 0/3000"}
	for line := range strings.Lines(nationalSignals) {
		name, rest, _ := strings.Cut(line, ":")
		if name != strings.ToUpper(country) {
			continue
		}
		for i, text := range strings.Split(rest, "|") {
			if text = strings.TrimSpace(text); text != "" {
				*[...]*Cadence{&s.Dial, &s.Ringback, &s.Busy, &s.Congestion, &s.Waiting, &s.Information}[i] = Cadence(text)
			}
		}
	}
	return s
}

// nationalSignals are dial tone, ringing tone, busy tone, congestion tone, call waiting tone and special information tone of each country; what is left out is as E.180 recommends.
const nationalSignals = `
AT:420|420/1000 0/5000|420/400 0/400|420/200 0/200|420/40 0/1960|950/330 1450/330 1850/330 0/1000
AU:413+438|413+438/400 0/200 413+438/400 0/2000|425/375 0/375|425/375 0/375 420/375 0/375|425/200 0/200 425/200 0/4400|425/2500 0/500
BE:425|425/1000 0/3000|425/500 0/500|425/167 0/167|1400/175 0/175 1400/175 0/3500|900/330 1400/330 1800/330 0/1000
CA:350+440|440+480/2000 0/4000|480+620/500 0/500|480+620/250 0/250|440/300 0/10000
CH:425|425/1000 0/4000|425/500 0/500|425/200 0/200|425/200 0/200 425/200 0/4000
CZ:425/330 0/330 425/660 0/660|425/1000 0/4000|425/330 0/330|425/165 0/165|425/330 0/9000|950/330 0/30 1400/330 0/30 1800/330 0/1000
DE:425|425/1000 0/4000|425/480 0/480|425/240 0/240|425/200 0/200 425/200 0/5000
DK:425|425/1000 0/4000|425/500 0/500|425/200 0/200|425/200 0/600 425/200 0/3000
ES:425|425/1500 0/3000|425/200 0/200|425/200 0/200 425/200 0/200 425/200 0/600|425/175 0/175 425/175 0/3500
FI:425|425/1000 0/4000|425/300 0/300|425/200 0/200|425/150 0/150 425/150 0/8000
FR:440|440/1500 0/3500|440/500 0/500|440/250 0/250|440/300 0/10000
GB:350+440|400+450/400 0/200 400+450/400 0/2000|400/375 0/375|400/400 0/350 400/225 0/525|400/100 0/4000|950/330 0/15 1400/330 0/15 1800/330 0/1000
HU:425|425/1250 0/3750|425/300 0/300|425/300 0/300|425/40 0/1960
IE:425|400+450/400 0/200 400+450/400 0/2000|425/500 0/500|425/250 0/250|425/180 0/200 425/200 0/4500
IT:425/200 0/200 425/600 0/1000|425/1000 0/4000|425/500 0/500|425/200 0/200|425/400 0/100 425/250 0/100 425/150 0/14000
JP:400|384+416/1000 0/2000|400/500 0/500|400/500 0/500|384+416/500 0/8000
NL:425|425/1000 0/4000|425/500 0/500|425/250 0/250|425/500 0/9500
NO:425|425/1000 0/4000|425/500 0/500|425/200 0/200|425/200 0/600 425/200 0/10000
NZ:400|400+450/400 0/200 400+450/400 0/2000|400/500 0/500|400/250 0/250|400/200 0/3000|400/750 0/100 400/750 0/100 400/750 0/100 400/750 0/400
PL:425|425/1000 0/4000|425/500 0/500|425/500 0/500|425/150 0/150 425/150 0/4000
PT:425|425/1000 0/5000|425/500 0/500|425/200 0/200|425/200 0/200 425/200 0/5000
SE:425|425/1000 0/5000|425/250 0/250|425/250 0/750|425/200 0/500 425/200 0/9100|950/332 0/24 1400/332 0/24 1800/332 0/2024
US:350+440|440+480/2000 0/4000|480+620/500 0/500|480+620/250 0/250|440/300 0/10000
`

// Source returns the tone at a sample rate, without an end.
func (c Cadence) Source(rate int) Source {
	return &cadence{rate: rate, pieces: c.pieces(rate), endless: true}
}

// Once returns the tone at a sample rate, played through once.
func (c Cadence) Once(rate int) Source { return &cadence{rate: rate, pieces: c.pieces(rate)} }

// piece is a part of a cadence.
type piece struct {
	frequencies []float64 // none: silence
	samples     int       // 0: it never ends
}

// pieces reads a cadence; what is no number is silence.
func (c Cadence) pieces(rate int) (all []piece) {
	for _, text := range strings.Fields(string(c)) {
		sound, length, _ := strings.Cut(text, "/")
		ms, _ := strconv.Atoi(length)
		p := piece{samples: int(int64(rate) * int64(ms) / 1000)}
		for _, f := range strings.Split(sound, "+") {
			if hertz, err := strconv.ParseFloat(f, 64); err == nil && hertz > 0 {
				p.frequencies = append(p.frequencies, hertz)
			}
		}
		all = append(all, p)
	}
	return all
}

// Length returns how long the tone lasts when it is played once; 0 if it never ends.
func (c Cadence) Length() (length time.Duration) {
	for _, p := range c.pieces(1000) {
		if p.samples == 0 {
			return 0
		}
		length += time.Duration(p.samples) * time.Millisecond
	}
	return length
}

// cadence plays a tone.
type cadence struct {
	rate    int
	pieces  []piece
	endless bool
	at      int // piece
	played  int // samples of it
	tone    Tone
}

// ReadSamples implements [Source].
func (c *cadence) ReadSamples(pcm []int16) (n int, err error) {
	for n < len(pcm) {
		if c.at == len(c.pieces) {
			if c.at = 0; !c.endless || len(c.pieces) == 0 {
				c.pieces = nil
				return n, io.EOF
			}
		}
		p := &c.pieces[c.at]
		if c.played == 0 && len(p.frequencies) > 0 {
			c.tone = Tone{Rate: c.rate, Frequencies: p.frequencies, Amplitude: signalLevel / float64(len(p.frequencies))}
		}
		k := len(pcm) - n
		if p.samples > 0 {
			k = min(k, p.samples-c.played)
		}
		if clear(pcm[n : n+k]); len(p.frequencies) > 0 {
			_, _ = c.tone.ReadSamples(pcm[n : n+k]) // it never ends
		}
		n, c.played = n+k, c.played+k
		if c.played == p.samples {
			c.at, c.played = c.at+1, 0
		}
	}
	return n, nil
}
