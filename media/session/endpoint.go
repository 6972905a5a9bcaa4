package session

// Somebody who hears and speaks here: a telephone, an announcement, a test.

import (
	"context"
	crand "crypto/rand"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sipwerk/sipwerk/media/carriage"
	"github.com/sipwerk/sipwerk/media/codec"
	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/media/rtp"
	"github.com/sipwerk/sipwerk/media/sdp"
)

// frameTime is the beat of an endpoint: so often it takes and gives sound.
const frameTime = 20 * time.Millisecond

// eventPayloadType is the payload type of telephone events in our offers.
const eventPayloadType = 101

// eventNumbers are the telephone events that we take: the digits, and the hook flash. RFC 4733 §7.1.1.
const eventNumbers = "0-16"

// Voice is what an endpoint can do. The zero Voice speaks PCMA, PCMU and G722, and is written and read at 8000 Hz.
type Voice struct {
	Formats []codec.Format   // in the order of our preference; each with one channel
	Rate    int              // of what is written and read, in Hz; 0: that of the first format
	Name    string           // CNAME in RTCP; made at random if empty (RFC 7022 §4.2)
	Random  rand.Source      // of SSRC, sequence and timestamp; nil: one that nobody can guess
	Failed  func(error)      // told, from any goroutine, when keys or a way to the peer will not come; it must neither block nor call the endpoint. May be nil
	STUN    []netip.AddrPort // servers that tell how the sound is seen from outside, if ICE finds the peer; see [Endpoint.Gathered]
	Trickle func()           // told when [Endpoint.Fragment] has something to say; what holds for Failed holds for it
	Silence time.Duration    // after which without anything from a peer that is not on hold, Failed is told [ErrAbsent], and half a minute after the last sign of one that goes on to make checks (RFC 7675 §5.1), on hold or not; 0: never

	Pictures []sdp.Codec   // of pictures that are passed on, in the order of our preference, each with a payload type of its own: see [PictureCodecs]; none: no pictures
	Lines    int           // of pictures of the peer that are taken at once; 0: one
	Keeps    time.Duration // how long whoever calls [Picture.Resend] keeps packets for that, which the peer is told (RFC 4588 §8.1); 0: nothing is said
	Refresh  func()        // told when the peer is to send whole pictures and can be asked for them by INFO only (RFC 5168); what holds for Failed holds for it
}

// Endpoint is the media of one call that ends here: one stream of sound, and its [Picture]s. It beats from its first agreement on: every 20 ms it
// plays one frame of what was written, or silence, and gives one frame to be read, or silence. Its methods may be called from
// anywhere.
//
// As an [io.ReadWriter] it carries signed 16-bit little-endian mono PCM at [Endpoint.Rate].
type Endpoint struct {
	site   *Site
	peer   Peer
	voice  Voice
	stream *relay.Stream
	ours   sdp.Capabilities

	sending  sync.Mutex                    // held while a packet is sent: the beat changes hands
	gathered atomic.Pointer[chan struct{}] // closed when all STUN servers have answered; nil: nobody waits

	packer atomic.Pointer[packer] // for whoever sends; nil: packets of one beat are what the peer wants

	mu         sync.Mutex // guards what follows
	wake       *sync.Cond // something of what follows has changed
	origin     sdp.Originator
	said       *sdp.Description // what we sent last
	agreed     agreement
	agreements int // how often agreed was changed
	way        carriage.Transport
	ear        ear
	mouth      mouth
	reports    reports
	absence    absence
	closed     bool
	beats      bool
	stop       chan struct{} // closed by Close
	stopped    chan struct{} // closed when the beat has ended
	seat       *Seat         // in a room, which beats instead
	record     func(heard, said []int16)
	direction  sdp.Direction // what we want
	pictures   []*Picture
	bundles    bool // the peer has said so last
}

// NewEndpoint opens the sockets of an endpoint for a call with p. The error wraps [relay.ErrPorts] if no port is left. Whoever
// made it closes it.
func (s *Site) NewEndpoint(ctx context.Context, p Peer, v Voice) (*Endpoint, error) {
	local, err := s.bind(p, p.Remote)
	if err != nil {
		return nil, err
	}
	stream, err := s.open(ctx, local, p.Kind.terms().ICE)
	if err != nil {
		return nil, err
	}
	e, err := endpointOn(stream, v)
	if err != nil {
		stream.Close()
		return nil, err
	}
	e.site, e.peer = s, p
	place := e.placeOf(stream)
	e.ours = e.voice.capabilities(place)
	way := s.transport(stream, place.RTP, e.fail)
	way.More, way.STUN = e.more, v.STUN
	e.way.Attach(way)
	stream.Tap(e.hear)
	return e, nil
}

// placeOf is where the peer reaches a stream.
func (e *Endpoint) placeOf(s *relay.Stream) sdp.Place {
	media, control := s.Local()
	return sdp.Place{RTP: e.site.advertise(e.peer, media), RTCP: e.site.advertise(e.peer, control)}
}

// endpointOn returns an endpoint over a stream that nobody has described yet.
func endpointOn(stream *relay.Stream, v Voice) (*Endpoint, error) {
	if len(v.Formats) == 0 {
		v.Formats = []codec.Format{codec.PCMA(), codec.PCMU(), codec.G722()}
	}
	if v.Rate == 0 {
		v.Rate = v.Formats[0].Rate
	}
	v.Formats = slices.Clone(v.Formats)
	for i, f := range v.Formats {
		if f.Channels != 1 {
			return nil, fmt.Errorf("session: Voice.Formats: %s has not one channel", f.Name)
		}
		v.Formats[i] = atRate(f, v.Rate)
	}
	if v.Random == nil {
		v.Random = newRandom()
	}
	if v.Name == "" {
		v.Name = fmt.Sprintf("%016x", v.Random.Uint64())
	}
	e := &Endpoint{voice: v, stream: stream, origin: sdp.Originator{SessionID: v.Random.Uint64() >> 2}, stop: make(chan struct{})}
	e.wake = sync.NewCond(&e.mu)
	e.mouth.sender = rtp.NewSender(v.Random)
	e.ear.digits = make(chan byte, digitQueue)
	return e, nil
}

// newRandom returns a source that nobody can guess: whoever knows SSRC and sequence can forge packets (RFC 3550 §5.1).
func newRandom() rand.Source {
	var seed [32]byte
	_, _ = crand.Read(seed[:]) // documented never to fail
	return rand.NewChaCha8(seed)
}

// capabilities are the voice as offer and answer know it.
func (v *Voice) capabilities(place sdp.Place) sdp.Capabilities {
	c := sdp.Capability{Type: sound, Place: place, PacketTime: frameTime}
	clocks := map[int]bool{}
	for _, f := range v.Formats {
		c.Codecs = append(c.Codecs, described(f))
	}
	if slices.ContainsFunc(v.Formats, func(f codec.Format) bool { return f.Clock == noiseClock }) {
		c.Codecs = append(c.Codecs, sdp.Codec{PayloadType: noisePayloadType, Name: comfortNoise, Clock: noiseClock, Channels: 1})
	}
	for _, f := range v.Formats {
		if !clocks[f.Clock] {
			pt := uint8(eventPayloadType + len(clocks))
			c.Codecs = append(c.Codecs, sdp.Codec{PayloadType: pt, Name: sdp.TelephoneEvent, Clock: f.Clock, Channels: 1, FMTP: eventNumbers})
			clocks[f.Clock] = true
		}
	}
	return sdp.Capabilities{Media: []sdp.Capability{c}}
}

// Rate is the number of samples a second of what is read and written.
func (e *Endpoint) Rate() int { return e.voice.Rate }

// frame is how many samples a beat has.
func (e *Endpoint) frame() int { return e.voice.Formats[0].Samples(frameTime) }

// beatLocked starts the beat, unless a room beats.
func (e *Endpoint) beatLocked() {
	if e.beats || e.closed || e.seat != nil {
		return
	}
	e.beats, e.stopped = true, make(chan struct{})
	go e.beat(e.stopped)
}

// sit gives the beat to a room. It reports false if the endpoint is closed or sits in another.
func (e *Endpoint) sit(s *Seat) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed || e.seat != nil {
		return false
	}
	e.seat = s
	e.wake.Broadcast()
	return true
}

// stand takes the beat back.
func (e *Endpoint) stand() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.seat = nil
	if e.agreements > 0 {
		e.beatLocked()
	}
}

// beat runs until the endpoint is closed or sits in a room.
func (e *Endpoint) beat(stopped chan<- struct{}) {
	defer close(stopped)
	next := time.Now().Add(frameTime)
	timer := time.NewTimer(frameTime)
	defer timer.Stop()
	packet := make([]byte, 0, 1500)
	for {
		select {
		case <-e.stop:
			return
		case <-timer.C:
		}
		var on bool
		if packet, on = e.tick(packet[:0]); !on {
			return
		}
		packet = e.send(nil, packet, time.Now())
		if next = next.Add(frameTime); time.Since(next) > time.Second {
			next = time.Now() // the machine has slept; nobody wants to hear that all at once
		}
		timer.Reset(time.Until(next))
	}
}

// tick gives one frame to the reader and returns the packet to send, if any. It reports false if the beat ends.
func (e *Endpoint) tick(packet []byte) ([]byte, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.seat != nil {
		e.beats = false
		return packet, false
	}
	e.mouth.frame = e.mouth.frame[:0]
	e.listen()
	packet = e.speak(packet, nil)
	if e.record != nil {
		e.recordLocked()
	}
	e.wake.Broadcast()
	return packet, true
}

// send sends a packet, if it is one, and the report that is due: with a sweep, or at once. It returns the memory of both.
func (e *Endpoint) send(w *relay.Sweep, packet []byte, now time.Time) []byte {
	packet = e.sendDue(w, packet, now)
	if e.absent(now) {
		e.fail(ErrAbsent)
	}
	return packet
}

func (e *Endpoint) sendDue(w *relay.Sweep, packet []byte, now time.Time) []byte {
	e.sending.Lock()
	defer e.sending.Unlock()
	if len(packet) > 0 {
		e.emit(w, packet)
	}
	if packet = e.report(now, packet[:0]); len(packet) > 0 {
		w.SendControl(e.stream, packet)
	}
	return packet
}

// emit sends a packet as long as the peer wants it.
func (e *Endpoint) emit(w *relay.Sweep, packet []byte) {
	k := e.packer.Load()
	if k == nil {
		w.Send(e.stream, packet)
		return
	}
	send := func(b []byte) { w.Send(e.stream, b) }
	if whole := k.pack(packet, send); whole != nil {
		send(whole)
	}
}

// Record gives both sides of the call to f, 20 ms at each beat, which must not block or keep them; nil ends it. A room beats for who sits in it: it has a
// record of its own.
func (e *Endpoint) Record(f func(heard, said []int16)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.record = f
}

// recordLocked gives away what was heard and said in this beat; who says nothing is silent.
func (e *Endpoint) recordLocked() {
	m, n := &e.mouth, e.frame()
	for len(m.frame) < n {
		m.frame = append(m.frame, 0)
	}
	e.record(e.ear.now, m.frame[:n])
}

// Close ends the call's media: blocked readers get io.EOF, blocked writers an error, and the peer an RTCP BYE. It may be called
// twice.
func (e *Endpoint) Close() {
	e.mu.Lock()
	closed, beats, stopped, seat, agreed := e.closed, e.beats, e.stopped, e.seat, e.agreements > 0
	e.closed = true
	for _, p := range slices.Clone(e.pictures) {
		e.dropLocked(p)
	}
	e.wake.Broadcast()
	e.mu.Unlock()
	if closed {
		return
	}
	close(e.stop)
	if seat != nil {
		seat.Leave()
	}
	if beats {
		<-stopped
	}
	if agreed {
		e.sending.Lock()
		e.stream.SendControl(e.goodbye())
		e.sending.Unlock()
	}
	e.stream.Tap(nil)
	e.way.Close()
	e.stream.Close()
}

// fail tells who wants to know.
func (e *Endpoint) fail(err error) {
	if e.voice.Failed != nil {
		e.voice.Failed(err)
	}
}
