package b2bua_test

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/siptest"
)

// announceTone is what says in these tests that a call is recorded, in Hz, for two seconds.
const announceTone = 1500

// teller records every call, or those that a side asks for, and says so by a tone.
type teller struct {
	announcer
	open *atomic.Int32 // how many of its sources are; nil: nobody counts
}

// counted is a source of a teller that counts.
type counted struct {
	audio.Source
	open *atomic.Int32
}

func (c counted) Close() error {
	c.open.Add(-1)
	return nil
}

func (t teller) Record(d *b2bua.Detail, by b2bua.Side) b2bua.Recording {
	r := t.announcer.Record(d, by)
	r.Announce = func(rate int) (audio.Source, error) {
		pcm := make([]int16, 2*rate)
		_, err := (&audio.Tone{Rate: rate, Frequencies: []float64{announceTone}, Amplitude: 8000}).ReadSamples(pcm)
		if t.open != nil {
			t.open.Add(1)
			return counted{&audio.Samples{PCM: pcm}, t.open}, err
		}
		return &audio.Samples{PCM: pcm}, err
	}
	return r
}

// told is for how many seconds somebody has heard the announcement, in tenths of one.
func (v *voice) told() (seconds float64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for pcm := v.heard; len(pcm) >= 800; pcm = pcm[800:] {
		if audio.Goertzel(pcm[:800], 8000, announceTone) > 2000 {
			seconds += 0.1
		}
	}
	return seconds
}

// whole checks that somebody has heard one whole announcement after another.
func (v *voice) whole(t *testing.T, who string, n float64) {
	t.Helper()
	if got := v.told(); got < 2*n-0.4 || got > 2*n+0.4 {
		t.Errorf("%s has heard it for %.1f s, want %.0f", who, got, 2*n)
	}
}

// TestAnnounceSupervised: a recording that begins while somebody listens is announced to both sides, where they sit; and once more when they are together again if they have left that place
// before its end.
func TestAnnounceSupervised(t *testing.T) {
	for _, stays := range []time.Duration{5 * time.Second, time.Second} {
		t.Run(stays.String(), func(t *testing.T) {
			siptest.Run(t, on(func(d *domain) {
				open := new(atomic.Int32)
				d.service.Recorder = teller{announcer{onDemand: true}, open}
				out, in, dora := supervised(d)
				alice, bob := speak(d, out, 400), speak(d, in, 700)
				ear := dora.Dial(d.uri("*52bob"))
				ear.Await("Answered")
				d.Wait(time.Second)
				out.Press(b2bua.RecordCode)
				d.Wait(stays)
				if stays > 2*time.Second {
					alice.whole(t, "alice", 1)
					bob.whole(t, "bob", 1)
				}
				if stays < 2*time.Second {
					alice.forget()
					bob.forget()
				}
				ear.Bye()
				d.Wait(6 * time.Second)
				alice.whole(t, "alice", 1)
				bob.whole(t, "bob", 1)
				alice.close()
				bob.close()
				out.HangUp(in)
				if n := open.Load(); n != 0 {
					t.Errorf("%d sources were not closed", n)
				}
			}))
		})
	}
}

// TestAnnounceLateOffer: a call that began without an offer is announced, and recorded, from the caller's ACK on.
func TestAnnounceLateOffer(t *testing.T) {
	siptest.Run(t, on(func(d *domain) {
		tape := new(loudness)
		d.service.Recorder = taper{tape: tape}
		alice, bob := d.phone("alice", "alice"), d.phone("bob", "bob")
		out := alice.DialWithoutOffer(d.uri("bob"))
		in := bob.Incoming()
		in.Answer()
		out.Await("Answered")
		in.Await("AckReceived")
		voices := []*voice{speak(d, out, 400), speak(d, in, 700)}
		d.Wait(3 * time.Second)
		for i, who := range []string{"alice", "bob"} {
			voices[i].whole(t, who, 1)
			voices[i].close()
		}
		out.HangUp(in)
		if err := d.service.Drain(context.Background()); err != nil {
			t.Error(err)
		}
		if left, right := tape.left.Load(), tape.right.Load(); left < 1000 || right < 1000 {
			t.Errorf("the loudest samples of the recording are %d and %d", left, right)
		}
	}))
}

// taper is a teller whose tape is looked at.
type taper struct {
	teller
	tape *loudness
}

func (r taper) Record(d *b2bua.Detail, by b2bua.Side) b2bua.Recording {
	recording := r.teller.Record(d, by)
	recording.Open = func(int) (audio.StereoWriter, error) { return r.tape, nil }
	return recording
}

// loudness is a tape that keeps the loudest samples.
type loudness struct {
	noWriter
	left, right atomic.Int32
}

func (l *loudness) WriteStereo(left, right []int16) error {
	l.left.Store(max(l.left.Load(), int32(slices.Max(left))))
	l.right.Store(max(l.right.Load(), int32(slices.Max(right))))
	return nil
}

// TestAnnounceChanged: an announcement that a change of the session has cut off is said once more.
func TestAnnounceChanged(t *testing.T) {
	siptest.Run(t, on(func(d *domain) {
		d.service.Recorder = teller{}
		out, in := answered(d)
		voices := []*voice{speak(d, out, 400), speak(d, in, 700)}
		d.Wait(300 * time.Millisecond)
		out.Resume()
		out.Await("Modified 200")
		for _, v := range voices {
			v.forget()
		}
		d.Wait(5 * time.Second)
		for i, who := range []string{"alice", "bob"} {
			voices[i].whole(t, who, 1)
			voices[i].close()
		}
		out.HangUp(in)
	}))
}

// TestAnnounceHeld: who holds the other, and who waits with music, hear that they are recorded when they talk again; a recording that has ended before is no longer announced.
func TestAnnounceHeld(t *testing.T) {
	for name, tt := range map[string]struct {
		music session.Music
		ends  bool
	}{"music": {music: session.Tune}, "silence": {}, "ends": {session.Tune, true}} {
		t.Run(name, func(t *testing.T) {
			siptest.Run(t, on(func(d *domain) {
				d.service.Recorder = teller{announcer: announcer{onDemand: true}}
				d.service.Media.Music = tt.music
				out, in := answered(d)
				alice, bob := speak(d, out, 400), speak(d, in, 700)
				out.Hold()
				out.Await("Modified 200")
				out.Press(b2bua.RecordCode)
				d.Wait(3 * time.Second)
				alice.whole(t, "alice, who holds,", 0)
				want := 1.0
				if tt.ends {
					out.Press(b2bua.RecordCode)
					d.Wait(time.Second)
					want = 0
				}
				bob.forget()
				out.Resume()
				out.Await("Modified 200")
				d.Wait(3 * time.Second)
				alice.whole(t, "alice", want)
				if tt.music != nil {
					bob.whole(t, "bob", want)
				}
				alice.close()
				bob.close()
				out.HangUp(in)
			}))
		})
	}
}

// TestAnnounceLetsIn: a supervisor does not wait for all that is to be said: the rest is said in the room.
func TestAnnounceLetsIn(t *testing.T) {
	siptest.Run(t, on(func(d *domain) {
		long := func(rate int) (audio.Source, error) { return &audio.Samples{PCM: make([]int16, 5*rate)}, nil }
		gate := &talker{answered: func(talk b2bua.Talk) {
			talk.Announce(long)
			talk.Announce(long)
			talk.Announce(teller{}.Record(nil, b2bua.ByCaller).Announce)
		}}
		d.service.Recorder = teller{}
		d.routes["bob"] = func(q *b2bua.Question) b2bua.Route {
			return b2bua.Route{Ring: []b2bua.Party{{Account: q.Request.URI, Gate: gate}}}
		}
		out, in, dora := supervised(d)
		alice, bob := speak(d, out, 400), speak(d, in, 700)
		ear := dora.DialJoining(d.uri("bob"), in.Replaces())
		ear.Await("Answered")
		alice.forget()
		bob.forget()
		d.Wait(14 * time.Second)
		alice.whole(t, "alice", 1)
		bob.whole(t, "bob", 1)
		ear.Bye()
		d.Wait(5 * time.Second)
		alice.close()
		bob.close()
		out.HangUp(in)
	}))
}

// TestAnnounceMoved: whoever comes into a recorded call hears that it is one.
func TestAnnounceMoved(t *testing.T) {
	siptest.Run(t, on(func(d *domain) {
		d.service.Recorder = teller{}
		out, in := answered(d)
		alice := speak(d, out, 400)
		d.Wait(5 * time.Second)
		alice.forget()
		dora := d.phone("dora", "dora")
		in.Refer(d.uri("dora"))
		target := dora.Incoming()
		target.Ring()
		target.Answer()
		target.Await("AckReceived")
		heard := speak(d, target, 700)
		d.Wait(5 * time.Second)
		heard.whole(t, "dora", 1)
		alice.whole(t, "alice", 1)
		alice.close()
		heard.close()
		target.HangUp(out)
	}))
}

// TestAnnounceInTurn: what is announced while something is announced comes after it.
func TestAnnounceInTurn(t *testing.T) {
	siptest.Run(t, on(func(d *domain) {
		gate := &talker{}
		d.service.Recorder = teller{}
		d.routes["bob"] = func(q *b2bua.Question) b2bua.Route {
			return b2bua.Route{Ring: []b2bua.Party{{Account: q.Request.URI, Gate: gate}}}
		}
		gate.answered = func(talk b2bua.Talk) { talk.Announce(teller{}.Record(nil, b2bua.ByCaller).Announce) }
		out, in := answered(d)
		alice := speak(d, out, 400)
		d.Wait(6 * time.Second)
		if told := alice.told(); told < 2.5 || told > 4.4 { // the beginning of the first was before she could listen
			t.Errorf("alice has heard both for %.1f s", told)
		}
		alice.close()
		out.HangUp(in)
	}))
}

// talker is a gate that does something as soon as somebody talks.
type talker struct{ answered func(b2bua.Talk) }

func (*talker) Begin() sip.Status             { return 0 }
func (*talker) End(sip.Status, time.Duration) {}
func (g *talker) Answered(talk b2bua.Talk)    { g.answered(talk) }
