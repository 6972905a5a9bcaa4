package transaction

import (
	"net/netip"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// closedGate lets nothing in that is fresh.
type closedGate struct{}

func (closedGate) Admit(_ time.Time, _ time.Duration, req *sip.Request) bool {
	return req.ToTag() != ""
}
func (closedGate) Late(time.Duration, string) bool { return true }
func (closedGate) Refuse(_ time.Time, _ time.Duration, o *sip.Outline) bool {
	return o.ToTag == "" && o.Method != sip.MethodCancel
}
func (closedGate) Mark(netip.Addr) string                              { return "" }
func (closedGate) Permit(time.Time, netip.AddrPort, *sip.Request) bool { return true }
func (closedGate) Heard(time.Time, netip.AddrPort, sip.Via)            {}

// What is not let in is answered with 503 and leaves nothing; its copy fares alike. RFC 7339 §5.10.
func TestRefusedByLoad(t *testing.T) {
	e := newEnds(t)
	asked := 0
	e.table.Load = closedGate{}
	e.table.Handler = sip.EventHandlerFunc(func(ev *sip.Event) {
		if asked++; ev.Kind == sip.EventRequest {
			_ = e.table.RespondOnce(ev.Tx, ev.Request.Reply(sip.StatusOK))
		}
	})
	for range 2 {
		e.ask(t, sip.MethodInvite, "i", "")
		res, err := sip.ParseResponse(e.said)
		if err != nil || res.Status != sip.StatusServiceUnavailable {
			t.Fatalf("got %v: %s", err, e.said)
		}
		if after, ok := res.Uint(sip.HeaderRetryAfter); !ok || after < shortestRetry || after > longestRetry {
			t.Errorf("got\n%s", res)
		}
	}
	e.ask(t, sip.MethodOptions, "o", ";tag=b")
	if got := e.table.Audit(); asked != 1 || e.answers != 3 || got.Rows != 0 {
		t.Errorf("the handler was asked %d times, %d answers, left %+v", asked, e.answers, got)
	}
}
