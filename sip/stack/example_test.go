package stack_test

import (
	"context"
	"fmt"
	"log"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/stack"
)

// A responder: every request is answered with 200.
func ExampleListenAndServe() {
	pong := func(ctx context.Context, w sip.ResponseWriter, r *sip.Request) error {
		return w.Respond(r.Reply(sip.StatusOK))
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // a program would go on until a signal comes
	fmt.Println(stack.ListenAndServe(ctx, sip.HandlerFunc(pong), "udp://127.0.0.1:0"))
	// Output: sip: stack closed
}

// One stack asks another what it can do.
func ExampleStack_Send() {
	ctx := context.Background()
	var callee, caller stack.Stack
	callee.Handler = sip.Go(sip.HandlerFunc(func(ctx context.Context, w sip.ResponseWriter, r *sip.Request) error {
		res := r.Reply(sip.StatusOK)
		res.Set(sip.HeaderAllow, "INVITE, ACK, BYE, CANCEL, OPTIONS")
		return w.Respond(res)
	}))
	for _, s := range []*stack.Stack{&callee, &caller} {
		if err := s.Listen(ctx, "udp://127.0.0.1:0"); err != nil {
			log.Fatal(err)
		}
		defer s.Close()
	}
	req := sip.NewRequest(sip.MethodOptions, sip.MustParseURI("sip:"+callee.Addrs()[0].String()))
	for res, err := range caller.Send(ctx, req) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(res.Status, "allows", res.Get(sip.HeaderAllow))
	}
	// Output: 200 OK allows INVITE, ACK, BYE, CANCEL, OPTIONS
}
