package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/phone"
	"github.com/sipwerk/sipwerk/sip"
)

// callee is a telephone on loopback that lets answer take its calls; it returns host and port.
func callee(t *testing.T, answer func(context.Context, *phone.Call) error) string {
	t.Helper()
	ready := make(chan struct{})
	ph := &phone.Phone{URI: "sip:bob@127.0.0.1", Listen: []string{"udp://127.0.0.1:0"}, Ready: func() { close(ready) }}
	addrs, err := ph.Addrs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- ph.Serve(ctx, answer) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; !errors.Is(err, sip.ErrClosed) {
			t.Error(err)
		}
	})
	<-ready
	return addrs[0].String()
}

func echo(ctx context.Context, c *phone.Call) error {
	if err := errors.Join(c.Ring(), c.Answer(ctx)); err != nil {
		return err
	}
	_, err := io.Copy(c, c)
	return err
}

// TestCallMeasuresEcho: the command calls, measures, draws the ladder, and hangs up.
func TestCallMeasuresEcho(t *testing.T) {
	uri := "sip:echo@" + callee(t, echo)
	line{args: "call " + uri + " --measure-echo --ladder", want: "calling " + uri + "\n…talking\nended after 0:0…, loss 0 %, jitter … ms\n" +
		"echo after … ms, loss 0 %, dropouts …\n…INVITE [sdp]…180 Ringing (INVITE)…200 OK (INVITE) [sdp]…ACK…BYE…200 OK (BYE)…"}.run(t, "", nil)
}

// TestCallSecured: the echo comes back whatever protects the sound.
func TestCallSecured(t *testing.T) {
	uri := "sip:echo@" + callee(t, echo)
	for _, media := range []string{"opportunistic", "sdes", "dtls", "webrtc"} {
		t.Run(media, func(t *testing.T) {
			t.Parallel()
			line{args: "call " + uri + " --measure-echo --media " + media, want: "calling " + uri + "\n…talking\nended after 0:0…echo after … ms, loss … dropouts …"}.run(t, "", nil)
		})
	}
	line{args: "call " + uri + " --media tin-can", code: 1, fails: "sipwerk: --media: \"tin-can\" is no way for sound to go; write plain, opportunistic, sdes, dtls or webrtc\n"}.run(t, "", nil)
}

// TestCallRefused: the exit code and one sentence say what happened.
func TestCallRefused(t *testing.T) {
	answers := map[string]sip.Status{"busy": sip.StatusBusyHere, "cross": sip.StatusDecline, "away": sip.StatusTemporarilyUnavailable, "odd": sip.StatusNotImplemented}
	host := callee(t, func(ctx context.Context, c *phone.Call) error {
		for user, status := range answers {
			if strings.Contains(c.Remote().URI.User, user) {
				return status
			}
		}
		<-ctx.Done()
		return nil
	})
	for _, l := range []line{
		{args: "call sip:x@HOST --user busy@x.test", code: 3, want: "calling…", fails: "sipwerk: sip:x@HOST is busy (486 Busy Here)\n"},
		{args: "call sip:x@HOST --user cross@x.test", code: 3, want: "calling…", fails: "sipwerk: sip:x@HOST does not want to talk (603 Decline)\n"},
		{args: "call sip:x@HOST --user away@x.test --lang de", code: 3, want: "rufe…", fails: "sipwerk: sip:x@HOST ist gerade nicht zu erreichen (480 …)\n"},
		{args: "call sip:x@HOST --user odd@x.test --json", code: 3, want: `{"uri":"sip:x@HOST","result":"refused","status":501,"reason":"Not Implemented","statistics":{…}}` + "\n",
			fails: "sipwerk: sip:x@HOST refused the call (501 Not Implemented)\n"},
		{args: "call sip:x@HOST --ring 200ms", code: 4, want: "calling…", fails: "sipwerk: sip:x@HOST did not answer in time\n"},
		{args: "call x --server sip:127.0.0.1:1;transport=tcp", code: 1, fails: "sipwerk: x cannot be reached: …\n"},
		{args: "call sip:x@HOST --play missing.wav", code: 1, fails: "sipwerk: stat missing.wav: no such file or directory\n"},
		{args: "call sip:x@HOST --ca /dev/null", code: 1, fails: "sipwerk: --ca: /dev/null holds no certificate in PEM; name another file\n"},
		{args: "call http://example.org", code: 3, fails: "…416 Unsupported URI Scheme…"},
		{args: "call sip:x@HOST --trace --ring 100ms", code: 4, want: "calling…", fails: "…INVITE sip:x@HOST SIP/2.0\r\n…CANCEL sip:x@HOST…"},
		{args: "call", code: 2, fails: "sipwerk: give URI\n…"},
		{args: "call --answer sip:x@HOST", code: 2, fails: "sipwerk: \"sip:x@HOST\" is too much\n…"},
	} {
		l.args, l.want, l.fails = strings.ReplaceAll(l.args, "HOST", host), strings.ReplaceAll(l.want, "HOST", host), strings.ReplaceAll(l.fails, "HOST", host)
		l.run(t, "", nil)
	}
}

// TestCallAnswer: one command waits, another calls it, plays, dials and records; both end well.
func TestCallAnswer(t *testing.T) {
	dir := t.TempDir()
	spoken, heard, both := filepath.Join(dir, "spoken.wav"), filepath.Join(dir, "heard.wav"), filepath.Join(dir, "both.wav")
	f, err := os.Create(spoken)
	if err != nil {
		t.Fatal(err)
	}
	w, err := audio.NewWAVWriter(f, 8000)
	if err != nil {
		t.Fatal(err)
	}
	pcm := make([]int16, 8000)
	if _, err := (&audio.Tone{Rate: 8000, Frequencies: []float64{500}, Amplitude: 8000}).ReadSamples(pcm); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.WriteSamples(pcm), w.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	out, into := io.Pipe()
	var errs bytes.Buffer
	waits := programWith(into, &errs, nil)
	code := make(chan int, 1)
	go func() {
		code <- waits.run([]string{"call", "--answer", "--listen", "udp://127.0.0.1:0", "--record", heard, "--record-both", both})
		into.Close()
	}()
	var port int
	if _, err := fmt.Fscanf(out, "waiting for a call at port %d\n", &port); err != nil {
		t.Fatal(err)
	}
	go io.Copy(io.Discard, out)
	line{args: fmt.Sprintf("call sip:bob@127.0.0.1:%d --send-digits 12 --play %s", port, spoken), want: "calling…talking\nended after 0:0…"}.run(t, "", nil)
	if c := <-code; c != 0 {
		t.Errorf("exit code %d: %s", c, &errs)
	}
	for name, least := range map[string]float64{heard: 4000, both: 2000} { // both sides are mixed by the reader, and one is silent
		r, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		wav, err := audio.NewWAVReader(r)
		if err != nil {
			t.Fatal(err)
		}
		all, err := audio.ReadAll(wav, 1<<20)
		if err != nil || len(all) < 8000 || audio.Goertzel(all[len(all)-6000:len(all)-3000], 8000, 500) < least {
			t.Errorf("%s: %v, %d samples", name, err, len(all))
		}
	}
}
