package audio

// One who takes part in a mix: what they give, step by step.

import "github.com/sipwerk/sipwerk/media/codec"

// A Participant of a [Mixer]. Its methods are called between the steps, by whoever calls [Mixer.Step].
type Participant struct {
	// Muted keeps the participant from being heard.
	Muted bool
	// Deaf lets the participant hear nothing but its own sources, see [Participant.Play].
	Deaf bool
	// Confidant is who alone hears the participant; nil: everybody.
	Confidant *Participant
	// Decoded is given all that the participant says, which is decoded for it whether it is mixed or not; usually nil.
	Decoded func(pcm []int16)

	mixer   *Mixer
	format  codec.Format // in which it hears
	band    *band        // in which it speaks and hears
	given   codec.Decoder
	plain   codec.Decoder // behind given, if that fits into the narrow band
	fits    bool          // what it says does
	decoder codec.Decoder // one of these
	payload []byte        // one frame that was not decoded; its memory is the giver's
	lost    bool          // one frame is to be made up
	next    []byte        // what follows the lost frame, if it is there
	queue   []int16       // decoded and not mixed: of packets that are no whole frame

	level     uint8 // of this step, in -dBov
	quiet     int   // the level, smoothed, in levelUnit
	turns     int   // steps for which it is decoded just to be judged
	voiced    bool  // its payloads do not say that there is no voice in them
	begins    bool  // they have just ended to say so, and it was not judged yet
	awake     bool  // something was decoded since the decoder rested
	speaking  int   // steps for which it has been heard
	ending    bool  // heard for the last time
	voice     []int16
	whisper   crossing // of the voice, to a confidant in another band
	listening listening
}

// Hear gives the payload that is due. It is kept, not copied, until the end of the next Step, and decoded by d if it is mixed. level is what the packet
// says of itself (RFC 6464), [codec.Unknown] if it does not. A payload of another length than [MixTime] is decoded at once, and what is too much kept: call
// Hear until [Participant.Ready].
func (p *Participant) Hear(d codec.Decoder, payload []byte, level uint8) {
	if !p.tune(d) {
		return
	}
	samples := 0
	if peeker, ok := p.decoder.(codec.Peeker); ok {
		n, seen := peeker.Peek(payload)
		if samples = n; level == codec.Unknown {
			level = seen
		}
	}
	level = p.listen(level)
	if samples == p.band.frame() && len(p.queue) == 0 && p.Decoded == nil {
		p.payload, p.level = payload, level
		return
	}
	// What cannot be decoded is as if it had not come.
	before := len(p.queue)
	p.queue, _ = p.decoder.Decode(p.queue, payload)
	if p.Decoded != nil {
		p.Decoded(p.queue[before:])
	}
	p.queue = p.queue[:min(len(p.queue), maxQueued*p.band.frame())]
	p.level = codec.Level(p.queue[:min(len(p.queue), p.band.frame())])
}

// maxQueued limits what waits of odd packets, in frames: the longest packet that codecs have is 120 ms.
const maxQueued = 8

// Miss tells that the packet that is due was lost.
func (p *Participant) Miss() {
	if !p.Ready() {
		p.lost, p.level = true, p.Level() // as loud as before, for once
	}
}

// Recover is [Participant.Miss] with the payload that follows the lost one, which may hold a copy of it. It is kept like that of Hear.
func (p *Participant) Recover(next []byte) {
	if !p.Ready() {
		p.next = next
		p.Miss()
	}
}

// Ready tells whether one frame is there for the next Step.
func (p *Participant) Ready() bool {
	return p.payload != nil || p.lost || len(p.queue) >= p.band.frame()
}

// Level returns how loud the participant was lately, in -dBov: 0 is the loudest, [codec.Silence] silent.
func (p *Participant) Level() uint8 { return uint8(min(max(p.quiet/levelUnit, 0), codec.Silence)) }

// Speaks tells whether the participant is heard.
func (p *Participant) Speaks() bool { return p.speaking > 0 }

// decode makes the voice of this step, which fades in when the participant begins to be heard, and out when it ends.
func (p *Participant) decode() {
	n := p.band.frame()
	p.awake = true
	p.voice = p.take(p.voice[:0], n)
	for len(p.voice) < n {
		p.voice = append(p.voice, 0)
	}
	p.voice = p.voice[:n]
	switch {
	case p.ending:
		for i := range p.voice {
			p.voice[i] = int16(int(p.voice[i]) * (n - i) / n)
		}
	case p.speaking == 1:
		for i := range p.voice {
			p.voice[i] = int16(int(p.voice[i]) * i / n)
		}
	}
}

// take appends up to n samples of what was given.
func (p *Participant) take(dst []int16, n int) []int16 {
	switch {
	case p.payload != nil:
		dst, _ = p.decoder.Decode(dst, p.payload)
		p.payload = nil
	case p.lost && p.decoder != nil && p.speaking > 1:
		dst = p.conceal(append(dst, p.queue...), n-len(p.queue))
		p.queue = p.queue[:0]
	default:
		dst = append(dst, p.queue[:min(n, len(p.queue))]...)
	}
	return dst
}

// conceal makes up n samples.
func (p *Participant) conceal(dst []int16, n int) []int16 {
	if r, ok := p.decoder.(codec.Recoverer); ok && p.next != nil {
		return r.Recover(dst, p.next, n)
	}
	return p.decoder.Conceal(dst, n)
}

// forget drops what this step was given, played or not.
func (p *Participant) forget() {
	p.payload, p.lost, p.next = nil, false, nil
	if len(p.queue) > 0 {
		p.queue = p.queue[:copy(p.queue, p.queue[min(p.band.frame(), len(p.queue)):])]
	}
	p.level, p.listening.last = codec.Silence, false
}
