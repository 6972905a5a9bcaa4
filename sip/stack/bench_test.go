// What a request costs over loopback, kernel included.

package stack_test

import (
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/stack"
)

// BenchmarkOptions has a plain socket ask and a stack answer over UDP, 64 requests under way.
func BenchmarkOptions(b *testing.B) {
	var answers [sip.Stripes]sip.Response
	s := &stack.Stack{Handler: sip.EventHandlerFunc(func(ev *sip.Event) {
		res := &answers[ev.Stripe]
		res.ReplyTo(ev.Request, sip.StatusOK)
		if err := ev.Engine.Respond(ev.Tx, res); err != nil {
			b.Error(err)
		}
	})}
	if err := s.Listen(b.Context(), "udp://127.0.0.1:0"); err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(s.Addrs()[0]))
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	const window = 64
	in := make([]byte, 2048)
	var out []byte
	answered := 0
	take := func() {
		conn.SetReadDeadline(time.Now().Add(time.Second))
		if _, err := conn.Read(in); err != nil {
			b.Fatal(err)
		}
		answered++
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		out = fmt.Appendf(out[:0], "OPTIONS sip:bob@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK%d;rport\r\nMax-Forwards: 70\r\n"+
			"From: <sip:alice@127.0.0.1>;tag=%d\r\nTo: <sip:bob@127.0.0.1>\r\nCall-ID: %d@127.0.0.1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n", i, i, i)
		if _, err := conn.Write(out); err != nil {
			b.Fatal(err)
		}
		if i-answered >= window {
			take()
		}
	}
	for answered < b.N {
		take()
	}
}
