package session

import (
	"sync"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/media/codec"
	"github.com/sipwerk/sipwerk/media/sdp"
)

// taped collects what a tape gives.
type taped struct {
	mu    sync.Mutex
	sides [2][]int16
}

func (t *taped) take(left, right []int16) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sides[0] = append(t.sides[0], left...)
	t.sides[1] = append(t.sides[1], right...)
}

// cut returns what was taped since the last cut.
func (t *taped) cut() [2][]int16 {
	t.mu.Lock()
	defer t.mu.Unlock()
	sides := t.sides
	t.sides = [2][]int16{}
	return sides
}

// loudest is the greatest level of a tone in any tenth of a second.
func loudest(pcm []int16, rate int, tone float64) (most float64) {
	for n := rate / 10; len(pcm) >= n; pcm = pcm[n:] {
		most = max(most, audio.Goertzel(pcm[:n], rate, tone))
	}
	return most
}

// check looks whether alice's tone is on the left alone and bob's on the right alone.
func (t *taped) check(b *bridged, when string) {
	b.t.Helper()
	sides := t.cut()
	if len(sides[0]) != len(sides[1]) {
		b.t.Errorf("%s: %d samples left, %d right", when, len(sides[0]), len(sides[1]))
	}
	for i, want := range [2][2]bool{{true, false}, {false, true}} {
		for j, tone := range [2]float64{1000, 1500} {
			if level := loudest(sides[i], 8000, tone); (level > 5000) != want[j] {
				b.t.Errorf("%s: channel %d, %v Hz: level %.0f", when, i, tone, level)
			}
		}
	}
}

// TestListen: a tape hears each side on a channel of its own, whatever is spoken and however it is protected, and goes on when the codec changes, behind a hold, and with other ears. Digits
// are told once.
func TestListen(t *testing.T) {
	plain := Voice{Formats: []codec.Format{codec.PCMA()}}
	wide := Voice{Formats: []codec.Format{codec.G722()}, Rate: 8000}
	for name, c := range map[string]struct {
		voices [2]Voice
		kinds  [2]Kind
	}{
		"relayed":   {[2]Voice{plain, plain}, [2]Kind{Plain, Plain}},
		"protected": {[2]Voice{plain, plain}, [2]Kind{SDES, WebRTC}},
		"converted": {[2]Voice{wide, {Formats: []codec.Format{codec.PCMU()}}}, [2]Kind{Plain, SDES}},
	} {
		t.Run(name, func(t *testing.T) {
			bridgeVoices(t, c.kinds[0], c.kinds[1], c.voices, func(b *bridged) {
				b.wait(time.Second)
				var mu sync.Mutex
				var dialled []byte
				left := b.a.Listen(b.b, 8000, func(d byte) {
					mu.Lock()
					defer mu.Unlock()
					dialled = append(dialled, d)
				})
				right := b.b.Listen(b.a, 8000, nil)
				got := new(taped)
				tape := NewTape(left, right, 8000, got.take)
				b.talk("taped")
				got.check(b, "at first")
				b.digits("*1")
				mu.Lock()
				if string(dialled) != "*1" {
					t.Errorf("heard %q", dialled)
				}
				mu.Unlock()
				b.alice.SetDirection(sdp.SendOnly)
				b.offer(b.alice, b.bob, b.a, b.b)
				b.wait(time.Second)
				b.alice.SetDirection(sdp.SendRecv)
				b.offer(b.alice, b.bob, b.a, b.b)
				b.wait(time.Second)
				got.cut()
				b.talk("after the hold")
				got.check(b, "after the hold")
				right = b.b.Listen(b.a, 8000, nil) // anew: the first one ends
				tape.Hear(left, right)
				b.talk("with another ear")
				got.check(b, "with another ear")
				tape.Stop()
				got.cut()
				b.talk("untaped")
				if n := len(got.cut()[0]); n > 0 {
					t.Errorf("%d samples behind the end", n)
				}
			})
		})
	}
}

// TestAnnounce: both sides hear an announcement in the place of each other, and each other again behind it; a change of the session in the middle of it ends it.
func TestAnnounce(t *testing.T) {
	beep := func(rate int) (audio.Source, error) {
		pcm := make([]int16, rate)
		_, err := (&audio.Tone{Rate: rate, Frequencies: []float64{1400}, Amplitude: 8000}).ReadSamples(pcm)
		return &audio.Samples{PCM: pcm}, err
	}
	for name, voices := range map[string][2]Voice{
		"relayed":   {{Formats: []codec.Format{codec.PCMA()}}, {Formats: []codec.Format{codec.PCMA()}}},
		"converted": {{Formats: []codec.Format{codec.G722()}, Rate: 8000}, {Formats: []codec.Format{codec.PCMU()}}},
	} {
		t.Run(name, func(t *testing.T) {
			bridgeVoices(t, Plain, Plain, voices, func(b *bridged) {
				b.wait(time.Second)
				b.talk("before")
				wait := Announce(b.a, b.b, beep)
				pcm := heard(t, b.alice, 500*time.Millisecond)
				if level := loudest(pcm, b.alice.Rate(), 1400); level < 5000 {
					t.Errorf("alice hears the announcement at level %.0f", level)
				}
				if heard := wait(); heard != [2]bool{true, true} {
					t.Errorf("the announcement was heard to its end: %v", heard)
				}
				Rejoin(b.a, b.b)
				b.wait(time.Second)
				b.talk("behind it")
				wait = Announce(b.a, b.b, beep)
				b.offer(b.alice, b.bob, b.a, b.b)
				if heard := wait(); heard != [2]bool{} {
					t.Errorf("the announcement that was cut off was heard to its end: %v", heard)
				}
				b.wait(time.Second)
				b.talk("after a change in the middle")
				b.alice.SetDirection(sdp.SendOnly)
				b.offer(b.alice, b.bob, b.a, b.b)
				if hears := Hearing(b.a, b.b); hears != [2]bool{} {
					t.Errorf("while bob waits with music an announcement is for %v", hears)
				}
				if heard := Announce(b.a, b.b, beep)(); heard != [2]bool{} {
					t.Errorf("while bob waits with music an announcement was heard by %v", heard)
				}
			})
		})
	}
}
