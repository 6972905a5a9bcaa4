package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/server/store"
	"github.com/sipwerk/sipwerk/server/voicemail"
	"github.com/sipwerk/sipwerk/service/pbx"
)

// TestVoicemail: messages are listed, copied and deleted.
func TestVoicemail(t *testing.T) {
	dir := t.TempDir()
	env := map[string]string{"SIPWERK_DATA": dir, "SIPWERK_DOMAIN": "example.org"}
	line{args: "account add 200", want: "…"}.run(t, dir, env)
	st, err := store.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	take, err := voicemail.Open(st, dir).Record(t.Context(), pbx.Message{Box: "sip:200@example.org", From: "+4930123", Received: time.Date(2026, 11, 23, 12, 0, 0, 0, time.Local)}, 8000)
	if err == nil {
		err = take.WriteSamples(make([]int16, 16000))
	}
	if err == nil {
		err = take.Keep(context.Background(), 2*time.Second)
	}
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out")
	for _, l := range []line{
		{args: "voicemail list 200", want: "MESSAGE …+4930123  2026-11-23 12:00  2s      new\n"},
		{args: "voicemail list --json", want: `[{"id":"…","domain":"example.org","account":"200","state":"new","caller":"+4930123",…"seconds":2,"file":"…`},
		{args: "voicemail export 200 --to " + out, want: "…/out/200-…wav\n"},
		{args: "voicemail export 200 nothing", code: 1, fails: "sipwerk: nothing: 200 has no such message…"},
		{args: "voicemail delete 200", code: 1, fails: "…or give --all\n"},
		{args: "voicemail delete 200 --all", want: "1 deleted\n"},
		{args: "voicemail list 200 more", code: 2, fails: "…is too much…"},
	} {
		l.run(t, dir, env)
	}
	copies, _ := filepath.Glob(filepath.Join(out, "*.wav"))
	if len(copies) != 1 {
		t.Fatalf("%d copies", len(copies))
	}
	if info, err := os.Stat(copies[0]); err != nil || info.Size() != 44+32000 {
		t.Errorf("%v, %v", info, err)
	}
}
