package main

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/phone"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/siptest"
)

func TestTelephone(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		p := &phone.Phone{URI: "sip:echo@example.org", Listen: []string{"udp://:5060"}, Network: b.Host("echo"), Resolver: &b.Net.Names}
		go func() { ended <- run(ctx, p) }()
		b.Wait(0)
		caller := &phone.Phone{Listen: []string{"udp://:5060"}, Network: b.Host("caller"), Resolver: &b.Net.Names}
		call, err := caller.Dial(ctx, "sip:echo@echo.test")
		if err != nil {
			t.Fatal(err)
		}
		greeting := make([]int16, call.Rate())
		for n := 0; n < len(greeting); {
			m, err := call.ReadSamples(greeting[n:])
			if err != nil {
				t.Fatal(err)
			}
			n += m
		}
		if audio.Goertzel(greeting[2000:3000], call.Rate(), 523)+audio.Goertzel(greeting[2000:3000], call.Rate(), 659) < 2000 {
			t.Error("no greeting is heard")
		}
		b.Wait(2 * time.Second)
		if e, err := call.MeasureEcho(ctx, 3*time.Second); err != nil || !e.Heard() {
			t.Errorf("%+v, %v", e, err)
		}
		cancel()
		if err := errors.Join(<-ended, caller.Close()); !errors.Is(err, sip.ErrClosed) {
			t.Error(err)
		}
	})
}
