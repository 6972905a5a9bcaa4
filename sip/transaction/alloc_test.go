// What must cost no memory: a request answered on the spot, and a call forwarded, in steady state.

package transaction

import (
	"context"
	"net/netip"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/transport"
)

// forwarder is the least of a stateful proxy: one callee, and no state but the name of the other transaction.
type forwarder struct {
	table *Table
	to    sip.Flow
	work  [sip.Stripes]sip.Request
	idle  []*passage
}

// passage is a request on its way through.
type passage struct {
	home *forwarder
	tx   sip.TransactionID
}

// HandleEvent takes a request or an ACK.
func (f *forwarder) HandleEvent(ev *sip.Event) {
	if ev.Request == nil {
		return
	}
	w := &f.work[ev.Stripe]
	w.Borrow(ev.Request)
	to := sip.Destination{Flow: f.to}
	if ev.Kind == sip.EventAck {
		_ = f.table.Ack(ev.Stripe, w, to)
		return
	}
	if len(f.idle) == 0 {
		f.idle = append(f.idle, &passage{home: f})
	}
	p := f.idle[len(f.idle)-1]
	f.idle = f.idle[:len(f.idle)-1]
	p.tx = ev.Tx
	_, _ = f.table.Start(ev.Stripe, w, to, p)
}

// HandleEvent takes a response.
func (p *passage) HandleEvent(ev *sip.Event) {
	if ev.Kind != sip.EventResponse {
		return
	}
	final := ev.Response.Status.Final()
	_ = p.home.table.Respond(p.tx, ev.Response)
	if final {
		_ = p.home.table.Own(ev.Tx, sip.EventHandlerFunc(forgotten))
		p.home.idle = append(p.home.idle, p)
	}
}

func forgotten(*sip.Event) {}

// ends are the two ends of calls through a table, and the Wire between: it keeps the last message for the callee, and counts those for the caller.
type ends struct {
	table          *Table
	caller, callee sip.Flow
	n, answers     int
	last, said     []byte // to the callee, to the caller
	out            []byte
	packet         transport.Packet
	outbox         transport.Outbox
	request, sent  sip.Request
	response       sip.Response
	reply          sip.Response
}

func (e *ends) Resolve(context.Context, sip.URI) ([]transport.Target, error) { return nil, nil }
func (e *ends) Flow(transport.Target) (sip.Flow, bool)                       { return e.callee, true }
func (e *ends) Connect(context.Context, transport.Target) (sip.Flow, error) {
	return sip.Flow{}, sip.ErrNoRoute
}
func (e *ends) Flush(*transport.Outbox)              {}
func (e *ends) Advertised(sip.Flow) (string, uint16) { return "192.0.2.2", 5060 }
func (e *ends) Send(_ *transport.Outbox, f sip.Flow, b []byte) error {
	if f == e.callee {
		e.last = append(e.last[:0], b...)
	} else {
		e.said = append(e.said[:0], b...)
		e.answers++
	}
	return nil
}

// pages is how many pages of rows, of what stands beside them and of copies the stripes hold.
func (e *ends) pages() (held int) {
	for i := range e.table.stripes {
		s, done := &e.table.stripes[i], make(chan struct{})
		s.enter(job{run: func() { // timers run there, too
			defer close(done)
			held += len(s.slab.pages) + len(s.extras.pages)
			for class := range s.copies {
				held += len(s.copies[class].pages)
			}
		}}, nil)
		<-done
	}
	return held
}

// Half a minute after the last call a table holds nothing of them, and takes the next.
func TestTableRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &ends{caller: flowToPeer(), callee: flowToPeer()}
		e.callee.Remote = netip.MustParseAddrPort("192.0.2.3:5060")
		e.table = &Table{Wire: e, UserAgent: "Sipwerk"}
		if err := e.table.Open(); err != nil {
			t.Fatal(err)
		}
		defer e.table.Close()
		e.table.Handler = &forwarder{table: e.table, to: e.callee}
		for range 2 {
			for range 500 {
				e.call(t)
			}
			if e.pages() == 0 {
				t.Fatal("no pages are held")
			}
			time.Sleep(40 * time.Second)
			synctest.Wait()
			if got := e.table.Audit(); got.Rows != 0 || e.pages() != 0 || e.answers != 2*e.n {
				t.Errorf("%d pages are held, %d answers to %d calls; left: %+v", e.pages(), e.answers, e.n, got)
			}
		}
	})
}

// newEnds makes a table whose transactions linger for 32 ms. Its alarm never rings: whoever passes sees to the timers.
func newEnds(t testing.TB) *ends {
	e := &ends{caller: flowToPeer(), callee: flowToPeer()}
	e.callee.Remote = netip.MustParseAddrPort("192.0.2.3:5060")
	e.table = &Table{Wire: e, UserAgent: "Sipwerk", Timers: Timers{T1: 500 * time.Microsecond}}
	if err := e.table.Open(); err != nil {
		t.Fatal(err)
	}
	e.table.alarm.at.Store(0)
	t.Cleanup(e.table.Close)
	return e
}

// ask has the caller send a request of call n.
func (e *ends) ask(t testing.TB, method sip.Method, branch, tag string) {
	b := append(e.out[:0], method...)
	b = append(b, " sip:bob@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK"...)
	b = strconv.AppendInt(b, int64(e.n), 10)
	b = append(b, branch...)
	b = append(b, ";rport=5060;received=192.0.2.1\r\nMax-Forwards: 70\r\nFrom: <sip:alice@192.0.2.1>;tag=a\r\nTo: <sip:bob@192.0.2.2>"...)
	b = append(b, tag...)
	b = append(b, "\r\nCall-ID: "...)
	b = strconv.AppendInt(b, int64(e.n), 10)
	b = append(b, "@192.0.2.1\r\nCSeq: 1 "...)
	b = append(b, method...)
	e.out = append(b, "\r\nContact: <sip:alice@192.0.2.1:5060>\r\nContent-Length: 0\r\n\r\n"...)
	if err := e.request.Parse(e.out); err != nil {
		t.Fatal(err)
	}
	e.packet = transport.Packet{Flow: e.caller, Request: &e.request, Out: &e.outbox}
	e.packet.Via, _ = e.request.Via()
	e.table.Receive(&e.packet)
}

// answer has the callee answer the last request that it got.
func (e *ends) answer(t testing.TB, status sip.Status) {
	if err := e.sent.Parse(e.last); err != nil {
		t.Fatal(err)
	}
	e.reply.ReplyTo(&e.sent, status)
	e.reply.AddTag(sip.HeaderTo, "b")
	e.out = e.reply.AppendTo(e.out[:0])
	if err := e.response.Parse(e.out); err != nil {
		t.Fatal(err)
	}
	e.packet = transport.Packet{Flow: e.callee, Response: &e.response, Out: &e.outbox}
	e.packet.Via, _ = e.response.Via()
	e.table.Receive(&e.packet)
}

// call sets up a call through a forwarder, without its end.
func (e *ends) call(t testing.TB) {
	e.n++
	e.ask(t, sip.MethodInvite, "i", "")
	e.answer(t, sip.StatusRinging)
	e.answer(t, sip.StatusOK)
	e.ask(t, sip.MethodAck, "a", ";tag=b")
}

// options has a request answered on the spot.
func (e *ends) options(t testing.TB) {
	e.n++
	e.ask(t, sip.MethodOptions, "o", "")
}

// serveOptions makes the table answer every request.
func (e *ends) serveOptions() {
	var res sip.Response
	e.table.Handler = sip.EventHandlerFunc(func(ev *sip.Event) {
		res.ReplyTo(ev.Request, sip.StatusOK)
		_ = e.table.RespondOnce(ev.Tx, &res)
	})
}

// steady fails if step allocates once every row and buffer has been used. Of many rounds one may need a page.
func steady(t *testing.T, step func()) {
	t.Helper()
	for begin := time.Now(); time.Since(begin) < 100*time.Millisecond; {
		step()
	}
	if n := testing.AllocsPerRun(5000, step); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestOptionsAllocates(t *testing.T) {
	e := newEnds(t)
	e.serveOptions()
	steady(t, func() { e.options(t) })
	if got := e.table.Audit(); got.Rows != 0 || e.answers != e.n {
		t.Errorf("%d answers to %d requests; left: %+v", e.answers, e.n, got)
	}
}

func TestForwardAllocates(t *testing.T) {
	e := newEnds(t)
	e.table.Handler = &forwarder{table: e.table, to: e.callee}
	steady(t, func() { e.call(t) })
	if e.answers != 2*e.n {
		t.Errorf("%d answers to %d calls", e.answers, e.n)
	}
}

// BenchmarkOptions parses a request and has it answered on the spot.
func BenchmarkOptions(b *testing.B) {
	e := newEnds(b)
	e.serveOptions()
	b.ReportAllocs()
	for b.Loop() {
		e.options(b)
	}
}

// BenchmarkForward parses and forwards INVITE, 180, 200 and ACK; what the two ends say is made and parsed too.
func BenchmarkForward(b *testing.B) {
	e := newEnds(b)
	e.table.Handler = &forwarder{table: e.table, to: e.callee}
	b.ReportAllocs()
	for b.Loop() {
		e.call(b)
	}
}
