// What is spoken into the calls, and whether it was heard.

package peers

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/sipwerk/sipwerk/media/audio"
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

// tail is the end of a recording as a file of its own: what was heard after the last change.
func tail(t *testing.T, file, seconds string) string {
	t.Helper()
	whole, end := filepath.Join(t.TempDir(), "whole.wav"), filepath.Join(t.TempDir(), "tail.wav")
	for _, command := range [][]string{
		{"--ignore-length", file, whole}, // a program that was ended has not written how long it is
		{whole, end, "trim", "-" + seconds},
	} {
		if out, err := exec.Command("sox", command...).CombinedOutput(); err != nil {
			t.Fatalf("sox: %v: %s", err, out)
		}
	}
	return end
}

// heard fails the test unless one of the recordings holds what right says, and none what wrong says.
func heard(t *testing.T, who string, recordings []string, right, wrong string) {
	t.Helper()
	best, worst := 0.0, 0.0
	var level float64
	for _, file := range recordings {
		recorded := clip(t, file)
		t.Logf("%s recorded %.1f s", who, float64(len(recorded.Samples))/float64(recorded.Rate))
		if len(recorded.Samples) < recorded.Rate*2 {
			continue
		}
		c := audio.Compare(clip(t, right), recorded)
		if c.Correlation > best {
			best, level = c.Correlation, c.Level
		}
		worst = max(worst, audio.Compare(clip(t, wrong), recorded).Correlation)
	}
	t.Logf("%s heard the other side with correlation %.2f (itself %.2f), level %+.1f dB", who, best, worst, level)
	if best < 0.7 || best < worst+0.2 {
		t.Errorf("%s did not hear the other side: correlation %.2f, with its own voice %.2f, in %d recordings", who, best, worst, len(recordings))
	}
	if level < -6 || level > 6 {
		t.Errorf("%s heard the other side %.1f dB off: a wrong codec?", who, level)
	}
}
