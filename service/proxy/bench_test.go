package proxy

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// quiet is an engine that takes every order and forgets it.
type quiet struct {
	last  sip.TransactionID
	owner sip.EventHandler
	work  sip.Request
	room  []byte
}

func (q *quiet) Start(_ sip.Stripe, req *sip.Request, _ sip.Destination, h sip.EventHandler) (sip.TransactionID, error) {
	q.last++
	q.owner = h
	q.work.Borrow(req)
	q.room = q.work.AppendTo(q.room[:0])
	return q.last, nil
}
func (q *quiet) Respond(sip.TransactionID, *sip.Response) error              { return nil }
func (q *quiet) RespondOnce(sip.TransactionID, *sip.Response) error          { return nil }
func (q *quiet) Cancel(sip.TransactionID, string) error                      { return nil }
func (q *quiet) Ack(sip.Stripe, *sip.Request, sip.Destination) error         { return nil }
func (q *quiet) Own(sip.TransactionID, sip.EventHandler) error               { return nil }
func (q *quiet) Accept(sip.TransactionID, *sip.Request, *sip.Response) error { return nil }
func (q *quiet) Do(sip.Stripe, func())                                       {}
func (q *quiet) After(sip.Stripe, time.Duration, func()) sip.Timer           { return nil }
func (q *quiet) NewID(sip.Stripe) string                                     { return "id" }
func (q *quiet) Local(string, uint16) bool                                   { return false }
func (q *quiet) Advertised(sip.Flow) (string, uint16)                        { return "192.0.2.1", 5060 }
func (q *quiet) Serves(uri sip.URI) bool                                     { return uri.Host == "example.org" }
func (q *quiet) Locate(f *Found, _ sip.URI) sip.Status {
	f.Targets = append(f.Targets, Target{URI: sip.URI{Scheme: "sip", User: "bob", Host: "192.0.2.7", Port: 5090}, Q: 1000})
	return 0
}

// course is what happens to one request: the message, and the response that comes.
func course(tb testing.TB, method sip.Method, response string) func() {
	q := new(quiet)
	p := &Proxy{Locator: q, Addresses: q}
	b := []byte(strings.ReplaceAll(string(method)+" sip:bob@example.org SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKabcdef;rport\nMax-Forwards: 70\n"+
		"From: <sip:alice@example.org>;tag=a\nTo: <sip:bob@example.org>\nCall-ID: 1234-5678@192.0.2.9\nCSeq: 1 "+string(method)+
		"\nContact: <sip:alice@192.0.2.9:5060>\nContent-Type: text/plain\nContent-Length: 5\n\nhello", "\n", "\r\n"))
	res, err := sip.ParseResponse([]byte(strings.ReplaceAll(response+"\nVia: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKabcdef;rport\nFrom: <sip:alice@example.org>;tag=a\n"+
		"To: <sip:bob@example.org>;tag=b\nCall-ID: 1234-5678@192.0.2.9\nCSeq: 1 "+string(method)+"\nContent-Length: 0\n\n", "\n", "\r\n")))
	if err != nil {
		tb.Fatal(err)
	}
	var req sip.Request
	asked := &sip.Event{Engine: q, Flow: sip.Flow{Transport: sip.UDP, Remote: netip.MustParseAddrPort("192.0.2.9:5060")}}
	answered := &sip.Event{Kind: sip.EventResponse, Engine: q, Response: res}
	return func() {
		q.last++
		if err := req.Parse(b); err != nil {
			tb.Fatal(err)
		}
		asked.Kind, asked.Tx, asked.Request = sip.EventRequest, q.last, &req
		p.HandleEvent(asked)
		answered.Tx = q.last
		q.owner.HandleEvent(answered)
	}
}

// What is forwarded to one target allocates nothing but the name of its server transaction, once a call is answered.
func TestAllocations(t *testing.T) {
	for _, c := range []struct {
		method sip.Method
		most   float64
	}{{sip.MethodMessage, 0}, {sip.MethodInvite, 1}} {
		run := course(t, c.method, "SIP/2.0 200 OK")
		if n := testing.AllocsPerRun(100, run); n > c.most {
			t.Errorf("%s: %v allocations", c.method, n)
		}
	}
}

func BenchmarkInvite(b *testing.B)  { benchmark(b, sip.MethodInvite) }
func BenchmarkMessage(b *testing.B) { benchmark(b, sip.MethodMessage) }

func benchmark(b *testing.B, method sip.Method) {
	run := course(b, method, "SIP/2.0 200 OK")
	b.ReportAllocs()
	for b.Loop() {
		run()
	}
}
