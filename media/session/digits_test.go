package session

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/media/codec"
	"github.com/sipwerk/sipwerk/media/rtp"
	"github.com/sipwerk/sipwerk/media/sdp"
)

// informed collects what a peer is to get by INFO.
type informed struct {
	mu     sync.Mutex
	digits []byte
}

func (i *informed) take(digit byte) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.digits = append(i.digits, digit)
}

func (i *informed) cut() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	digits := string(i.digits)
	i.digits = nil
	return digits
}

// TestDigitsDisagree: sides that share a codec and dial in different ways hear each other's digits, each once, and each other; at first, after a change by either side, and beside a hold. What
// was not offered is not answered. RFC 4733 §7; RFC 3264 §6.1.
func TestDigitsDisagree(t *testing.T) {
	plain := Voice{Formats: []codec.Format{codec.PCMA()}}
	wide := Voice{Formats: []codec.Format{codec.G722()}}
	for name, c := range map[string]struct {
		voices [2]Voice
		kinds  [2]Kind
		mute   [2]bool // names no telephone events
	}{
		"caller by tones":            {voices: [2]Voice{plain, plain}, mute: [2]bool{true, false}},
		"callee by tones":            {voices: [2]Voice{plain, plain}, mute: [2]bool{false, true}},
		"protected, caller by tones": {voices: [2]Voice{plain, plain}, kinds: [2]Kind{SDES, WebRTC}, mute: [2]bool{true, false}},
		"wide, callee by tones":      {voices: [2]Voice{wide, wide}, mute: [2]bool{false, true}},
		"both by tones":              {voices: [2]Voice{plain, plain}, mute: [2]bool{true, true}},
		"converted, callee by tones": {voices: [2]Voice{{Formats: []codec.Format{codec.G722()}, Rate: 8000}, {Formats: []codec.Format{codec.PCMU()}}}, mute: [2]bool{false, true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			prepare := func(b *bridged) { b.mute[b.alice], b.mute[b.bob] = c.mute[0], c.mute[1] }
			bridgeLegs(t, c.kinds, c.voices, prepare, func(b *bridged) {
				b.wait(time.Second)
				for i, l := range []*Leg{b.a, b.b} {
					if got, want := l.Digits(), map[bool]Digits{true: DigitsTones, false: DigitsEvents}[c.mute[i]]; got != want {
						t.Errorf("side %d dials by %v, want %v", i, got, want)
					}
				}
				b.talk("at first")
				b.digits("19#D")
				b.talk("after digits")
				_, answered := b.offer(b.bob, b.alice, b.b, b.a)
				if strings.Contains(answered.String(), sdp.TelephoneEvent) == c.mute[1] {
					t.Errorf("bob is answered\n%s", answered)
				}
				b.digits("*0")
				b.alice.SetDirection(sdp.SendOnly)
				b.offer(b.alice, b.bob, b.a, b.b)
				b.wait(time.Second)
				b.alice.SetDirection(sdp.SendRecv)
				b.offer(b.alice, b.bob, b.a, b.b)
				b.wait(time.Second)
				b.digits("77")
				b.talk("at last")
			})
		})
	}
}

// gets looks which digits have come to an endpoint.
func (b *bridged) gets(when string, e *Endpoint, want string) {
	b.t.Helper()
	var got []byte
	for len(e.Digits()) > 0 {
		got = append(got, <-e.Digits())
	}
	if string(got) != want {
		b.t.Errorf("%s: heard %q, want %q", when, got, want)
	}
}

// TestDigitsByInfo: digits that came by INFO are said as events or tones, and what comes as those goes by INFO to a side that wants it: one that is set so, and one that has sent INFO itself. A side
// that refuses INFO gets tones.
func TestDigitsByInfo(t *testing.T) {
	narrow := Voice{Formats: []codec.Format{codec.PCMU()}}
	for name, voices := range map[string][2]Voice{
		"shared":    {narrow, narrow},
		"converted": {{Formats: []codec.Format{codec.G722()}, Rate: 8000}, narrow},
	} {
		t.Run(name, func(t *testing.T) {
			var toAlice informed
			prepare := func(b *bridged) {
				b.mute[b.alice] = true
				b.a.Inform = toAlice.take
			}
			bridgeLegs(t, [2]Kind{}, voices, prepare, func(b *bridged) {
				b.wait(time.Second)
				b.a.Informs()
				for _, digit := range []byte("42#") {
					if !b.b.Dial(digit, false) {
						t.Errorf("bob, who takes events, does not get %c", digit)
					}
				}
				b.wait(2 * time.Second)
				b.gets("sent by INFO", b.bob, "42#")
				b.talk("after digits")
				must(t, b.bob.Dial("17*"))
				b.wait(2 * time.Second)
				if got := toAlice.cut(); got != "17*" || b.a.Digits() != DigitsInfo {
					t.Errorf("alice is told of %q by %v", got, b.a.Digits())
				}
				b.gets("alice", b.alice, "")
				if b.a.Dial('1', false) {
					t.Error("alice is not asked whether she takes INFO")
				}
				b.a.Uninformed()
				if !b.a.Dial('5', true) {
					t.Error("alice gets no tone")
				}
				must(t, b.bob.Dial("6"))
				b.wait(2 * time.Second)
				if got := toAlice.cut(); got != "" {
					t.Errorf("alice is told of %q by INFO, which she refuses", got)
				}
				b.gets("alice, who refuses INFO", b.alice, "56")
				b.talk("at last")
			})
		})
	}
}

// TestDigitsAsSet: a side that is to have tones, or INFO, is told of no telephone events, whatever it says.
func TestDigitsAsSet(t *testing.T) {
	voice := Voice{Formats: []codec.Format{codec.PCMA()}}
	for _, set := range []Digits{DigitsTones, DigitsInfo} {
		var toBob informed
		prepare := func(b *bridged) {
			b.b.peer.Digits = set
			b.b.Inform = toBob.take
		}
		bridgeLegs(t, [2]Kind{}, [2]Voice{voice, voice}, prepare, func(b *bridged) {
			b.wait(time.Second)
			offered, answered := b.offer(b.alice, b.bob, b.a, b.b)
			if strings.Contains(offered.String(), sdp.TelephoneEvent) || !strings.Contains(answered.String(), sdp.TelephoneEvent) || b.b.Digits() != set {
				t.Errorf("%v: dials by %v; bob is offered\n%s\nalice is answered\n%s", set, b.b.Digits(), offered, answered)
			}
			must(t, b.alice.Dial("83"))
			b.wait(2 * time.Second)
			want := map[Digits][2]string{DigitsTones: {"83", ""}, DigitsInfo: {"", "83"}}[set]
			b.gets(set.String(), b.bob, want[0])
			if got := toBob.cut(); got != want[1] {
				t.Errorf("%v: bob is told of %q by INFO", set, got)
			}
			if got := b.b.Dial('1', false); got != (set == DigitsTones) {
				t.Errorf("%v: asked whether it takes INFO: %v", set, !got)
			}
			b.wait(time.Second)
			b.talk(set.String())
		})
	}
}

// TestDigitsOverheard: codes that are dialled by tones are heard beside the call, without a tape, and not after the side has shown that it dials otherwise.
func TestDigitsOverheard(t *testing.T) {
	prepare := func(b *bridged) { b.mute[b.alice] = true }
	bridgeLegs(t, [2]Kind{Plain, SDES}, [2]Voice{}, prepare, func(b *bridged) {
		b.wait(time.Second)
		var heard informed
		b.a.Listen(b.b, 8000, heard.take)
		must(t, b.alice.Dial("*1"))
		b.wait(2 * time.Second)
		if got := heard.cut(); got != "*1" {
			t.Errorf("heard %q", got)
		}
		b.gets("bob", b.bob, "*1")
		b.a.Informs()
		must(t, b.alice.Dial("2"))
		b.wait(2 * time.Second)
		if got := heard.cut(); got != "" {
			t.Errorf("heard %q of one who dials by INFO", got)
		}
		b.gets("bob, after alice has dialled by INFO", b.bob, "")
	})
}

// TestPress: a tone becomes one event of its length, in the places of its packets, and ends with three packets; a very long one goes on in segments. RFC 4733 §2.5.1.
func TestPress(t *testing.T) {
	for _, packets := range []int{2, 10, 600} {
		bridgeLegs(t, [2]Kind{}, [2]Voice{{Formats: []codec.Format{codec.PCMA()}}, {Formats: []codec.Format{codec.PCMA()}}}, func(b *bridged) { b.mute[b.alice] = true }, func(b *bridged) {
			b.wait(time.Second)
			var mu sync.Mutex
			var told []rtp.Packet
			b.bob.stream.Record(func(packet []byte, _ time.Time, control bool) {
				p, err := rtp.Parse(packet)
				if err != nil || control || p.PayloadType != eventPayloadType && len(told) == 0 {
					return
				}
				mu.Lock()
				defer mu.Unlock()
				p.Payload = slices.Clone(p.Payload)
				told = append(told, p)
			})
			tone := &audio.Tone{Rate: 8000, Frequencies: []float64{770, 1336}, Amplitude: 8000}
			pcm := make([]int16, 160*packets)
			_, _ = tone.ReadSamples(pcm) // it never ends
			play(t, b.alice, pcm)
			b.wait(time.Second)
			b.gets("bob", b.bob, "5")
			mu.Lock()
			defer mu.Unlock()
			checkPress(t, told, packets)
		})
	}
}

func checkPress(t *testing.T, told []rtp.Packet, packets int) {
	t.Helper()
	total, ends, before := 0, 0, rtp.Event{}
	for i, p := range told {
		if i > 0 && p.Sequence != told[i-1].Sequence+1 {
			t.Errorf("%d packets: number %d behind %d", packets, p.Sequence, told[i-1].Sequence)
		}
		if p.PayloadType != eventPayloadType {
			if !p.Marker || ends != pressEnds {
				t.Errorf("%d packets: the sound begins again with marker %v behind %d ends", packets, p.Marker, ends)
			}
			break
		}
		e, err := rtp.ParseEvent(p.Payload)
		must(t, err)
		if p.Marker != (i == 0) || e.Code != 5 || e.Duration < before.Duration && before.Duration != pressLongest {
			t.Errorf("%d packets: %+v behind %+v, marker %v", packets, e, before, p.Marker)
		}
		if e.Duration < before.Duration {
			total += int(before.Duration)
		}
		if before = e; e.End {
			ends++
		}
	}
	total += int(before.Duration)
	if sounds := packets * 160; total < sounds || total > sounds+480 {
		t.Errorf("%d packets: %d samples of sound became an event of %d", packets, sounds, total)
	}
}

// TestRow: what is passed on keeps its gaps and its order; where something of ours lies between, there is none, and what comes too late is left out.
func TestRow(t *testing.T) {
	const passed, swallowed, ours = 'p', 's', 'o'
	for name, steps := range map[string][]struct {
		what byte
		in   uint16
		out  int // -1: left out
	}{
		"passed":    {{passed, 10, 10}, {passed, 11, 11}, {passed, 13, 13}, {passed, 12, 12}},
		"ours":      {{passed, 10, 10}, {ours, 0, 11}, {ours, 0, 12}, {passed, 11, 13}, {passed, 10, -1}, {passed, 14, 16}, {passed, 13, 15}},
		"swallowed": {{passed, 10, 10}, {swallowed, 11, -1}, {swallowed, 13, -1}, {passed, 14, 12}, {passed, 12, -1}},
		"first":     {{swallowed, 65535, -1}, {passed, 0, 65535}, {ours, 0, 0}, {passed, 1, 1}},
		"restarted": {{passed, 1000, 1000}, {passed, 5, 1001}, {passed, 6, 1002}, {swallowed, 40000, -1}, {passed, 40001, 1003}},
		"alone":     {{ours, 77, 77}, {ours, 77, 78}},
	} {
		var r row
		for i, s := range steps {
			h := rtp.Header{SSRC: 1, Sequence: s.in}
			got := -1
			switch s.what {
			case passed:
				if r.pass(&h) {
					got = int(h.Sequence)
				}
			case swallowed:
				r.swallow(&h)
			case ours:
				r.own(&h)
				got = int(h.Sequence)
			}
			if got != s.out {
				t.Errorf("%s: step %d: %d, want %d", name, i, got, s.out)
			}
		}
	}
	var r row
	for i := range 1 << 17 { // round the circle
		if h := (rtp.Header{SSRC: 1, Sequence: uint16(i)}); !r.pass(&h) || h.Sequence != uint16(i) {
			t.Fatalf("packet %d became %d", i, h.Sequence)
		}
	}
}
