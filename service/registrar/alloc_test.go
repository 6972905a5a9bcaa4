//go:build !race

// What must not be allocated. Under the race detector pools lose things on purpose.

package registrar

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/sipwerk/sipwerk/sip"
)

// TestRefreshAllocatesNothing: neither in the registrar nor in the journal.
func TestRefreshAllocatesNothing(t *testing.T) {
	o := newOffice()
	o.Accounts, o.Journal, o.Batched = lone{}, t.TempDir(), true
	if err := o.Open(); err != nil {
		t.Fatal(err)
	}
	defer closeOffice(t, o)
	var reqs []*sip.Request
	for i := range 300 {
		req, err := sip.ParseRequest(fmt.Appendf(nil, "REGISTER sip:example.org SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK%d\r\nFrom: <sip:u@example.org>;tag=1\r\n"+
			"To: <sip:u@example.org>\r\nCall-ID: c%d\r\nCSeq: %d REGISTER\r\nContact: <sip:u@192.0.2.1:5060>\r\nExpires: 3600\r\nUser-Agent: x\r\nSupported: replaces, timer\r\n\r\n", i, i/100, i))
		if err != nil {
			t.Fatal(err)
		}
		reqs = append(reqs, req)
	}
	ev := &sip.Event{Kind: sip.EventRequest, Engine: deaf{}, Trusted: true, Flow: sip.Flow{Transport: sip.UDP, Remote: netip.MustParseAddrPort("192.0.2.1:5060")}}
	i := 0
	if n := testing.AllocsPerRun(250, func() {
		ev.Request = reqs[i]
		if o.HandleEvent(ev); o.Barrier() != nil {
			t.Fatal("not written")
		}
		i++
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	var res Result
	if n := testing.AllocsPerRun(100, func() {
		if !o.Locate(&res, alice) || len(res.Bindings) != 1 || res.Bindings[0].Contact != "<sip:u@192.0.2.1:5060>" {
			t.Fatal(res.Bindings)
		}
		if _, err := res.Bindings[0].Target(); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations of a look-up", n)
	}
}
