package phone

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/siptest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// add puts a phone on a host of its own; change, if not nil, sets more of its fields. It is closed and audited at the end of the bench.
func add(b *siptest.Bench, name string, change func(*Phone)) *Phone {
	b.T.Helper()
	host := b.Host(name)
	p := &Phone{URI: b.URI(name).String(), Listen: []string{"udp://:5060", "tcp://:5060"}, Network: host, Resolver: &b.Net.Names,
		Log: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(p)
	}
	b.Watch(siptest.Watched{Name: name, Host: host, Left: func() []string {
		if p.line.table != nil && p.line.table.Len() > 0 {
			return []string{name + " has calls"}
		}
		return nil
	}, Close: func() {
		if err := p.Close(); err != nil {
			b.T.Errorf("%s: close: %v", name, err)
		}
	}})
	return p
}

// serve lets a phone take calls in the background; the function returned ends that and gives the outcome.
func serve(b *siptest.Bench, p *Phone, answer func(context.Context, *Call) error) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Serve(ctx, answer) }()
	b.Wait(0)
	return func() error {
		cancel()
		return <-ended
	}
}

// stopped ends what serve began and demands that it ended as it should.
func stopped(t *testing.T, stop func() error) {
	t.Helper()
	if err := stop(); !errors.Is(err, sip.ErrClosed) {
		t.Errorf("Serve returned %v", err)
	}
}

// tone says a sine for a while.
func tone(ctx context.Context, c *Call, frequency float64, d time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	err := c.Play(ctx, &audio.Tone{Rate: c.Rate(), Frequencies: []float64{frequency}, Amplitude: 8000})
	if errors.Is(err, context.DeadlineExceeded) {
		err = nil
	}
	return err
}

// listen hears for a while.
func listen(c *Call, d time.Duration) []int16 {
	var heard []int16
	pcm := make([]int16, c.Rate()/frames)
	for len(heard) < int(d.Seconds()*float64(c.Rate())) {
		n, err := c.ReadSamples(pcm)
		heard = append(heard, pcm[:n]...)
		if err != nil {
			break
		}
	}
	return heard
}

// loud reports whether a frequency is heard.
func loud(pcm []int16, frequency float64) bool { return audio.Goertzel(pcm, 8000, frequency) > 4000 }
