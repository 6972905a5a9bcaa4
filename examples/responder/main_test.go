package main

import (
	"context"
	"errors"
	"net"
	"testing"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/stack"
)

func TestResponder(t *testing.T) {
	addr := freeAddr(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, "udp://"+addr) }()
	s := &stack.Stack{Readers: 1}
	if err := s.Listen(ctx, "udp://127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	// The request is sent again until somebody listens.
	for res, err := range s.Send(ctx, sip.NewRequest(sip.MethodOptions, sip.MustParseURI("sip:"+addr))) {
		if err != nil || res.Status != sip.StatusOK {
			t.Errorf("%v, %v", res, err)
		}
	}
	cancel()
	if err := <-ended; !errors.Is(err, sip.ErrClosed) {
		t.Error(err)
	}
}

// freeAddr returns an address on loopback that nobody uses.
func freeAddr(t *testing.T) string {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.LocalAddr().String()
}
