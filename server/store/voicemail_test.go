package store

import (
	"context"
	"errors"
	"testing"
	"time"
)

// TestVoicemail: messages are added, change and go, and each change is noted, so that a running server looks again.
func TestVoicemail(t *testing.T) {
	ctx := context.Background()
	s, _ := open(t)
	at := time.UnixMilli(1_800_000_000_000)
	first := Voicemail{ID: "a", Domain: "example.org", Account: "200", State: VoicemailRecording, Caller: "+4930123", CallerName: "Ann", Received: at}
	second := Voicemail{ID: "b", Domain: "example.org", Account: "200", State: VoicemailNew, Received: at.Add(time.Minute), Length: 1500 * time.Millisecond}
	for _, v := range []Voicemail{second, first} {
		if err := s.AddVoicemail(ctx, v); err != nil {
			t.Fatal(err)
		}
	}
	before, _ := s.lastChange(ctx)
	first.State, first.Length = VoicemailSaved, 3*time.Second
	if err := s.SetVoicemail(ctx, first); err != nil {
		t.Fatal(err)
	}
	if now, _ := s.lastChange(ctx); now == before {
		t.Error("a change was not noted")
	}
	all, err := s.Voicemails(ctx, "Example.org", "200")
	if err != nil || len(all) != 2 || all[0] != first || all[1] != second {
		t.Errorf("%+v, %v", all, err)
	}
	if all, _ := s.Voicemails(ctx, "", ""); len(all) != 2 {
		t.Errorf("%d of all boxes", len(all))
	}
	counts, err := s.CountVoicemails(ctx, "", "")
	if err != nil || len(counts) != 1 || counts[0] != (VoicemailCount{"example.org", "200", 1, 1}) {
		t.Errorf("%+v, %v", counts, err)
	}
	if counts, _ := s.CountVoicemails(ctx, "example.org", "201"); len(counts) != 0 {
		t.Errorf("%+v in an empty box", counts)
	}
	if n, err := s.RemoveVoicemails(ctx, "example.org", "201", "a"); n != 0 || err != nil {
		t.Errorf("removed %d from another's box, %v", n, err)
	}
	if n, err := s.RemoveVoicemails(ctx, "example.org", "200", "a", "c"); n != 1 || err != nil {
		t.Errorf("removed %d, %v", n, err)
	}
	if err := s.SetVoicemail(ctx, first); !errors.Is(err, ErrNotFound) {
		t.Errorf("a message that is gone: %v", err)
	}
}
