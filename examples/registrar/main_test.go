package main

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/phone"
	"github.com/sipwerk/sipwerk/sip"
)

// TestRegistrar: bob registers, alice calls him by name and hears her echo, a stranger cannot.
func TestRegistrar(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	s := server("example.org", people{"alice": "wonderland", "bob": "builder"})
	if err := s.Listen(ctx, "udp://127.0.0.1:0", "tcp://127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	udp, tcp := "sip:"+s.Addrs()[0].String(), "sip:"+s.Addrs()[1].String()+";transport=tcp"
	listen := []string{"udp://127.0.0.1:0", "tcp://127.0.0.1:0"}
	bob := &phone.Phone{URI: "sip:bob@example.org", Password: "builder", Outbound: tcp, Listen: listen}
	ready, ended := make(chan struct{}), make(chan error, 1)
	bob.Ready = func() { close(ready) }
	serving, stop := context.WithCancel(ctx)
	go func() {
		ended <- bob.Serve(serving, func(ctx context.Context, c *phone.Call) error {
			if err := c.Answer(ctx); err != nil {
				return err
			}
			return echo(c)
		})
	}()
	<-ready
	alice := &phone.Phone{URI: "sip:alice@example.org", Password: "wonderland", Outbound: udp, Listen: listen}
	call, err := alice.Dial(ctx, "bob")
	if err != nil {
		t.Fatal(err)
	}
	if e, err := call.MeasureEcho(ctx, 3*time.Second); err != nil || !e.Heard() {
		t.Errorf("%+v, %v", e, err)
	}
	if err := call.Hangup(); err != nil {
		t.Error(err)
	}
	if _, err := alice.Dial(ctx, "carol"); sip.StatusOf(err) != sip.StatusNotFound {
		t.Errorf("carol: %v", err)
	}
	mallory := &phone.Phone{URI: "sip:alice@example.org", Password: "guess", Outbound: udp, Listen: listen}
	if _, err := mallory.Dial(ctx, "bob"); sip.StatusOf(err) != sip.StatusUnauthorized {
		t.Errorf("mallory: %v", err)
	}
	stop()
	if err := errors.Join(<-ended, alice.Close(), mallory.Close()); !errors.Is(err, sip.ErrClosed) {
		t.Error(err)
	}
}

// echo says back what it hears.
func echo(c *phone.Call) error {
	pcm := make([]int16, 160)
	for {
		n, err := c.ReadSamples(pcm)
		if err == nil {
			err = c.WriteSamples(pcm[:n])
		}
		if err != nil {
			return phone.ErrEnded
		}
	}
}
