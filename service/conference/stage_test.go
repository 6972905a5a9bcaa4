// Pictures in virtual time. RFC 7667 §3.7; RFC 4575 §5.8.

package conference

import (
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/media/sdp"
	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/sip/siptest"
)

// stageWorld is a room that takes pictures.
func stageWorld(t *testing.T, f func(w *world), faults ...siptest.Faults) {
	run(t, func(w *world) {
		w.focus.Voice.Pictures = session.PictureCodecs()
		w.set["4000"] = Settings{Title: "Sales & Service", Quiet: true}
		f(w)
	}, faults...)
}

// browser is a telephone that takes many lines of pictures.
func (w *world) browser(name string) *phone {
	p := w.phone(name)
	p.sight, p.tiles, p.kind = session.PictureCodecs(), 8, session.WebRTC
	return p
}

// videophone is a telephone with one line of pictures, of one codec.
func (w *world) videophone(name, codec string) *phone {
	p := w.phone(name)
	for _, c := range session.PictureCodecs() {
		if c.Name == codec {
			p.sight = append(p.sight, c)
		}
	}
	return p
}

// status is what the roster says of the pictures of a member.
func (w *world) status(name string) string {
	r := w.focus.live("sip:4000@example.org")
	r.mu.Lock()
	defer r.mu.Unlock()
	u := w.URI(name)
	for _, user := range r.roster.users {
		if user.entity != u.String() {
			continue
		}
		for _, m := range user.calls[0].media() {
			if m.kind == "video" {
				return directionOf(m.sends, m.gets).String()
			}
		}
		return "none"
	}
	return "is not there"
}

func wantStatus(t *testing.T, w *world, want string) {
	t.Helper()
	var got []string
	for _, word := range strings.Fields(want) {
		name, _, _ := strings.Cut(word, "=")
		got = append(got, name+"="+w.status(name))
	}
	if all := strings.Join(got, " "); all != want {
		t.Errorf("the roster says %s, want %s", all, want)
	}
}

// TestTiles: a browser has a tile for each other who is seen, a telephone with one line sees who speaks, one that has none hears. Lines of those who leave are used again.
func TestTiles(t *testing.T) {
	stageWorld(t, func(w *world) {
		alice, bob, carol := w.browser("alice").dial("4000"), w.browser("bob").dial("4000"), w.videophone("carol", "H264").dial("4000")
		dave := w.phone("dave").dial("4000")
		w.Wait(4 * time.Second)
		wantSeen(t, alice, "b c")
		wantSeen(t, bob, "a c")
		wantStatus(t, w, "alice=sendrecv bob=sendrecv carol=sendrecv dave=none")
		alice.say(tones["alice"])
		w.Wait(3 * time.Second)
		wantSeen(t, carol, "a")
		wantHeard(t, dave, "alice")
		alice.say(0)
		bob.say(tones["bob"])
		w.Wait(3 * time.Second)
		wantSeen(t, carol, "b")
		erin := w.browser("erin").dial("4000")
		w.Wait(4 * time.Second)
		wantSeen(t, alice, "b c e")
		wantSeen(t, erin, "a b c")
		last := func() *sdp.Description { return alice.eye.offers[len(alice.eye.offers)-1] }
		lines := len(last().Media)
		erin.bye()
		w.Wait(3 * time.Second)
		wantSeen(t, alice, "b c")
		if d := last(); len(d.Media) != lines || d.Direction(&d.Media[lines-1]) != sdp.Inactive {
			t.Errorf("after one has left alice is offered\n%s", d.AppendTo(nil))
		}
		frank := w.browser("frank").dial("4000")
		w.Wait(4 * time.Second)
		wantSeen(t, alice, "b c f")
		if d := last(); len(d.Media) != lines || !strings.Contains(string(d.AppendTo(nil)), "a=msid:v6 v6v") {
			t.Errorf("the next is offered as\n%s", d.AppendTo(nil))
		}
		for _, l := range []*line{alice, carol, frank} {
			wantOrder(t, l, false)
		}
	})
}

// TestSwitchLoss: the whole picture with which a switch is to begin is lost, and lost again: what was seen goes on until the next comes.
func TestSwitchLoss(t *testing.T) {
	stageWorld(t, func(w *world) {
		alice, bob, carol := w.videophone("alice", "VP8").dial("4000"), w.videophone("bob", "VP8").dial("4000"), w.videophone("carol", "VP8").dial("4000")
		alice.say(tones["alice"])
		w.Wait(4 * time.Second)
		wantSeen(t, carol, "a")
		bob.mu.Lock()
		bob.eye.lose = 3
		asked := bob.eye.asked
		bob.mu.Unlock()
		alice.say(0)
		bob.say(tones["bob"])
		w.Wait(5 * time.Second)
		wantSeen(t, carol, "b")
		wantSeen(t, alice, "b")
		wantSeen(t, bob, "a") // who spoke before
		bob.mu.Lock()
		if n := bob.eye.asked - asked; n < 3 || n > 6 {
			t.Errorf("bob was asked for %d whole pictures", n)
		}
		bob.mu.Unlock()
		for _, l := range []*line{bob, carol} { // alice was looking at bob when his pictures were lost
			wantOrder(t, l, false)
		}
	})
}

// TestPicturesUnderLoss: with packets lost both ways everybody is seen all the same.
func TestPicturesUnderLoss(t *testing.T) {
	stageWorld(t, func(w *world) {
		alice, bob, carol := w.browser("alice").dial("4000"), w.browser("bob").dial("4000"), w.videophone("carol", "H264").dial("4000")
		bob.say(tones["bob"])
		w.Wait(12 * time.Second)
		wantSeen(t, alice, "b c")
		wantSeen(t, bob, "a c")
		wantSeen(t, carol, "b")
	}, siptest.Faults{Seed: 1, Loss: 0.05, Jitter: 10 * time.Millisecond})
}

// TestCodecs: who has not the codec of the others hears only, and the roster says so; where all have another in common that is asked of them.
func TestCodecs(t *testing.T) {
	stageWorld(t, func(w *world) {
		alice, bob, carol := w.videophone("alice", "VP8").dial("4000"), w.browser("bob").dial("4000"), w.videophone("carol", "H264").dial("4000")
		w.Wait(4 * time.Second)
		wantSeen(t, alice, "b")
		wantSeen(t, bob, "a c")
		wantSeen(t, carol, "")
		wantStatus(t, w, "alice=sendrecv bob=sendrecv carol=sendonly")
		alice.bye()
		dave := w.videophone("dave", "H264").dial("4000")
		w.Wait(5 * time.Second)
		wantSeen(t, bob, "c d")
		if got := carol.sees(); got != "b" && got != "d" {
			t.Errorf("carol sees %q", got)
		}
		wantStatus(t, w, "bob=sendrecv carol=sendrecv dave=sendrecv")
		if got := dave.sees(); got != "b" && got != "c" {
			t.Errorf("dave sees %q", got)
		}
	})
}

// TestPictureCommands: a member hides its picture, a moderator those of all others, and keeps somebody in view.
func TestPictureCommands(t *testing.T) {
	stageWorld(t, func(w *world) {
		alice := w.videophone("alice", "VP8")
		w.set["4000"] = Settings{Owners: []string{alice.uri()}, Quiet: true}
		a, b, c := alice.dial("4000"), w.videophone("bob", "VP8").dial("4000"), w.videophone("carol", "VP8").dial("4000")
		w.Wait(time.Second)
		b.say(tones["bob"])
		w.Wait(3 * time.Second)
		wantSeen(t, c, "b")
		b.press("*2") // is no moderator
		a.press("*2")
		b.say(0)
		c.say(tones["carol"])
		w.Wait(3 * time.Second)
		wantSeen(t, a, "b") // though carol speaks
		a.press("*2")
		w.Wait(time.Second)
		wantSeen(t, a, "c")
		c.press("*3")
		w.Wait(2 * time.Second)
		wantSeen(t, a, "b")
		wantStatus(t, w, "alice=sendrecv bob=sendrecv carol=recvonly")
		a.press("*4")
		w.Wait(2 * time.Second)
		wantSeen(t, a, "")
		wantSeen(t, b, "a")
		wantStatus(t, w, "alice=sendrecv bob=recvonly carol=recvonly")
		b.press("*3")
		w.Wait(2 * time.Second)
		wantSeen(t, a, "b")
	})
}
