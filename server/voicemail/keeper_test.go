package voicemail

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/server/store"
	"github.com/sipwerk/sipwerk/service/pbx"
)

// speak records a message of some seconds, and keeps it if that is wanted.
func speak(t *testing.T, v *Keeper, account string, seconds int, keep bool) pbx.Take {
	t.Helper()
	take, err := v.Record(t.Context(), pbx.Message{Box: BoxName("example.org", account), From: "200", Received: time.Now()}, 8000)
	if err == nil {
		err = take.WriteSamples(make([]int16, 8000*seconds))
	}
	if err == nil && keep {
		err = take.Keep(t.Context(), time.Duration(seconds)*time.Second)
	}
	if err != nil {
		t.Fatal(err)
	}
	return take
}

// TestMessagesSurvive: what was kept is there when the program dies, what was being spoken as far as it came, and nothing else.
func TestMessagesSurvive(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	st, err := store.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	if _, _, err := st.EnsureDomain(t.Context(), "example.org"); err != nil {
		t.Fatal(err)
	}
	v := Open(st, dir)
	speak(t, v, "alice", 2, true)
	speak(t, v, "alice", 3, false)
	speak(t, v, "alice", 0, false)
	speak(t, v, "alice", 2, false).Drop()
	orphan := filepath.Join(dir, "voicemail", "example.org", "alice", "orphan.wav")
	greeting := filepath.Join(dir, "voicemail", "example.org", "alice", "greetings", "busy.wav")
	for _, file := range []string{orphan, greeting} {
		if tape, err := newTape(file, 8000); err != nil || tape.finish() != nil {
			t.Fatal(err)
		}
	}
	again := Open(st, dir) // another process: the first has been killed
	if err := again.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	rows, err := again.Rows(t.Context(), "example.org", "alice")
	if err != nil || len(rows) != 2 || rows[0].Length+rows[1].Length != 5*time.Second {
		t.Fatalf("%+v, %v", rows, err)
	}
	for i := range rows {
		f, err := os.Open(again.File(&rows[i]))
		if err != nil {
			t.Fatal(err)
		}
		r, err := audio.NewWAVReader(f)
		if err != nil {
			t.Fatal(err)
		}
		pcm, err := audio.ReadAll(r, 1<<20)
		if err != nil || len(pcm) != 8*int(rows[i].Length.Milliseconds()) || f.Close() != nil {
			t.Errorf("%d samples of %s, %v", len(pcm), rows[i].Length, err)
		}
	}
	if fresh, saved := again.Count("sip:alice@example.org"); fresh != 2 || saved != 0 {
		t.Errorf("%d new, %d saved", fresh, saved)
	}
	if _, err := os.Stat(orphan); err == nil {
		t.Error("a file without a message is still there")
	}
	if _, err := os.Stat(greeting); err != nil {
		t.Error("a greeting is gone")
	}
}
