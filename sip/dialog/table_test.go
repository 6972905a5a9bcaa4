// The table: its cap, and that it keeps calls of other stripes out.

package dialog

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"

	"github.com/sipwerk/sipwerk/sip"
)

func TestTableIsFull(t *testing.T) {
	s := newStage()
	s.table.Limit = 2
	for i := range 3 {
		err := s.invite([]string{"offer"})
		if full := errors.Is(err, ErrFull); full != (i == 2) || s.table.Len() != min(i+1, 2) {
			t.Errorf("call %d: %v, %d in the table", i, err, s.table.Len())
		}
	}
	s.log, s.usage = nil, nil
	if err := s.incoming([]string{"offer"}); err != nil || s.log[0] != "reject 503 to INVITE 10" {
		t.Errorf("a call that comes in gets %q, %v", s.log, err)
	}
}

func TestForeignStripe(t *testing.T) {
	s := newStage()
	req := sip.NewRequest(sip.MethodInvite, sip.MustParseURI("sip:bob@example.org"))
	req.Set(sip.HeaderFrom, "<sip:alice@example.com>")
	req.Set(sip.HeaderCallID, "somewhere else")
	other := (sip.StripeOf("somewhere else") + 1) % sip.Stripes
	if _, err := s.table.Invite(Outgoing{Engine: s, Stripe: other, Request: req}, s); !errors.Is(err, ErrStripe) {
		t.Errorf("Invite in a foreign stripe: %v", err)
	}
	if s.table.Len() != 0 || s.log != nil {
		t.Errorf("%d in the table, %q", s.table.Len(), s.log)
	}
}

// TestHostilePeer: whatever is said inside a dialog, the table does not panic, and a BYE ends the call.
func TestHostilePeer(t *testing.T) {
	for _, field := range [][2]string{
		{"Contact", "*"}, {"Contact", "<sip:"}, {"Session-ID", "x;remote=y"}, {"Record-Route", "<<"}, {"Require", ",,"},
	} {
		for _, method := range []string{"INVITE", "UPDATE", "INFO", "MESSAGE", "REFER", "X"} {
			s := newStage()
			for _, step := range [][]string{{"incoming", "offer"}, {"answer", "answer"}, {"ack", "10"}} {
				if err := s.do(step); err != nil {
					t.Fatal(err)
				}
			}
			ev := s.inside(method, []string{"11", "offer"})
			ev.Request.SetName(field[0], field[1])
			s.table.HandleEvent(ev)
			s.settle()
			if err := s.do([]string{"req", "BYE", "12"}); err != nil || s.table.Len() != 0 {
				t.Errorf("%s with %q: %v, %d in the table\n%s", method, field, err, s.table.Len(), fmt.Sprint(s.log))
			}
		}
	}
}

// TestPass: a request outside any dialog, and an ACK of somebody else's, pass without a trace.
func TestPass(t *testing.T) {
	s := newStage()
	passed := 0
	s.table.Next = sip.EventHandlerFunc(func(*sip.Event) { passed++ })
	for _, tt := range []struct {
		kind sip.EventKind
		to   string
		want int // of 1
	}{{sip.EventRequest, "<sip:alice@example.com>", 1}, {sip.EventAck, "<sip:alice@example.com>;tag=other", 0}} {
		ev := &sip.Event{Kind: tt.kind, Engine: s, Stripe: 3, Request: parseRequest(t, "OPTIONS sip:alice@192.0.2.1 SIP/2.0", "From: <sip:bob@example.org>;tag=b", "To: "+tt.to, "Call-ID: x", "CSeq: 1 OPTIONS")}
		passed = 0
		if n := testing.AllocsPerRun(100, func() { s.table.HandleEvent(ev) }); n != 0 {
			t.Errorf("%s: %v allocations", tt.to, n)
		}
		if passed != 101*tt.want {
			t.Errorf("%s: passed %d times", tt.to, passed)
		}
	}
}

// TestElsewhere: what would change a call and comes from where none of our requests go is asked about, and has no effect if it may not pass. RFC 3261 §12.2.2.
func TestElsewhere(t *testing.T) {
	for _, tt := range []struct {
		method, from string
		asked        bool
	}{
		{"INFO", "192.0.2.9:4444", true}, {"REFER", "192.0.2.9:4444", true}, {"UPDATE", "192.0.2.9:4444", true}, {"MESSAGE", "[2001:db8::9]:5060", true},
		{"OPTIONS", "192.0.2.9:4444", false}, {"NOTIFY", "192.0.2.9:4444", false}, {"BYE", "192.0.2.9:4444", false},
		{"INFO", "192.0.2.2:4444", false}, {"INFO", "[::ffff:192.0.2.2]:5060", false},
	} {
		s := newStage()
		for _, step := range [][]string{{"incoming", "offer"}, {"answer", "answer"}, {"ack", "10"}} {
			if err := s.do(step); err != nil {
				t.Fatal(err)
			}
		}
		s.usage.Dialog().Target, s.usage.Dialog().Routes = "sip:peer@192.0.2.2", nil
		asked := 0
		s.table.Elsewhere = func(u *Usage, ev *sip.Event) bool { asked++; return u != s.usage }
		ev := s.inside(tt.method, []string{"500"})
		ev.Flow = sip.Flow{Transport: sip.UDP, Remote: netip.MustParseAddrPort(tt.from)}
		s.table.HandleEvent(ev)
		if s.settle(); asked > 0 != tt.asked {
			t.Errorf("%s from %s: asked %d times", tt.method, tt.from, asked)
		}
		if seq := s.usage.Dialog().RemoteSeq; seq == 500 == tt.asked {
			t.Errorf("%s from %s: the last request is %d", tt.method, tt.from, seq)
		}
	}
}
