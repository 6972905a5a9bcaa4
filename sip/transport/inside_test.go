package transport

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip"
)

// optionsInside is a message with a number.
func optionsInside(n int) []byte {
	return fmt.Appendf(nil, "OPTIONS sip:a@inside.invalid SIP/2.0\r\nVia: SIP/2.0/INSIDE inside.invalid;branch=z9hG4bK%d\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\n"+
		"Call-ID: %d\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n", n, n)
}

// TestInside: what is sent inside arrives in order, what is sent while it arrives too, and nothing of it touches the network.
func TestInside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		sent := make(chan struct{})
		l := &Layer{Network: (&network.Sim{Observe: func(network.Transmission) { t.Error("a message has left") }}).Host(netip.MustParseAddr("192.0.2.1"))}
		l.Handle = func(p *Packet) {
			<-sent // nothing of what is answered comes before the last of these
			if p.Flow != Inside() {
				t.Errorf("flow %+v", p.Flow)
			}
			got = append(got, strings.Clone(p.Request.CallID()))
			if len(got) <= 3 {
				if err := l.Send(p.Out, p.Flow, optionsInside(10*len(got))); err != nil {
					t.Error(err)
				}
			}
		}
		for i := range 3 {
			if err := l.Send(nil, Inside(), optionsInside(i)); err != nil {
				t.Fatal(err)
			}
		}
		close(sent)
		synctest.Wait()
		if fmt.Sprint(got) != "[0 1 2 10 20 30]" {
			t.Errorf("arrived: %v", got)
		}
		if n := l.Stats.Sent[sip.Inside].Load(); n != 6 || l.Stats.Received[sip.Inside].Load() != n {
			t.Errorf("%d were sent, %d received", n, l.Stats.Received[sip.Inside].Load())
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if err := l.Send(nil, Inside(), optionsInside(0)); err != sip.ErrFlowLost {
			t.Errorf("after the end: %v", err)
		}
	})
}

// TestInsideIsBounded: who is not heard stops.
func TestInsideIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &Layer{Network: new(network.Sim).Host(netip.MustParseAddr("192.0.2.1")), Limits: Limits{Queue: 1000}}
		hold := make(chan struct{})
		l.Handle = func(*Packet) { <-hold }
		var err error
		for i := 0; i < 100 && err == nil; i++ {
			err = l.Send(nil, Inside(), optionsInside(i))
			synctest.Wait()
		}
		if err != sip.ErrOverload || l.Stats.Overflow.Load() != 1 {
			t.Errorf("%v, %d overflows", err, l.Stats.Overflow.Load())
		}
		close(hold)
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestInsideCannotBeNamed: neither a URI nor a listener nor another flow leads inside.
func TestInsideCannotBeNamed(t *testing.T) {
	l := &Layer{Network: new(network.Sim).Host(netip.MustParseAddr("192.0.2.1"))}
	defer l.Close()
	for _, uri := range []string{"sip:a@127.0.0.1;transport=inside", "sip:a@inside.invalid;transport=INSIDE"} {
		if targets, err := l.Resolve(t.Context(), sip.MustParseURI(uri)); err == nil {
			t.Errorf("%s leads to %v", uri, targets)
		}
	}
	if _, err := l.Listen(t.Context(), "inside://127.0.0.1"); err == nil {
		t.Error("there is a listener")
	}
	forged := Inside()
	forged.ID = 7
	if err := l.Send(nil, forged, optionsInside(0)); err != sip.ErrFlowLost {
		t.Errorf("another flow: %v", err)
	}
	if sip.ParseTransport("INSIDE") != sip.TransportNone || !sip.Inside.Reliable() || !sip.Inside.Secure() || sip.Inside.String() != "INSIDE" {
		t.Error("the transport has a name of the network's, or no properties")
	}
}
