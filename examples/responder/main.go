// Command responder answers every request with 200 OK: `go run ./examples/responder`.
package main

import (
	"context"
	"log"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/stack"
)

func main() { log.Fatal(run(context.Background(), "udp://:5060", "tcp://:5060")) }

func run(ctx context.Context, urls ...string) error {
	ok := func(ctx context.Context, w sip.ResponseWriter, r *sip.Request) error {
		return w.Respond(r.Reply(sip.StatusOK))
	}
	return stack.ListenAndServe(ctx, sip.HandlerFunc(ok), urls...)
}
