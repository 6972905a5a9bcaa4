// Calls out of the room: by REFER and by list. RFC 4579 §5.5, §5.11; RFC 5366 §4; RFC 3515 §2.4.

package conference

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/media/codec/opus"
	"github.com/sipwerk/sipwerk/sip"
)

// refer says REFER inside a call and returns the answer.
func (l *line) refer(to string) sip.Status {
	l.phone.w.T.Helper()
	got := make(chan sip.Status, 1)
	l.usage.Do(func() {
		req := l.usage.NewRequest(sip.MethodRefer)
		req.Set(sip.HeaderReferTo, "<"+to+">")
		if err := l.usage.SendRequest(req, func(res *sip.Response, _ error) { got <- res.Status }); err != nil {
			got <- 0
		}
	})
	return <-got
}

// told returns the reports since the last call.
func (l *line) told() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := strings.Join(l.reports, ", ")
	l.reports = nil
	return text
}

// TestRefer: a member has somebody called, and a moderator somebody removed.
func TestRefer(t *testing.T) {
	run(t, func(w *world) {
		alice, bob, carol := w.phone("alice"), w.phone("bob"), w.phone("carol")
		w.set["4000"] = Settings{Owners: []string{alice.uri()}, Quiet: true}
		a := alice.dial("4000")
		a.say(tones["alice"])
		if status := a.refer(bob.uri()); status != 202 {
			t.Fatalf("REFER: %d", status)
		}
		w.Wait(time.Second)
		b := <-bob.rang
		if told := a.told(); !strings.HasPrefix(told, "SIP/2.0 100 Trying") || !strings.HasSuffix(told, "SIP/2.0 200 OK") {
			t.Errorf("reports: %s", told)
		}
		w.Golden("refer", "A member has somebody called. RFC 4579 §5.5.")
		b.say(tones["bob"])
		w.Wait(time.Second)
		wantHeard(t, a, "bob")
		wantHeard(t, b, "alice")
		carol.answer = false
		a.refer(carol.uri())
		w.Wait(time.Second)
		if told := a.told(); !strings.HasSuffix(told, "SIP/2.0 486 Busy Here") {
			t.Errorf("reports: %s", told)
		}
		a.refer("sip:nobody@example.org")
		w.Wait(time.Second)
		if told := a.told(); !strings.HasSuffix(told, "SIP/2.0 404 Not Found") {
			t.Errorf("reports: %s", told)
		}
		c := carol.dial("4000")
		for to, want := range map[string]sip.Status{bob.uri() + ";method=BYE": 403, "sip:x@y;method=MESSAGE": 501} {
			if status := c.refer(to); status != want {
				t.Errorf("REFER to %s: %d, want %d", to, status, want)
			}
		}
		a.refer(bob.uri() + ";method=BYE")
		w.Wait(time.Second)
		if _, over := b.state(); !over {
			t.Error("bob is still there")
		}
		if told := a.told(); !strings.HasSuffix(told, "SIP/2.0 200 OK") {
			t.Errorf("reports: %s", told)
		}
	})
}

// TestReferOutside: a REFER outside any dialog is obeyed from members only.
func TestReferOutside(t *testing.T) {
	run(t, func(w *world) {
		alice, bob, mallory := w.phone("alice"), w.phone("bob"), w.Peer("mallory")
		refer := func(from, want string) {
			mallory.Send("focus", "REFER sip:4000@{focus} SIP/2.0\r\nVia: SIP/2.0/UDP {mallory};branch={branch}\r\nMax-Forwards: 70\r\nFrom: <"+from+">;tag=1\r\n"+
				"To: <sip:4000@{focus}>\r\nCall-ID: "+want[len(want)-3:]+"\r\nCSeq: 1 REFER\r\nContact: <sip:m@{mallory}>\r\nRefer-To: <"+bob.uri()+">\r\nRefer-Sub: false\r\n\r\n")
			mallory.Expect(want)
		}
		refer(alice.uri(), "SIP/2.0 480") // nobody is there
		alice.dial("4000")
		refer("sip:m@example.org", "SIP/2.0 403")
		refer(alice.uri(), "SIP/2.0 202")
		w.Wait(time.Second)
		if w.focus.Calls() != 2 {
			t.Errorf("%d calls", w.focus.Calls())
		}
	})
}

// TestList: one INVITE brings three together.
func TestList(t *testing.T) {
	run(t, func(w *world) {
		w.set["make"] = Settings{Factory: true, Quiet: true}
		alice, bob, carol := w.phone("alice"), w.phone("bob"), w.phone("carol")
		list := listHead + `<list><entry uri="` + bob.uri() + `"/><entry uri="` + carol.uri() + `"/></list></resource-lists>`
		a := alice.dial("make", func(req *sip.Request) {
			body := "--x\r\nContent-Type: application/sdp\r\n\r\n" + string(req.Body()) + "\r\n--x\r\nContent-Type: " + listType + "\r\nContent-Disposition: recipient-list\r\n\r\n" + list + "\r\n--x--\r\n"
			req.SetBody("multipart/mixed;boundary=x", []byte(body))
			req.Set(sip.HeaderRequire, listTag)
		})
		w.Wait(time.Second)
		a.want(200, false)
		b, c := <-bob.rang, <-carol.rang
		for _, l := range []*line{a, b, c} {
			l.say(tones[l.phone.name])
		}
		w.Wait(2 * time.Second)
		wantHeard(t, a, "bob", "carol")
		wantHeard(t, c, "alice", "bob")
		alice.dial("make", func(req *sip.Request) {
			req.SetBody("multipart/mixed;boundary=x", []byte("--x\r\nContent-Type: "+listType+"\r\nContent-Disposition: recipient-list\r\n\r\nno list\r\n--x--\r\n"))
		}).want(400, true)
		alice.dial("make", func(req *sip.Request) { req.SetBody("image/png", []byte("x")) }).want(415, true)
	})
}

// TestNoAnswer: who does not answer is given up, and the roster forgets.
func TestNoAnswer(t *testing.T) {
	run(t, func(w *world) {
		w.focus.RingTime = 5 * time.Second
		alice := w.phone("alice")
		silent := w.Peer("silent")
		w.phones["silent"] = &phone{w: w, name: "silent"}
		a := alice.dial("4000")
		a.refer(w.phones["silent"].uri())
		m := silent.Expect("INVITE")
		silent.Reply(m, 180, "t", "Contact: <sip:{silent}>")
		w.Wait(6 * time.Second)
		silent.Reply(silent.Expect("CANCEL"), 200, "t")
		silent.Reply(m, 487, "t")
		silent.Expect("ACK")
		w.Wait(time.Second)
		if told := a.told(); !strings.Contains(told, "180 Ringing") || strings.Contains(told, "200 OK") {
			t.Errorf("reports: %s", told)
		}
		if n := len(w.focus.live("sip:4000@example.org").roster.users); n != 1 {
			t.Errorf("%d users", n)
		}
	})
}

// TestUselessAnswer: somebody who answers with nothing that the room could use is hung up on, is in the roster no longer, and who has invited hears of it.
func TestUselessAnswer(t *testing.T) {
	run(t, func(w *world) {
		alice := w.phone("alice")
		odd := w.Peer("odd")
		w.phones["odd"] = &phone{w: w, name: "odd"}
		a := alice.dial("4000")
		a.refer(w.phones["odd"].uri())
		m := odd.Expect("INVITE")
		odd.Reply(m, 200, "t", "Contact: <sip:{odd}>")
		odd.Expect("ACK")
		odd.Reply(odd.Expect("BYE"), 200, "t")
		w.Wait(time.Second)
		if told := a.told(); !strings.HasSuffix(told, "SIP/2.0 480 Temporarily Unavailable") {
			t.Errorf("reports: %s", told)
		}
		if n := len(w.focus.live("sip:4000@example.org").roster.users); n != 1 {
			t.Errorf("%d users", n)
		}
	})
}

// TestRecord: what a moderator has recorded is the mix, as WAV or as Opus in Ogg.
func TestRecord(t *testing.T) {
	recordConference(t, audio.Encoding{}, func(f io.Reader) (audio.Source, error) { return audio.NewWAVReader(f) })
	library, err := opus.Open()
	if !library.Speaks() {
		t.Log(err) // package opus fails in the gate without
		return
	}
	recordConference(t, audio.Encoding{Opus: library.File}, func(f io.Reader) (audio.Source, error) {
		return audio.NewOpusReader(f, library.File(16000, 1))
	})
}

// recordConference records a conference and listens to the file.
func recordConference(t *testing.T, as audio.Encoding, open func(io.Reader) (audio.Source, error)) {
	t.Helper()
	folder := t.TempDir()
	run(t, func(w *world) {
		w.focus.Recordings = folder
		alice, bob := w.phone("alice"), w.phone("bob")
		w.set["4000"] = Settings{Owners: []string{alice.uri()}, Quiet: true, Encoding: as}
		a, b := alice.dial("4000"), bob.dial("4000")
		b.say(tones["bob"])
		b.press("*9") // is no moderator
		a.press("*9")
		w.Wait(3 * time.Second)
		a.press("*9")
		w.Wait(time.Second)
		if all := w.observed.all(); strings.Count(all, "recording") != 1 || strings.Count(all, "recorded") != 1 {
			t.Errorf("observed %s", all)
		}
	})
	files, err := filepath.Glob(filepath.Join(folder, "4000@example.org-*"+as.Ending()))
	if err != nil || len(files) != 1 {
		t.Fatalf("recordings %v: %v", files, err)
	}
	b, err := os.Open(files[0])
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	sound, err := open(b)
	if err != nil {
		t.Fatal(err)
	}
	pcm, err := audio.ReadAll(sound, 10*16000)
	if level := audio.Goertzel(pcm[16000:], 16000, tones["bob"]); err != nil || len(pcm) < 3*16000 || level < 1500 {
		t.Errorf("%s: %d samples, bob at %.0f: %v", as.Ending(), len(pcm), level, err)
	}
}
