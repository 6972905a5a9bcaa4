package pbx

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/media/prompt"
	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/siptest"
)

// shelf keeps boxes and messages in memory, and their recordings in a folder.
type shelf struct {
	folder string

	mu       sync.Mutex // guards what follows
	pins     map[string]string
	messages []Message
	number   int
	fail     error // of Keep
	limit    int
}

func (s *shelf) Box(uri sip.URI) (Box, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	user := uri.UserName()
	pin, ok := s.pins[user]
	return Box{Account: sip.URI{Scheme: "sip", User: user, Host: "example.org"}, PIN: pin != "", MaxLength: time.Minute, MaxMessages: s.limit}, ok
}

func (s *shelf) Opens(b *Box, pin string) bool { return s.pins[b.Account.User] == pin }

func (s *shelf) SetPIN(_ context.Context, b *Box, pin string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pins[b.Account.User] = pin
	return nil
}

func (s *shelf) Greeting(b *Box, g Greeting) (string, bool) {
	file := filepath.Join(s.folder, b.Account.User+"-"+string(g)+".wav")
	_, err := os.Stat(file)
	return file, err == nil
}

func (s *shelf) RecordGreeting(b *Box, g Greeting, rate int) (Take, error) {
	file, _ := s.Greeting(b, g)
	return s.take(file, rate, nil)
}

func (s *shelf) RemoveGreeting(b *Box, g Greeting) error {
	file, _ := s.Greeting(b, g)
	return os.Remove(file)
}

// shelfTake is a take of a shelf.
type shelfTake struct {
	*audio.WAVWriter
	f      *os.File
	file   string
	kept   bool
	keep   func(length time.Duration)
	failed error
}

func (s *shelf) take(file string, rate int, keep func(time.Duration)) (Take, error) {
	f, err := os.Create(file + ".part")
	if err != nil {
		return nil, err
	}
	w, err := audio.NewWAVWriter(f, rate)
	return &shelfTake{WAVWriter: w, f: f, file: file, keep: keep, failed: s.fail}, err
}

func (t *shelfTake) File() string { return t.f.Name() }

func (t *shelfTake) Keep(_ context.Context, length time.Duration) error {
	if t.failed != nil {
		return t.failed
	}
	t.kept = true
	if t.keep != nil {
		t.keep(length)
	}
	_ = t.WAVWriter.Close()
	_ = t.f.Close()
	return os.Rename(t.f.Name(), t.file)
}

func (t *shelfTake) Drop() {
	if !t.kept {
		_ = t.f.Close()
		_ = os.Remove(t.f.Name())
	}
}

func (s *shelf) Record(_ context.Context, m Message, rate int) (Take, error) {
	s.mu.Lock()
	s.number++
	m.ID = fmt.Sprint(s.number)
	s.mu.Unlock()
	m.File = filepath.Join(s.folder, m.ID+".wav")
	return s.take(m.File, rate, func(length time.Duration) {
		s.mu.Lock()
		defer s.mu.Unlock()
		m.Length = length
		s.messages = append(s.messages, m)
	})
}

func (s *shelf) List(_ context.Context, box string) (some []Message, _ error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.messages {
		if m.Box == box {
			some = append(some, m)
		}
	}
	return some, nil
}

func (s *shelf) Save(_ context.Context, m Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.messages {
		if s.messages[i].ID == m.ID {
			s.messages[i].Saved = true
		}
	}
	return nil
}

func (s *shelf) Remove(_ context.Context, _ string, ids ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages = slices.DeleteFunc(s.messages, func(m Message) bool { return slices.Contains(ids, m.ID) })
	return nil
}

func (s *shelf) Forward(_ context.Context, m Message, to *Box, by string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.number++
	m.ID, m.Box, m.Forwarded, m.Saved = fmt.Sprint(s.number), to.Name(), by, false
	s.messages = append(s.messages, m)
	return nil
}

func (s *shelf) Count(box string) (fresh, saved int) {
	all, _ := s.List(context.Background(), box)
	for _, m := range all {
		if m.Saved {
			saved++
		} else {
			fresh++
		}
	}
	return fresh, saved
}

// put puts a message of two seconds of a tone into a box.
func (s *shelf) put(t *testing.T, box, from string, frequency float64) {
	t.Helper()
	take, err := s.Record(context.Background(), Message{Box: "sip:" + box + "@example.org", From: from, Received: time.Now()}, 8000)
	if err != nil {
		t.Fatal(err)
	}
	pcm := make([]int16, 16000)
	_, _ = (&audio.Tone{Rate: 8000, Frequencies: []float64{frequency}, Amplitude: 8000}).ReadSamples(pcm)
	if err := take.WriteSamples(pcm); err != nil {
		t.Fatal(err)
	}
	if err := take.Keep(context.Background(), 2*time.Second); err != nil {
		t.Fatal(err)
	}
}

// accounts believes every From: who calls as 100 to 299 is of the house.
type accounts struct{}

func (accounts) Identify(ev *sip.Event) b2bua.Caller {
	from, err := ev.Request.From()
	if user := from.URI.UserName(); err != nil || len(user) != 3 || user[0] > '2' {
		return b2bua.Caller{}
	}
	account := sip.URI{Scheme: "sip", User: from.URI.User, Host: "example.org"}
	return b2bua.Caller{Address: sip.Address{URI: account}, Account: account}
}

// postroom is a house with voicemail: 100 calls from its telephone, 200 has a box with the PIN 4711, 201 one without.
type postroom struct {
	*house
	*shelf
	*Voicemail
}

func inPostroom(t *testing.T, f func(o *postroom), faults ...siptest.Faults) {
	run(t, func(h *house) {
		s := &shelf{folder: t.TempDir(), pins: map[string]string{"200": "4711", "201": ""}, limit: 10}
		v := &Voicemail{Boxes: s, Messages: s, Dial: "*97"}
		h.PBX.Players, h.PBX.Identity = v.Players(), accounts{}
		h.Numbers = append(DefaultNumbers(), Number{Feature: Leave, Dial: "voicemail"})
		h.as("100")
		f(&postroom{h, s, v})
	}, faults...)
}

// as makes the telephone call as an account.
func (h *house) as(user string) {
	h.phone.Identity = sip.URI{Scheme: "sip", User: user, Host: "example.org"}
}

// leave calls the voicemail of a box.
func (o *postroom) leave(box, cause string) *siptest.Call {
	o.T.Helper()
	call := o.phone.Dial(sip.URI{Scheme: "sip", User: "voicemail", Host: o.Addr("pbx").String(), Params: sip.Params(";target=sip:" + box + "%40example.org;cause=" + cause)})
	call.Await("Answered")
	return call
}

// says waits until all of the named prompts have been heard, in that order, and forgets what was heard before the last.
func (o *postroom) says(names ...string) {
	o.T.Helper()
	deadline := time.Now().Add(time.Minute)
	for _, name := range names {
		excerpt := o.excerpt(name)
		for from, found := o.sound.holds(excerpt, 0); !found; from, found = o.sound.holds(excerpt, from) {
			if time.Now().After(deadline) {
				o.T.Fatalf("%s is not heard", name)
			}
			o.Wait(time.Second)
		}
	}
}

// excerpt is 25 ms of a prompt, where it is loudest.
func (o *postroom) excerpt(name string) []int16 {
	o.T.Helper()
	var pcm []int16
	for _, s := range new(prompt.Book).Say("en", 8000, prompt.Text(name)) {
		pcm, _ = audio.ReadAll(s, 1<<20)
	}
	const length = 200
	best, at := 0.0, 0
	for i := 0; i+length <= len(pcm); i += length / 2 {
		sum := 0.0
		for _, s := range pcm[i : i+length] {
			sum += math.Abs(float64(s))
		}
		if sum > best {
			best, at = sum, i
		}
	}
	if best == 0 {
		o.T.Fatalf("no prompt %s", name)
	}
	return pcm[at : at+length]
}

// holds looks for an excerpt in what was heard, and forgets that up to there. It returns where to look next time.
func (s *sound) holds(excerpt []int16, from int) (next int, found bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for heard := s.heard; from+len(excerpt) <= len(heard); from++ {
		if same(heard[from:from+len(excerpt)], excerpt) {
			s.heard = heard[from+len(excerpt):]
			return 0, true
		}
	}
	return from, false
}

// same reports whether samples are the same but for what G.711 makes of them.
func same(a, b []int16) bool {
	for i, x := range a {
		if d := int(x) - int(b[i]); d > 1000 || d < -1000 {
			return false
		}
	}
	return true
}

// beeps waits until one is to speak.
func (o *postroom) beeps() {
	o.T.Helper()
	for range 100 {
		o.sound.level(0)
		o.Wait(200 * time.Millisecond)
		if level, _ := o.sound.level(beepTone); level > 3000 {
			o.Wait(500 * time.Millisecond)
			return
		}
	}
	o.T.Fatal("no beep is heard")
}

// in returns the messages of a box.
func (o *postroom) in(box string) []Message {
	all, _ := o.List(context.Background(), "sip:"+box+"@example.org")
	return all
}

// TestLeaveMessage: the greeting says why, the message is on the shelf before its caller hears so, and it is what was spoken.
func TestLeaveMessage(t *testing.T) {
	for _, c := range []struct{ cause, state string }{{"486", "busy"}, {"408", "unavailable"}, {"480", "unavailable"}, {"302", "away"}} {
		t.Run(c.cause, func(t *testing.T) {
			inPostroom(t, func(o *postroom) {
				call := o.leave("200", c.cause)
				o.says("extension", "n[2]", "n[0]", "n[0]", c.state, "leave")
				o.beeps()
				o.sound.say(call.Remote(), 700)
				o.sound.say(call.Remote(), 700)
				call.Press("#")
				o.says("review")
				if len(o.in("200")) != 0 {
					t.Error("kept before its caller was asked")
				}
				call.Press("2")
				o.Wait(time.Second)
				if level, _ := o.sound.level(700); level < 1000 {
					t.Errorf("the message is played back at a level of %.0f", level)
				}
				o.Wait(2 * time.Second)
				call.Press("1")
				o.says("stored")
				all := o.in("200")
				if len(all) != 1 || all[0].From != "100" || all[0].Saved || all[0].Length < 1500*time.Millisecond || all[0].Length > 2500*time.Millisecond {
					t.Errorf("%+v", all)
				}
				call.Await("Ended BYE received")
			})
		})
	}
}

// TestHangUp: who hangs up has left a message all the same, but not by silence, nor in less than a second.
func TestHangUp(t *testing.T) {
	inPostroom(t, func(o *postroom) {
		call := o.leave("200", "408")
		o.says("leave")
		o.beeps()
		o.sound.say(call.Remote(), 700)
		o.sound.say(call.Remote(), 700)
		call.Bye()
		call.Await("Ended")
		o.Wait(time.Second)
		if n := len(o.in("200")); n != 1 {
			t.Errorf("%d messages", n)
		}
		call = o.leave("200", "408")
		o.says("leave")
		call.Await("Ended BYE received") // nothing is said
		call = o.leave("200", "408")
		o.says("leave")
		o.beeps()
		call.Bye()
		call.Await("Ended")
		o.Wait(time.Second)
		if n := len(o.in("200")); n != 1 {
			t.Errorf("%d messages of somebody who says nothing", n)
		}
		if files, _ := filepath.Glob(filepath.Join(o.folder, "*.part")); len(files) > 0 {
			t.Errorf("left behind: %v", files)
		}
	})
}

// TestNoRoom: a full box, no box, and a disk that fails, are told.
func TestNoRoom(t *testing.T) {
	inPostroom(t, func(o *postroom) {
		call := o.leave("999", "408")
		o.says("no-box")
		call.Await("Ended BYE received")
		o.fail = os.ErrPermission
		call = o.leave("200", "408")
		o.says("leave")
		o.beeps()
		o.sound.say(call.Remote(), 700)
		o.sound.say(call.Remote(), 700)
		call.Press("#")
		o.says("review")
		call.Press("1")
		o.says("unstored")
		call.Await("Ended BYE received")
		o.fail, o.limit = nil, 0
		call = o.leave("200", "408")
		o.says("unavailable", "full")
		call.Await("Ended BYE received")
		if n := len(o.in("200")); n != 0 {
			t.Errorf("%d messages", n)
		}
	})
}

// TestMailbox: one's own box from one's own telephone: no PIN, what is heard is saved, deleted, forwarded.
func TestMailbox(t *testing.T) {
	inPostroom(t, func(o *postroom) {
		o.put(t, "200", "+4930123", 700)
		o.put(t, "200", "", 900)
		o.put(t, "200", "201", 1100)
		o.as("200")
		call := o.dial("*97")
		call.Await("Answered")
		o.says("you-have", "n[3]", "new[2]", "box-menu")
		call.Press("1")
		o.says("message", "n[1]", "from", "plus", "n[4]", "today")
		o.Wait(3 * time.Second)
		if level, _ := o.sound.level(700); level < 1000 {
			t.Errorf("the message is heard at a level of %.0f", level)
		}
		o.says("message-menu")
		call.Press("7")
		o.says("deleted-it", "message", "n[2]", "from-unknown")
		call.Press("3")
		o.says("no-call-back", "message-menu")
		call.Press("8")
		o.says("forward-to")
		call.Press("201#")
		o.says("forwarded", "message-menu")
		call.Press("6")
		o.says("message", "n[3]", "message-menu")
		call.Press("9")
		o.says("saved-it", "no-more", "box-menu")
		call.Press("#")
		o.says("goodbye")
		call.Await("Ended BYE received")
		o.Wait(time.Second)
		mine, other := o.in("200"), o.in("201")
		if len(mine) != 2 || mine[0].Saved || !mine[1].Saved {
			t.Errorf("%+v", mine)
		}
		if len(other) != 1 || other[0].Forwarded != "200" || other[0].Saved {
			t.Errorf("%+v", other)
		}
	})
}

// TestPIN: from elsewhere the PIN is asked; who guesses is locked out, and the owner at their own telephone is not.
func TestPIN(t *testing.T) {
	inPostroom(t, func(o *postroom) {
		open := func(box, pin string) *siptest.Call {
			call := o.dial("*98")
			call.Await("Answered")
			o.says("box-number")
			call.Press(box + "#")
			o.says("box-pin")
			call.Press(pin + "#")
			return call
		}
		call := open("200", "4711")
		o.says("nothing", "box-menu")
		call.Bye()
		call.Await("Ended")
		for _, box := range []string{"201", "999"} { // no PIN, no box: nobody hears which
			call = open(box, "0000")
			o.says("box-wrong", "box-pin")
			call.Bye()
			call.Await("Ended")
		}
		for range 2 {
			call = open("200", "1111")
			o.says("box-wrong", "box-pin")
			call.Press("2222#")
			o.says("box-wrong", "box-pin")
			call.Press("3333#")
			call.Await("Ended BYE received")
		}
		call = o.dial("*98")
		call.Await("Answered")
		o.says("box-number")
		call.Press("200#")
		o.says("box-locked")
		call.Await("Ended BYE received")
		o.as("200")
		call = o.dial("*97")
		call.Await("Answered")
		o.says("nothing")
		call.Bye()
		call.Await("Ended")
		if o.WrongPINs() != 8 {
			t.Errorf("%d wrong PINs", o.WrongPINs())
		}
	})
}

// TestNewPIN: a PIN is set by telephone, and weak ones are not.
func TestNewPIN(t *testing.T) {
	inPostroom(t, func(o *postroom) {
		o.as("201")
		call := o.dial("*97")
		call.Await("Answered")
		o.says("box-menu")
		call.Press("4")
		o.says("box-choose")
		call.Press("1234#")
		o.says("box-weak", "box-menu")
		call.Press("4")
		o.says("box-choose")
		call.Press("8064#")
		o.says("box-repeat")
		call.Press("8065#")
		o.says("box-differs", "box-menu")
		call.Press("4")
		o.says("box-choose")
		call.Press("8064#")
		o.says("box-repeat")
		call.Press("8064#")
		o.says("box-set", "box-menu")
		call.Await("Ended BYE received") // who says nothing is sent home
		if o.pins["201"] != "8064" {
			t.Errorf("PIN %q", o.pins["201"])
		}
	})
}

func TestWeak(t *testing.T) {
	for pin, want := range map[string]bool{"123": true, "1111": true, "4321": true, "3456": true, "20012": true, "8064": false, "1357": false, "1112": false} {
		if weak(pin, "20012") != want {
			t.Errorf("%s: %t", pin, !want)
		}
	}
}

// TestGreetings: a greeting of one's own is heard, and gone when it is removed.
func TestGreetings(t *testing.T) {
	inPostroom(t, func(o *postroom) {
		o.as("200")
		call := o.dial("*97")
		call.Await("Answered")
		o.says("box-menu")
		record := func(key string) {
			call.Press(key)
			o.says("greeting-record")
			o.beeps()
			o.sound.say(call.Remote(), 1300)
			call.Press("#")
			o.says("greeting-review")
		}
		call.Press("3")
		o.says("greeting-menu")
		record("2")
		call.Press("1")
		o.says("greeting-kept", "greeting-menu")
		record("1")
		call.Press("*")
		o.says("greeting-menu")
		call.Bye()
		call.Await("Ended")
		o.as("100")
		call = o.leave("200", "486")
		o.Wait(time.Second)
		if level, _ := o.sound.level(1300); level < 1000 {
			t.Errorf("the greeting is heard at a level of %.0f", level)
		}
		call.Bye()
		call.Await("Ended")
		call = o.leave("200", "408")
		o.says("unavailable")
		call.Bye()
		call.Await("Ended")
	})
}

// TestStar: the owner calls their own number from elsewhere, and gets in during the greeting.
func TestStar(t *testing.T) {
	inPostroom(t, func(o *postroom) {
		o.as("+49301234")
		call := o.leave("200", "480")
		call.Press("*")
		o.says("box-pin")
		call.Press("4711#")
		o.says("nothing")
		call.Bye()
		call.Await("Ended")
	})
}

// TestCallBack: whoever left a message is called by REFER, so that all gates of dialling count.
func TestCallBack(t *testing.T) {
	inPostroom(t, func(o *postroom) {
		o.phone.Refers = true
		o.put(t, "200", "+4930123", 700)
		o.as("200")
		call := o.dial("*97")
		call.Await("Answered")
		o.says("box-menu")
		call.Press("1")
		o.says("message-menu")
		call.Press("3")
		call.Await("Request REFER")
		call.Report(sip.StatusForbidden)
		o.says("forbidden", "message-menu")
		call.Press("3")
		call.Await("Request REFER")
		call.Report(sip.StatusOK)
		call.Await("Ended BYE received")
		if l := o.Ladder().String(); !strings.Contains(l, "REFER") {
			t.Error(l)
		}
	})
}

// TestVoicemailUnderLoss: a message is left, and heard, over a bad network.
func TestVoicemailUnderLoss(t *testing.T) {
	for seed := uint64(1); seed <= 4; seed++ {
		faults := siptest.Faults{Seed: seed, Loss: 0.1, Duplicate: 0.1, Reorder: 0.1, Jitter: 30 * time.Millisecond}
		t.Run(faults.String(), func(t *testing.T) {
			inPostroom(t, func(o *postroom) {
				call := o.leave("200", "408")
				o.Wait(15 * time.Second)
				for range 3 {
					o.sound.say(call.Remote(), 700)
				}
				call.Bye()
				call.Await("Ended")
				o.Wait(time.Second)
				all := o.in("200")
				if len(all) != 1 || all[0].Length < 2*time.Second {
					t.Fatalf("%+v", all)
				}
			}, faults)
		})
	}
}
