package overload

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// closed returns a gate that has refused nearly everything for seconds, and the time.
func closed(t *testing.T) (*Gate, time.Time) {
	t.Helper()
	g, now := new(Gate), time.Unix(1_800_000_000, 0)
	for i := range 1000 {
		now = now.Add(5 * time.Millisecond)
		g.Admit(now, time.Second, invite(fmt.Sprint(i)))
	}
	if g.Loss() == 0 || g.Refused() == 0 {
		t.Fatal("the gate is open")
	}
	return g, now
}

// The longer requests wait the more are refused, and those of one Call-ID alike.
func TestAdmit(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	for _, tt := range []struct {
		waited   time.Duration
		min, max int // refused of 1000
	}{
		{0, 0, 0},
		{defaultPatience, 0, 0},
		{defaultPatience * 9 / 8, 200, 300},
		{defaultPatience * 5 / 4, 430, 570},
		{defaultPatience * 3 / 2, 980, 1000},
		{time.Hour, 1000, 1000},
	} {
		g, refused := new(Gate), 0
		for i := range 1000 {
			req := invite(fmt.Sprint(i))
			ok := g.Admit(now, tt.waited, req)
			if !ok {
				refused++
			}
			if g.Admit(now, tt.waited, req) != ok {
				t.Fatal("two requests of one call fare differently")
			}
		}
		if refused < tt.min || refused > tt.max {
			t.Errorf("waited %v: %d of 1000 refused, want %d to %d", tt.waited, refused, tt.min, tt.max)
		}
	}
}

// What is under way and what saves lives passes at any load. RFC 7339 §5.10.1, RFC 5031 §4.2.
func TestAlwaysAdmitted(t *testing.T) {
	for name, req := range map[string]*sip.Request{
		"in a dialog": invite("a", "To: <sip:bob@example.org>", "To: <sip:bob@example.org>;tag=2"),
		"ACK":         invite("a", "INVITE", "ACK"),
		"CANCEL":      invite("a", "INVITE", "CANCEL"),
		"emergency":   invite("a", "INVITE sip:bob@example.org", "INVITE urn:service:sos.fire"),
	} {
		t.Run(name, func(t *testing.T) {
			g, now := closed(t)
			for range 1000 {
				if !g.Admit(now, time.Second, req) {
					t.Fatal("refused")
				}
			}
		})
	}
	g, now := closed(t)
	refused := 0
	for i := range 1000 {
		if !g.Admit(now, time.Second, invite(fmt.Sprint(i), "INVITE sip:bob@example.org", "INVITE urn:service:sosumi")) {
			refused++
		}
	}
	if refused < 900 {
		t.Errorf("%d of 1000 others refused", refused)
	}
}

// What is not read yet fares as if it were.
func TestRefuse(t *testing.T) {
	now, refused := time.Unix(1_800_000_000, 0), 0
	for i := range 1000 {
		g, req := new(Gate), invite(fmt.Sprint(i))
		var o sip.Outline
		if !o.Read(req.AppendTo(nil)) {
			t.Fatalf("no outline of\n%s", req)
		}
		waited := defaultPatience + time.Duration(i)*100*time.Microsecond
		unread := g.Refuse(now, waited, &o)
		if g.Refused() > 0 != unread || g.Admit(now, waited, req) == unread {
			t.Fatalf("waited %v: refused unread %v", waited, unread)
		}
		if unread {
			refused++
		}
		if unread != g.Late(waited, req.CallID()) {
			t.Errorf("late after %v: %v", waited, !unread)
		}
		if o.URI = (sip.URI{Scheme: "urn", Host: sos}); g.Refuse(now, waited, &o) {
			t.Error("a call for help is refused")
		}
	}
	if refused < 600 {
		t.Errorf("%d of 1000 refused", refused)
	}
}

// A server of the user's own knows its emergency numbers.
func TestOwnEmergency(t *testing.T) {
	g, now := closed(t)
	g.Emergency = func(_ sip.Method, uri sip.URI) bool { return uri.UserName() == "112" }
	for range 100 {
		if !g.Admit(now, time.Second, invite("a", "sip:bob@example.org SIP", "sip:112@example.org SIP")) {
			t.Fatal("refused")
		}
	}
}

// Feedback says what share is to be spared, in the form that the other side reads. RFC 7339 §4, §5.3.
func TestFeedback(t *testing.T) {
	now := time.Unix(1_282_321_615, 782_000_000)
	if got, want := string(new(Gate).AppendFeedback(nil, now)), `;oc=0;oc-algo="loss";oc-validity=0;oc-seq=1282321615.782`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	g, now := closed(t)
	text := string(g.AppendFeedback(nil, now))
	if strings.Contains(text, ";oc=0;") {
		t.Error(text)
	}
	n, from := new(Neighbours), netip.MustParseAddrPort("192.0.2.9:5060")
	n.Heard(now, from, sip.Via{Params: sip.Params(text)})
	held := 0
	for i := range 100 {
		if !n.Permit(now, from, invite(fmt.Sprint(i))) {
			held++
		}
	}
	if held == 0 || n.Held() != uint64(held) {
		t.Errorf("%d held, %d counted", held, n.Held())
	}
}

// Neighbours are let go bit by bit once nothing is refused any more.
func TestFeedbackEnds(t *testing.T) {
	g, now := closed(t)
	for last := g.Loss(); last > 0; last = g.Loss() {
		for range 10 {
			now = now.Add(interval / 9)
			g.Admit(now, 0, invite("a"))
		}
		if g.Loss() > last || last-g.Loss() > 10 {
			t.Fatalf("from %d to %d percent", last, g.Loss())
		}
	}
	g, now = closed(t)
	g.Admit(now.Add(time.Hour), 0, invite("a"))
	g.Admit(now.Add(2*time.Hour), 0, invite("a"))
	if g.Loss() != 0 {
		t.Errorf("%d percent after an hour of silence", g.Loss())
	}
}
