package pbx

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/media/prompt"
	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/siptest"
)

// plays makes a number of a player.
func (h *house) plays(name Feature, play PlayerFunc) {
	h.Players = map[Feature]Player{name: play}
	h.Numbers = []Number{{Feature: name, Dial: "100"}}
}

// TestSayAndDial: a digit ends what is said and is read; what is dialled ahead is not lost; nothing dialled is told.
func TestSayAndDial(t *testing.T) {
	run(t, func(h *house) {
		var pin string
		var said time.Duration
		var silent, late error
		h.plays("test", func(ctx context.Context, l *Line) error {
			begin := time.Now()
			if err := l.Say(ctx, prompt.Text("message-menu")); err != nil {
				return err
			}
			said = time.Since(begin)
			pin, late = l.ReadDigits(ctx, Digits{Max: 8, End: "#"})
			_, silent = l.Key(ctx, time.Second)
			return l.Say(ctx, prompt.Text("goodbye"))
		})
		call := h.dial("100")
		call.Await("Answered")
		h.Wait(2 * time.Second)
		call.Press("4711#")
		call.Await("Ended BYE received")
		if said < 2*time.Second || said > 3*time.Second || pin != "4711" || late != nil || !errors.Is(silent, ErrSilent) {
			t.Errorf("said for %s, dialled %q, %v, %v", said, pin, late, silent)
		}
	})
}

// TestTones: a telephone without telephone events dials by sound.
func TestTones(t *testing.T) {
	run(t, func(h *house) {
		var digits string
		h.plays("test", func(ctx context.Context, l *Line) (err error) {
			digits, err = l.ReadDigits(ctx, Digits{Max: 2})
			return err
		})
		call := h.dial("100")
		call.Await("Answered")
		h.sound.speak(call.Remote(), &audio.Dialling{Rate: 8000, Digits: "42"}, time.Second)
		call.Await("Ended BYE received")
		if digits != "42" {
			t.Errorf("dialled %q", digits)
		}
	})
}

// kept is a recorder in memory.
type kept struct{ pcm []int16 }

func (k *kept) WriteSamples(pcm []int16) error {
	k.pcm = append(k.pcm, pcm...)
	return nil
}

// TestRecord: a recording ends by silence, which is not part of it, by a digit, by its limit, or by hanging up.
func TestRecord(t *testing.T) {
	for name, c := range map[string]struct {
		limits Limits
		then   func(h *house, call *siptest.Call)
		digit  byte
		silent bool
		end    error
	}{
		"silence": {limits: Limits{Silence: 3 * time.Second}, then: func(h *house, _ *siptest.Call) { h.Wait(5 * time.Second) }, silent: true},
		"digit":   {limits: Limits{Stop: "#"}, then: func(_ *house, call *siptest.Call) { call.Press("1#") }, digit: '#'},
		"limit":   {limits: Limits{Max: time.Second}, then: func(*house, *siptest.Call) {}},
		"hang up": {then: func(_ *house, call *siptest.Call) { call.Bye() }, end: ErrHungUp},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(h *house) {
				var tape kept
				var r Recorded
				var err error
				h.plays("test", func(ctx context.Context, l *Line) error {
					r, err = l.Record(ctx, &tape, c.limits)
					return err
				})
				call := h.dial("100")
				call.Await("Answered")
				h.sound.say(call.Remote(), 700)
				c.then(h, call)
				call.Await("Ended")
				if r.Digit != c.digit || r.Silence != c.silent || !errors.Is(err, c.end) {
					t.Errorf("%+v, %v", r, err)
				}
				if r.Length < 900*time.Millisecond || r.Length > 1100*time.Millisecond || len(tape.pcm) != int(r.Length.Seconds()*8000) {
					t.Errorf("%s recorded, %d samples", r.Length, len(tape.pcm))
				}
				if level := audio.Goertzel(tape.pcm, 8000, 700); level < 5000 {
					t.Errorf("the tone was recorded at a level of %.0f", level)
				}
			})
		})
	}
}

// What is heard of a telephone that rings in most countries, and behind what one is to speak, in Hz.
const (
	ringTone = 425
	beepTone = 1000
)

// TestCountry: who rings is heard as the country has it. ITU-T E.180.
func TestCountry(t *testing.T) {
	for country, want := range map[string]float64{"": 425, "GB": 400, "US": 480} {
		run(t, func(h *house) {
			h.PBX.Country = func(*Facts) string { return country }
			h.plays("test", func(_ context.Context, l *Line) error {
				pcm := make([]int16, l.Rate()*3/10)
				if n, err := l.Ringing().ReadSamples(pcm); n != len(pcm) || err != nil {
					t.Errorf("%q: %d samples, %v", country, n, err)
				}
				if level := audio.Goertzel(pcm, l.Rate(), want); level < 2500 {
					t.Errorf("%q: %.0f Hz at a level of %.0f", country, want, level)
				}
				return nil
			})
			h.dial("100").Await("Ended BYE received")
		})
	}
}

// TestRefer: the line is sent on by REFER, hears music meanwhile, and is still there when nobody answers.
func TestRefer(t *testing.T) {
	run(t, func(h *house) {
		h.phone.Refers = true
		var outcomes []sip.Status
		h.plays("test", func(ctx context.Context, l *Line) error {
			for _, user := range []string{"bob", "carol"} {
				status, err := l.Refer(ctx, sip.URI{Scheme: "sip", User: user, Host: "example.org"}, l.Ringing())
				if err != nil {
					return err
				}
				outcomes = append(outcomes, status)
			}
			return nil
		})
		call := h.dial("100")
		call.Await("Answered")
		call.Await("Request REFER")
		h.sound.level(0)
		call.Report(sip.StatusRinging)
		h.Wait(time.Second)
		if level, _ := h.sound.level(ringTone); level < 2000 {
			t.Errorf("ringing is heard at a level of %.0f", level)
		}
		call.Report(sip.StatusBusyHere)
		call.Await("Request REFER")
		call.Report(sip.StatusOK)
		call.Await("Ended BYE received")
		if len(outcomes) != 2 || outcomes[0] != sip.StatusBusyHere || outcomes[1] != sip.StatusOK {
			t.Errorf("%v", outcomes)
		}
	})
}

// TestReferLadder is the flow without sound, whose beat has a time of its own.
func TestReferLadder(t *testing.T) {
	run(t, func(h *house) {
		h.phone.Refers = true
		h.plays("test", func(ctx context.Context, l *Line) error {
			for _, user := range []string{"bob", "carol"} {
				if _, err := l.Refer(ctx, sip.URI{Scheme: "sip", User: user, Host: "example.org"}); err != nil {
					return err
				}
			}
			return nil
		})
		call := h.dial("100")
		for _, outcome := range []sip.Status{sip.StatusBusyHere, sip.StatusOK} {
			call.Await("Request REFER")
			call.Report(sip.StatusRinging)
			h.Wait(time.Second)
			call.Report(outcome)
		}
		call.Await("Ended BYE received")
		h.Golden("refer", "An application sends its caller on by REFER: the first is busy, the second answers.")
	})
}

// TestReferRefused: a telephone that takes no REFER says so.
func TestReferRefused(t *testing.T) {
	run(t, func(h *house) {
		var outcome sip.Status
		h.plays("test", func(ctx context.Context, l *Line) (err error) {
			outcome, err = l.Refer(ctx, sip.URI{Scheme: "sip", User: "bob", Host: "example.org"})
			return err
		})
		call := h.dial("100")
		call.Await("Ended BYE received")
		if outcome != sip.StatusMethodNotAllowed {
			t.Errorf("outcome %d", outcome)
		}
	})
}

func TestFragmentStatus(t *testing.T) {
	for body, want := range map[string]sip.Status{"SIP/2.0 200 OK\r\n": 200, "sip/2.0  180": 180, "SIP/2.0 486 Busy Here": 486, "": 0, "SIP/2.0": 0, "SIP/2.0 99 x": 0,
		"SIP/2.0 700 x": 0, "INVITE sip:a@b SIP/2.0": 0, "SIP/2.0 20O OK": 0} {
		if got := fragmentStatus([]byte(body)); got != want {
			t.Errorf("%q: %d, want %d", body, got, want)
		}
	}
}

func FuzzFragmentStatus(f *testing.F) {
	f.Add([]byte("SIP/2.0 200 OK\r\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		if s := fragmentStatus(body); s != 0 && (s < 100 || s > 699) {
			t.Errorf("%d", s)
		}
	})
}

// told is an observer that keeps the last detail.
type told struct{ last Detail }

func (o *told) ObserveCall(d *Detail) { o.last = *d }

// TestFacts: who calls, whom, and why, as the INVITE says. RFC 4458 §2, RFC 5806 §7.
func TestFacts(t *testing.T) {
	a := &application{feature: "voicemail"}
	read := func(uri string, lines ...string) Facts {
		req := sip.NewRequest(sip.MethodInvite, sip.MustParseURI(uri))
		req.Set(sip.HeaderFrom, `"Ann" <sip:+4930123@example.org>;tag=1`)
		req.Set(sip.HeaderTo, "<sip:200@example.org>")
		for _, l := range lines {
			req.Add(sip.HeaderDiversion, l)
		}
		return factsOf(req, b2bua.Caller{}, a)
	}
	f := read("sip:voicemail@pbx;target=sip:200%40example.org;cause=486")
	if f.Object.String() != "sip:200@example.org" || f.Cause != sip.StatusBusyHere || f.Number() != "+4930123" {
		t.Errorf("%+v", f)
	}
	f = read("sip:voicemail@pbx;cause=12", "<sip:200@example.org>;reason=no-answer", "<sip:100@example.org>;reason=unconditional")
	if f.Cause != sip.StatusRequestTimeout || len(f.Diversions) != 2 || f.Object.User != "voicemail" {
		t.Errorf("%+v", f)
	}
	for reason, want := range map[string]sip.Status{"user-busy": 486, "unconditional": 302, "time-of-day": 302, "unavailable": 480, "unknown": 480} {
		if f = read("sip:a@b", "<sip:200@example.org>;reason="+reason); f.Cause != want {
			t.Errorf("%s: %d, want %d", reason, f.Cause, want)
		}
	}
}

// TestObserver: the end of each call is told, with who ended it.
func TestObserver(t *testing.T) {
	run(t, func(h *house) {
		o := new(told)
		h.Observer = o
		call := h.dial("echo")
		call.Await("Answered")
		h.Wait(10 * time.Second)
		call.Bye()
		call.Await("Ended")
		h.Wait(time.Second)
		if d := o.last; d.Status != 200 || d.By != ByCaller || d.Application != Echo || d.Duration() < 9*time.Second || d.Media.Sent < 400 || d.Session == "" {
			t.Errorf("%+v", d)
		}
	})
}
