package session

// Hearing what the sides of a call say to each other, for a recording: packets are copied as they pass, and decoded elsewhere, at the beat of the recording.

import (
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/media/rtp"
	"github.com/sipwerk/sipwerk/media/sdp"
)

// An Ear hears what the peer of a leg says. The methods of the leg keep it in step with what is agreed on.
type Ear struct {
	leg      *Leg
	line     int
	endpoint *Endpoint // with the stream of the line, of which it only hears
	spot     *spotter  // of a peer that dials by tones, guarded by the mutex of the endpoint
}

// Listen begins to hear what the peer of l says, at a rate in Hz. far is the leg that l is bridged with. digit, which may be nil, is told of digits that come as telephone events or, from a
// peer that sends none, as tones, from any goroutine; it must neither block nor call the ear. There is one ear a leg; nil if it has no stream of sound. It ends with the leg, or by [Ear.Close], after which there may be another.
func (l *Leg) Listen(far *Leg, rate int, digit func(byte)) *Ear {
	for i := range l.lines {
		n := &l.lines[i]
		if n.stream == nil || !n.told.sound {
			continue
		}
		e, err := endpointOn(n.stream, Voice{Formats: l.site.formats(), Rate: rate})
		if err != nil {
			return nil
		}
		e.ear.told = digit
		x := &Ear{leg: l, line: i, endpoint: e}
		l.ear.Close()
		l.ear = x
		x.follow(far)
		n.stream.Record(x.hear)
		return x
	}
	return nil
}

// follow learns what the peer sends: the codecs that the far side has named, by its payload types, and otherwise those of the peer itself. A nil Ear is none.
func (x *Ear) follow(far *Leg) {
	if x == nil {
		return
	}
	e, own := x.endpoint, x.leg.lines[x.line].told.codecs
	a := agreement{direction: sdp.RecvOnly, events: true} // tones are looked for by spot: a tape need not run for them
	var farCodecs []sdp.Codec
	if x.line < len(far.lines) && shares(own, far.lines[x.line].told.codecs) {
		farCodecs = far.lines[x.line].told.codecs
		a.receive(e.voice.Formats, farCodecs)
	}
	a.receive(e.voice.Formats, own)
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(a.hearing) > 0 {
		a.format = a.hearing[0].format
		e.agreeLocked(a)
	}
	x.spot = nil
	if e.ear.told != nil && x.leg.lines[x.line].digits() == DigitsTones {
		x.spot = newSpotter(x.leg.site.formats(), farCodecs, own)
	}
}

// hear takes a packet of the peer.
func (x *Ear) hear(b []byte, at time.Time, control bool) {
	x.endpoint.hear(b, at, control)
	p, err := rtp.Parse(b)
	if err != nil || control {
		return
	}
	x.endpoint.mu.Lock()
	defer x.endpoint.mu.Unlock()
	if x.spot == nil {
		return
	}
	for _, digit := range x.spot.hear(&p) {
		x.endpoint.dialled(digit)
	}
}

// deafen ends the search for digits in the sound. A nil Ear is none.
func (x *Ear) deafen() {
	if x == nil {
		return
	}
	x.endpoint.mu.Lock()
	defer x.endpoint.mu.Unlock()
	x.spot = nil
}

// next returns what is heard in this beat; it is valid until the next call.
func (x *Ear) next() []int16 {
	e := x.endpoint
	e.mu.Lock()
	defer e.mu.Unlock()
	e.listen()
	e.ear.frames = e.ear.frames[:0]
	return e.ear.now
}

// Close ends the hearing. A nil Ear is none; it may be called twice.
func (x *Ear) Close() {
	if x == nil || x.leg.ear != x {
		return
	}
	x.leg.ear = nil
	if s := x.leg.lines[x.line].stream; s != nil {
		s.Record(nil)
	}
}

// A Tape gives both sides of a call to a recorder, 20 ms at each beat. Its methods may be called from anywhere.
type Tape struct {
	take  func(left, right []int16)
	rate  int
	stop  chan struct{}
	ended sync.WaitGroup

	mu          sync.Mutex // guards what follows
	left, right *Ear
	stopped     bool
}

// NewTape begins to give what both ears hear to take, which must not keep it, at their rate in Hz. Whoever made it stops it.
func NewTape(left, right *Ear, rate int, take func(left, right []int16)) *Tape {
	t := &Tape{take: take, rate: rate, left: left, right: right, stop: make(chan struct{})}
	t.ended.Go(t.run)
	return t
}

// Hear puts other ears in the place of those that it has: somebody else has taken a side of the call. A nil Ear hears silence.
func (t *Tape) Hear(left, right *Ear) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.left, t.right = left, right
}

// Stop ends the tape; when it returns, nothing more is given.
func (t *Tape) Stop() {
	t.mu.Lock()
	stopped := t.stopped
	t.stopped = true
	t.mu.Unlock()
	if !stopped {
		close(t.stop)
	}
	t.ended.Wait()
}

// run beats.
func (t *Tape) run() {
	beat := time.NewTicker(frameTime)
	defer beat.Stop()
	silence := make([]int16, t.rate/int(time.Second/frameTime))
	for {
		select {
		case <-t.stop:
			return
		case <-beat.C:
		}
		t.mu.Lock()
		left, right := t.left, t.right
		t.mu.Unlock()
		sides := [2][]int16{silence, silence}
		for i, x := range [...]*Ear{left, right} {
			if x != nil {
				sides[i] = x.next()
			}
		}
		t.take(sides[0], sides[1])
	}
}
