package session

// Sides that share no codec: what one says is decoded, and coded anew for the other; so are the digits. RFC 3264 §6.1: an answer names what the offer did, so each side is told of codecs
// that both it and we have.

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/media/sdp"
)

// Convertible returns d with other codecs for its sound, those that we can turn what d names into; d is not changed. It is false if there are none: nothing in d is sound that we understand.
func (s *Site) Convertible(d *sdp.Description) (*sdp.Description, bool) {
	converted, any := d.Clone(), false
	for i := range converted.Media {
		any = s.convert(&converted.Media[i], nil) || any
	}
	return converted, any
}

// convert replaces the codecs of m by those that we can turn them into. Where the peer has given one of these a payload type it keeps it (RFC 3264 §8.3.2).
func (s *Site) convert(m *sdp.Media, peer []sdp.Codec) bool {
	theirs := m.Codecs()
	if _, _, ok := (&said{codecs: theirs, sound: m.Type == "audio"}).speech(s.formats()); !ok || m.Rejected() {
		return false
	}
	var ours []sdp.Codec
	for _, f := range s.formats() {
		if c := described(f); !slices.ContainsFunc(theirs, c.Matches) {
			ours = append(ours, c)
		}
	}
	if len(ours) == 0 {
		return false
	}
	for _, c := range slices.Clone(ours) {
		event := sdp.Codec{PayloadType: eventPayloadType + uint8(len(ours)), Name: sdp.TelephoneEvent, Clock: c.Clock, Channels: 1, FMTP: eventNumbers}
		if !slices.ContainsFunc(ours, event.Matches) {
			ours = append(ours, event)
		}
	}
	for i, c := range ours {
		if at := slices.IndexFunc(peer, c.Matches); at >= 0 {
			ours[i].PayloadType = peer[at].PayloadType
		}
	}
	m.SetCodecs(ours)
	return true
}

// convertible is an offer of the far side in codecs that the peer is known to have, if it has none of those named.
func (l *Leg) convertible(d *sdp.Description) *sdp.Description {
	converted := d
	for i := range min(len(d.Media), len(l.lines)) {
		n := &l.lines[i]
		if !n.settled || !n.told.sound || len(n.told.codecs) == 0 || shares(n.told.codecs, d.Media[i].Codecs()) {
			continue
		}
		if converted == d {
			converted = d.Clone()
		}
		l.site.convert(&converted.Media[i], n.told.codecs)
	}
	return converted
}

// converted is an answer of the far side in a codec that our peer has offered, where it names none of those.
func (l *Leg) converted(answer *sdp.Description) *sdp.Description {
	converted := answer
	for i := range min(len(answer.Media), len(l.lines)) {
		n, m := &l.lines[i], &answer.Media[i]
		if m.Rejected() || !n.news.sound || shares(n.news.codecs, m.Codecs()) {
			continue
		}
		f, payload, ok := n.news.speech(l.site.formats())
		if !ok {
			continue
		}
		if converted == answer {
			converted = answer.Clone()
		}
		converted.Media[i].SetCodecs(slices.DeleteFunc(slices.Clone(n.news.codecs), func(c sdp.Codec) bool {
			return c.PayloadType != payload && !c.Matches(sdp.Codec{Name: sdp.TelephoneEvent, Clock: f.Clock})
		}))
	}
	return converted
}

// shares tells whether two sides have a codec in common.
func shares(a, b []sdp.Codec) bool {
	return slices.ContainsFunc(a, func(c sdp.Codec) bool { return c.IsSpeech() && slices.ContainsFunc(b, c.Matches) })
}

// conversion carries sound between two streams whose sides share no codec.
type conversion struct {
	terms  [2]said // of the sides
	ends   [2]*Endpoint
	byInfo [2]atomic.Bool // the side is given digits by inform
	inform [2]func(byte)
	over   atomic.Bool // the streams are not its any more
	stop   chan struct{}
	done   sync.WaitGroup
}

// newConversion returns what converts between two streams, nil if that is not needed or cannot be done.
func newConversion(site *Site, a, b *line) *conversion {
	if !a.told.sound || !b.told.sound || len(a.told.codecs) == 0 || len(b.told.codecs) == 0 || shares(a.told.codecs, b.told.codecs) {
		return nil
	}
	one, _, ok := a.told.speech(site.formats())
	other, _, both := b.told.speech(site.formats())
	if !ok || !both {
		return nil
	}
	a.saying().spoken, b.saying().spoken = one.Name, other.Name
	c := &conversion{terms: [2]said{*a.told, *b.told}, stop: make(chan struct{})}
	for i, n := range [...]*line{a, b} {
		e, err := site.stand(n, min(one.Rate, other.Rate)) // more than the worse of both has is not to be kept
		if err != nil {
			return nil
		}
		c.ends[i] = e
		c.byInfo[i].Store(n.digits() == DigitsInfo)
		c.inform[i] = n.leg.Inform
	}
	return c
}

// end returns what speaks to the peer of n, one of the two.
func (c *conversion) end(n *line) *Endpoint { return c.ends[c.side(n)] }

func (c *conversion) side(n *line) int {
	if c.ends[0].stream == n.stream {
		return 0
	}
	return 1
}

// informs takes the way in which the peer of n gets digits from now on.
func (c *conversion) informs(n *line) { c.byInfo[c.side(n)].Store(n.digits() == DigitsInfo) }

// stand returns an endpoint in the place of the far side of a stream: the sockets are those of the stream.
func (s *Site) stand(n *line, rate int) (*Endpoint, error) {
	e, err := endpointOn(n.stream, Voice{Formats: s.formats(), Rate: rate})
	if err != nil {
		return nil, err
	}
	a := agreement{direction: n.told.direction.Reverse()}
	if err := a.send(e.voice.Formats, n.told.codecs); err != nil {
		return nil, err
	}
	way := n.digits()
	a.events = a.events && way == DigitsEvents
	e.packer.Store(newPacker(n.told.times, frameTime, n.told.codecs))
	e.ear.deaf = way == DigitsInfo
	a.receive(e.voice.Formats, n.told.codecs)
	e.agreeLocked(a) // nobody else knows it yet
	return e, nil
}

// run carries a frame each way at each beat until it is stopped.
func (c *conversion) run() {
	for _, e := range c.ends {
		e.stream.Tap(e.hear)
	}
	beat := time.NewTicker(frameTime)
	defer beat.Stop()
	packet := make([]byte, 0, 1500)
	for {
		var now time.Time
		select {
		case <-c.stop:
			return
		case now = <-beat.C:
		}
		for i, e := range c.ends {
			e.pass(c.ends[1-i])
			c.dial(e, 1-i)
		}
		for _, e := range c.ends {
			packet = e.send(nil, e.next(packet[:0]), now)
		}
	}
}

// pass gives what the peer of e says in this beat to the peer of far.
func (e *Endpoint) pass(far *Endpoint) {
	e.mu.Lock()
	e.listen()
	e.ear.frames = e.ear.frames[:0]
	heard := e.ear.now
	e.mu.Unlock()
	far.mu.Lock()
	far.mouth.frames = append(far.mouth.frames[:0], heard...)
	far.mu.Unlock()
}

// dial gives the digits that e has heard to a side.
func (c *conversion) dial(e *Endpoint, to int) {
	for {
		select {
		case digit := <-e.ear.digits:
			if c.byInfo[to].Load() && c.inform[to] != nil {
				c.inform[to](digit)
				continue
			}
			_ = c.ends[to].Dial(string(digit)) // one who dials faster than digits can be sent loses some
		default:
			return
		}
	}
}

// next returns the packet of this beat, appended to b.
func (e *Endpoint) next(b []byte) []byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.speak(b, nil)
}

// same tells whether the conversion goes on as it is for what both sides have said last.
func (c *conversion) same(a, b *line) bool {
	return !c.over.Load() && c.ends[0].stream == a.stream && c.ends[1].stream == b.stream && c.terms[0].equal(a.told) && c.terms[1].equal(b.told)
}

// equal tells whether a side means the same sound by what it says.
func (s *said) equal(o *said) bool {
	return s.direction == o.direction && s.times == o.times && slices.Equal(s.codecs, o.codecs)
}

// convertBetween makes two streams one path through coders, and reports whether that is what they need.
func convertBetween(site *Site, a, b *line) bool {
	if c := a.conversion; c != nil && c == b.conversion && c.same(a, b) {
		return true
	}
	a.passOn()
	b.passOn()
	c := newConversion(site, a, b)
	if c == nil {
		return false
	}
	relay.Part(a.stream)
	relay.Part(b.stream)
	a.conversion, b.conversion = c, c
	c.done.Go(c.run)
	return true
}

// passOn ends the conversion of a stream, and that of digits.
func (n *line) passOn() {
	n.toPeer.end()
	n.fromPeer.end()
	n.toPeer, n.fromPeer = nil, nil
	c := n.conversion
	n.conversion = nil
	if c == nil || c.over.Swap(true) {
		return
	}
	close(c.stop)
	c.done.Wait()
	for _, e := range c.ends {
		e.stream.Tap(nil)
	}
}
