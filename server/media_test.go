package server

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/phone"
	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/server/setup"
	"github.com/sipwerk/sipwerk/sip"
)

// holdTone is what the music of the tests sounds like, in Hz.
const holdTone = 1810

// keepMusic puts a file of some seconds into the folder of music.
func keepMusic(t *testing.T, s *Server, name string) {
	t.Helper()
	pcm := make([]int16, 5*16000)
	_, _ = (&audio.Tone{Rate: 16000, Frequencies: []float64{holdTone}, Amplitude: 8000}).ReadSamples(pcm) // it never ends
	w, err := audio.Encoding{}.Create(filepath.Join(s.shelf.Folder, name), 16000, 1)
	if err == nil {
		err = w.WriteSamples(pcm)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestHoldMusic: who is put on hold hears the music of the dial plan.
func TestHoldMusic(t *testing.T) {
	s := start(t, nil)
	keepMusic(t, s, "hold.wav")
	edit(t, s, func(set *object.Settings) {
		plan := *set.DialPlan()
		plan.Music = "hold.wav"
		set.Put(&plan)
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	call := converse(t, ctx, s, func(ctx context.Context, bob *phone.Call) error {
		if err := bob.Hold(ctx); err != nil {
			return err
		}
		<-ctx.Done()
		return nil
	})
	waitForTone(t, call, holdTone)
	if err := call.Hangup(); err != nil {
		t.Error(err)
	}
}

// TestMusicSettings: queues and park slots have music of their own, or that of the dial plan, or that of the server.
func TestMusicSettings(t *testing.T) {
	s := start(t, nil)
	edit(t, s, func(set *object.Settings) { set.Put(made[*object.Queue]("queue", "700")) })
	slot := sip.URI{Scheme: "sip", User: "501", Host: "example.org"}
	check := func(when, queue, park, account string) {
		t.Helper()
		if set, ok := s.queues.Directory.Queue("sip:700@example.org"); !ok || set.Music != s.shelf.Music(queue) {
			t.Errorf("%s: the queue does not play %s", when, queue)
		}
		if s.park.Music(slot) != s.shelf.Music(park) {
			t.Errorf("%s: the park slot does not play %s", when, park)
		}
		if _, got := s.calls.Locator.(*locator).domains.sound(sip.MustParseURI("sip:alice@example.org")); got != s.shelf.Music(account) {
			t.Errorf("%s: alice does not hear %s", when, account)
		}
	}
	check("without settings", "tune", "tune", "")
	plan := func(change func(*object.Plan)) {
		edit(t, s, func(set *object.Settings) {
			p := *set.DialPlan()
			change(&p)
			set.Put(&p)
		})
	}
	plan(func(p *object.Plan) { p.Music = "http://radio.example.net/a" })
	check("with a dial plan", "http://radio.example.net/a", "http://radio.example.net/a", "http://radio.example.net/a")
	plan(func(p *object.Plan) { p.ParkMusic = "none" })
	edit(t, s, func(set *object.Settings) { set.Queues["700"].Music = "queue.opus" })
	check("each its own", "queue.opus", "none", "http://radio.example.net/a")
	uses := MusicOf(s.directory.Settings("example.org"))
	if len(uses) != 2 || uses["queue.opus"][0] != "queue 700" || uses["http://radio.example.net/a"][0] != "dialplan music" {
		t.Errorf("uses %q", uses)
	}
	for wrong := range map[string]bool{"ftp://example.net/a": true, "music/": true, "http://": true} {
		if _, err := (&setup.Setup{Store: s.Store}).Edit(t.Context(), "example.org", func(set *object.Settings) error {
			set.Queues["700"].Music = wrong
			return nil
		}); err == nil {
			t.Errorf("%q is music", wrong)
		}
	}
	if _, err := os.Stat(s.shelf.Folder); !os.IsNotExist(err) {
		t.Errorf("the folder was made for nothing: %v", err)
	}
}
