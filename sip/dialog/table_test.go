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

// connected is a call that came in and is up, of a peer at 192.0.2.2.
func connected(t *testing.T) *stage {
	t.Helper()
	s := newStage()
	for _, step := range [][]string{{"incoming", "offer"}, {"answer", "answer"}, {"ack", "10"}} {
		if err := s.do(step); err != nil {
			t.Fatal(err)
		}
	}
	s.usage.Dialog().Target, s.usage.Dialog().Routes = "sip:peer@192.0.2.2", nil
	return s
}

// ask sends a request inside the dialog from an address and reports whether it was asked about.
func (s *stage) ask(method, seq string, over sip.Transport, from string, pass bool) (asked bool) {
	s.table.Elsewhere = func(*Usage, *sip.Event) bool { asked = true; return pass }
	ev := s.inside(method, []string{seq})
	ev.Flow = sip.Flow{ID: 7, Transport: over, Remote: netip.MustParseAddrPort(from)}
	s.table.HandleEvent(ev)
	s.settle()
	return asked
}

// TestElsewhere: what would change a call and comes from where none of our requests go is asked about, and has no effect if it may not pass. RFC 3261 §12.2.2.
func TestElsewhere(t *testing.T) {
	const eve, peer = "192.0.2.9:4444", "192.0.2.2:4444"
	for _, tt := range []struct {
		method, from string
		asked, taken bool
	}{
		{"INFO", eve, true, false}, {"REFER", eve, true, false}, {"UPDATE", eve, true, false}, {"MESSAGE", "[2001:db8::9]:5060", true, false},
		{"OPTIONS", eve, true, false}, {"SUBSCRIBE", eve, true, false}, {"FROBNICATE", eve, true, false},
		{"NOTIFY", eve, false, false}, {"PRACK", eve, false, false}, {"BYE", eve, false, true},
		{"INFO", peer, false, true}, {"INFO", "[::ffff:192.0.2.2]:5060", false, true}, {"NOTIFY", peer, false, true},
	} {
		for _, over := range []sip.Transport{sip.UDP, sip.TCP} {
			s := connected(t)
			if asked := s.ask(tt.method, "500", over, tt.from, false); asked != tt.asked {
				t.Errorf("%s by %s from %s: asked %t", tt.method, over, tt.from, asked)
			}
			if seq := s.usage.Dialog().RemoteSeq; seq == 500 != tt.taken {
				t.Errorf("%s by %s from %s: the last request is %d", tt.method, over, tt.from, seq)
			}
			if tt.from == eve && !s.usage.Over() && (!s.usage.Dialog().Flow().IsZero() || !s.ask("INFO", "501", over, eve, false)) {
				t.Errorf("%s by %s from %s makes its sender the peer", tt.method, over, tt.from)
			}
		}
	}
}

// TestElsewhereMoved: a peer that comes by a new connection is reached by that: from its address at once, from another one after it has passed. RFC 3261 §12.2.2.
func TestElsewhereMoved(t *testing.T) {
	for _, tt := range []struct {
		from  string
		asked bool
	}{{"192.0.2.2:5555", false}, {"192.0.2.9:4444", true}} {
		s := connected(t)
		if asked := s.ask("OPTIONS", "500", sip.TCP, tt.from, true); asked != tt.asked {
			t.Errorf("from %s: asked %t", tt.from, asked)
		}
		if f := s.usage.Dialog().Flow(); f.ID != 7 || s.usage.Dialog().RemoteSeq != 500 {
			t.Errorf("from %s: the peer is reached by %v", tt.from, f)
		}
		if s.ask("INFO", "501", sip.TCP, tt.from, false) {
			t.Errorf("from %s: asked again", tt.from)
		}
	}
}

// TestElsewhereLost: a telephone behind an address translator whose connection was lost comes back from the same address, and is known.
func TestElsewhereLost(t *testing.T) {
	s := connected(t)
	s.usage.Dialog().Target = "sip:peer@10.0.0.2"
	if !s.ask("OPTIONS", "500", sip.TCP, "192.0.2.9:4444", true) {
		t.Fatal("not asked")
	}
	s.table.HandleEvent(&sip.Event{Kind: sip.EventFlowLost, Engine: s, Flow: s.usage.Dialog().Flow()})
	if s.settle(); !s.usage.Dialog().Flow().IsZero() {
		t.Fatal("the connection is not lost")
	}
	if s.ask("INFO", "501", sip.TCP, "192.0.2.9:5555", false) || s.usage.Dialog().Flow().IsZero() {
		t.Error("a stranger when it comes back")
	}
}

// TestElsewhereNamed: a proxy that records its route by a name is known by the address from which the INVITE, or the answer to ours, has come; nobody else is.
func TestElsewhereNamed(t *testing.T) {
	const proxy, eve = "192.0.2.7:5060", "192.0.2.9:4444"
	from := sip.Flow{Transport: sip.UDP, Remote: netip.MustParseAddrPort(proxy)}
	check := func(what string, s *stage) {
		t.Helper()
		if s.ask("INFO", "500", sip.UDP, proxy, false) || !s.ask("INFO", "501", sip.UDP, eve, false) {
			t.Errorf("%s: the proxy is not known from others", what)
		}
	}
	s := newStage()
	s.table.Elsewhere = func(*Usage, *sip.Event) bool { return false }
	s.table.Next = sip.EventHandlerFunc(func(ev *sip.Event) {
		ev.Flow = from
		s.usage, _ = s.table.Incoming(ev, s)
	})
	s.table.HandleEvent(s.event("INVITE sip:alice@192.0.2.1 SIP/2.0\r\nRecord-Route: <sip:proxy.example.com;lr>\r\n"+peerHead+
		"From: <sip:bob@example.org>;tag=peer\r\nTo: <sip:alice@example.com>\r\nCall-ID: call\r\nCSeq: 10 INVITE\r\n", []string{"offer"}))
	if err := s.do([]string{"answer", "answer"}); err != nil {
		t.Fatal(err)
	}
	check("a call that came in", s)
	s = newStage()
	s.table.Elsewhere = func(*Usage, *sip.Event) bool { return false }
	if err := s.do([]string{"invite", "offer"}); err != nil {
		t.Fatal(err)
	}
	s.way = from
	if err := s.do([]string{"res", "INVITE", "200", "b", "answer", "Record-Route:<sip:proxy.example.com;lr>"}); err != nil {
		t.Fatal(err)
	}
	s.settle()
	check("a call that we have made", s)
}
