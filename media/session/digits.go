package session

// How the digits of a call go to each peer, and what each is told of them: a telephone event has its place in every description, whatever the far side has. RFC 4733 §7; RFC 3264 §6.1.

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/sipwerk/sipwerk/media/sdp"
)

// Digits is how the digits that are dialled during a call go to a peer and come from it.
type Digits uint8

// The ways.
const (
	DigitsAuto   Digits = iota // as events if its descriptions name them; otherwise as it sends them itself, which as long as it sends none is in the sound
	DigitsEvents               // as telephone events: RFC 4733
	DigitsInfo                 // in INFO requests, which are not ours to send: see [Leg.Inform]
	DigitsTones                // as DTMF in the sound
)

// digitWays are the words, by way.
func digitWays() []string { return []string{"auto", "events", "info", "tones"} }

// String returns the word for settings and records.
func (d Digits) String() string { return digitWays()[d] }

// ParseDigits reads what [Digits.String] writes. The error names the words.
func ParseDigits(word string) (Digits, error) {
	i := slices.Index(digitWays(), word)
	if i < 0 {
		return DigitsAuto, fmt.Errorf("session: parse digits %q: want one of %s", word, strings.Join(digitWays(), ", "))
	}
	return Digits(i), nil
}

// event returns what a peer has said of telephone events, those at the clock of its sound first.
func (s *said) event() (event sdp.Codec, ok bool) {
	for _, c := range s.codecs {
		if strings.EqualFold(c.Name, sdp.TelephoneEvent) && (!ok || c.Clock == s.Clock && event.Clock != s.Clock) {
			event, ok = c, true
		}
	}
	return event, ok
}

// digits is how they go to the peer of n by what is in force.
func (n *line) digits() Digits {
	if set := n.leg.peer.Digits; set == DigitsInfo || set == DigitsTones {
		return set
	}
	if _, ok := n.told.event(); ok {
		return DigitsEvents
	}
	if _, _, ours := n.told.speech(n.leg.site.formats()); n.leg.informs || !ours {
		return DigitsInfo
	}
	return DigitsTones
}

// Digits returns how digits go to the peer of l, for the record of the call; [DigitsAuto] if there is no sound.
func (l *Leg) Digits() Digits {
	if n := l.sounding(); n != nil {
		return n.digits()
	}
	return DigitsAuto
}

// sounding returns the first stream of sound, nil if there is none.
func (l *Leg) sounding() *line {
	for i := range l.lines {
		if n := &l.lines[i]; n.stream != nil && n.settled && n.told.sound {
			return n
		}
	}
	return nil
}

// Informs says that the peer of l has sent a digit by INFO. One that names no telephone events gets them so from now on, and its sound is not searched for them.
func (l *Leg) Informs() {
	if l.informs {
		return
	}
	l.informs = true
	n := l.sounding()
	if n == nil {
		return
	}
	if n.fromPeer != nil {
		n.fromPeer.deafen()
	}
	if n.conversion != nil {
		n.conversion.end(n).deafen()
	}
	l.ear.deafen()
	l.turn()
}

// Uninformed says that the peer of l takes no digits by INFO: it gets them in the sound.
func (l *Leg) Uninformed() {
	l.informs = false
	if l.peer.Digits == DigitsInfo {
		l.peer.Digits = DigitsTones
	}
	l.turn()
}

// turn tells those who say digits to the peer how it takes them now.
func (l *Leg) turn() {
	n := l.sounding()
	if n == nil {
		return
	}
	if n.toPeer != nil {
		n.toPeer.turn(n.digits())
	}
	if n.conversion != nil {
		n.conversion.informs(n)
	}
}

// Dial gives the peer of l a digit that the far side has sent by INFO, as a telephone event or a tone in the place of what the far side says meanwhile. It reports false, and does nothing, if the
// peer is first to be asked whether it takes INFO; asked says that it was, and does not.
func (l *Leg) Dial(digit byte, asked bool) bool {
	n := l.sounding()
	if n == nil || n.waiting != nil {
		return false
	}
	switch way := n.digits(); {
	case way == DigitsInfo && !asked, way == DigitsTones && l.peer.Digits != DigitsTones && !asked:
		return false
	}
	if c := n.conversion; c != nil {
		return c.end(n).Dial(string(digit)) == nil
	}
	if n.toPeer == nil {
		n.toPeer = newCourse(nil, n)
	}
	return n.toPeer.dial(digit)
}

// nameEvents makes telephone events a matter between us and the peer of n in m, which is to be said to it: an offer names them even if the far side does not, and an answer takes them if they were offered.
// Within the server the other end sees to it.
func (n *line) nameEvents(m *sdp.Media, answers bool) {
	switch set := n.leg.peer.Digits; {
	case m.Type != "audio" || n.leg.peer.Inside:
	case set == DigitsInfo || set == DigitsTones:
		m.Drop(sdp.TelephoneEvent)
	case answers:
		n.answerEvents(m)
	default:
		n.offerEvents(m)
	}
}

// offerEvents adds telephone events to an offer that has none, at each clock of a codec in which we could make or hear tones.
func (n *line) offerEvents(m *sdp.Media) {
	codecs := m.Codecs()
	if _, ok := (&said{codecs: codecs}).event(); ok {
		return
	}
	n.named = n.named[:0]
	for _, c := range codecs {
		event := sdp.Codec{Name: sdp.TelephoneEvent, Clock: c.Clock, Channels: 1, FMTP: eventNumbers}
		if _, ours := formatOf(n.leg.site.formats(), c); !ours || slices.ContainsFunc(n.named, event.Matches) {
			continue
		}
		var ok bool
		if event.PayloadType, ok = freePayload(m, event, n.told.codecs); !ok {
			return
		}
		m.AddCodec(event)
		n.named = append(n.named, event)
	}
}

// freePayload returns a payload type for a codec: the one that the peer knows it by (RFC 3264 §8.3.2), or one that m does not use. False: there is none.
func freePayload(m *sdp.Media, c sdp.Codec, known []sdp.Codec) (uint8, bool) {
	free := func(pt uint8) bool { return !slices.Contains(m.Formats, strconv.Itoa(int(pt))) }
	if at := slices.IndexFunc(known, c.Matches); at >= 0 && free(known[at].PayloadType) {
		return known[at].PayloadType, true
	}
	for i := range uint8(32) {
		if pt := 96 + (eventPayloadType-96+i)%32; free(pt) {
			return pt, true
		}
	}
	return 0, false
}

// answerEvents makes an answer name telephone events if the peer has offered them, and only then.
func (n *line) answerEvents(m *sdp.Media) {
	offered, answer := said{codecs: n.news.codecs}, said{codecs: m.Codecs(), sound: true}
	for _, c := range answer.codecs {
		if c.IsSpeech() {
			offered.Clock = c.Clock
			break
		}
	}
	event, wanted := offered.event()
	_, named := answer.event()
	_, _, ours := answer.speech(n.leg.site.formats())
	switch {
	case named && !wanted:
		m.Drop(sdp.TelephoneEvent)
	case wanted && !named && ours:
		event.FMTP = eventNumbers
		m.AddCodec(event)
	}
}
