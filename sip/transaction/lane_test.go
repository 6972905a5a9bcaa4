package transaction

import (
	"fmt"
	"testing"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/transport"
)

// fullWire notes the statuses that leave.
type fullWire struct {
	*ends
	said []string
}

func (w *fullWire) Send(_ *transport.Outbox, _ sip.Flow, b []byte) error {
	res, err := sip.ParseResponse(b)
	if err == nil {
		w.said = append(w.said, fmt.Sprintf("%s %d", res.Get(sip.HeaderCSeq), res.Status))
	}
	return err
}

// arrives has a request of one call come, in memory of its own.
func arrives(t *testing.T, table *Table, tr sip.Transport, method sip.Method, n int) {
	t.Helper()
	req, err := sip.ParseRequest(fmt.Appendf(nil, "%s sip:bob@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/%v 192.0.2.1;branch=z9hG4bK%d\r\nMax-Forwards: 70\r\nFrom: <sip:alice@192.0.2.1>;tag=a\r\n"+
		"To: <sip:bob@192.0.2.2>\r\nCall-ID: c\r\nCSeq: %d %s\r\nContent-Length: 0\r\n\r\n", method, tr, n, n, method))
	if err != nil {
		t.Fatal(err)
	}
	p := &transport.Packet{Flow: flowToPeer(), Request: req}
	p.Flow.Transport = tr
	p.Via, _ = req.Via()
	table.Receive(p)
}

// TestFullQueue: while a stripe is busy and its queue full, a request that came by a connection gets 503, and a datagram, which comes again, nothing.
func TestFullQueue(t *testing.T) {
	for tr, want := range map[sip.Transport]string{
		sip.UDP: "[1 OPTIONS 200 2 OPTIONS 200 3 OPTIONS 200 4 OPTIONS 200 5 OPTIONS 200]",
		sip.TCP: "[1 OPTIONS 200 2 OPTIONS 200 3 OPTIONS 200 4 OPTIONS 200 5 OPTIONS 200 7 OPTIONS 503]",
	} {
		e := newEnds(t)
		w := &fullWire{ends: e}
		e.table.Wire, e.table.Limits.Queue = w, 4
		e.table.Handler = sip.EventHandlerFunc(func(ev *sip.Event) {
			if cseq, _ := ev.Request.CSeq(); cseq.Number == 1 {
				for n := 2; n <= 9; n++ {
					method := sip.MethodOptions
					if n == 6 {
						method = sip.MethodAck
					}
					arrives(t, e.table, tr, method, n)
				}
			}
			_ = e.table.RespondOnce(ev.Tx, ev.Request.Reply(sip.StatusOK))
		})
		arrives(t, e.table, tr, sip.MethodOptions, 1)
		if got := fmt.Sprint(w.said); got != want {
			t.Errorf("%v: %s, want %s", tr, got, want)
		}
		if s := e.table.Stats(); s.Dropped == 0 || (s.Overload == 1) != (tr == sip.TCP) {
			t.Errorf("%v: %d dropped, %d refused", tr, s.Dropped, s.Overload)
		}
	}
}
