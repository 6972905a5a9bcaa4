package audio

// Who is heard: those who are louder than a threshold, the loudest few of them, and not somebody else at each cough.

import (
	"slices"

	"github.com/sipwerk/sipwerk/media/codec"
)

// Levels are kept in eighths of a decibel, the higher the quieter.
const (
	levelUnit = 8
	silent    = codec.Silence * levelUnit
	begins    = 55 * levelUnit // who is at least so loud begins to be heard
	ends      = 60 * levelUnit // who is quieter ends to be heard
	louder    = 6 * levelUnit  // by so much another must be louder than a speaker to take their place
	release   = levelUnit      // by so much the smoothed level falls in a step: over the pauses between words
	holdSteps = 15             // 300 ms, for which nobody's place is taken
)

// Those whose payloads tell no level are decoded in turns, to be judged.
const (
	probed    = 10 // so many at a time, those first who have just found their voice
	turnSteps = 5  // each for 100 ms, for a decoder that has missed packets begins wrong
)

// prober shares the turns.
type prober struct {
	at     int // index of the participant whose turn is next
	active int // turns in this step
}

// look judges how loud everybody is in this step.
func (m *Mixer) look() {
	unknown := 0
	for _, p := range m.participants {
		p.rest()
		if p.payload != nil && p.level == codec.Unknown && !p.Muted {
			unknown++
			m.probe(p)
		}
		p.hearken()
	}
	if unknown == 0 {
		return
	}
	for _, p := range m.participants {
		if p.begins {
			m.turn(p)
		}
	}
	for range m.participants {
		m.probes.at = (m.probes.at + 1) % len(m.participants)
		if !m.turn(m.participants[m.probes.at]) {
			break
		}
	}
	m.probes.active = 0
}

// turn gives one who is to be judged the next steps for that; it reports false if nobody else can be given any.
func (m *Mixer) turn(p *Participant) bool {
	if m.probes.active >= probed {
		return false
	}
	if p.level == codec.Unknown && p.turns == 0 && p.speaking == 0 && !p.Muted {
		p.turns, p.begins = turnSteps, false
		m.probes.active++
	}
	return true
}

// listen takes the level of a payload and returns it, or Unknown if only decoding could tell.
func (p *Participant) listen(level uint8) uint8 {
	voiced := level == codec.Unknown
	p.begins = voiced && (p.begins || !p.voiced)
	if p.voiced = voiced; level == codec.Voiceless {
		return codec.Unknown
	}
	return level
}

// rest gives back the memory of the decoder of one who is neither heard nor judged.
func (p *Participant) rest() {
	if !p.awake || p.turns > 0 || p.speaking > 0 || p.Decoded != nil {
		return
	}
	p.awake = false
	if r, ok := p.decoder.(codec.Rester); ok {
		r.Rest()
	}
}

// probe decodes the payload of a speaker, or of one whose turn it is.
func (m *Mixer) probe(p *Participant) {
	if p.speaking == 0 {
		if p.turns == 0 {
			return
		}
		if p.turns--; p.turns > 0 {
			m.probes.active++
		}
	}
	p.awake = true
	p.queue, _ = p.decoder.Decode(p.queue, p.payload)
	p.payload = nil
	p.level = codec.Level(p.queue[:min(len(p.queue), p.band.frame())])
}

// hearken smooths the level: at once up, slowly down.
func (p *Participant) hearken() {
	if p.level == codec.Unknown {
		return // not judged in this step
	}
	now := int(p.level) * levelUnit
	if now < p.quiet {
		p.quiet = (p.quiet + now) / 2
		return
	}
	p.quiet = min(now, p.quiet+release)
}

// choose finds out who speaks in this step.
func (m *Mixer) choose() {
	m.speakers = slices.DeleteFunc(m.speakers, func(p *Participant) bool {
		if p.ending {
			p.hush()
			return true
		}
		p.speaking++
		if p.Muted || p.quiet > ends {
			m.dismiss(p)
		}
		return false
	})
	for {
		p := m.loudest()
		if p == nil {
			return
		}
		if m.heard() >= m.Speakers {
			weakest := m.weakest()
			if weakest == nil || p.quiet+louder > weakest.quiet {
				return
			}
			m.dismiss(weakest)
		}
		p.speaking = 1
		m.speakers = append(m.speakers, p)
		m.announce(p, true)
	}
}

// dismiss lets a speaker be heard for the last time.
func (m *Mixer) dismiss(p *Participant) {
	p.ending = true
	m.announce(p, false)
}

// hush makes a speaker one who is not heard.
func (p *Participant) hush() { p.speaking, p.turns, p.ending = 0, 0, false }

func (m *Mixer) announce(p *Participant, talks bool) {
	if m.Talking != nil {
		m.Talking(p, talks)
	}
}

// loudest returns the loudest of those who could begin to be heard, nil if none could.
func (m *Mixer) loudest() *Participant {
	var best *Participant
	for _, p := range m.participants {
		if p.speaking == 0 && p.quiet <= begins && !p.Muted && p.level != codec.Unknown && (best == nil || p.quiet < best.quiet) {
			best = p
		}
	}
	return best
}

// heard is how many speak and will go on.
func (m *Mixer) heard() int {
	n := 0
	for _, p := range m.speakers {
		if !p.ending {
			n++
		}
	}
	return n
}

// weakest returns the quietest speaker whose place may be taken, nil if there is none.
func (m *Mixer) weakest() *Participant {
	var weakest *Participant
	for _, p := range m.speakers {
		if !p.ending && p.speaking > holdSteps && (weakest == nil || p.quiet > weakest.quiet) {
			weakest = p
		}
	}
	return weakest
}
