package phone

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/siptest"
)

// TestCall: two phones call each other directly, hear each other, and one hangs up.
func TestCall(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		alice, bob := add(b, "alice", nil), add(b, "bob", nil)
		ctx := context.Background()
		heard := make(chan []int16, 1)
		stop := serve(b, bob, func(ctx context.Context, c *Call) error {
			if !c.Incoming() || c.Remote().URI.User != "alice" {
				t.Errorf("call from %v", c.Remote())
			}
			if err := errors.Join(c.Ring(), c.Answer(ctx)); err != nil {
				return err
			}
			go func() { heard <- listen(c, time.Second) }()
			return tone(ctx, c, 600, time.Minute)
		})
		call, err := alice.Dial(ctx, bob.URI)
		if err != nil {
			t.Fatal(err)
		}
		if call.State() != Talking || call.Rate() != 8000 {
			t.Errorf("state %v, rate %d", call.State(), call.Rate())
		}
		said := make(chan error, 1)
		go func() { said <- tone(ctx, call, 1000, 2*time.Second) }()
		if pcm := listen(call, time.Second); !loud(pcm[4000:], 600) || loud(pcm[4000:], 1000) {
			t.Error("alice does not hear bob")
		}
		if pcm := <-heard; !loud(pcm[4000:], 1000) || loud(pcm[4000:], 600) {
			t.Error("bob does not hear alice")
		}
		if err := <-said; err != nil {
			t.Error(err)
		}
		b.Wait(10 * time.Second) // for reports
		s := call.Statistics()
		if s.Received < 400 || s.Lost != 0 || s.Loss() != 0 || s.Sent < 400 || s.Duration < 10*time.Second {
			t.Errorf("%+v", s)
		}
		if s.RoundTrip < 19900*time.Microsecond || s.RoundTrip > 30*time.Millisecond {
			t.Errorf("round trip %v", s.RoundTrip)
		}
		if err := call.Hangup(); err != nil || call.State() != Over || call.Err() != nil {
			t.Errorf("%v, %v, %v", err, call.State(), call.Err())
		}
		if _, err := call.Write(make([]byte, 320)); !errors.Is(err, ErrEnded) {
			t.Errorf("write after the end: %v", err)
		}
		if _, err := call.Read(make([]byte, 320)); err != io.EOF {
			t.Errorf("read after the end: %v", err)
		}
		if err := call.Hangup(); err != nil {
			t.Errorf("hang up twice: %v", err)
		}
		stopped(t, stop)
	})
}

// TestRefusal: what the function of Serve returns is the reply, and the caller's error.
func TestRefusal(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer func(context.Context, *Call) error
		want   sip.Status
	}{
		{"status", func(context.Context, *Call) error { return sip.StatusBusyHere }, sip.StatusBusyHere},
		{"reject", func(_ context.Context, c *Call) error { return c.Reject(sip.StatusDecline) }, sip.StatusDecline},
		{"nothing", func(context.Context, *Call) error { return nil }, sip.StatusTemporarilyUnavailable},
		{"hang up", func(_ context.Context, c *Call) error { return c.Hangup() }, sip.StatusTemporarilyUnavailable},
		{"error", func(context.Context, *Call) error { return errors.New("secret") }, sip.StatusServerInternalError},
		{"panic", func(context.Context, *Call) error { panic("secret") }, sip.StatusServerInternalError},
		{"ring first", func(_ context.Context, c *Call) error { return errors.Join(c.Ring(), sip.StatusBusyHere) }, sip.StatusBusyHere},
	} {
		t.Run(c.name, func(t *testing.T) {
			siptest.Run(t, func(b *siptest.Bench) {
				alice, bob := add(b, "alice", nil), add(b, "bob", nil)
				stop := serve(b, bob, c.answer)
				call, err := alice.Dial(context.Background(), bob.URI)
				if status, ok := errors.AsType[sip.Status](err); call != nil || !ok || status != c.want {
					t.Errorf("%v, want %v", err, c.want)
				}
				stopped(t, stop)
			})
		})
	}
}

// TestNobody: a phone that does not serve refuses; a host without a phone is a time-out; what is no address is refused at once.
func TestNobody(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		alice, bob := add(b, "alice", nil), add(b, "bob", nil)
		b.Host("nobody")
		if _, err := bob.Addrs(context.Background()); err != nil {
			t.Fatal(err)
		}
		for uri, want := range map[string]sip.Status{
			bob.URI:                  sip.StatusTemporarilyUnavailable,
			b.URI("nobody").String(): sip.StatusRequestTimeout,
			"sip:x@missing.test":     sip.StatusServiceUnavailable,
			"http://example.org":     sip.StatusUnsupportedURIScheme,
			"sip:x@a b":              sip.StatusBadRequest,
		} {
			_, err := alice.Dial(context.Background(), uri)
			if err == nil || sip.StatusOf(err) != want || errors.Is(err, ErrUnreachable) != (want == sip.StatusServiceUnavailable) {
				t.Errorf("%s: %v, want %v", uri, err, want)
			}
		}
	})
}

// TestCancel: the end of the context gives the call up; who is called learns of it.
func TestCancel(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		alice, bob := add(b, "alice", nil), add(b, "bob", nil)
		given := make(chan error, 1)
		stop := serve(b, bob, func(ctx context.Context, c *Call) error {
			if err := c.Ring(); err != nil {
				return err
			}
			<-ctx.Done()
			given <- context.Cause(ctx)
			return ctx.Err()
		})
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		call, err := alice.Invite(ctx, bob.URI)
		if err != nil {
			t.Fatal(err)
		}
		b.Wait(time.Second)
		if call.State() != Ringing {
			t.Errorf("state %v", call.State())
		}
		if err := call.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		if err := <-given; !errors.Is(err, ErrEnded) || sip.StatusOf(err) != sip.StatusRequestTerminated {
			t.Errorf("bob's context ended with %v", err)
		}
		<-call.Done()
		if sip.StatusOf(call.Err()) != sip.StatusRequestTerminated {
			t.Errorf("%v", call.Err())
		}
		stopped(t, stop)
	})
}

// TestHangupWhileRinging: the caller hangs up, the peer sees a CANCEL.
func TestHangupWhileRinging(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		alice, bob := add(b, "alice", nil), add(b, "bob", nil)
		stop := serve(b, bob, func(ctx context.Context, c *Call) error { <-ctx.Done(); return nil })
		call, err := alice.Invite(context.Background(), bob.URI)
		if err != nil {
			t.Fatal(err)
		}
		b.Wait(time.Second)
		if err := call.Hangup(); err != nil || call.State() != Over {
			t.Errorf("%v, %v", err, call.State())
		}
		stopped(t, stop)
	})
}

// TestCalleeHangsUp: the function returns, the call is over for the caller without error, and its readers get the end of the file.
func TestCalleeHangsUp(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		alice, bob := add(b, "alice", nil), add(b, "bob", nil)
		stop := serve(b, bob, func(ctx context.Context, c *Call) error {
			return errors.Join(c.Answer(ctx), tone(ctx, c, 600, time.Second))
		})
		call, err := alice.Dial(context.Background(), bob.URI)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, call); err != nil {
			t.Error(err)
		}
		<-call.Done()
		if call.Err() != nil {
			t.Error(call.Err())
		}
		stopped(t, stop)
	})
}

// TestClose: a phone that is closed hangs up its calls, and does nothing afterwards.
func TestClose(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		alice, bob := add(b, "alice", nil), add(b, "bob", nil)
		stop := serve(b, bob, func(ctx context.Context, c *Call) error {
			if err := c.Answer(ctx); err != nil {
				return err
			}
			_, err := io.Copy(c, c)
			return err
		})
		call, err := alice.Dial(context.Background(), bob.URI)
		if err != nil {
			t.Fatal(err)
		}
		stopped(t, stop) // bob's phone goes and hangs up
		<-call.Done()
		if err := call.Err(); err != nil {
			t.Error(err)
		}
		if _, err := bob.Dial(context.Background(), alice.URI); !errors.Is(err, sip.ErrClosed) {
			t.Errorf("a closed phone dials: %v", err)
		}
	})
}

// TestConnection: a call over TCP stays on its connection until the end, whatever the peer writes into its Contact.
func TestConnection(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		alice, bob := add(b, "alice", nil), add(b, "bob", nil)
		stop := serve(b, bob, func(ctx context.Context, c *Call) error {
			return errors.Join(c.Answer(ctx), tone(ctx, c, 600, time.Minute))
		})
		call, err := alice.Dial(context.Background(), bob.URI+";transport=tcp")
		if err != nil {
			t.Fatal(err)
		}
		if pcm := listen(call, time.Second); !loud(pcm[4000:], 600) {
			t.Error("alice does not hear bob")
		}
		if err := errors.Join(call.Hold(context.Background()), call.Hangup()); err != nil {
			t.Error(err)
		}
		if n := alice.line.stack.Transport().Stats.Dialed.Load() + bob.line.stack.Transport().Stats.Dialed.Load(); n != 1 {
			t.Errorf("%d connections were opened for one call", n)
		}
		stopped(t, stop)
	})
}

// TestBadNetwork: calls over a network that loses, doubles and reorders end as they should.
func TestBadNetwork(t *testing.T) {
	for seed := range uint64(5) {
		f := siptest.Faults{Seed: seed, Loss: 0.2, Duplicate: 0.1, Reorder: 0.1, Jitter: 5 * time.Millisecond}
		t.Run(f.String(), func(t *testing.T) {
			siptest.Run(t, func(b *siptest.Bench) {
				alice, bob := add(b, "alice", nil), add(b, "bob", nil)
				stop := serve(b, bob, func(ctx context.Context, c *Call) error {
					return errors.Join(c.Ring(), c.Answer(ctx), tone(ctx, c, 600, time.Minute))
				})
				call, err := alice.Dial(context.Background(), bob.URI)
				if err != nil {
					t.Fatal(err)
				}
				if pcm := listen(call, 2*time.Second); !loud(pcm[8000:], 600) {
					t.Error("alice does not hear bob")
				}
				if s := call.Statistics(); s.Lost == 0 || s.Loss() > 0.4 {
					t.Errorf("%d lost, %v", s.Lost, s.Loss())
				}
				if err := call.Hangup(); err != nil {
					t.Error(err)
				}
				stopped(t, stop)
			}, f)
		})
	}
}
