package relay

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/network"
)

// freePair is a pair of ports that nobody has at the moment.
func freePair(t *testing.T) Ports {
	t.Helper()
	r := &Relay{Network: network.OS{}}
	defer r.Close()
	s, err := r.Open(t.Context(), loopback)
	if err != nil {
		t.Fatal(err)
	}
	rtp, rtcp := s.Local()
	if rtcp.Port() != rtp.Port()+1 {
		t.Fatalf("ports %v, %v are no pair", rtp, rtcp)
	}
	return Ports{Min: rtp.Port(), Max: rtcp.Port()}
}

func TestKeptPorts(t *testing.T) {
	r := &Relay{Network: network.OS{}, Ports: freePair(t)}
	r.kept.rest = -1
	caller := newPhone(t)
	first, err := r.Open(t.Context(), loopback)
	if err != nil {
		t.Fatal(err)
	}
	port, _ := first.Local()
	hear := func(s *Stream) chan string {
		heard := make(chan string, 8)
		s.Tap(func(b []byte, _ time.Time, _ bool) { heard <- string(b) })
		s.Aim(Peer{RTP: caller.addr(), Signalled: loopback})
		return heard
	}
	early := hear(first)
	caller.send(rtpPacket(1, 1, "first"), port)
	if got := <-early; got[12:] != "first" {
		t.Errorf("the first call heard %q", got)
	}
	first.Close()
	os := network.OS{}
	if _, err := os.ListenPacket(t.Context(), port, 1); err == nil {
		t.Error("the port of a call that has ended is not kept")
	}
	caller.send(rtpPacket(2, 1, "late"), port) // for nobody
	second, err := r.Open(t.Context(), loopback)
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := second.Local(); again != port {
		t.Errorf("the second call has %v, want %v", again, port)
	}
	later := hear(second)
	caller.send(rtpPacket(3, 1, "second"), port)
	for got := <-later; got[12:] != "second"; got = <-later { // the late one may have waited in the socket
		if got[12:] != "late" {
			t.Fatalf("the second call heard %q", got)
		}
	}
	if len(early) > 0 {
		t.Error("the first call hears what is for the second")
	}
	if _, err := r.Open(t.Context(), loopback); !errors.Is(err, ErrPorts) {
		t.Errorf("error %v, want ErrPorts", err)
	}
	second.Close()
	second.Close()
	other, err := r.Open(t.Context(), netip.MustParseAddr("127.0.0.2"))
	if err != nil {
		t.Fatalf("a port that is kept for one address is not given to another: %v", err)
	}
	other.Close()
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if r.pool.taken != 0 {
		t.Errorf("%d pairs of ports left", r.pool.taken)
	}
	for _, a := range [...]netip.AddrPort{port, netip.AddrPortFrom(other.ip, port.Port())} {
		c, err := os.ListenPacket(t.Context(), a, 1)
		if err != nil {
			t.Errorf("a port is not free after the end: %v", err)
			continue
		}
		_ = c[0].Close()
	}
}

// TestKeptPortsRest: a pair that has had no rest is not for the next stream, as long as there are others.
func TestKeptPortsRest(t *testing.T) {
	r := &Relay{Network: network.OS{}, Ports: Ports{Min: 10000, Max: 64999}} // of which others may have many
	r.kept.rest = time.Hour
	defer r.Close()
	first, err := r.Open(t.Context(), loopback)
	if err != nil {
		t.Fatal(err)
	}
	first.Close()
	second, err := r.Open(t.Context(), loopback)
	if err != nil {
		t.Fatal(err)
	}
	was, _ := first.Local()
	if now, _ := second.Local(); now == was {
		t.Errorf("%v is used again at once", now)
	}
}
