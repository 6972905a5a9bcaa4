package phone

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/media/sdp"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/siptest"
)

// pair runs a call that bob has answered; both functions return when they are done with it.
func pair(t *testing.T, alice func(b *siptest.Bench, c *Call), bob func(ctx context.Context, c *Call) error) {
	t.Helper()
	siptest.Run(t, func(b *siptest.Bench) {
		a, bp := add(b, "alice", nil), add(b, "bob", nil)
		ended := make(chan error, 1)
		stop := serve(b, bp, func(ctx context.Context, c *Call) error {
			err := c.Answer(ctx)
			if err == nil {
				err = bob(ctx, c)
			}
			ended <- err
			return err
		})
		call, err := a.Dial(context.Background(), bp.URI)
		if err != nil {
			t.Fatal(err)
		}
		alice(b, call)
		if err := call.Hangup(); err != nil {
			t.Error(err)
		}
		if err := <-ended; err != nil && !errors.Is(err, ErrEnded) {
			t.Errorf("bob: %v", err)
		}
		stopped(t, stop)
	})
}

// echo sends back what it hears.
func echo(_ context.Context, c *Call) error {
	_, err := io.Copy(c, c)
	return err
}

// TestFiles: a file of another rate is played and what comes back is recorded.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	spoken, recorded := filepath.Join(dir, "spoken.wav"), filepath.Join(dir, "recorded.wav")
	f, err := os.Create(spoken)
	if err != nil {
		t.Fatal(err)
	}
	w, err := audio.NewWAVWriter(f, 16000)
	if err != nil {
		t.Fatal(err)
	}
	pcm := make([]int16, 2*16000)
	if _, err := (&audio.Tone{Rate: 16000, Frequencies: []float64{700}, Amplitude: 9000}).ReadSamples(pcm); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.WriteSamples(pcm), w.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	pair(t, func(b *siptest.Bench, c *Call) {
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- c.RecordFile(ctx, recorded) }()
		begin := time.Now()
		if err := c.PlayFile(ctx, spoken); err != nil {
			t.Error(err)
		}
		if d := time.Since(begin); d < 1900*time.Millisecond || d > 2100*time.Millisecond {
			t.Errorf("two seconds were played in %v", d)
		}
		if err := c.PlayFile(ctx, filepath.Join(dir, "missing.wav")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%v", err)
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}, echo)
	r, err := os.Open(recorded)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	wav, err := audio.NewWAVReader(r)
	if err != nil {
		t.Fatal(err)
	}
	heard, err := audio.ReadAll(wav, 1<<20)
	if err != nil || wav.Rate() != 8000 || len(heard) < 15000 || !loud(heard[8000:12000], 700) {
		t.Errorf("%v, %d samples at %d Hz", err, len(heard), wav.Rate())
	}
}

// TestDigits: they arrive once each and in order. RFC 4733 §2.5.
func TestDigits(t *testing.T) {
	const digits = "1234567890*#ABCD"
	pair(t, func(b *siptest.Bench, c *Call) {
		if err := c.SendDigits(context.Background(), digits); err != nil {
			t.Error(err)
		}
		if err := c.SendDigits(context.Background(), "1x"); err == nil {
			t.Error("x is sent as a digit")
		}
		<-c.Done()
	}, func(ctx context.Context, c *Call) error {
		got, err := c.ReadDigits(ctx, len(digits))
		if got != digits || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		if got, err := c.ReadDigits(ctx, 1); got != "" || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%q, %v", got, err)
		}
		return nil
	})
}

// TestHold: who is on hold is not heard, hears on, and is heard again afterwards. RFC 3264 §8.4.
func TestHold(t *testing.T) {
	var bob atomic.Pointer[Call]
	pair(t, func(b *siptest.Bench, c *Call) {
		ctx := context.Background()
		if err := c.Hold(ctx); err != nil {
			t.Fatal(err)
		}
		b.Wait(time.Second)
		if pcm := listen(c, time.Second); !bob.Load().Held() || loud(pcm[4000:], 600) {
			t.Error("alice hears bob on hold")
		}
		if err := c.Resume(ctx); err != nil {
			t.Fatal(err)
		}
		b.Wait(time.Second)
		if pcm := listen(c, time.Second); bob.Load().Held() || !loud(pcm[4000:], 600) {
			t.Error("alice does not hear bob after the hold")
		}
	}, func(ctx context.Context, c *Call) error {
		bob.Store(c)
		return tone(ctx, c, 600, time.Minute)
	})
}

// TestHoldGlare: both put each other on hold at once, and both succeed in the end.
func TestHoldGlare(t *testing.T) {
	pair(t, func(b *siptest.Bench, c *Call) {
		b.Wait(siptest.Delay) // until the ACK has come
		if err := c.Hold(context.Background()); err != nil {
			t.Error(err)
		}
		b.Wait(10 * time.Second)
		if !c.Held() {
			t.Error("bob's hold did not arrive")
		}
	}, func(ctx context.Context, c *Call) error {
		return errors.Join(c.Hold(ctx), c.await(ctx, c.done))
	})
}

// TestEarlyMedia: the caller hears what is said before the answer.
func TestEarlyMedia(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		alice, bob := add(b, "alice", nil), add(b, "bob", nil)
		stop := serve(b, bob, func(ctx context.Context, c *Call) error {
			if err := errors.Join(c.Progress(ctx), tone(ctx, c, 425, 2*time.Second)); err != nil {
				return err
			}
			return sip.StatusBusyHere
		})
		call, err := alice.Invite(context.Background(), bob.URI)
		if err != nil {
			t.Fatal(err)
		}
		if pcm := listen(call, time.Second); !loud(pcm[4000:], 425) {
			t.Error("nothing is heard before the answer")
		}
		if err := call.Wait(context.Background()); sip.StatusOf(err) != sip.StatusBusyHere {
			t.Errorf("%v", err)
		}
		stopped(t, stop)
	})
}

// TestLateOffer: the INVITE has no offer, ours comes with the 200 and the answer with the ACK. What cannot be understood is refused, and the call goes on.
func TestLateOffer(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		alice, bob := b.Phone("alice"), add(b, "bob", nil)
		stop := serve(b, bob, func(ctx context.Context, c *Call) error {
			return errors.Join(c.Answer(ctx), tone(ctx, c, 600, time.Minute))
		})
		call := alice.DialWithoutOffer(b.URI("bob"))
		call.Await("Answered")
		b.Wait(time.Second)
		if d, err := sdp.Parse([]byte(call.Remote())); err != nil || len(d.Media) != 1 || d.Media[0].Rejected() {
			t.Errorf("%v: %s", err, call.Remote())
		}
		call.Bye()
		call.Await("Ended")
		stopped(t, stop)
	})
}
