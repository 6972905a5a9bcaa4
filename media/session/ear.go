package session

// What an endpoint hears: packets into the jitter buffer, and a frame out of it at each beat. Digits by RFC 4733 §2.5.

import (
	"encoding/binary"
	"io"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/media/codec"
	"github.com/sipwerk/sipwerk/media/rtp"
)

const (
	// backlog is how many frames wait for a reader. One who comes later hears the present: an echo must not lag for ever by how long nobody read.
	backlog = 10
	// digitQueue is how many digits wait to be read; further ones are dropped.
	digitQueue = 64
)

// ear is the receiving half of an endpoint, guarded by its mutex.
type ear struct {
	jitter   rtp.Jitter
	receiver rtp.Receiver
	events   rtp.EventReceiver
	digits   chan byte
	told     func(byte) // gets digits instead; nil: nobody
	decoded  []int16    // played out of the jitter buffer, less than a frame too much
	packet   int        // samples of the last packet
	last     uint8      // payload type of the last sound
	frames   []int16    // for the reader
	now      []int16    // of this beat
	late     bool       // the reader has not come in time
	noise    codec.Noise
	level    uint8           // what the last packet says of itself
	tones    *audio.Detector // of a peer that sends no telephone events
	deaf     bool            // to those
	dialled  []byte
}

// hear takes a packet from the sockets, which arrived at a time.
func (e *Endpoint) hear(b []byte, at time.Time, _ bool) {
	if rtp.IsRTCP(b) {
		e.hearReport(b, at)
		return
	}
	p, err := rtp.Parse(b)
	if err != nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.agreed.hears(p.PayloadType) || !e.ear.receiver.Receive(&p, at) {
		return
	}
	e.ear.jitter.Put(&p)
	if e.agreed.isEvent(p.PayloadType) {
		e.hearEvent(&p)
	}
	e.ear.level = levelOf(&p, e.agreed.level)
}

// hearEvent hands a digit to whoever waits for one. It does not wait in the jitter buffer: nobody minds a digit that comes early.
func (e *Endpoint) hearEvent(p *rtp.Packet) {
	event, err := rtp.ParseEvent(p.Payload)
	if err != nil || !e.ear.events.Receive(&p.Header, event) {
		return
	}
	if digit, ok := event.Digit(); ok {
		e.dialled(digit)
	}
}

// dialled hands over a digit; one too many is dropped.
func (e *Endpoint) dialled(digit byte) {
	if e.ear.told != nil {
		e.ear.told(digit)
		return
	}
	select {
	case e.ear.digits <- digit:
	default:
	}
}

// hearTones looks for digits in the sound of a peer that sends no telephone events.
func (e *Endpoint) hearTones(pcm []int16) {
	r := &e.ear
	if e.agreed.events || r.deaf {
		return
	}
	if r.tones == nil {
		r.tones = &audio.Detector{Rate: e.Rate()}
	}
	r.dialled = r.tones.Detect(r.dialled[:0], pcm)
	for _, digit := range r.dialled {
		e.dialled(digit)
	}
}

// deafen ends the search for digits in the sound.
func (e *Endpoint) deafen() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ear.deaf = true
}

// Digits gives the digits that the peer dials during the call: 0 to 9, *, #, A to D, and ! for a hook flash. Of a
// peer that has agreed to no telephone events they are heard in its sound.
func (e *Endpoint) Digits() <-chan byte { return e.ear.digits }

// listen moves one frame from the jitter buffer to the reader; what has not come is silence.
func (e *Endpoint) listen() {
	r, n := &e.ear, e.frame()
	for len(r.decoded) < n && e.play() {
	}
	if missing := n - len(r.decoded); missing > 0 {
		r.decoded = r.noise.Append(r.decoded, missing)
	}
	r.now = append(r.now[:0], r.decoded[:n]...)
	r.frames = append(r.frames, r.now...)
	r.decoded = r.decoded[:copy(r.decoded, r.decoded[n:])]
	if r.late = r.late || len(r.frames) > backlog*n; r.late {
		r.frames = r.frames[:copy(r.frames, r.frames[len(r.frames)-n:])]
	}
}

// play decodes the packet that is due; it reports false if none is.
func (e *Endpoint) play() bool {
	r := &e.ear
	p, playout := r.jitter.Pop()
	switch playout {
	case rtp.Played:
		decoder := e.agreed.decoder(p.PayloadType)
		if decoder == nil {
			e.hearNoise(&p)
			return false // or a digit: a beat of silence
		}
		r.noise.Stop()
		before := len(r.decoded)
		decoded, err := decoder.Decode(r.decoded, p.Payload)
		if err != nil || len(decoded) == before {
			return false
		}
		r.decoded, r.packet, r.last = decoded, len(decoded)-before, p.PayloadType
		e.hearTones(decoded[before:])
		return true
	case rtp.Lost:
		decoder := e.agreed.decoder(r.last)
		if decoder == nil || r.packet == 0 {
			return false
		}
		r.decoded = e.recover(decoder, r.decoded, r.packet)
		return true
	}
	return false
}

// hearNoise takes what a packet says of the noise during silence, if it is one. RFC 3389.
func (e *Endpoint) hearNoise(p *rtp.Packet) {
	if e.agreed.isNoise(p.PayloadType) {
		e.ear.noise.Describe(p.Payload)
	}
}

// recover makes up what was lost, with the packet behind it if that helps.
func (e *Endpoint) recover(decoder codec.Decoder, dst []int16, samples int) []int16 {
	if r, ok := decoder.(codec.Recoverer); ok {
		if next, there := e.ear.jitter.Next(); there && next.PayloadType == e.ear.last {
			return r.Recover(dst, next.Payload, samples)
		}
	}
	return decoder.Conceal(dst, samples)
}

// Read gives PCM as it is heard, at the pace of the call; where nothing comes there is silence. It waits for at least one sample; after Close
// it returns io.EOF. Who does not read for 200 ms misses what was
// heard meanwhile.
func (e *Endpoint) Read(b []byte) (int, error) {
	if len(b) < 2 {
		return 0, io.ErrShortBuffer
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for len(e.ear.frames) == 0 && !e.closed {
		e.wake.Wait()
	}
	if e.closed {
		return 0, io.EOF
	}
	e.ear.late = false
	n := min(len(b)/2, len(e.ear.frames))
	for i, s := range e.ear.frames[:n] {
		binary.LittleEndian.PutUint16(b[2*i:], uint16(s))
	}
	e.ear.frames = e.ear.frames[:copy(e.ear.frames, e.ear.frames[n:])]
	return 2 * n, nil
}
