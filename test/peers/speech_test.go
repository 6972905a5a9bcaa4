// What is spoken into the calls, and whether it was heard.

package peers

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/test/peers/linphonec"
	"github.com/sipwerk/sipwerk/test/peers/peer"
)

// speech makes a long WAV file of a spoken text: 8 kHz, 16 bit, mono.
func speech(t *testing.T, text string) string {
	t.Helper()
	need(t, "espeak-ng", "sox")
	dir := t.TempDir()
	raw, once, long := filepath.Join(dir, "raw.wav"), filepath.Join(dir, "once.wav"), filepath.Join(dir, "long.wav")
	for _, command := range [][]string{
		{"espeak-ng", "-w", raw, text},
		{"sox", raw, "-r", "8000", "-c", "1", "-b", "16", once},
		{"sox", once, long, "repeat", "25"}, // baresip hangs up when the file ends
	} {
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v: %s", command, err, out)
		}
	}
	return long
}

const (
	aliceSays = "The quick brown fox jumps over the lazy dog while seven wizards watch from the tower."
	bobSays   = "Pack my box with five dozen liquor jugs. How vexingly quick daft zebras jump today, my friend."
)

func clip(t *testing.T, file string) audio.Clip {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := audio.NewWAVReader(f)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	pcm, err := audio.ReadAll(r, 600*r.Rate())
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return audio.Clip{Samples: pcm, Rate: r.Rate()}
}

// shortest is what must be recorded to be compared, and several times what is compared: a stutter on a busy machine does not count.
const shortest = 6 * time.Second

// An ear is a telephone that records, what it must hear, and what it must not.
type ear struct {
	peer.Phone
	right, wrong string
}

// listen waits until each of the ears has heard what it must, as far as its telephone tells before it is closed: in all that it has recorded or, with a number, in the last so many
// seconds of its last recording. On a busy machine that takes longer than the words themselves.
func listen(t *testing.T, seconds int, ears ...ear) {
	t.Helper()
	deadline := within(t, patience)
	for _, e := range ears {
		for !e.late() {
			verdict, err := e.heard(t, seconds)
			if err == nil {
				t.Logf("%s %s", e.Name(), verdict)
				break
			}
			if deadline.Err() != nil {
				t.Fatalf("%s %s: %v", e.Name(), verdict, err)
			}
			pause(deadline, time.Second)
		}
	}
}

// judge closes the telephones of which listen has heard nothing, and looks at what they have recorded.
func judge(t *testing.T, seconds int, ears ...ear) {
	t.Helper()
	for _, e := range ears {
		if e.late() {
			e.Close()
			verdict, err := e.heard(t, seconds)
			t.Logf("%s %s", e.Name(), verdict)
			must(t, e.Name(), err)
		}
	}
}

// late says whether the telephone tells only at its end what it has heard.
func (e ear) late() bool {
	_, ok := e.Phone.(*linphonec.Phone)
	return ok
}

// heard tells whether one of the recordings holds what it must, and none what it must not.
func (e ear) heard(t *testing.T, seconds int) (verdict string, err error) {
	t.Helper()
	recordings, err := e.Recordings()
	must(t, "recordings", err)
	if seconds > 0 && len(recordings) > 0 {
		recordings = recordings[len(recordings)-1:]
	}
	best, worst := 0.0, 0.0
	var level float64
	for _, file := range recordings {
		recorded := recording(t, file)
		if recorded.Rate == 0 || len(recorded.Samples) < recorded.Rate*int(shortest/time.Second) {
			continue
		}
		if seconds > 0 {
			recorded.Samples = recorded.Samples[max(0, len(recorded.Samples)-recorded.Rate*seconds):]
		}
		c := audio.Compare(words(t, e.right), recorded)
		if c.Correlation > best {
			best, level = c.Correlation, c.Level
		}
		worst = max(worst, audio.Compare(words(t, e.wrong), recorded).Correlation)
	}
	verdict = fmt.Sprintf("heard the other side with correlation %.2f, its own voice with %.2f, level %+.1f dB, in %d recordings", best, worst, level, len(recordings))
	switch {
	case best < 0.7 || best < worst+0.2:
		return verdict, errors.New("did not hear the other side")
	case level < -6 || level > 6:
		return verdict, errors.New("a wrong codec?")
	}
	return verdict, nil
}

// words are what is said again and again in a file of [speech], at least twice.
func words(t *testing.T, file string) audio.Clip {
	t.Helper()
	c := clip(t, file)
	c.Samples = c.Samples[:min(len(c.Samples), 20*c.Rate)]
	return c
}

// recording reads what a program may still write, or has not written to its end, so that it does not say how long it is. It is empty until there is some.
func recording(t *testing.T, file string) audio.Clip {
	t.Helper()
	whole := filepath.Join(t.TempDir(), "whole.wav")
	if exec.Command("sox", "--ignore-length", file, whole).Run() != nil {
		return audio.Clip{}
	}
	return clip(t, whole)
}
