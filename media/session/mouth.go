package session

// What an endpoint says: a frame of what was written at each beat, or a digit, or silence. RFC 3550 §5.1, RFC 4733 §2.5.

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/media/rtp"
)

const (
	// ahead is how many frames may be written before they are due; then the writer waits.
	ahead = 3
	// toneTime and pauseTime are those of a digit. RFC 4733 §2.5.1.2 and ITU-T Q.24 ask for at least 40 ms each.
	toneTime  = 120 * time.Millisecond
	pauseTime = 80 * time.Millisecond
	// toneVolume is in -dBm0.
	toneVolume = 10
)

// mouth is the sending half of an endpoint, guarded by its mutex.
type mouth struct {
	sender *rtp.Sender
	events rtp.EventSender
	queue  []byte          // digits to send
	pause  int             // beats until the next digit
	spoke  bool            // sound was sent: no marker on the next packet
	frames []int16         // written and not sent
	half   []byte          // a sample of which one byte was written
	frame  []int16         // silence, and the last part of what was written
	sound  []byte          // encoded
	tones  *audio.Dialling // digits as sound, for a peer that takes no telephone events
}

// speak returns the packet of this beat, appended to b. Its payload is sound; nil: what was written is encoded. RFC 3550 §5.1: the time runs whether or not
// something is sent.
func (e *Endpoint) speak(b, sound []byte) []byte {
	m := &e.mouth
	defer m.sender.Advance(e.agreed.format.Ticks(frameTime))
	if !e.agreed.direction.Sends() {
		m.frames, m.queue, m.spoke = m.frames[:0], m.queue[:0], false
		return b
	}
	if p, ok := e.digit(); ok {
		m.spoke = false
		return m.sender.Append(b, p)
	}
	if sound == nil || m.tones != nil {
		var err error
		if sound, err = e.agreed.encode(m.sound[:0], e.nextFrame()); err != nil {
			return b
		}
		m.sound = sound
	}
	if len(sound) == 0 {
		m.spoke = false // silence that needs no packet: the next one begins a talk spurt, RFC 3551 §4.1
		return b
	}
	h := rtp.Header{PayloadType: e.agreed.payload, Timestamp: m.sender.Timestamp(), Marker: !m.spoke}
	m.spoke = true
	return m.sender.Append(b, rtp.Packet{Header: h, Payload: sound})
}

// digit returns the packet of the digit that is being sent.
func (e *Endpoint) digit() (rtp.Packet, bool) {
	m := &e.mouth
	if !m.events.Active() && len(m.queue) > 0 && m.pause == 0 {
		code, _ := rtp.EventCode(m.queue[0])
		m.queue = m.queue[:copy(m.queue, m.queue[1:])]
		m.events.Volume = toneVolume
		m.events.Start(code, m.sender.Timestamp(), e.agreed.format.Ticks(toneTime))
		m.pause = int(pauseTime / frameTime)
	}
	if m.events.Active() {
		return m.events.Next()
	}
	m.pause = max(m.pause-1, 0)
	return rtp.Packet{}, false
}

// nextDigit returns the packet of this beat of what was dialled, appended to b, if there is one: none between two events. It reports whether more is to come.
func (e *Endpoint) nextDigit(b []byte) ([]byte, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.diallingLocked() {
		return b, false
	}
	if !e.agreed.events {
		b = e.speak(b, nil)
		return b, e.diallingLocked()
	}
	m := &e.mouth
	if p, ok := e.digit(); ok {
		b = m.sender.Append(b, p)
	}
	m.sender.Advance(e.agreed.format.Ticks(frameTime))
	if !e.agreed.direction.Sends() {
		return b[:0], false
	}
	return b, true
}

// dialling is diallingLocked with the lock.
func (e *Endpoint) dialling() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.diallingLocked()
}

// diallingLocked tells whether digits wait to be sent, or are being sent.
func (e *Endpoint) diallingLocked() bool {
	m := &e.mouth
	return len(m.queue) > 0 || m.events.Active() || m.tones != nil
}

// nextFrame takes one frame of what was written, filled up with silence.
func (e *Endpoint) nextFrame() []int16 {
	m, n := &e.mouth, e.frame()
	if m.tones != nil {
		return e.toneFrame(n)
	}
	m.frame = append(m.frame[:0], m.frames[:min(n, len(m.frames))]...)
	m.frames = m.frames[:copy(m.frames, m.frames[len(m.frame):])]
	for len(m.frame) < n {
		m.frame = append(m.frame, 0)
	}
	return m.frame
}

// toneFrame takes one frame of the digits that are said as sound.
func (e *Endpoint) toneFrame(n int) []int16 {
	m := &e.mouth
	m.frame = slices.Grow(m.frame[:0], n)[:n]
	got, err := m.tones.ReadSamples(m.frame)
	clear(m.frame[got:])
	if err != nil || m.tones.Digits == "" {
		m.tones = nil
	}
	return m.frame
}

// Write says PCM at the pace of the call: it waits while more than 60 ms are ahead. After Close it returns [io.ErrClosedPipe].
func (e *Endpoint) Write(b []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	written := 0
	for written < len(b) {
		for len(e.mouth.frames) >= ahead*e.frame() && !e.closed {
			e.wake.Wait()
		}
		if e.closed {
			return written, io.ErrClosedPipe
		}
		written += e.mouth.take(b[written:], ahead*e.frame()-len(e.mouth.frames))
	}
	return written, nil
}

// take makes up to n samples of b and returns how many bytes it used.
func (m *mouth) take(b []byte, n int) int {
	used := 0
	if len(m.half) == 1 {
		m.frames = append(m.frames, int16(uint16(m.half[0])|uint16(b[0])<<8))
		m.half, used = m.half[:0], 1
		n--
	}
	for n > 0 && len(b)-used >= 2 {
		m.frames = append(m.frames, int16(binary.LittleEndian.Uint16(b[used:])))
		used += 2
		n--
	}
	if n > 0 && len(b)-used == 1 {
		m.half = append(m.half[:0], b[used])
		used++
	}
	return used
}

// Drain waits until what was written and dialled has been sent, or ctx ends, or the endpoint is closed.
func (e *Endpoint) Drain(ctx context.Context) error {
	defer context.AfterFunc(ctx, e.nudge)()
	e.mu.Lock()
	defer e.mu.Unlock()
	for !e.closed && ctx.Err() == nil && (len(e.mouth.frames) > 0 || e.diallingLocked()) {
		e.wake.Wait()
	}
	if e.closed {
		return io.ErrClosedPipe
	}
	return ctx.Err()
}

// nudge makes whoever waits look again.
func (e *Endpoint) nudge() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.wake.Broadcast()
}

// Dial sends digits as telephone events, 200 ms each, or as tones to a peer that takes none; [Endpoint.Drain] waits for the last. It fails on what is no digit,
// and before both sides have agreed.
func (e *Endpoint) Dial(digits string) error {
	for i := range len(digits) {
		if _, ok := rtp.EventCode(digits[i]); !ok {
			return fmt.Errorf("session: dial %q: %q is no digit", digits, digits[i])
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.closed:
		return io.ErrClosedPipe
	case e.agreements == 0:
		return fmt.Errorf("session: dial %q: nobody has answered", digits)
	case len(e.mouth.queue)+len(digits) > digitQueue:
		return fmt.Errorf("session: dial %q: too many digits are waiting", digits)
	}
	if e.agreed.events {
		e.mouth.queue = append(e.mouth.queue, digits...)
		return nil
	}
	if e.mouth.tones == nil {
		e.mouth.tones = &audio.Dialling{Rate: e.Rate()}
	}
	if len(e.mouth.tones.Digits)+len(digits) > digitQueue {
		return fmt.Errorf("session: dial %q: too many digits are waiting", digits)
	}
	e.mouth.tones.Digits += strings.ToUpper(digits)
	return nil
}
