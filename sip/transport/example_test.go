package transport_test

import (
	"context"
	"fmt"
	"log"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/transport"
)

// A request without a transaction: where it goes is resolved by RFC 3263, and the answer comes back by its Via.
func ExampleLayer() {
	ctx := context.Background()
	answers := make(chan string, 1)
	var server, client transport.Layer
	server.Handle = func(p *transport.Packet) {
		via, err := p.Request.Via()
		if err == nil {
			err = server.Send(p.Out, transport.ResponseFlow(p.Flow, via), p.Request.Reply(sip.StatusOK).AppendTo(nil))
		}
		p.Release()
		if err != nil {
			log.Print(err)
		}
	}
	client.Handle = func(p *transport.Packet) {
		answers <- p.Response.Status.Error()
		p.Release()
	}
	defer server.Close()
	defer client.Close()
	addr, err := server.Listen(ctx, "udp://127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	if _, err := client.Listen(ctx, "udp://127.0.0.1:0"); err != nil {
		log.Fatal(err)
	}

	uri := sip.MustParseURI("sip:" + addr.String())
	targets, err := client.Resolve(ctx, uri)
	if err != nil {
		log.Fatal(err)
	}
	flow, _ := client.Flow(targets[0]) // a datagram needs no connection
	host, port := client.Advertised(flow)
	req := sip.NewRequest(sip.MethodOptions, uri)
	req.PrependVia(sip.Via{Transport: flow.Transport.String(), Host: host, Port: port, Params: ";branch=" + sip.MagicCookie + "1;rport"})
	req.Set(sip.HeaderFrom, "<sip:alice@example.org>;tag=1")
	req.Set(sip.HeaderTo, "<"+uri.String()+">")
	req.Set(sip.HeaderCallID, "example")
	req.Set(sip.HeaderCSeq, "1 OPTIONS")
	req.Set(sip.HeaderMaxForwards, "70")
	if err := client.Send(nil, flow, req.AppendTo(nil)); err != nil {
		log.Fatal(err)
	}
	fmt.Println(<-answers)
	// Output: 200 OK
}
