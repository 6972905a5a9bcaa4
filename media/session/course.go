package session

// One way of a bridge whose sides dial in different ways, or want packets of different length: the sound passes as it is, and digits are turned into what the hearer takes. RFC 4733 §2.5.1.

import (
	"slices"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/media/codec"
	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/media/rtp"
)

// course is the way from one peer to another.
type course struct {
	terms    [2]said       // of the speaker and the hearer
	from, to *relay.Stream // from is nil if only INFO is turned into something
	inform   func(byte)    // gives the hearer a digit by INFO; nil: nobody can
	swallow  []uint8       // payload types of events, of which the hearer knows nothing
	stop     chan struct{}
	done     sync.WaitGroup

	mu      sync.Mutex // guards what follows
	packer  *packer    // nil: the hearer gets packets as long as they come
	way     Digits     // of the hearer
	numbers row
	events  rtp.EventReceiver
	spot    *spotter      // nil: the sound is not searched
	press   press         // the digit that sounds
	voice   *Endpoint     // says digits to the hearer; nil: it cannot
	ghost   codec.Decoder // hears what the hearer does, if its codec asks for that; nil: it does not
	heard   []int16       // by ghost, for nothing
	talking bool          // voice says digits
	busy    bool          // in the place of the sound
	anew    bool          // the sound begins anew with the next packet
	shift   uint32        // from the timestamps of voice to those of the speaker
	over    bool
}

// lead makes the way from the peer of x to that of y what their ways to dial and their packet times ask for.
func lead(x, y *line) {
	if c := y.toPeer; c != nil && c == x.fromPeer && c.suits(x, y) {
		return
	}
	before := y.toPeer
	before.end()
	x.fromPeer.end()
	y.toPeer, x.fromPeer = nil, nil
	if !x.told.sound || !y.told.sound {
		return
	}
	dials, takes := x.digits(), y.digits()
	packer := newPacker(y.told.times, x.told.times.sends(), y.told.codecs)
	if packer == nil && (dials == takes || dials == DigitsInfo) {
		return
	}
	c := newCourse(x, y)
	c.succeed(before)
	if c.packer = packer; dials == takes {
		c.spot, c.swallow = nil, nil
	}
	if packer == nil && c.spot == nil && c.swallow == nil {
		return
	}
	y.toPeer, x.fromPeer = c, c
	x.stream.Filter(c.pass)
}

// suits tells whether the way goes on as it is for what both sides have said last.
func (c *course) suits(x, y *line) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.over && c.from == x.stream && c.to == y.stream && c.terms[0].equal(x.told) && c.terms[1].equal(y.told)
}

// newCourse returns the way from the peer of x, which may be nil, to that of y.
func newCourse(x, y *line) *course {
	c := &course{to: y.stream, way: y.digits(), inform: y.leg.Inform, stop: make(chan struct{})}
	c.terms[1] = *y.told
	c.voice = y.leg.site.voiceFor(y, c.way == DigitsEvents)
	if x == nil {
		return c
	}
	c.from, c.terms[0] = x.stream, *x.told
	c.follow()
	switch x.digits() {
	case DigitsEvents:
		event, _ := x.told.event()
		c.swallow = append(c.swallow, event.PayloadType)
		for _, event := range x.named {
			c.swallow = append(c.swallow, event.PayloadType)
		}
	case DigitsTones:
		c.spot = newSpotter(x.leg.site.formats(), y.told.codecs, x.told.codecs)
	}
	return c
}

// voiceFor returns what says digits to the peer of n in the place of the far side; nil if it takes neither events nor tones in a codec of ours.
func (s *Site) voiceFor(n *line, events bool) *Endpoint {
	e, err := endpointOn(n.stream, Voice{Formats: s.formats(), Rate: spotRate})
	if err != nil {
		return nil
	}
	a := agreement{direction: n.told.direction.Reverse()}
	err = a.send(e.voice.Formats, n.told.codecs)
	if a.events = events; events {
		event, _ := n.told.event()
		if a.event = event.PayloadType; err != nil {
			a.format = codec.Format{Clock: event.Clock}
		}
	} else if err != nil {
		return nil
	}
	e.agreeLocked(a) // nobody else knows it yet
	return e
}

// follow begins to hear what the hearer does, if who speaks to it in between must know that.
func (c *course) follow() {
	if c.voice == nil || c.voice.agreed.events {
		return
	}
	a := &c.voice.agreed
	encoder, err := a.format.NewEncoder()
	decoder, failed := a.format.NewDecoder()
	if f, ok := encoder.(codec.Follower); ok && err == nil && failed == nil && f.Follow(decoder) {
		a.encoder, c.ghost = encoder, decoder
	}
}

// succeed goes on where the way before c has ended, which may be nil: the decoder of the hearer does not begin anew.
func (c *course) succeed(before *course) {
	if c.ghost == nil || before == nil || before.to != c.to {
		return
	}
	before.mu.Lock() // a packet may still be on its way through it
	defer before.mu.Unlock()
	if before.ghost == nil {
		return
	}
	if was, is := &before.voice.agreed, &c.voice.agreed; was.payload == is.payload && was.format.Name == is.format.Name {
		c.ghost, before.ghost = before.ghost, nil
	}
}

// overhear takes what goes to the hearer.
func (c *course) overhear(p *rtp.Packet) {
	if c.ghost != nil && p.PayloadType == c.voice.agreed.payload {
		c.heard, _ = c.ghost.Decode(c.heard[:0], p.Payload)
	}
}

// pass decides what the hearer gets of a packet. It is a [relay.Filter].
func (c *course) pass(b []byte, control bool) []byte {
	if control {
		return b
	}
	p, err := rtp.Parse(b)
	if err != nil {
		return b
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if slices.Contains(c.swallow, p.PayloadType) {
		c.numbers.swallow(&p.Header)
		c.hearEvent(&p)
		return nil
	}
	if c.spot != nil {
		c.search(&p)
	}
	if c.busy {
		c.numbers.swallow(&p.Header)
		return nil
	}
	if !c.numbers.pass(&p.Header) {
		return nil
	}
	if c.press.active() {
		told := c.press.packet(&p, c.voice.agreed.event)
		c.anew = !c.press.active()
		return c.packer.pack(told.AppendTo(b[:0]), c.to.Send)
	}
	c.overhear(&p)
	p.Marker = p.Marker || c.anew
	c.anew = false
	p.Header.Put(b)
	return c.packer.pack(b, c.to.Send)
}

// hearEvent takes a telephone event.
func (c *course) hearEvent(p *rtp.Packet) {
	event, err := rtp.ParseEvent(p.Payload)
	if err != nil || !c.events.Receive(&p.Header, event) {
		return
	}
	if digit, ok := event.Digit(); ok {
		c.giveLocked(digit)
	}
}

// search looks for digits in the sound.
func (c *course) search(p *rtp.Packet) {
	for _, digit := range c.spot.hear(p) {
		if c.way != DigitsEvents {
			c.giveLocked(digit)
			continue
		}
		code, _ := rtp.EventCode(digit)
		c.press.begin(code, p.Timestamp-c.voice.agreed.format.Ticks(pressLead))
	}
	c.press.sounds = c.spot.detector.Sounding()
}

// giveLocked gives the hearer a digit as it takes them.
func (c *course) giveLocked(digit byte) {
	if c.way != DigitsInfo {
		c.dialLocked(digit)
	} else if c.inform != nil {
		c.inform(digit)
	}
}

// dial says a digit to the hearer, as a telephone event or a tone, and reports whether that can be.
func (c *course) dial(digit byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dialLocked(digit)
}

func (c *course) dialLocked(digit byte) bool {
	if c.over || c.voice == nil || c.voice.Dial(string(digit)) != nil {
		return false
	}
	if c.talking {
		return true
	}
	c.talking, c.shift = true, 0
	if c.ghost != nil {
		c.voice.agreed.encoder.(codec.Follower).Follow(c.ghost)
	}
	if c.from != nil {
		if now, ok := c.from.Timestamp(); ok {
			c.shift = now - c.voice.mouth.sender.Timestamp()
		}
	}
	c.done.Go(c.talk)
	return true
}

// talk says what was dialled, a packet at each beat. The speaker is heard again half a beat behind the last: its next packet is due a whole one behind.
func (c *course) talk() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	packet := make([]byte, 0, 1500)
	for more := true; ; {
		select {
		case <-c.stop:
			return
		case <-timer.C:
		}
		if !more && c.rest() {
			return
		}
		if more = c.say(packet); more {
			timer.Reset(frameTime)
		} else {
			timer.Reset(frameTime / 2)
		}
	}
}

// say sends the packet of this beat, if there is one: between two events the sound passes. It reports whether more is to come.
func (c *course) say(packet []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	packet, more := c.voice.nextDigit(packet)
	c.anew = c.anew || c.busy
	if c.busy = len(packet) > 0; c.busy {
		p, _ := rtp.Parse(packet) // we have made it
		c.overhear(&p)
		c.numbers.own(&p.Header)
		p.Timestamp += c.shift
		p.Header.Put(packet)
		if whole := c.packer.pack(packet, c.to.Send); whole != nil {
			c.to.Send(whole)
		}
	}
	return more
}

// rest lets the speaker be heard again. It reports false if something was dialled meanwhile.
func (c *course) rest() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.talking = !c.over && c.voice.dialling(); c.talking {
		return false
	}
	c.anew, c.busy = c.anew || c.busy, false
	return true
}

// turn makes way that of the hearer, who has said by what it does that it wants digits otherwise.
func (c *course) turn(way Digits) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.way = way
}

// deafen ends the search for digits in the sound.
func (c *course) deafen() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.spot, c.press = nil, press{}
}

// end ends the way; what was not said yet is not said. A nil course is none.
func (c *course) end() {
	if c == nil {
		return
	}
	c.mu.Lock()
	over := c.over
	c.over = true
	c.mu.Unlock()
	if over {
		return
	}
	if c.from != nil {
		c.from.Filter(nil)
	}
	close(c.stop)
	c.done.Wait()
}
