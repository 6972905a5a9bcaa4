package rtp

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var events = map[string]Event{
	"01 0a 00a0":   {Code: 1, Volume: 10, Duration: 160},
	"0b 8a 0640":   {Code: 11, End: true, Volume: 10, Duration: 1600},
	"ff bf ffff":   {Code: 255, End: true, Volume: 63, Duration: 65535},
	"00 00 0000":   {},
	"05 40 0001":   {Code: 5, Duration: 1}, // the reserved bit is ignored
	"05 00 000100": {Code: 5, Duration: 1},
}

func TestParseEvent(t *testing.T) {
	for in, want := range events {
		b := unhex(t, in)
		got, err := ParseEvent(b)
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v", in, got, err)
		}
		for i := range 4 {
			if _, err := ParseEvent(b[:i]); err != errEvent {
				t.Errorf("%s cut at %d: %v", in, i, err)
			}
		}
	}
}

func FuzzEvent(f *testing.F) {
	for in := range events {
		f.Add(unhex(f, in))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := ParseEvent(b)
		if err != nil {
			return
		}
		out := e.AppendTo(nil)
		if out[1] |= b[1] & 0x40; !bytes.Equal(out, b[:4]) {
			t.Fatalf("%x became %x", b, out)
		}
		e.Digit()
		new(EventReceiver).Receive(&Header{}, e)
	})
}

func TestDigits(t *testing.T) {
	for code, digit := range []byte("0123456789*#ABCD!") {
		e := Event{Code: uint8(code)}
		if got, ok := e.Digit(); !ok || got != digit {
			t.Errorf("%d: %c", code, got)
		}
		if got, ok := EventCode(digit); !ok || got != uint8(code) {
			t.Errorf("%c: %d", digit, got)
		}
	}
	if got, ok := EventCode('d'); !ok || got != 15 {
		t.Errorf("d: %d", got)
	}
	for _, c := range []byte("eE +\x00") {
		if _, ok := EventCode(c); ok {
			t.Errorf("%q is no digit", c)
		}
	}
	if _, ok := (&Event{Code: 17}).Digit(); ok {
		t.Error("17 is no digit")
	}
}

type sentEvent struct {
	Timestamp uint32
	Marker    bool
	Event     Event
}

func send(t *testing.T, s *EventSender) []sentEvent {
	t.Helper()
	var sent []sentEvent
	for {
		p, ok := s.Next()
		if !ok {
			return sent
		}
		e, err := ParseEvent(p.Payload)
		if err != nil || p.PayloadType != s.PayloadType {
			t.Fatalf("%+v, %v", p, err)
		}
		sent = append(sent, sentEvent{p.Timestamp, p.Marker, e})
	}
}

func TestEventSender(t *testing.T) {
	for name, tt := range map[string]struct {
		step, ticks uint32
		want        []sentEvent
	}{
		"8000 Hz": {160, 480, []sentEvent{
			{1000, true, Event{5, false, 10, 160}}, {1000, false, Event{5, false, 10, 320}}, {1000, false, Event{5, true, 10, 480}},
			{1000, false, Event{5, true, 10, 480}}, {1000, false, Event{5, true, 10, 480}}}},
		"48000 Hz, uneven": {960, 1000, []sentEvent{
			{1000, true, Event{5, false, 10, 960}}, {1000, false, Event{5, true, 10, 1000}},
			{1000, false, Event{5, true, 10, 1000}}, {1000, false, Event{5, true, 10, 1000}}}},
		"shortest": {160, 0, []sentEvent{
			{1000, true, Event{5, true, 10, 160}}, {1000, false, Event{5, true, 10, 160}}, {1000, false, Event{5, true, 10, 160}}}},
		"two segments": {40000, 100000, []sentEvent{
			{1000, true, Event{5, false, 10, 40000}}, {1000, false, Event{5, false, 10, 65535}},
			{66535, false, Event{5, true, 10, 34465}}, {66535, false, Event{5, true, 10, 34465}}, {66535, false, Event{5, true, 10, 34465}}}},
	} {
		s := &EventSender{PayloadType: 101, Step: tt.step, Volume: 10}
		if s.Active() {
			t.Errorf("%s: active before start", name)
		}
		s.Start(5, 1000, tt.ticks)
		if !s.Active() {
			t.Errorf("%s: not active", name)
		}
		if d := cmp.Diff(tt.want, send(t, s)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// Digits are heard once each and in order, although one in five packets is lost and others come twice.
func TestEventsOverLoss(t *testing.T) {
	const dialled = "1100#*55D0!1299"
	random := rand.New(rand.NewPCG(1, 9))
	for _, step := range []uint32{160, 960} {
		s, r := &EventSender{Step: step}, new(EventReceiver)
		heard, timestamp := "", uint32(0xfffff000)
		for i := range len(dialled) {
			code, _ := EventCode(dialled[i])
			ticks := 5 * step
			if i == 3 {
				ticks = 200000 // held long: several segments
			}
			s.Start(code, timestamp, ticks)
			heard += hear(r, lossy(random, send(t, s)))
			timestamp += ticks + 3*step
		}
		if heard != dialled {
			t.Errorf("step %d: heard %s, dialled %s", step, heard, dialled)
		}
	}
}

// lossy loses and doubles packets at random, but not all of an event.
func lossy(random *rand.Rand, sent []sentEvent) []sentEvent {
	var arrived []sentEvent
	for i, e := range sent {
		if i != 1 && random.IntN(5) == 0 {
			continue
		}
		if arrived = append(arrived, e); random.IntN(2) == 0 {
			arrived = append(arrived, e)
		}
	}
	return arrived
}

// hear returns the digits that were heard.
func hear(r *EventReceiver, arrived []sentEvent) string {
	heard := ""
	for _, e := range arrived {
		if r.Receive(&Header{Timestamp: e.Timestamp, Marker: e.Marker}, e.Event) {
			digit, _ := e.Event.Digit()
			heard += string(digit)
		}
	}
	return heard
}

func TestEventReceiver(t *testing.T) {
	type step struct {
		h    Header
		e    Event
		want bool
	}
	for name, steps := range map[string][]step{
		"first packet lost": {{Header{Timestamp: 9}, Event{Code: 1, Duration: 320}, true}, {Header{Timestamp: 9}, Event{Code: 1, End: true}, false}},
		"only an end":       {{Header{Timestamp: 9}, Event{Code: 1, End: true}, true}, {Header{Timestamp: 9}, Event{Code: 1, End: true}, false}},
		"same digit again":  {{Header{Timestamp: 9}, Event{Code: 1, End: true}, true}, {Header{Timestamp: 99}, Event{Code: 1}, true}},
		"end lost":          {{Header{Timestamp: 9, Marker: true}, Event{Code: 1}, true}, {Header{Timestamp: 99, Marker: true}, Event{Code: 1}, true}},
		"moving timestamp": {{Header{Timestamp: 160, Marker: true}, Event{Code: 1}, true}, {Header{Timestamp: 320}, Event{Code: 1}, false},
			{Header{Timestamp: 480}, Event{Code: 1, End: true}, false}, {Header{Timestamp: 640}, Event{Code: 1}, true}},
		"overtaken":   {{Header{Timestamp: 99}, Event{Code: 2}, true}, {Header{Timestamp: 9}, Event{Code: 1, End: true}, false}},
		"new source":  {{Header{Timestamp: 99}, Event{Code: 2}, true}, {Header{Timestamp: 9, SSRC: 1}, Event{Code: 2}, true}},
		"other digit": {{Header{Timestamp: 9}, Event{Code: 1}, true}, {Header{Timestamp: 99}, Event{Code: 2}, true}},
	} {
		r := new(EventReceiver)
		for i, s := range steps {
			if got := r.Receive(&s.h, s.e); got != s.want {
				t.Errorf("%s, step %d: %v", name, i, got)
			}
		}
	}
}
