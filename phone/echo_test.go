package phone

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/sip/siptest"
)

// TestMeasureEcho: the delay is that of the network there and back, of two jitter buffers and of the frames; nothing is lost.
func TestMeasureEcho(t *testing.T) {
	pair(t, func(b *siptest.Bench, c *Call) {
		for _, length := range []time.Duration{3 * time.Second, 5 * time.Second, 20 * time.Second} {
			e, err := c.MeasureEcho(context.Background(), length)
			if err != nil || e.Likeness < 0.95 || e.Dropouts != 0 || e.Loss != 0 {
				t.Errorf("%v: %+v, %v", length, e, err)
			}
			if e.Delay < 40*time.Millisecond || e.Delay > 240*time.Millisecond {
				t.Errorf("%v: delay %v", length, e.Delay)
			}
		}
	}, echo)
}

// TestMeasureEchoLateReader: who says back begins to read only after a while; the delay does not grow by that.
func TestMeasureEchoLateReader(t *testing.T) {
	pair(t, func(b *siptest.Bench, c *Call) {
		b.Wait(3 * time.Second)
		if e, err := c.MeasureEcho(context.Background(), 5*time.Second); err != nil || e.Delay > 240*time.Millisecond {
			t.Errorf("%+v, %v", e, err)
		}
	}, func(ctx context.Context, c *Call) error {
		return errors.Join(tone(ctx, c, 440, 2*time.Second), echo(ctx, c))
	})
}

// TestMeasureEchoLoss: a bad network is told from a good one.
func TestMeasureEchoLoss(t *testing.T) {
	pair(t, func(b *siptest.Bench, c *Call) {
		b.Faults(siptest.Faults{Seed: 1, Loss: 0.1})
		e, err := c.MeasureEcho(context.Background(), 5*time.Second)
		b.Faults(siptest.Faults{})
		if err != nil || e.Loss < 0.05 || e.Loss > 0.2 {
			t.Errorf("%+v, %v", e, err)
		}
	}, echo)
}

// TestMeasureNothing: somebody who says something else is not heard as an echo, and a call that ends is an error.
func TestMeasureNothing(t *testing.T) {
	pair(t, func(b *siptest.Bench, c *Call) {
		if e, err := c.MeasureEcho(context.Background(), 3*time.Second); err != nil || e.Heard() || e.Delay != 0 {
			t.Errorf("%+v, %v", e, err)
		}
		if _, err := c.MeasureEcho(context.Background(), 30*time.Second); !errors.Is(err, ErrEnded) {
			t.Error(err)
		}
	}, func(ctx context.Context, c *Call) error { return tone(ctx, c, 440, 10*time.Second) })
}
