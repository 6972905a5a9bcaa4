package overload

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// What a server asks for is kept to, per Call-ID, for as long as it said, and never at the cost of dialogs. RFC 7339 §5.4–§5.10.
func TestNeighbours(t *testing.T) {
	now, from := time.Unix(1_800_000_000, 0), netip.MustParseAddrPort("192.0.2.9:5060")
	held := func(n *Neighbours, at time.Time, to netip.AddrPort) (count int) {
		for i := range 1000 {
			if !n.Permit(at, to, invite(fmt.Sprint(i))) {
				count++
			}
		}
		return count
	}
	heard := func(values ...string) *Neighbours {
		n := new(Neighbours)
		for _, v := range values {
			n.Heard(now, from, sip.Via{Params: sip.Params(v)})
		}
		return n
	}
	const most = `;oc-algo="loss";oc-validity=1000;oc-seq=`
	tests := []struct {
		name     string
		n        *Neighbours
		at       time.Duration
		min, max int
	}{
		{"nothing heard", heard(), 0, 0, 0},
		{"thirty percent", heard(";oc=30" + most + "1.5"), 0, 230, 370},
		{"all", heard(";oc=100" + most + "1"), 0, 1000, 1000},
		{"until its time is over", heard(";oc=100" + most + "1"), time.Second, 0, 0},
		{"the default is half a second", heard(`;oc=100;oc-algo="loss";oc-seq=1`), 499 * time.Millisecond, 1000, 1000},
		{"and no more", heard(`;oc=100;oc-algo="loss";oc-seq=1`), 500 * time.Millisecond, 0, 0},
		{"the end", heard(";oc=100"+most+"1", ";oc=0"+most+"2"), 0, 0, 0},
		{"the end by validity", heard(";oc=100"+most+"1", `;oc=50;oc-algo="loss";oc-validity=0;oc-seq=2`), 0, 0, 0},
		{"older news", heard(";oc=0"+most+"2", ";oc=100"+most+"3", ";oc=0"+most+"1"), 0, 1000, 1000},
		{"the end is not undone by older news", heard(";oc=50"+most+"1", ";oc=0"+most+"3", ";oc=100"+most+"2"), 0, 0, 0},
		{"more than all", heard(";oc=101" + most + "1"), 0, 0, 0},
		{"no number", heard(";oc=x" + most + "1"), 0, 0, 0},
		{"no sequence", heard(`;oc=100;oc-algo="loss"`), 0, 0, 0},
		{"an algorithm that was not offered", heard(`;oc=100;oc-algo="rate";oc-seq=1`), 0, 0, 0},
		{"our own mark", heard(Mark), 0, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := held(tt.n, now.Add(tt.at), from); got < tt.min || got > tt.max {
				t.Errorf("%d of 1000 held, want %d to %d", got, tt.min, tt.max)
			}
			if got := held(tt.n, now.Add(tt.at), netip.MustParseAddrPort("192.0.2.10:5060")); got != 0 {
				t.Errorf("%d held from somebody else", got)
			}
		})
	}
	n := heard(";oc=100" + most + "1")
	for _, req := range []*sip.Request{
		invite("a", "To: <sip:bob@example.org>", "To: <sip:bob@example.org>;tag=2"), invite("a", "INVITE", "ACK"),
		invite("a", "INVITE sip:bob@example.org", "INVITE urn:service:sos"),
	} {
		if !n.Permit(now, from, req) {
			t.Errorf("%s is held", req.Method)
		}
	}
	half := heard(";oc=50" + most + "1")
	for i := range 100 {
		first := half.Permit(now, from, invite(fmt.Sprint(i)))
		if second := half.Permit(now, from, invite(fmt.Sprint(i))); second != first {
			t.Error("two requests of one call fare differently")
		}
	}
}

// However many servers speak, no more than the cap are remembered.
func TestNeighboursCap(t *testing.T) {
	n, now := new(Neighbours), time.Unix(1_800_000_000, 0)
	for i := range 2 * maxNeighbours {
		from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 5060)
		n.Heard(now, from, sip.Via{Params: `;oc=100;oc-algo="loss";oc-seq=1`})
	}
	if len(n.known) != maxNeighbours {
		t.Errorf("%d remembered", len(n.known))
	}
	n.Heard(now.Add(time.Minute), netip.MustParseAddrPort("192.0.2.1:5060"), sip.Via{Params: `;oc=100;oc-algo="loss";oc-seq=1`})
	if len(n.known) != 1 {
		t.Errorf("%d remembered after a minute", len(n.known))
	}
}
