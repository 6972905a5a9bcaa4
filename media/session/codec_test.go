package session

import (
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/media/codec"
	"github.com/sipwerk/sipwerk/media/codec/opus"
	"github.com/sipwerk/sipwerk/media/rtp"
	"github.com/sipwerk/sipwerk/network"
)

// Two endpoints agree on Opus as RFC 7587 §7 writes it, and hear each other over a network that loses packets; who has it not gets G.711.
func TestOpus(t *testing.T) {
	library, err := opus.Open()
	if !library.Speaks() {
		t.Log(err) // the gate has it; package opus fails there without
		return
	}
	format := func(rate int) codec.Format { return library.Format(rate, opus.Settings{FEC: true}) }
	wide := Voice{Rate: 16000, Formats: []codec.Format{format(16000), codec.PCMA()}}
	full := Voice{Rate: 48000, Formats: []codec.Format{format(48000), codec.G722()}}
	voices(t, network.Conditions{Delay: 20 * time.Millisecond, Loss: 0.05}, full, wide, func(t *testing.T, a, b *Endpoint) {
		offer := a.Offer().String()
		for _, line := range []string{"a=rtpmap:111 opus/48000/2", "a=fmtp:111 minptime=10;useinbandfec=1", "telephone-event/48000"} {
			if !strings.Contains(offer, line) {
				t.Errorf("no %s in\n%s", line, offer)
			}
		}
		go say(t, a, 1000, 2*time.Second)
		if level := audio.Goertzel(heard(t, b, 2*time.Second)[16000:], 16000, 1000); level < 6000 {
			t.Errorf("heard at %.0f", level)
		}
		if err := a.Dial("5"); err != nil {
			t.Error(err)
		}
		if digit := <-b.Digits(); digit != '5' {
			t.Errorf("digit %c", digit)
		}
	})
	voices(t, network.Conditions{}, wide, Voice{Formats: []codec.Format{codec.PCMA()}}, func(t *testing.T, a, b *Endpoint) {
		go say(t, a, 1000, time.Second)
		if level := audio.Goertzel(heard(t, b, time.Second)[4000:], 8000, 1000); level < 6000 {
			t.Errorf("without Opus heard at %.0f", level)
		}
	})
}

// RFC 3389 §4: while the peer sends noise descriptions instead of sound, the noise is heard, and ends with the next word.
func TestComfortNoise(t *testing.T) {
	pair(t, network.Conditions{}, func(t *testing.T, _, b *Endpoint) {
		b.mu.Lock()
		defer b.mu.Unlock()
		put := func(sequence uint16, payloadType uint8, payload []byte) {
			b.ear.jitter.Put(&rtp.Packet{Header: rtp.Header{SSRC: 77, Sequence: sequence, PayloadType: payloadType}, Payload: payload})
			b.ear.decoded, b.ear.frames, b.ear.late = b.ear.decoded[:0], b.ear.frames[:0], false
			for range 3 {
				b.listen()
			}
		}
		put(1, noisePayloadType, []byte{40})
		b.listen()
		if level := codec.Level(b.ear.frames[len(b.ear.frames)-160:]); level < 35 || level > 45 {
			t.Errorf("noise of -40 dBov at level %d", level)
		}
		put(2, 8, make([]byte, 160))
		b.listen()
		if level := codec.Level(b.ear.frames[len(b.ear.frames)-160:]); level != codec.Silence {
			t.Errorf("after a word: level %d", level)
		}
	})
}

// RFC 6464: the level is offered, answered under the identifier of the offer, and read.
func TestLevelExtension(t *testing.T) {
	offer := strings.Split("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"+
		"a=extmap:3 urn:example:other\r\na=extmap:7/sendonly urn:ietf:params:rtp-hdrext:ssrc-audio-level vad=on", "\r\n")
	pair(t, network.Conditions{}, func(t *testing.T, a, b *Endpoint) {
		if got := a.Offer().String(); !strings.Contains(got, "a=extmap:1 "+levelURI) || a.agreed.level != levelIdentifier || b.agreed.level != levelIdentifier {
			t.Errorf("levels %d and %d, offer\n%s", a.agreed.level, b.agreed.level, got)
		}
		answer, err := b.Answer(describe(t, offer...))
		if err != nil || !strings.Contains(answer.String(), "a=extmap:7 "+levelURI) || b.agreed.level != 7 {
			t.Errorf("%v: level %d, answer\n%s", err, b.agreed.level, answer)
		}
		p := rtp.Packet{ExtensionProfile: 0xbede, Extension: []byte{0x70, 0x80 | 23, 0, 0}}
		if got := levelOf(&p, 7); got != 23 {
			t.Errorf("level %d", got)
		}
		if levelOf(&p, 0) != codec.Unknown || levelOf(&p, 5) != codec.Unknown {
			t.Error("a level from nowhere")
		}
	})
}

// A peer that has agreed to no telephone events is dialled to, and heard, by tones: in a call and in a room.
func TestDigitsAsTones(t *testing.T) {
	deaf := func(e *Endpoint) {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.agreed.events, e.agreed.eventsIn = false, nil
	}
	pair(t, network.Conditions{Delay: 20 * time.Millisecond, Loss: 0.01}, func(t *testing.T, a, b *Endpoint) {
		deaf(a)
		deaf(b)
		if err := a.Dial("42#d"); err != nil {
			t.Fatal(err)
		}
		if err := a.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, want := range []byte("42#D") {
			if got := <-b.Digits(); got != want {
				t.Errorf("%c, want %c", got, want)
			}
		}
		if err := a.Dial(strings.Repeat("1", digitQueue+1)); err == nil {
			t.Error("too many digits")
		}
	})
	var digits []byte
	room := &Room{Digit: func(_ *Seat, digit byte) { digits = append(digits, digit) }}
	inHall(t, network.Conditions{}, room, func(h *hall) {
		a := h.enter(500, Voice{}, 8000)
		h.enter(900, Voice{}, 8000)
		a.say(false)
		deaf(a.phone)
		deaf(a.server)
		if err := a.phone.Dial("77"); err != nil {
			t.Fatal(err)
		}
		if err := a.server.Dial("3"); err != nil {
			t.Fatal(err)
		}
		h.pass(time.Second)
		if string(digits) != "77" {
			t.Errorf("digits %q", digits)
		}
		if got := <-a.phone.Digits(); got != '3' || a.hears(900) < 4500 {
			t.Errorf("digit %c to the phone, which hears the other at %.0f", got, a.hears(900))
		}
	})
}

// Both sides of a call are recorded in step, each by itself.
func TestRecordBothSides(t *testing.T) {
	pair(t, network.Conditions{Delay: 20 * time.Millisecond}, func(t *testing.T, a, b *Endpoint) {
		var left, right []int16
		a.Record(func(heard, said []int16) { left, right = append(left, heard...), append(right, said...) })
		go say(t, a, 500, time.Second)
		go say(t, b, 900, time.Second)
		heard(t, a, 1500*time.Millisecond)
		a.Record(nil)
		if len(left) != len(right) || len(left) < 11000 {
			t.Fatalf("%d and %d samples", len(left), len(right))
		}
		for name, tt := range map[string]struct {
			side       []int16
			own, other float64
		}{"heard": {left, 900, 500}, "said": {right, 500, 900}} {
			middle := tt.side[len(tt.side)/3 : 2*len(tt.side)/3]
			if own, other := audio.Goertzel(middle, 8000, tt.own), audio.Goertzel(middle, 8000, tt.other); own < 6000 || other > 200 {
				t.Errorf("%s: %.0f of its own, %.0f of the other", name, own, other)
			}
		}
	})
}

// TestCodersGoOn: a change of the session amid a tone is not heard in it: coders that remember what was said go on.
func TestCodersGoOn(t *testing.T) {
	wide := Voice{Formats: []codec.Format{codec.G722()}}
	bridgeVoices(t, Plain, Plain, [2]Voice{wide, wide}, func(b *bridged) {
		b.wait(time.Second)
		said := make(chan struct{})
		go func() {
			defer close(said)
			say(b.t, b.alice, 1000, time.Second)
		}()
		heard(t, b.bob, 500*time.Millisecond)
		b.offer(b.bob, b.alice, b.b, b.a)
		got := heard(t, b.bob, 100*time.Millisecond)
		for at := 0; at+320 <= len(got); at += 320 {
			if level := audio.Goertzel(got[at:at+320], b.bob.Rate(), 1000); level < 6000 {
				t.Errorf("%d ms after the change: level %.0f", at/16, level)
			}
		}
		<-said
	})
}
