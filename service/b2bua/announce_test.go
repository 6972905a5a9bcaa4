package b2bua_test

import (
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/siptest"
)

// announceTone is what says in these tests that a call is recorded, in Hz, for two seconds.
const announceTone = 1500

// teller records every call, or those that a side asks for, and says so by a tone.
type teller struct{ announcer }

func (t teller) Record(d *b2bua.Detail, by b2bua.Side) b2bua.Recording {
	r := t.announcer.Record(d, by)
	r.Announce = func(rate int) (audio.Source, error) {
		pcm := make([]int16, 2*rate)
		_, err := (&audio.Tone{Rate: rate, Frequencies: []float64{announceTone}, Amplitude: 8000}).ReadSamples(pcm)
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
				d.service.Recorder = teller{announcer{onDemand: true}}
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
			}))
		})
	}
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
