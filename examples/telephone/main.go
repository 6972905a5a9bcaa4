// Command telephone greets whoever calls, and then says back what it hears: `cd examples/telephone; go run .`.
package main

import (
	"context"
	"io"
	"log"

	"github.com/sipwerk/sipwerk/phone"
)

func main() {
	log.Fatal(run(context.Background(), &phone.Phone{URI: "sip:echo@example.org", Listen: []string{"udp://:5060"}}))
}

func run(ctx context.Context, p *phone.Phone) error {
	return p.Serve(ctx, func(ctx context.Context, call *phone.Call) error {
		if err := call.Answer(ctx); err != nil {
			return err
		}
		if err := call.PlayFile(ctx, "welcome.wav"); err != nil {
			return err
		}
		_, err := io.Copy(call, call)
		return err
	})
}
