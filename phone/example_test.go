package phone_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/phone"
	"github.com/sipwerk/sipwerk/sip"
)

// A telephone that says back what it hears, and another one that calls it.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	ready, ended := make(chan struct{}), make(chan struct{})
	bob := &phone.Phone{URI: "sip:bob@127.0.0.1", Listen: []string{"udp://127.0.0.1:0"}, Ready: func() { close(ready) }}
	go func() {
		defer close(ended)
		bob.Serve(ctx, func(ctx context.Context, call *phone.Call) error {
			if err := call.Answer(ctx); err != nil {
				return err
			}
			_, err := io.Copy(call, call)
			return err
		})
	}()
	<-ready
	addrs, err := bob.Addrs(ctx)
	if err != nil {
		log.Fatal(err)
	}
	alice := &phone.Phone{URI: "sip:alice@127.0.0.1"}
	defer alice.Close()
	call, err := alice.Dial(ctx, "sip:bob@"+addrs[0].String())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(call.State(), "at", call.Rate(), "Hz")
	call.Hangup()
	fmt.Println(call.State())
	cancel()
	<-ended
	// Output:
	// talking at 8000 Hz
	// over
}

// What went wrong with a call is a status.
func ExamplePhone_Dial() {
	p := &phone.Phone{URI: "sip:alice@127.0.0.1", Listen: []string{"udp://127.0.0.1:0"}}
	defer p.Close()
	addrs, err := p.Addrs(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	_, err = p.Dial(context.Background(), "sip:alice@"+addrs[0].String()) // itself, who takes no calls
	fmt.Println(sip.StatusOf(err) == sip.StatusTemporarilyUnavailable)
	// Output:
	// true
}

// A telephone that lets its caller hear for a while how somebody's telephone rings in France, and then that they are busy.
func ExampleCall_Play() {
	france := audio.SignalsOf("FR")
	p := &phone.Phone{URI: "sip:nobody@example.org", Listen: []string{"udp://:5060"}}
	log.Fatal(p.Serve(context.Background(), func(ctx context.Context, call *phone.Call) error {
		if err := call.Answer(ctx); err != nil {
			return err
		}
		if err := call.Play(ctx, france.Ringback.Once(call.Rate())); err != nil {
			return err
		}
		return call.Play(ctx, france.Busy.Once(call.Rate()))
	}))
}
