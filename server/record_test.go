// Recorded calls of a whole server: by rule and by the code that a side dials, each side on its channel, announced.

package server

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/media/codec/opus"
	"github.com/sipwerk/sipwerk/phone"
	"github.com/sipwerk/sipwerk/server/config"
	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/server/setup"
)

// Tones of the tests in Hz: what alice says, what bob says, and what announces a recording.
const (
	aliceTone = 500
	bobTone   = 800
	beepTone  = 1400
)

// hum says a tone until the call is over.
func hum(call *phone.Call, frequency float64) {
	tone := &audio.Tone{Rate: call.Rate(), Frequencies: []float64{frequency}, Amplitude: 8000}
	pcm := make([]int16, call.Rate()/50)
	for {
		tone.ReadSamples(pcm)
		if call.WriteSamples(pcm) != nil {
			return
		}
	}
}

// waitForTone listens until a tone comes.
func waitForTone(t *testing.T, call *phone.Call, frequency float64) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	pcm := make([]int16, call.Rate()/20)
	for time.Now().Before(deadline) {
		for n := 0; n < len(pcm); {
			got, err := call.ReadSamples(pcm[n:])
			if err != nil {
				t.Fatal(err)
			}
			n += got
		}
		if audio.Goertzel(pcm, call.Rate(), frequency) > 2000 {
			return
		}
	}
	t.Fatalf("%v Hz is not heard", frequency)
}

// channels reads the sound of both sides of a recording, 0 for the rate as long as the file is not ended.
func channels(t *testing.T, name string) (rate int, left, right []int16) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil || len(b) <= 44 {
		return 0, nil, nil
	}
	var pcm []int16
	if filepath.Ext(name) == ".opus" {
		rate, pcm = readOpus(t, b)
	} else if int(binary.LittleEndian.Uint32(b[40:])) == len(b)-44 { // its header says how long it is
		if n := binary.LittleEndian.Uint16(b[22:]); n != 2 {
			t.Fatalf("%d channels", n)
		}
		rate = int(binary.LittleEndian.Uint32(b[24:]))
		for b := b[44:]; len(b) >= 2; b = b[2:] {
			pcm = append(pcm, int16(binary.LittleEndian.Uint16(b)))
		}
	}
	for ; len(pcm) > 1; pcm = pcm[2:] {
		left, right = append(left, pcm[0]), append(right, pcm[1])
	}
	return rate, left, right
}

// readOpus decodes an Ogg file of two channels, if its last page says that it is the last. RFC 3533 §6.
func readOpus(t *testing.T, b []byte) (rate int, pcm []int16) {
	t.Helper()
	if last := bytes.LastIndex(b, []byte("OggS")); b[last+5]&4 == 0 {
		return 0, nil
	}
	o, err := audio.NewOggReader(bytes.NewReader(b))
	if err != nil || o.Channels() != 2 {
		t.Fatalf("%v, %+v", err, o)
	}
	library, _ := opus.Open()
	sound, err := audio.NewOpusReader(bytes.NewReader(b), library.File(soundRate, 2))
	if err == nil {
		pcm, err = audio.ReadAll(sound, 60*2*soundRate)
	}
	if err != nil {
		t.Fatal(err)
	}
	return soundRate, pcm
}

// loudest is the greatest amplitude of a tone in any tenth of a second.
func loudest(pcm []int16, rate int, frequency float64) (most float64) {
	for n := rate / 10; len(pcm) >= n; pcm = pcm[n:] {
		most = math.Max(most, audio.Goertzel(pcm[:n], rate, frequency))
	}
	return most
}

// conversation has alice call bob, who hums; it returns alice's call.
func conversation(t *testing.T, ctx context.Context, s *Server) *phone.Call {
	t.Helper()
	return converse(t, ctx, s, func(_ context.Context, bob *phone.Call) error {
		go io.Copy(io.Discard, bob)
		hum(bob, bobTone)
		return nil
	})
}

// converse has alice call bob, who answers and does something; it returns alice's call.
func converse(t *testing.T, ctx context.Context, s *Server, do func(ctx context.Context, bob *phone.Call) error) *phone.Call {
	t.Helper()
	bob := telephone(t, s, "bob", "udp")
	served := make(chan error, 1)
	go func() {
		served <- bob.Serve(ctx, func(ctx context.Context, call *phone.Call) error {
			if err := call.Answer(ctx); err != nil {
				return err
			}
			return do(ctx, call)
		})
	}()
	t.Cleanup(func() { bob.Close(); <-served })
	for !bob.Registered() {
		select {
		case err := <-served:
			t.Fatal(err)
		case <-time.After(10 * time.Millisecond):
		}
	}
	call, err := telephone(t, s, "alice", "udp").Dial(ctx, "sip:bob@example.org")
	if err != nil {
		t.Fatal(err)
	}
	return call
}

// putObjects changes settings of example.org.
func putObjects(t *testing.T, s *Server, objects ...object.Object) {
	t.Helper()
	if _, err := (&setup.Setup{Store: s.Store}).Edit(t.Context(), "example.org", func(set *object.Settings) error {
		for _, o := range objects {
			set.Put(o)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// checkRecording looks at the only recording of the only call.
func checkRecording(t *testing.T, s *Server, ending string) {
	t.Helper()
	c := waitForRecords(t, s, 1)[0]
	if len(c.Recordings) != 1 {
		t.Fatalf("recordings %q", c.Recordings)
	}
	name := filepath.Join(s.recordings(), c.Recordings[0])
	if filepath.Ext(name) != ending {
		t.Errorf("recorded as %s", name)
	}
	rate, left, right := channels(t, name)
	for deadline := time.After(time.Minute); rate == 0; rate, left, right = channels(t, name) {
		select {
		case <-deadline:
			t.Fatal("the file is never ended")
		case <-time.After(5 * time.Millisecond):
		}
	}
	if a, b := loudest(left, rate, aliceTone), loudest(left, rate, bobTone); a < 4000 || b > 400 {
		t.Errorf("left: alice %.0f, bob %.0f", a, b)
	}
	if a, b := loudest(right, rate, aliceTone), loudest(right, rate, bobTone); a > 400 || b < 4000 {
		t.Errorf("right: alice %.0f, bob %.0f", a, b)
	}
	list, err := Recordings(t.Context(), s.Store, s.Config.Data)
	if err != nil || len(list) != 1 || list[0].File != c.Recordings[0] || list[0].Call == nil || list[0].Call.ID != c.ID {
		t.Errorf("%+v %v", list, err)
	}
}

// TestRecordByRule: a call that a rule wants is recorded from its beginning, and both are told by a beep.
func TestRecordByRule(t *testing.T) { recordByRule(t, start(t, nil), ".wav") }

// TestRecordOpus: a dial plan can have Opus in Ogg, each side a channel. RFC 7845 §5.1.
func TestRecordOpus(t *testing.T) {
	if library, err := opus.Open(); !library.Speaks() {
		t.Log(err) // package opus fails in the gate without
		return
	}
	s := start(t, nil)
	edit(t, s, func(set *object.Settings) {
		plan := *set.DialPlan()
		plan.Recordings = object.RecordOpus
		set.Put(&plan)
	})
	recordByRule(t, s, ".opus")
}

// TestRecordWithoutOpus: without libopus recordings are WAV, and one line of the log says so.
func TestRecordWithoutOpus(t *testing.T) {
	var log strings.Builder
	tapes := &tapes{library: new(opus.Library), log: NewLog(config.Log{Level: "info", Format: "text"}, &log)}
	set := &object.Settings{Domain: "example.org", Plan: &object.Plan{Recordings: object.RecordOpus}}
	for range 2 {
		if got := tapes.encoding(set).Ending(); got != ".wav" {
			t.Errorf("recorded as %s", got)
		}
	}
	if n := strings.Count(log.String(), "libopus is missing"); n != 1 {
		t.Errorf("said %d times: %s", n, &log)
	}
}

// recordByRule has a call recorded and listens to the file.
func recordByRule(t *testing.T, s *Server, ending string) {
	t.Helper()
	putObjects(t, s, &object.Recording{Name: "all", Direction: "in", Accounts: []string{"bob"}, Announce: "beep", Enabled: true})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	call := conversation(t, ctx, s)
	go hum(call, aliceTone)
	waitForTone(t, call, beepTone)
	waitForTone(t, call, bobTone)
	call.Hangup()
	checkRecording(t, s, ending)
}

// TestRecordOnDemand: a call is recorded when a side that may have it so dials the code, and not before.
func TestRecordOnDemand(t *testing.T) {
	s := start(t, nil)
	putObjects(t, s, &object.Account{User: "alice", Record: "on-demand", CallWaiting: true})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	call := conversation(t, ctx, s)
	waitForTone(t, call, bobTone)
	if list, err := Recordings(t.Context(), s.Store, s.Config.Data); err != nil || len(list) > 0 {
		t.Fatalf("recorded without being asked: %+v %v", list, err)
	}
	if err := call.SendDigits(ctx, "*1"); err != nil {
		t.Fatal(err)
	}
	go hum(call, aliceTone)
	waitForTone(t, call, beepTone) // behind the prompt
	waitForTone(t, call, bobTone)
	call.Hangup()
	checkRecording(t, s, ".wav")
}

// TestNotRecorded: without a rule and a setting nothing is recorded, whatever is dialled.
func TestNotRecorded(t *testing.T) {
	s := start(t, nil)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	call := conversation(t, ctx, s)
	if err := call.SendDigits(ctx, "*1"); err != nil {
		t.Fatal(err)
	}
	waitForTone(t, call, bobTone)
	call.Hangup()
	if c := waitForRecords(t, s, 1)[0]; len(c.Recordings) > 0 {
		t.Errorf("recordings %q", c.Recordings)
	}
}
