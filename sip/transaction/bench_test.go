// What a transaction costs, without sockets.

package transaction

import (
	"context"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/transport"
)

// sink is a Wire that forgets what is sent; over a stream it keeps the last message.
type sink struct{ last []byte }

func (w *sink) Resolve(context.Context, sip.URI) ([]transport.Target, error) { return nil, nil }
func (w *sink) Flow(transport.Target) (sip.Flow, bool)                       { return flowToPeer(), true }
func (w *sink) Connect(context.Context, transport.Target) (sip.Flow, error) {
	return sip.Flow{}, sip.ErrNoRoute
}
func (w *sink) Flush(*transport.Outbox)              {}
func (w *sink) Advertised(sip.Flow) (string, uint16) { return "192.0.2.2", 5060 }
func (w *sink) Send(_ *transport.Outbox, f sip.Flow, b []byte) error {
	if f.Transport.Reliable() {
		w.last = append(w.last[:0], b...)
	}
	return nil
}

func flowToPeer() sip.Flow {
	return sip.Flow{Transport: sip.UDP, Local: netip.MustParseAddrPort("192.0.2.2:5060"), Remote: netip.MustParseAddrPort("192.0.2.1:5060")}
}

const benchRequest = "OPTIONS sip:bob@192.0.2.2 SIP/2.0\r\n" +
	"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK%08d;rport=5060;received=192.0.2.1\r\n" +
	"Max-Forwards: 70\r\nFrom: <sip:alice@192.0.2.1>;tag=a%08d\r\nTo: <sip:bob@192.0.2.2>\r\n" +
	"Call-ID: %08d@192.0.2.1\r\nCSeq: 1 OPTIONS\r\nContact: <sip:alice@192.0.2.1:5060>\r\nContent-Length: 0\r\n\r\n"

// benchTable is a table whose transactions last 64 ms after the answer.
func benchTable(b *testing.B, h sip.EventHandler) (*Table, *sink) {
	w := new(sink)
	t := &Table{Wire: w, Handler: h, Timers: Timers{T1: time.Millisecond}}
	if err := t.Open(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(t.Close)
	return t, w
}

// BenchmarkServer prints and parses a request, gives it to a handler that answers at once, and sends the answer; the row ends later.
func BenchmarkServer(b *testing.B) {
	var answers [sip.Stripes]sip.Response
	var t *Table
	t, _ = benchTable(b, sip.EventHandlerFunc(func(ev *sip.Event) {
		res := &answers[ev.Stripe]
		res.ReplyTo(ev.Request, sip.StatusOK)
		if err := t.Respond(ev.Tx, res); err != nil {
			b.Error(err)
		}
	}))
	// A packet may wait while the timers of its stripe run, so there are many.
	packets, requests, raws := make([]transport.Packet, 4096), make([]sip.Request, 4096), make([][]byte, 4096)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		n := i % len(packets)
		p, req := &packets[n], &requests[n]
		raws[n] = fmt.Appendf(raws[n][:0], benchRequest, i, i, i)
		if err := req.Parse(raws[n]); err != nil {
			b.Fatal(err)
		}
		p.Request, p.Flow = req, flowToPeer()
		p.Via, _ = req.Via()
		t.Receive(p)
	}
	b.StopTimer()
	if got := t.Stats(); got.Requests != uint64(b.N) {
		b.Errorf("%d of %d requests answered: %+v", got.Requests, b.N, got)
	}
}

// BenchmarkClient starts a transaction over a stream and gives it its answer.
func BenchmarkClient(b *testing.B) {
	t, w := benchTable(b, nil)
	req, err := sip.ParseRequest(fmt.Appendf(nil, benchRequest, 1, 1, 1))
	if err != nil {
		b.Fatal(err)
	}
	answered := 0
	owner := sip.EventHandlerFunc(func(ev *sip.Event) { answered++ })
	flow := flowToPeer()
	flow.Transport, flow.ID = sip.TCP, 1
	p := transport.Packet{Flow: flow}
	var sent sip.Request
	var res, got sip.Response
	var bytes []byte
	n := sip.Stripe(0)
	start := func() {
		if _, err := t.Start(n, req, sip.Destination{Flow: flow}, owner); err != nil {
			b.Error(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		n = (n + 1) % sip.Stripes
		t.stripes[n].enter(job{run: start}, nil)
		if err := sent.Parse(w.last); err != nil {
			b.Fatal(err)
		}
		res.ReplyTo(&sent, sip.StatusOK)
		bytes = res.AppendTo(bytes[:0])
		if err := got.Parse(bytes); err != nil {
			b.Fatal(err)
		}
		p.Response = &got
		p.Via, _ = got.Via()
		t.Receive(&p)
	}
	if answered != b.N {
		b.Errorf("%d of %d answered", answered, b.N)
	}
}
